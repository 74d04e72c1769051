"""booth-provision server retain: a dry run by default, and nothing without a rule."""

import time
from contextlib import closing

import obstore
import pytest
from sqlalchemy import insert

from provisioning import cli
from provisioning.server import archive, parts
from provisioning.server.schema import booth, recording

DAY = 86400.0


@pytest.fixture
def office(tmp_path, capsys):
    """A server with one old recording and one new one; types `server retain`."""
    directory = tmp_path / "server"
    assert cli.main(["server", "init", "--data", str(directory)]) == 0
    store = archive.open_archive(directory / parts.ARCHIVE)
    with closing(parts.open_database(directory)) as database, database.write() as connection:
        connection.execute(insert(booth).values(id="b", name="1", key=b"k", enrolled=0.0))
        for name, age in (("old", 400), ("new", 1)):
            when = time.time() - age * DAY
            row = {"id": name, "booth": "b", "call": name, "state": "whole", "bytes": 5, "begun": when, "taken": when}
            connection.execute(insert(recording).values(row))
            obstore.put(store, f"{name}.opus", b"sound")
            obstore.put(store, f"{name}.journal", b"seal")

    def type_in(*words):
        capsys.readouterr()
        code = cli.main(["server", "retain", "--data", str(directory), *words])
        return code, capsys.readouterr().out, sorted(one["path"] for one in obstore.list(store).collect())

    return type_in


BEFORE = ["new.journal", "new.opus", "old.journal", "old.opus"]


def test_it_says_what_would_go_and_deletes_only_when_it_is_meant(office):
    assert office() == (0, "Nothing is over.\n", BEFORE)
    code, said, left = office("--days", "365")
    assert (code, left) == (0, BEFORE)
    assert "(no result)  after 365 days: 1 recordings, 0.0 MB" in said
    assert "Nothing was deleted" in said
    code, said, left = office("--days", "365", "--yes")
    assert (code, left) == (0, ["new.journal", "new.opus"])
    assert "1 recordings deleted, 0 kept." in said
    assert office("--days", "365", "--yes")[1] == "0 recordings deleted, 0 kept.\n"


@pytest.mark.parametrize("days", ["0", "-3", "much"])
def test_days_that_are_none_are_refused(office, days):
    with pytest.raises(SystemExit):
        office("--days", days)
