"""booth-provision recover: all that a dead booth's card still holds, whatever has become of it, and not a byte written to it."""

import csv
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import uuid
from contextlib import closing
from io import BytesIO
from pathlib import Path
from string import Formatter

import pyrage
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from firmware import journal, mailbox
from firmware.calls import Call, Calls
from firmware.clock import Clock
from firmware.numbers import parse
from firmware.recorder import Recorder
from firmware.results import load
from firmware.vault import Vault
from hw.contracts import FRAME
from hw.events import Cause, Party
from provisioning import cli, keys, recovery
from provisioning.recovery import rebuilding, words
from provisioning.recovery.cli import RECOVER

NOW = 1795330000.0  # 2026-11-22 15:46:40 in Tokyo
SECOND = 50  # frames
ROOM = Path(recovery.__file__).parent
PO = ROOM / "text" / "ja" / "LC_MESSAGES" / "recovery.po"


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """The server's key and the offline one, whose public halves every booth has."""
    folder = tmp_path_factory.mktemp("office")
    return {name: (folder / f"{name}.key", keys.make(folder / f"{name}.key")) for name in ("server", "offline")}


class Booth:
    """A booth's card, written by the booth's own vault and books."""

    def __init__(self, place, name, recipients):
        self.place = place
        clock = Clock("system", system=lambda: NOW, monotonic=lambda: 100.0, synchronised=lambda: False, boot="b")
        place.mkdir(parents=True)
        self.calls = Calls(place / "booth.db", name, clock)
        self.calls.remember(mailbox.NAME, name)
        self.vault = Vault(place / "recordings", recipients, lambda _event: None)
        self.recorder = Recorder(self.vault, lambda _event: None)

    def record(self, name, seconds):
        self.recorder.start(name)
        for _ in range(seconds * SECOND):
            self.recorder.hear(bytes(FRAME), bytes(FRAME))
        return self.recorder.stop().path

    def call(self, seconds=5, code="SALE", number="03-1234-5601"):
        call = Call(str(uuid.uuid4()), parse(number), None)
        self.calls.begin(call, None, "07", "=1+1")
        self.calls.answered(call.id)
        path = self.record(call.id, seconds)
        self.calls.ended(call.id, Cause.NORMAL, Party.FAR, float(seconds))
        if code:
            self.calls.finish(call.id, next(one for one in load() if one.code == code))
        return path

    def memo(self, call):
        name = str(uuid.uuid4())
        self.record(name, 2)
        self.calls.mark(call, f"memo {name}", 2.0)
        return name

    def die(self):
        """As a power cut leaves it: the database's log has not been folded back."""
        self.vault.close()


@pytest.fixture(scope="module")
def pristine(tmp_path_factory, office):
    """A card with four calls, one of which has a memo; the booth is dead, its card as it was."""
    place = tmp_path_factory.mktemp("cards") / "boothphone"
    booth = Booth(place, "3", [public for _file, public in office.values()])
    paths = [booth.call(), booth.call(code="REF"), booth.call(code="", number="090-1234-5603")]
    memo = booth.memo(paths[0].stem)
    booth.die()
    yield place, [path.name for path in paths], memo
    booth.calls.close()


@pytest.fixture
def card(pristine, tmp_path):
    """A copy of it to be spoilt."""
    place, names, memo = pristine
    shutil.copytree(place, tmp_path / "card" / "boothphone")
    return tmp_path / "card", [tmp_path / "card" / "boothphone" / "recordings" / name for name in names], memo


@pytest.fixture
def recover(office, tmp_path, capsys):
    def run(card, *more, key=office["offline"][0]):
        capsys.readouterr()
        out = tmp_path / "out"
        code = cli.main(["recover", str(card), "--key", str(key), "--out", str(out), *more])
        said = capsys.readouterr()
        return code, said.out, said.err

    run.out = tmp_path / "out"
    return run


