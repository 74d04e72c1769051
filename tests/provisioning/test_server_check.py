"""`server check`: every kind of fault is found where it is, once, and what can be mended is."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from provisioning import cli
from provisioning.server import operations
from provisioning.server.run import Server

ROOM = Path(operations.__file__).parent
PO = ROOM / "words" / "ja" / "LC_MESSAGES" / "operations.po"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def place(copied):
    """The copy of a server that nobody uses any more, all of whose files are a day old."""
    directory = copied[0]
    for path in directory.rglob("*"):
        os.utime(path, (time.time() - 86400,) * 2)
    do(directory, "UPDATE recording SET taken = taken - 86400")
    return directory


@pytest.fixture
def check(place, capsys):
    """Looks; the exit code, and what was found."""

    def run(*options):
        code = cli.main(["server", "check", "--data", str(place), "--json", *options])
        out = capsys.readouterr().out
        found = [json.loads(line) for line in out.splitlines()]
        return code, sorted((one["fault"], one["name"]) for one in found)

    return run


def do(directory, statement, *values):
    with closing(sqlite3.connect(directory / "server.db")) as rows, rows:
        return rows.execute(statement, values).fetchall()


def recordings(directory):
    return [row[0] for row in do(directory, "SELECT id FROM recording WHERE state = 'whole' ORDER BY id")]


def more(directory, count):
    """The same recording under other names, each with row and files."""
    first = recordings(directory)[0]
    columns = [row[1] for row in do(directory, "PRAGMA table_info(recording)") if row[1] not in {"id", "call"}]
    for number in range(count):
        name = f"{number:08x}{first[8:]}"
        do(
            directory,
            f"INSERT INTO recording (id, call, {','.join(columns)}) SELECT ?, ?, {','.join(columns)} FROM recording WHERE id = ?",
            name,
            name,
            first,
        )
        for ending in (".journal", ".opus"):
            shutil.copy2(directory / "archive" / f"{first}{ending}", directory / "archive" / f"{name}{ending}")
    return recordings(directory)


def test_a_server_that_is_well_is_said_to_be(place, check, capsys, monkeypatch):
    assert check("--hashes") == (0, [])
    for language, said in (("ja_JP.UTF-8", "異常なし"), ("C", "All is well")):
        monkeypatch.setenv("LC_ALL", language)
        assert cli.main(["server", "check", "--data", str(place)]) == 0
        assert said in capsys.readouterr().out


def test_every_fault_is_found_and_mended(place, check, capsys, monkeypatch):
    archive, incoming = place / "archive", place / "incoming"
    mute, closed = recordings(place)[:2]  # only they can be opened again, the others being copies of one of them
    names = [name for name in more(place, 7) if name not in {mute, closed}]
    lost, short, bent, blind, gone, cut, fine = names[:7]
    (archive / f"{lost}.journal").unlink()
    (archive / f"{short}.journal").write_bytes(b"short")
    data = bytearray((archive / f"{bent}.journal").read_bytes())
    data[40] ^= 1
    (archive / f"{bent}.journal").write_bytes(data)
    (archive / f"{mute}.opus").unlink()
    do(place, "UPDATE recording SET peaks = NULL WHERE id = ?", blind)
    do(place, "UPDATE recording SET state = 'taken' WHERE id = ?", closed)
    do(place, "UPDATE recording SET erased = 1, bytes = 0 WHERE id = ?", gone)
    do(place, "UPDATE recording SET state = 'partial', sha256 = NULL WHERE id = ?", cut)
    for ending in (".journal", ".opus"):
        (archive / f"{cut}{ending}").unlink()
    shutil.copy2(archive / f"{fine}.journal", archive / f"{NOBODY}.journal")
    (archive / "something else").write_text("?")
    (incoming / f"{fine}.draft").write_text("?")
    for path in (archive / f"{bent}.journal", archive / "something else", incoming / f"{fine}.draft"):
        os.utime(path, (time.time() - 86400,) * 2)
    (place / "pages.secret").chmod(0o644)
    expected = [
        *(
            ("no-journal", lost),
            ("wrong-size", short),
            ("no-sound", mute),
            ("no-waveform", blind),
            ("unopened", closed),
        ),
        *(("not-gone", gone), ("cut-short", cut), ("no-row", f"{NOBODY}.journal"), ("no-row", "something else")),
        *(("leftover", f"{fine}.draft"), ("key", str(place / "pages.secret"))),
    ]
    assert check() == (1, sorted(expected))
    assert check("--hashes") == (1, sorted([*expected, ("wrong-hash", bent)]))
    epoch = do(place, "SELECT value FROM server_note WHERE key = 'epoch'")

    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert (
        cli.main(["server", "check", "--data", str(place), "--hashes", "--mend"]) == 1
    )  # the key is a person's business
    said = capsys.readouterr()
    assert f"{lost}: 登録では届いていますが、保管庫にファイルがありません → ブースにもう一度送らせます" in said.out
    assert "異常 12 件、うち修復 11 件" in said.err
    (place / "pages.secret").chmod(0o600)
    assert do(place, "SELECT value FROM server_note WHERE key = 'epoch'") != epoch
    assert {path.name for path in (archive / "aside").iterdir()} == {
        *(f"{bent}.journal", f"{short}.journal", f"{NOBODY}.journal", "something else"),
    }
    server = Server(place)  # it opens and draws what is to be opened
    server.parts.recordings.settle(30)
    server.stop()
    assert check("--hashes") == (0, [])
    states = dict(do(place, "SELECT id, state FROM recording"))
    assert {name for name, state in states.items() if state == "partial"} == {lost, short, bent, cut}
    assert {states[name] for name in (mute, closed, fine)} == {"whole"}
    assert not list(archive.glob(f"{gone}.*"))


def test_what_is_under_way_is_no_fault(place, check):
    first = recordings(place)[0]
    for path in (place / "archive" / f"{NOBODY}.journal", place / "incoming" / f"{NOBODY}.part"):
        shutil.copy(place / "archive" / f"{first}.journal", path)  # a minute ago: its row comes next
    assert check() == (0, [])


@pytest.mark.parametrize("count", [1_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_it_needs_no_more_memory_for_more_recordings(place, count):
    """The files are not there, so each row is a fault: the longest way that there is."""
    first = recordings(place)[0]
    with closing(sqlite3.connect(place / "server.db")) as rows, rows:
        columns = [row[1] for row in rows.execute("PRAGMA table_info(recording)") if row[1] != "id"]
        what = (
            f"INSERT INTO recording (id, {','.join(columns)}) SELECT ?, {','.join(columns)} FROM recording WHERE id = ?"
        )
        rows.executemany(what, ((f"{number:08x}{first[8:]}", first) for number in range(1, count + 1)))
    command = [sys.executable, "-c", PEAK, str(place)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    lines, peak = done.stdout.split()
    assert int(lines) == count
    assert int(peak) < 120_000, done.stdout  # KiB
    print(f"{count} recordings: {peak} KiB")


PEAK = """
import io, re, sys
from provisioning import cli
class Count(io.TextIOBase):
    lines = 0
    def write(self, text):
        self.lines += text.count("\\n")
out, sys.stdout = sys.stdout, Count()
assert cli.main(["server", "check", "--data", sys.argv[1], "--json"]) == 1
print(sys.stdout.lines, re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], file=out)
"""


def test_every_text_has_its_translation_and_the_catalogue_is_compiled():
    with PO.open("rb") as file:
        messages = {message.id: message.string for message in read_po(file) if message.id}
    found = extract_from_dir(str(ROOM), [("**.py", "python")], keywords={"text": None, "mark": None})
    assert {message for _, _, message, _, _ in found if isinstance(message, str)} == set(messages)
    assert all(messages.values())
    compiled = BytesIO()
    with PO.open("rb") as file:
        write_mo(compiled, read_po(file))
    assert PO.with_suffix(".mo").read_bytes() == compiled.getvalue(), "run `make text`"
