"""What root makes in a directory of somebody else's belongs to that somebody: the units' users could not open it."""

import os
from pathlib import Path

import pytest

from firmware.ownership import given

NOBODY = 65534
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def theirs(tmp_path):
    """A directory of somebody else's."""
    os.chown(tmp_path, NOBODY, NOBODY)
    return tmp_path


def make(directory: Path) -> list[Path]:
    (directory / "sync").mkdir()
    (directory / "sync" / "key").write_text("")
    (directory / "link").symlink_to(__file__)
    return [directory / "sync", directory / "sync" / "key", directory / "link"]


@only_root
def test_what_root_makes_is_given(theirs):
    mine = Path(__file__).stat().st_uid
    with given(theirs):
        made = make(theirs)
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in made} == {(NOBODY, NOBODY)}
    assert Path(__file__).stat().st_uid == mine


@only_root
def test_also_when_it_fails(theirs):
    (theirs / "sync").mkdir()
    with pytest.raises(FileExistsError), given(theirs):
        make(theirs)
    assert (theirs / "sync").stat().st_uid == NOBODY


@only_root
def test_files_of_others_stay_theirs(theirs):
    (theirs / "other").write_text("")
    os.chown(theirs / "other", 12345, 12345)
    with given(theirs):
        pass
    assert (theirs / "other").stat().st_uid == 12345


@only_root
def test_what_has_another_name_elsewhere_and_what_a_link_leads_to_stay_roots(theirs, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("roots")
    for name in ("shadow", "passwd"):
        (elsewhere / name).write_text("")
    (theirs / "shadow").hardlink_to(elsewhere / "shadow")
    (theirs / "folder").symlink_to(elsewhere)
    with given(theirs):
        pass
    assert [(elsewhere / name).stat().st_uid for name in ("shadow", "passwd")] == [0, 0]


@only_root
def test_a_directory_that_goes_meanwhile_does_not_hide_what_went_wrong(theirs):
    with pytest.raises(OSError, match="first"):
        taken_away(theirs)


def taken_away(directory):
    """The directory goes while root is at work in it, and the work fails."""
    with given(directory):
        directory.rmdir()
        raise OSError("first")


def test_ones_own_directory_and_none_are_left_alone(tmp_path):
    with given(tmp_path):
        made = make(tmp_path)
    assert {path.lstat().st_uid for path in made} == {os.geteuid()}
    with given(tmp_path / "none"):
        pass