def table(folder):
    """calls.csv by call."""
    text = (folder / "calls.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(text.decode("utf-8-sig").splitlines()))


def seconds(path):
    """What an outside judge says that a file plays."""
    said = subprocess.run(["opusinfo", path], capture_output=True, text=True, check=True).stdout
    assert "WARNING" not in said
    minutes, rest = re.search(r"Playback length: (\d+)m:([\d.]+)s", said).groups()
    return 60 * int(minutes) + float(rest)


def change(database, statement):
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(statement)


def fingerprint(place):
    """Every file with its bytes and times."""
    return {
        path: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(place.rglob("*"))
        if path.is_file()
    }


def test_a_whole_card_gives_everything_and_is_not_touched(card, recover):
    place, paths, memo = card
    before = fingerprint(place)
    code, said, _ = recover(place)
    assert (code, fingerprint(place)) == (0, before)
    assert "4 recordings" in said
    rows = {row["Call id"]: row for row in table(recover.out) if row["Kind"] == "call"}
    assert [rows[path.stem]["Result"] for path in paths] == ["Sale (SALE)", "Refusal (REF)", ""]
    first = rows[paths[0].stem]
    assert (first["Booth"], first["Agent"], first["Number"]) == ("3", "07", "03-1234-5601")
    assert (first["Date and time"], first["Talk (s)"], first["State"]) == ("2026-11-22 15:46:40", "5.0", "whole")
    (memos,) = [row for row in table(recover.out) if row["Kind"] == "memo"]
    assert (memos["Recording"], memos["Call id"]) == (f"{memo}.opus", paths[0].stem)
    for path in paths:
        assert seconds(recover.out / f"{path.stem}.opus") == pytest.approx(5.0, abs=0.1)
    assert all(path.stat().st_mode & 0o077 == 0 for path in recover.out.iterdir())


def test_a_second_run_changes_nothing_and_a_broken_off_one_goes_on(card, recover):
    place, paths, _memo = card
    assert recover(place)[0] == 0
    before = fingerprint(recover.out)
    assert recover(place)[0] == 0
    after = fingerprint(recover.out)
    opus = [path for path in before if path.suffix == ".opus"]
    assert [before[path] for path in opus] == [after[path] for path in opus]
    (recover.out / f"{paths[0].stem}.opus").unlink()
    (recover.out / f"{paths[1].stem}.opus.part").write_bytes(b"half")
    (recover.out / ".recovered.json").write_bytes(b"{ half")
    assert recover(place)[0] == 0
    assert {path.name for path in recover.out.iterdir()} == {path.name for path in before}


def test_either_key_opens_it_also_behind_a_passphrase_and_a_wrong_one_is_told(
    card, recover, office, tmp_path, monkeypatch
):
    place, _paths, _memo = card
    assert recover(place, key=office["server"][0])[0] == 0
    shutil.rmtree(recover.out)
    locked = tmp_path / "locked.age"
    locked.write_bytes(pyrage.passphrase.encrypt(office["offline"][0].read_bytes(), "correct horse"))
    monkeypatch.setattr("provisioning.recovery.cli.getpass", lambda _prompt: "correct horse")
    assert recover(place, key=locked)[0] == 0
    monkeypatch.setattr("provisioning.recovery.cli.getpass", lambda _prompt: "wrong")
    code, _, said = recover(place, key=locked)
    assert (code, "passphrase is wrong" in said) == (1, True)
    stranger = tmp_path / "stranger.key"
    keys.make(stranger)
    shutil.rmtree(recover.out)
    code, _, said = recover(place, key=stranger)
    assert (code, "sealed to another one" in said) == (2, True)
    assert not list(recover.out.glob("*.opus"))
    assert recover(place)[0] == 0  # and the right key afterwards has it all


def spoil(path, how):
    """A journal as cuts and bad blocks leave it."""
    data = path.read_bytes()
    records = journal.read(data).records
    match how:
        case "torn in its last segment":
            path.write_bytes(data[: records[-2].end - 100])
        case "never closed":
            path.write_bytes(data[: records[-1].start])
        case "a bad block in its middle":
            at = records[1].start + 200
            path.write_bytes(data[:at] + bytes(512) + data[at + 512 :])
        case "a bad block where a record begins":
            at = records[1].start
            path.write_bytes(data[: at - 8] + bytes(64) + data[at + 56 :])
        case "a tail of zeros":
            path.write_bytes(data[: records[1].end] + bytes(8192))


@pytest.mark.parametrize(
    ("how", "plays"),
    [
        ("torn in its last segment", 4.0),
        ("never closed", 5.0),
        ("a bad block in its middle", 5.0),
        ("a bad block where a record begins", 5.0),
        ("a tail of zeros", 4.0),
    ],
)
def test_what_is_damaged_comes_as_far_as_it_goes_and_later_segments_with_it(card, recover, how, plays):
    place, paths, _memo = card
    spoil(paths[0], how)
    code, said, _ = recover(place)
    assert code == 1
    assert "1 are not whole" in said
    (row,) = [row for row in table(recover.out) if row["Call id"] == paths[0].stem and row["Kind"] == "call"]
    assert (row["State"], bool(row["What is wrong"])) == ("not whole", True)
    assert seconds(recover.out / f"{paths[0].stem}.opus") == pytest.approx(plays, abs=0.15)
    assert recover(place)[0] == 1  # the second run says the same


@pytest.mark.parametrize("how", ["gone", "empty", "half", "garbage", "newer"])
def test_without_a_database_that_can_be_read_the_recordings_are_there_all_the_same(card, recover, how):
    place, paths, _memo = card
    for log in ("-wal", "-shm"):
        if how != "newer":
            (place / "boothphone" / f"booth.db{log}").unlink(missing_ok=True)
    database = place / "boothphone" / "booth.db"
    match how:
        case "gone":
            database.unlink()
        case "empty":
            database.write_bytes(b"")
        case "half":
            database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])
        case "garbage":
            database.write_bytes(os.urandom(70_000))
        case "newer":
            change(database, "PRAGMA user_version = 999")
    code, said, error = recover(place)
    assert code == (how in {"empty", "half", "garbage"})
    assert "4 recordings" in said
    known = [row for row in table(recover.out) if row["Agent"]]
    assert bool(known) is (how == "newer")
    assert (how in {"empty", "half", "garbage"}) is ("damaged" in error)
    assert {row["Call id"] for row in table(recover.out)} >= {path.stem for path in paths}


