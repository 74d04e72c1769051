"""Backups: taken while the server serves, never half, restored on either engine, and looked at before anything changes."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
import uuid
from contextlib import closing
from pathlib import Path

import obstore
import pytest
from sqlalchemy import JSON, Boolean, Double, insert, select

from firmware import wire
from provisioning import cli
from provisioning.server import database, parts, schema
from provisioning.server.commands import CommandError
from provisioning.server.operations import shelf, snapshot
from provisioning.server.operations.cli import open_archive
from provisioning.server.run import Server
from tests.places import Services

ENGINES = ["sqlite", "postgresql"]
VICTIM = Path(__file__).with_name("backup_victim.py")


@pytest.fixture
def provision(capsys):
    """Does a command; its exit code and what it printed."""

    def run(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


def files(archive):
    return {meta["path"]: bytes(obstore.get(archive, meta["path"]).bytes()) for meta in obstore.list(archive).collect()}


def everything(store, *, but=()):
    with store.read() as connection:
        tables = [table for table in schema.metadata.sorted_tables if table.name not in {"session", *but}]
        return {table.name: sorted(map(repr, connection.execute(select(table)))) for table in tables}


def filled(store, rows=3):
    """Something in every table, whatever tables there are."""
    with store.write() as connection:
        for table in schema.metadata.sorted_tables:
            for number in range(1, rows + 1):
                row = {column.name: value(column, number) for column in table.columns}
                connection.execute(insert(table).values(row))


def value(column, number):
    """Of the right kind; every second one that may be nothing is nothing, and keys lead to rows that are there."""
    if column.foreign_keys:
        return value(next(iter(column.foreign_keys)).column, number)
    if column.nullable and number % 2:
        return None
    if column.name == "state":
        return ("whole", "partial", "torn")[number % 3]
    for kind, some in ((JSON, [{"名": None, "n": number}]), (Boolean, bool(number % 2)), (Double, number / 3)):
        if isinstance(column.type, kind):
            return some
    text = f"{column.name} 東 '\"\\ {number}"
    return {int: number, bytes: bytes([0, 255, number]), str: text}[column.type.python_type]


@pytest.fixture
def store(request, tmp_path):
    """Makes empty databases of either engine."""
    opened, dropped = [], []

    def make(engine, name):
        url = f"sqlite:///{tmp_path / name}.db"
        if engine == "postgresql":
            cluster = request.getfixturevalue("postgresql")
            url = cluster.new()
            dropped.append((cluster, url))
        one = database.Database(url)
        one.upgrade()
        opened.append(one)
        return one

    yield make
    for one in opened:
        one.close()
    for cluster, url in dropped:
        cluster.drop(url)


@pytest.mark.parametrize("engines", [("sqlite", "postgresql"), ("postgresql", "sqlite")], ids="-".join)
def test_every_row_goes_from_one_engine_to_the_other(store, engines):
    source, target = (store(engine, f"{place}-{engine}") for place, engine in enumerate(engines))
    filled(source)
    with source.read() as here, target.write() as there:
        counts = snapshot.copy(here, there, lambda *_: None)
    assert set(counts.values()) == {3}
    assert everything(target) == everything(source)
    with target.write() as connection:  # and it goes on counting from there
        row = {column.name: value(column, 8) for column in schema.administrator.columns if column.name != "id"}
        assert connection.execute(insert(schema.administrator).values(row)).inserted_primary_key[0] == 4
        row = {column.name: value(column, 8) for column in schema.fact.columns if column.name not in {"seq", "sender"}}
        assert connection.execute(insert(schema.fact).values(row)).inserted_primary_key[0] == 4


def test_a_picture_of_one_moment(store):
    """What is written meanwhile is in none of the tables or in all."""
    for engine in ENGINES:
        source, target = store(engine, f"moving-{engine}"), store("sqlite", f"still-{engine}")
        filled(source)

        def also(table, _count, source=source):
            if table == "server_note":  # before the table of facts is read
                with source.write() as connection:
                    filled_in = {column.name: value(column, 6) for column in schema.fact.columns}
                    connection.execute(insert(schema.fact).values(filled_in | {"seq": 6, "sender": None}))

        with source.read() as here, target.write() as there:
            counts = snapshot.copy(here, there, also)
        assert counts["fact"] == 3, engine
        with source.read() as connection:
            assert len(connection.execute(select(schema.fact)).all()) == 4


def test_restored_elsewhere_it_is_the_same_server_in_a_new_epoch(office, provision, tmp_path):
    booth, place = office.booth, tmp_path / "restored"
    cursor = booth.latest()
    made = shelf.find(office.dest).place
    assert [path for path in office.dest.rglob("*") if path.stat().st_mode & 0o77] == []
    assert not list(office.dest.rglob("*.opus"))  # nothing in it plays without the keys
    code, out, _ = provision("server", "restore", office.dest, "--data", place)
    assert code == 0
    assert "begin anew" in out
    for name in ("recordings.key", "pages.secret", "booth-api.key", "booth-api-backup.key", "booth-api.pem"):
        assert (
            (place / name).read_bytes() == (office.directory / name).read_bytes() == (made / "keys" / name).read_bytes()
        )
        assert (place / name).stat().st_mode & 0o77 == 0
    again = Server(place)
    again.start()
    old, booth.token, booth.nonce = booth.token, wire.Token.read(again.new_token("x")), ""
    try:
        assert booth.hear(cursor).reset
        assert booth.offset(next(iter(office.calls)))[1]
        again.parts.recordings.settle(30)
        but = ("server_note", "booth", "claim", "token")
        assert everything(again.parts.database, but=but) == everything(office.server.parts.database, but=but)
        assert files(again.parts.archive) == files(office.server.parts.archive)
        assert {f"{call}{end}" for call in office.calls for end in (".opus", ".journal")} == set(
            files(again.parts.archive)
        )
    finally:
        again.stop()
        booth.token, booth.nonce = old, ""


def test_from_files_to_services_and_back(office, provision, request, tmp_path):
    """SQLite and a folder → PostgreSQL and S3 → SQLite and a folder."""
    place, dest = tmp_path / "services", tmp_path / "backups"
    with Services(request.getfixturevalue("postgresql"), request.getfixturevalue("swift")).place():
        assert provision("server", "restore", office.dest, "--data", place)[0] == 0
        assert not (place / "server.db").exists()
        server = Server(place)
        server.start()
        server.parts.recordings.settle(60)
        sound = {
            name: data for name, data in files(server.parts.archive).items() if name.partition(".")[0] in office.calls
        }
        server.stop()
        assert provision("server", "check", "--hashes", "--data", place)[0] == 0
        assert provision("server", "backup", dest, "--data", place)[0] == 0
        code, _, err = provision("server", "restore", dest, "--data", place, "--replace")
        assert code == 1
        assert "make a new, empty one" in err
        hurt, archive = f"{next(iter(office.calls))}.journal", open_archive(place)
        obstore.put(archive, hurt, b"short")
        assert provision("server", "check", "--data", place)[0] == 1
        assert provision("server", "check", "--mend", "--data", place)[0] == 0
        assert bytes(obstore.get(archive, f"aside/{hurt}").bytes()) == b"short"
        assert hurt not in files(archive)
    assert provision("server", "restore", dest, "--data", tmp_path / "back")[0] == 0
    with closing(parts.open_database(tmp_path / "back")) as store:
        but = ("server_note", "booth", "claim", "token", "recording")
        assert everything(store, but=but) == everything(office.server.parts.database, but=but)
    assert sound.items() <= files(office.server.parts.archive).items()
    assert {path.name for path in (tmp_path / "back" / "archive").iterdir()} == {
        name for name in sound if name.endswith(".journal")
    }


def test_the_next_backup_copies_only_what_is_new(growing, provision):
    dest = growing.dest
    before = {path.name: path.stat().st_ino for path in (dest / "recordings").iterdir()}
    growing.work(1)
    assert provision("server", "backup", dest, "--data", growing.directory)[0] == 0
    after = {path.name: path.stat().st_ino for path in (dest / "recordings").iterdir()}
    assert len(after) == len(before) + 1
    assert before.items() <= after.items()
    assert [shelf.Backup(place).manifest.recordings.count for place in shelf.whole(dest)] == [len(before), len(after)]
    assert {name.partition(".")[0] for name in after} == set(growing.calls)


def test_what_was_deleted_for_good_leaves_the_backups_too(copied, provision):
    source, dest = copied
    gone, *others = sorted(path.name.partition(".")[0] for path in (dest / "recordings").iterdir())
    with closing(sqlite3.connect(source / "server.db")) as rows, rows:
        rows.execute("UPDATE recording SET erased = 1, bytes = 0 WHERE id = ?", (gone,))
    assert provision("server", "backup", dest, "--data", source, "--keep", 2)[0] == 0
    assert list((dest / "recordings").glob(f"{gone}.*"))  # the older backup still speaks of it
    code, _, err = provision("server", "backup", dest, "--data", source, "--keep", 2)
    assert code == 0
    assert len(shelf.whole(dest)) == 2
    assert "removed: 1 older backups, 1 recordings" in err
    assert not list((dest / "recordings").glob(f"{gone}.*"))
    assert all(list((dest / "recordings").glob(f"{name}.*")) for name in others)


def test_without_keys_it_needs_those_that_were_kept_elsewhere(copied, provision, tmp_path):
    source, _ = copied
    dest, place = tmp_path / "keyless", tmp_path / "restored"
    code, _, err = provision("server", "backup", dest, "--data", source, "--without-keys")
    assert code == 0
    assert "keys are not in it" in err
    secret = (source / "recordings.key").read_text().split()[-1].encode()
    assert not [path for path in dest.rglob("*") if path.is_file() and secret in path.read_bytes()]
    code, _, err = provision("server", "restore", dest, "--data", place)
    assert code == 1
    assert "recordings.key" in err
    assert is_empty(place)
    for name in ("recordings.key", "pages.secret", "booth-api.key", "booth-api-backup.key"):
        shutil.copy(source / name, place / name)
    assert provision("server", "restore", dest, "--data", place)[0] == 0


def is_empty(place):
    """No row of anybody."""
    if not (place / "server.db").exists():
        return True
    with closing(parts.open_database(place)) as store, store.read() as connection:
        return snapshot.occupied(connection) == []


def test_a_server_that_is_there_is_refused_or_put_aside(office, copied, provision, tmp_path):
    _, dest = copied
    place = tmp_path / "other"
    assert provision("server", "init", "--data", place, "--administrator", "sato")[0] == 0
    key = (place / "recordings.key").read_bytes()
    code, _, err = provision("server", "restore", dest, "--data", place)
    assert code == 1
    assert "--replace" in err
    assert (place / "recordings.key").read_bytes() == key
    code, _, err = provision("server", "restore", dest, "--data", place, "--replace")
    assert code == 0
    (aside,) = place.glob("before-*")
    assert (aside / "recordings.key").read_bytes() == key
    with closing(sqlite3.connect(aside / "server.db")) as old:
        assert old.execute("SELECT name FROM administrator").fetchall() == [("sato",)]
    assert (place / "recordings.key").read_bytes() == (office.directory / "recordings.key").read_bytes()
    code, _, err = provision("server", "restore", dest, "--data", office.directory, "--replace")
    assert code == 1
    assert "stop it first" in err


def bend(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("hurt", ["recording", "database", "key", "manifest", "missing"])
def test_a_damaged_backup_changes_nothing(copied, provision, tmp_path, hurt):
    _, dest = copied
    backup, place = shelf.find(dest).place, tmp_path / "restored"
    wounded = next((dest / "recordings").iterdir())
    harm = {
        "recording": lambda: bend(wounded),
        "database": lambda: bend(backup / "server.db"),
        "key": lambda: bend(backup / "keys" / "recordings.key"),
        "manifest": lambda: (backup / "manifest.json").write_text("{"),
        "missing": wounded.unlink,
    }
    harm[hurt]()
    code, out, err = provision("server", "restore", dest, "--data", place)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert is_empty(place)
    assert not (place / "recordings.key").exists()
    assert not (place / "archive").exists()
    assert provision("server", "restore", dest, "--look-only")[0] == 1
    if hurt in {"recording", "missing"}:  # the others may be had all the same, and booths are asked for this one
        code, _, err = provision("server", "restore", dest, "--data", place, "--damaged")
        assert code == 0
        assert "1 recordings are not in the backup" in err
        with closing(sqlite3.connect(place / "server.db")) as rows:
            states = rows.execute("SELECT id, state FROM recording").fetchall()
        assert {call for call, state in states if state == "partial"} == {wounded.name.partition(".")[0]}
        assert {state for _, state in states} == {"partial", "taken"}


@pytest.mark.parametrize("step", [23, pytest.param(1, marks=pytest.mark.soak)])
def test_a_backup_or_restore_that_was_broken_off_is_none(copied, tmp_path, step):
    """Killed at every touch of the disk (in the ordinary run at some), and then done again."""
    source, _ = copied
    command = [sys.executable, VICTIM, source, tmp_path / "new", str(step)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[-1]) >= 40 // step
    with closing(sqlite3.connect(tmp_path / "new" / "restored" / "server.db")) as rows:
        calls = {row[0] for row in rows.execute("SELECT id FROM recording WHERE state = 'taken'")}
    assert calls
    assert {path.stem for path in (tmp_path / "new" / "restored" / "archive").glob("*.journal")} == calls


@pytest.mark.parametrize("calls", [2_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_it_needs_no_more_memory_for_more_calls(copied, tmp_path, calls):
    source, _ = copied
    with closing(sqlite3.connect(source / "server.db")) as rows, rows:
        columns = [row[1] for row in rows.execute("PRAGMA table_info(call)") if row[1] not in {"id", "record"}]
        put = f"INSERT INTO call (id, record, {','.join(columns)}) SELECT ?, ?, {','.join(columns)} FROM call LIMIT 1"
        rows.executemany(put, ((str(uuid.UUID(int=number)), "x" * 3000) for number in range(1, calls + 1)))
    for what in (["backup", tmp_path / "new"], ["restore", tmp_path / "new"]):
        place = source if what[0] == "backup" else tmp_path / "restored"
        began = time.monotonic()
        command = [sys.executable, "-c", PEAK, "server", *what, "--data", place]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
        peak = int(done.stdout.split()[-1])
        print(f"{what[0]} of {calls} calls: {time.monotonic() - began:.1f} s, {peak} KiB")
        assert peak < 120_000
    with closing(sqlite3.connect(tmp_path / "restored" / "server.db")) as rows:
        assert rows.execute("SELECT count(*) FROM call WHERE length(record) = 3000").fetchone() == (calls,)


PEAK = """
import re, sys
from provisioning import cli
assert cli.main(sys.argv[1:]) == 0
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@pytest.mark.parametrize("most", [100_000, 1500])
def test_on_a_full_disk_it_says_so_and_leaves_no_backup(copied, tmp_path, most):
    """No file may grow beyond so many bytes: first the rows do not fit, then the keys and recordings."""
    source, _ = copied
    command = [sys.executable, "-c", SMALL, str(most), "server", "backup", tmp_path / "new", "--data", source]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("booth-provision: ")
    assert done.stderr.count("\n") == 1
    with pytest.raises(CommandError):
        shelf.find(tmp_path / "new")


SMALL = """
import resource, sys
from provisioning import cli
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(cli.main(sys.argv[2:]))
"""


def test_an_empty_folder_is_no_backup(tmp_path):
    with pytest.raises(CommandError, match="no backup"):
        shelf.find(tmp_path)
    (tmp_path / "2026-11-30T12-00-00.000Z.part").mkdir()
    with pytest.raises(CommandError, match="broken off"):
        shelf.find(tmp_path)


def test_a_backup_of_a_later_program_says_so(tmp_path):
    place = tmp_path / "2026-11-30T12-00-00.000Z"
    place.mkdir()
    manifest = {"format": 2, "made": 0, "software": "", "engine": "", "rows": {}, "files": {}, "recordings": {}}
    (place / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CommandError, match="newer"):
        shelf.find(tmp_path)
