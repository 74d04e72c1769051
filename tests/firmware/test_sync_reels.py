"""The recordings on the card as sync sees them: only what stays, and never more of them than fit into memory."""

import os
import shutil
import subprocess
import sys
import uuid

import pytest

from firmware import journal
from firmware.syncing.reels import PAGE, Reel, Shelf

SPOILER = r"""
#include <errno.h>
#include <stdlib.h>
int fdatasync(int file) {  /* the card does not keep what was written */
    (void)file;
    if (getenv("SPOILT")) { errno = EIO; return -1; }
    return 0;
}
"""
LOOK = """
import sys
from pathlib import Path
from firmware.syncing.reels import Reel
reel = Reel(Path(sys.argv[1]))
try:
    reel.look()
except OSError as problem:
    print(reel.ready, reel.ended, problem.errno)
else:
    print(reel.ready, reel.ended, 0)
"""
RECORD = journal.record(b"x" * 5000)


def made(directory, name, data, at=None):
    path = directory / f"{name}.journal"
    path.write_bytes(data)
    if at is not None:
        os.utime(path, (at, at))
    return path


def names(count):
    return [str(uuid.uuid4()) for _ in range(count)]


def test_whole_records_are_shown_as_they_come(tmp_path):
    path = made(tmp_path, "one", RECORD[:-1])
    reel = Reel(path)
    assert reel.whole is None
    for more, ready, ended in (
        (b"", 0, False),
        (RECORD[-1:], 1, False),
        (RECORD * 40, 41, False),
        (RECORD[:9], 41, False),
    ):
        with path.open("ab") as file:
            file.write(more)
        reel.look()
        assert (reel.ready, reel.ended) == (ready * len(RECORD), ended)
    with path.open("ab") as file:
        file.write(RECORD[9:] + journal.record(b"end", closing=True))
    reel.look()
    assert reel.whole
    assert reel.read(reel.ready, 100) == b""
    assert reel.ready == path.stat().st_size


@pytest.fixture(scope="module")
def spoiler(tmp_path_factory):
    """A card on which nothing stays, for one process."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    where = tmp_path_factory.mktemp("spoiler")
    source, library = where / "spoiler.c", where / "spoiler.so"
    source.write_text(SPOILER, encoding="ascii")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return str(library)


@pytest.mark.parametrize(("spoilt", "said"), [({}, f"{len(RECORD)} False 0"), ({"SPOILT": "1"}, "0 False 5")])
def test_what_the_card_does_not_keep_is_not_shown(tmp_path, spoiler, spoilt, said):
    """Its own fdatasync is sync's proof: the vault may be killed between writing and making sure."""
    path = made(tmp_path, "one", RECORD)
    environment = os.environ | {"LD_PRELOAD": spoiler} | spoilt
    command = [sys.executable, "-c", LOOK, str(path)]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == said


def test_what_the_vault_takes_back_is_forgotten(tmp_path):
    path = made(tmp_path, "one", RECORD * 3)
    reel = Reel(path)
    reel.look()
    os.truncate(path, len(RECORD))
    reel.look()
    assert reel.ready == len(RECORD)
    with path.open("ab") as file:
        file.write(journal.record(b"another") + journal.record(b"end", closing=True))
    reel.look()
    assert (reel.ready, reel.ended) == (path.stat().st_size, True)


def test_the_shelf_holds_a_page_and_counts_the_rest(tmp_path):
    recordings = names(PAGE + 36)
    for place, name in enumerate(recordings):
        made(tmp_path, name, RECORD, at=1000 + place)
    made(tmp_path, "no-uuid", RECORD)
    (tmp_path / f"{uuid.uuid4()}.part").touch()
    shelf, newest = Shelf(tmp_path), recordings[::-1]
    assert shelf.present() == set(recordings)
    shelf.look(set())
    assert [reel.name for reel in shelf] == newest[:PAGE]
    assert (shelf.others, shelf.bytes_of_others) == (36, 36 * len(RECORD))
    first = next(iter(shelf))
    first.look()
    shelf.look(set(newest[1:50]))
    assert [reel.name for reel in shelf] == [newest[0], *newest[50:]]
    assert next(iter(shelf)) is first  # what is known of it is kept
    assert shelf.others == 0


def test_a_directory_is_read_again_only_when_it_has_changed(tmp_path):
    shelf = Shelf(tmp_path / "recordings")
    shelf.look(set())
    assert list(shelf) == []
    (tmp_path / "recordings").mkdir()
    assert shelf.changed()
    old = 1_700_000_000
    os.utime(tmp_path / "recordings", (old, old))
    shelf.look(set())
    assert not shelf.changed()
    shelf.doubt()
    assert shelf.changed()
    shelf.look(set())
    made(tmp_path / "recordings", *names(1), RECORD)
    assert shelf.changed()
    shelf.look(set())
    assert len(list(shelf)) == 1