def test_journals_alone_and_nameless_ones_of_a_repaired_file_system_are_found(card, recover):
    place, paths, _memo = card
    lost = place / "lost+found"
    lost.mkdir()
    shutil.move(paths[0], lost / "#12345")
    (lost / "#12346").write_bytes(os.urandom(5000))
    loose = place / "elsewhere"
    loose.mkdir()
    shutil.move(paths[1], loose / paths[1].name)
    (loose / "link.journal").symlink_to(paths[2])
    code, said, _ = recover(place)
    assert (code, "4 recordings" in said) == (0, True)
    assert {path.stem for path in recover.out.glob("*.opus")} >= {path.stem for path in paths}


def test_several_booths_come_together_and_of_two_copies_the_longer_counts(pristine, office, tmp_path, recover):
    place, names, _memo = pristine
    both = tmp_path / "both"
    shutil.copytree(place, both / "first")
    shutil.copytree(place, both / "first-again")
    spoil(both / "first" / "recordings" / names[0], "a tail of zeros")
    second = Booth(both / "second", "8", [office["offline"][1]])
    path = second.call(3)
    second.die()
    code, _said, _ = recover(both)
    second.calls.close()
    rows = table(recover.out)
    assert {row["Booth"] for row in rows} == {"3", "8"}
    assert len([row for row in rows if row["Kind"] == "call"]) == 4
    assert code == 0  # the whole copy is the one that counts
    assert seconds(recover.out / f"{names[0].removesuffix('.journal')}.opus") == pytest.approx(5.0, abs=0.1)
    assert (recover.out / f"{path.stem}.opus").exists()


