"""The server is lost and comes back from a backup: its booths bring by themselves what the backup lacks, each thing once."""

import hashlib
import shutil
from collections import Counter

import obstore
import pytest

from firmware.store import Store
from provisioning import cli
from provisioning.server.operations.cli import open_archive
from tests.places import Files, Services
from tests.whole.conftest import Central, House
from tests.whole.test_synced_bad_days import arrived, busy_days

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def places(request):
    """Where the server is in its first life, and where in its second."""
    if request.param == "files":
        return Files(), Files()
    services = Services(request.getfixturevalue("postgresql"), request.getfixturevalue("swift"))
    return (services, services) if request.param == "services" else (Files(), services)


def own_facts(data):
    """What a booth has seen happen itself."""
    store = Store(data / "booth.db")
    try:
        return [row["id"] for row in store.rows("SELECT id FROM fact WHERE boot IS NOT NULL")]
    finally:
        store.close()


SIZES = [
    pytest.param("files", 4, id="files-4"),
    pytest.param("files", 400, id="files-400", marks=pytest.mark.soak),
    pytest.param("moving", 40, id="to-services-40", marks=pytest.mark.soak),
    pytest.param("services", 40, id="services-40", marks=pytest.mark.soak),
]


@pytest.mark.parametrize(("places", "calls"), SIZES, indirect=["places"])
def test_booths_bring_what_the_backup_lacks(places, calls, tmp_path, until):
    before, after = places
    data, dest = ["--data", str(tmp_path / "server")], str(tmp_path / "backups")
    with before.place():
        central = Central(tmp_path / "server")
        booths = [House(tmp_path / name) for name in ("one", "other")]
        made = {}
        for booth in booths:
            booth.directory.mkdir()
            booth.identity = central.identity
            central.enrol(booth.directory)
            central.sync(booth.directory)
        for booth in booths:
            made |= busy_days(booth, calls // 4, segments=2)
        until(lambda: arrived(central) == (set(made), made), 600)
        assert cli.main(["server", "backup", dest, *data]) == 0
        for booth in booths:
            made |= busy_days(booth, calls // 4, segments=2)
        until(lambda: arrived(central) == (set(made), made), 600)
        central.down()
    shutil.rmtree(tmp_path / "server")
    offline = busy_days(booths[0], 1, segments=2)  # while there is no server
    with after.place():
        assert cli.main(["server", "restore", dest, *data]) == 0
        central.up()
        try:
            until(lambda: arrived(central) == (set(made | offline), made | offline), 900)
            facts = sorted(fact for booth in booths for fact in own_facts(booth.directory))
            until(lambda: sorted(row["id"] for row in central.rows("SELECT id FROM fact")) == facts, 600)
            archive = open_archive(tmp_path / "server")
            central.server.parts.recordings.settle(600)
            names = Counter(meta["path"] for meta in obstore.list(archive).collect())
            wanted = [f"{call}{end}" for call in made | offline for end in (".journal", ".opus")]
            assert names == Counter(wanted)
            for call, digest in (made | offline).items():
                assert hashlib.sha256(bytes(obstore.get(archive, f"{call}.journal").bytes())).hexdigest() == digest
            assert cli.main(["server", "check", "--hashes", *data]) == 0
        finally:
            central.close()
