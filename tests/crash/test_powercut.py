"""The player of power cuts is played against: every state below is one that a real file system may leave, or may not."""

from pathlib import Path

import pytest

from tests.crash.powercut import Cut, Disk
from tests.crash.shim import Entry, Op


def entry(op, name="", other="", *, inode=0, offset=0, data=b""):
    return Entry(op, name, other, inode, offset, data)


def files(disk, cut, seed=0):
    return {str(name): data for name, data in disk.after(cut, seed).items() if data is not None}


CREATED = [entry(Op.CREATE, "a", inode=7), entry(Op.WRITE, "a", inode=7, data=b"one")]


@pytest.mark.parametrize(
    ("done", "strict", "names"),
    [
        ([], {}, {"a": b""}),
        ([entry(Op.SYNC, "a", inode=7)], {}, {"a": b"one"}),
        ([entry(Op.SYNC_DIRECTORY)], {"a": b""}, {"a": b""}),
        ([entry(Op.SYNC, "a", inode=7), entry(Op.SYNC_DIRECTORY)], {"a": b"one"}, {"a": b"one"}),
        ([entry(Op.SYNC_FAILED, "a", inode=7), entry(Op.SYNC, "a", inode=7)], {}, {"a": b""}),
        ([entry(Op.RENAME, "a", "b"), entry(Op.SYNC_DIRECTORY)], {"b": b""}, {"b": b""}),
        ([entry(Op.SYNC, "a", inode=7), entry(Op.UNLINK, "a")], {}, {}),
        ([entry(Op.TRUNCATE, "a", inode=7, offset=1), entry(Op.SYNC, "a", inode=7)], {}, {"a": b"o"}),
    ],
)
def test_only_what_was_waited_for_is_sure(tmp_path, done, strict, names):
    disk = Disk(tmp_path).play([*CREATED, *done])
    assert files(disk, Cut.STRICT) == strict
    assert files(disk, Cut.NAMES) == names


def test_a_file_that_was_replaced_is_the_old_or_the_new_one(tmp_path):
    (tmp_path / "key").write_bytes(b"old")
    steps = [
        entry(Op.CREATE, "key.part", inode=1),
        entry(Op.WRITE, "key.part", inode=1, data=b"new"),
        entry(Op.SYNC, "key.part", inode=1),
        entry(Op.RENAME, "key.part", "key"),
        entry(Op.SYNC_DIRECTORY),
    ]
    disk = Disk(tmp_path)
    for step in steps:
        for seed in range(10):
            assert files(disk, Cut.CHANCE, seed)["key"] in {b"old", b"new"}
        disk.play([step])
    assert files(disk, Cut.STRICT) == {"key": b"new"}


def test_a_write_without_an_fsync_may_be_torn(tmp_path):
    disk = Disk(tmp_path).play([entry(Op.CREATE, "a", inode=7), entry(Op.SYNC_DIRECTORY)])
    disk.play([entry(Op.WRITE, "a", inode=7, data=bytes(range(256)) * 8)])
    lengths = {len(files(disk, Cut.CHANCE, seed)["a"]) for seed in range(40)}
    assert {0, 512, 1024, 2048} <= lengths


def test_what_is_put_back_is_what_was_played(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "old").write_bytes(b"old")
    disk = Disk(tmp_path)
    (tmp_path / "deep" / "old").write_bytes(b"changed, and lost")
    (tmp_path / "lost").mkdir()
    disk.play([entry(Op.MAKE_DIRECTORY, "lost"), *CREATED]).put(Cut.STRICT)
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*")} == {Path("deep"), Path("deep/old")}
    assert (tmp_path / "deep" / "old").read_bytes() == b"old"


def test_a_second_name_that_moved_to_another_directory_is_not_left_behind(tmp_path):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    (tmp_path / "here" / "a").write_bytes(b"new")
    (tmp_path / "there" / "a").write_bytes(b"old")
    steps = [entry(Op.LINK, "here/a", "here/b"), entry(Op.RENAME, "here/b", "there/a")]
    disk = Disk(tmp_path).play([*steps, entry(Op.SYNC_DIRECTORY, "there")])
    assert files(disk, Cut.STRICT) == files(disk, Cut.NOTHING) == {"here/a": b"new", "there/a": b"new"}
