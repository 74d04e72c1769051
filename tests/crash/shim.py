"""The shim between a program and its files: how it is built, armed, and what its log tells."""

import ctypes
import mmap
import os
import struct
import subprocess
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
_HEAD = struct.Struct("<4I2Q")
_PAGE = struct.Struct("<2q240s")


class Fate(IntEnum):
    """What happens at the n-th change."""

    WATCH = 0  # nothing
    DIE = 1  # the program ends, as by kill -9, before the change
    FAIL = 2  # EIO, once
    FULL = 3  # ENOSPC, from there on


class Op(IntEnum):
    """A change, or a wait for the disk."""

    CREATE = 1
    WRITE = 2
    TRUNCATE = 3
    SYNC = 4
    SYNC_DIRECTORY = 5
    RENAME = 6
    LINK = 7
    UNLINK = 8
    MAKE_DIRECTORY = 9
    SYNC_FAILED = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the log."""

    op: Op
    name: str  # below the root
    other: str
    inode: int
    offset: int
    data: bytes


def build(directory):
    """Compile it; the library to preload. Raises CalledProcessError with what the compiler says."""
    library = Path(directory) / "shim.so"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, "-o", library, SOURCE, "-ldl", "-lpthread"], check=True)
    return library


class Page:
    """What the shim tells of itself, also after the death of its process; made before the fork."""

    def __init__(self):
        self.memory = mmap.mmap(-1, mmap.PAGESIZE)

    @property
    def count(self):
        """Changes so far."""
        return _PAGE.unpack_from(self.memory)[0]

    @property
    def hit(self):
        """What was hit, in words; empty if nothing was."""
        _, hit, what = _PAGE.unpack_from(self.memory)
        return what.split(b"\0", 1)[0].decode() if hit else ""


def arm(root, log, page, fate=Fate.WATCH, at=0, *, only="", unsynced=False):
    """From now on this process's changes below `root` are logged, and the one numbered `at` has its fate.

    Only changes of names with `only` in them are counted.
    """
    shared = ctypes.addressof(ctypes.c_char.from_buffer(page.memory))
    library = ctypes.CDLL(None)
    library.shim_arm.argtypes = [
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_int64,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_void_p,
    ]
    library.shim_arm(os.fsencode(Path(root).resolve()), os.fsencode(log), fate, at, only.encode(), unsynced, shared)


def entries(log):
    """The log so far, oldest first."""
    data, at = Path(log).read_bytes() if Path(log).exists() else b"", 0
    while at + _HEAD.size <= len(data):
        op, name, other, length, inode, offset = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        parts = []
        for size in (name, other, length):
            parts.append(data[at : at + size])
            at += size
        yield Entry(Op(op), os.fsdecode(parts[0]), os.fsdecode(parts[1]), inode, offset, parts[2])