def test_what_cannot_be_done_is_said(card, recover, tmp_path, office):
    place, paths, _memo = card
    empty, image = tmp_path / "empty", tmp_path / "card.img"
    empty.mkdir()
    image.write_bytes(bytes(4096))
    for wrong, why in ((tmp_path / "nowhere", "is not there"), (image, "Mount it read-only"), (empty, "No recording")):
        code, _, said = recover(wrong)
        assert (code, why in said) == (2, True), said
    capsys_code = cli.main(["recover", str(place), "--key", str(office["offline"][0]), "--out", str(place / "out")])
    assert capsys_code == 2
    assert not (place / "out").exists()
    for path in paths:
        path.write_bytes(b"")
    code, said, _ = recover(place)
    assert code == 1
    assert "3 cannot be opened at all" in said


def test_a_block_that_the_card_does_not_give_out_takes_nothing_else_with_it(tmp_path):
    scratch = tmp_path / "copy"
    lost = rebuilding.copy(Path("/proc/self/mem"), 10_000, scratch)  # whose first pages answer EIO
    assert (lost, scratch.read_bytes()) == (10_000, bytes(10_000))


def test_a_formula_in_a_name_stays_a_text(card, recover):
    place, paths, _memo = card
    database = place / "boothphone" / "booth.db"
    change(database, "UPDATE call SET agent = '=cmd|x'")
    recover(place)
    assert {row["Agent"] for row in table(recover.out) if row["Agent"]} == {"'=cmd|x"}
    assert paths


def test_it_speaks_japanese_where_the_terminal_does(card, recover, monkeypatch):
    place, paths, _memo = card
    spoil(paths[0], "never closed")
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    code, said, _ = recover(place)
    assert (code, "録音 4 件" in said) == (1, True)
    rows = {row["通話ID"]: row for row in table(recover.out) if row["種類"] == "通話"}
    assert (rows[paths[1].stem]["結果"], rows[paths[1].stem]["状態"]) == ("断り (REF)", "完全")
    assert rows[paths[0].stem]["異常の内容"]
    assert not re.search("[a-z]{4}", rows[paths[0].stem]["異常の内容"])


def test_plain_age_opens_a_segment_as_the_help_says(card, office):
    """The very line of the help, typed into a shell."""
    _place, paths, _memo = card
    (line,) = [line for line in RECOVER.splitlines() if "age -d" in line]
    for file, _public in office.values():
        typed = line.replace("JOURNAL", str(paths[0])).replace("KEY", str(file))
        opened = subprocess.run(typed, shell=True, capture_output=True, check=True).stdout
        segment = journal.unpack(opened)
        assert (str(segment.call), segment.index, len(segment.agent)) == (paths[0].stem, 0, 100)


def test_plain_age_opens_any_segment_cut_out_of_a_journal(card, office):
    """One blob, the Debian tool, either key."""
    _place, paths, _memo = card
    data = paths[0].read_bytes()
    blob = journal.read(data).records[1].blob
    for file, _public in office.values():
        opened = subprocess.run(["age", "-d", "-i", file], input=blob, capture_output=True, check=True).stdout
        segment = journal.unpack(opened)
        assert (str(segment.call), segment.index, len(segment.agent)) == (paths[0].stem, 1, 100)


def test_every_word_is_translated_and_no_other():
    with PO.open("rb") as file:
        ours = {message.id: message for message in read_po(file) if message.id}
    compiled = BytesIO()
    with PO.open("rb") as file:
        write_mo(compiled, read_po(file))
    assert PO.with_suffix(".mo").read_bytes() == compiled.getvalue(), "run `make text`"
    found = extract_from_dir(str(ROOM), [("**.py", "python")], keywords={"say": None, "phrase": None})
    said = {message for _, _, message, _, _ in found if isinstance(message, str)}
    assert set(ours) <= said
    assert [text for text in said if words.load("ja")(text) == text] == []

    def names(text):
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert [each.id for each in ours.values() if names(each.id) != names(each.string)] == []
