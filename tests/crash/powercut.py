"""What a directory looks like after a power cut, played back from a log of all that was done to it.

Nothing is taken for granted but what was waited for: a file's bytes by an fsync of the file, a name by an fsync of its
directory. What was not waited for may be lost, or may be there: `Cut` says which of it.
"""

import copy
import random
import shutil
import stat
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from tests.crash.shim import Op

SECTOR = 512


class Cut(Enum):
    """What becomes of that for which nobody waited."""

    STRICT = "strict"  # all of it is lost
    NAMES = "names"  # names have reached the disk, bytes have not
    CHANCE = "chance"  # some of it, and the last write of a file is torn
    NOTHING = "nothing"  # no power cut at all: everything is there, as after kill -9


@dataclass
class File:
    """One file under whatever names: what is on the disk, what is on its way there, and what programs see."""

    kept: bytearray = field(default_factory=bytearray)
    waiting: list = field(default_factory=list)  # (offset, bytes) of a write, (length, None) of a truncation
    mode: int = 0o600
    seen: bytearray = field(init=False)

    def __post_init__(self):
        self.seen = bytearray(self.kept)

    def change(self, at, data):
        """Write `data`, or cut the file there if it is None."""
        self.waiting.append((at, data))
        _apply(self.seen, at, data)

    def sync(self):
        """All that waited has reached the disk."""
        for change in self.waiting:
            _apply(self.kept, *change)
        self.waiting.clear()

    def after(self, cut, chance):
        """The bytes after a cut."""
        if cut is Cut.NOTHING:
            return bytes(self.seen)
        found = bytearray(self.kept)
        if cut is Cut.CHANCE:
            survivors = [change for change in self.waiting if chance.random() < 0.5]
            if survivors and survivors[-1][1]:
                offset, data = survivors[-1]
                survivors[-1] = offset, data[: chance.randrange(0, len(data) + SECTOR, SECTOR)]
        else:
            survivors = []
        for change in survivors:
            _apply(found, *change)
        return bytes(found)


class Disk:
    """A directory with its past. Directories are never renamed by what is tested here."""

    def __init__(self, root):
        self._root = Path(root)
        self._files = {}
        self._directories = {Path()}
        self._inodes = {}  # on the disk: name → which file
        self._now = {}  # as programs see it
        self._waiting = []  # changes of names: (directories that make it last, name, file or None)
        self._born = 0
        self._by_inode = {}  # as the log knows a file
        for path in sorted(self._root.rglob("*")):
            name, found = path.relative_to(self._root), path.lstat()
            if name.parts[0] in {"ports", "counters"} or path.name.endswith("-shm"):  # memory, whatever it looks like
                continue
            if stat.S_ISDIR(found.st_mode):
                self._directories.add(name)
            elif stat.S_ISREG(found.st_mode):
                file = File(bytearray(path.read_bytes()), mode=stat.S_IMODE(found.st_mode))
                self._by_inode[found.st_ino] = self._inodes[name] = self._now[name] = self._new(file)

    def _new(self, file):
        self._born += 1
        self._files[self._born] = file
        return self._born

    def copy(self):
        """The same, to play with."""
        return copy.deepcopy(self)

    def play(self, entries):
        """Do to the model what was done to the directory."""
        for entry in entries:
            _PLAY[entry.op](self, entry)
        return self

    def _create(self, entry):
        made = self._by_inode[entry.inode] = self._new(File())
        self._name(Path(entry.name), made)

    def _make_directory(self, entry):
        self._name(Path(entry.name), "directory")

    def _name(self, name, what):
        if what is None:
            self._now.pop(name, None)
        else:
            self._now[name] = what
        self._waiting.append(({name.parent}, ((name, what),)))

    def _write(self, entry):
        self._known(entry).change(entry.offset, entry.data)

    def _truncate(self, entry):
        self._known(entry).change(entry.offset, None)

    def _sync(self, entry):
        self._known(entry).sync()

    def _sync_failed(self, entry):
        # The kernel forgets what it could not write, and a later fsync says that all is well.
        self._known(entry).waiting.clear()

    def _known(self, entry):
        return self._files[self._by_inode[entry.inode]]

    def _rename(self, entry):
        old, new = Path(entry.name), Path(entry.other)
        what = self._now.pop(old)
        assert what != "directory"
        self._now[new] = what
        self._waiting.append(({old.parent, new.parent}, ((old, None), (new, what))))

    def _link(self, entry):
        self._name(Path(entry.other), self._now[Path(entry.name)])

    def _unlink(self, entry):
        name = Path(entry.name)
        if name in self._now:  # no socket
            self._name(name, None)

    def _sync_directory(self, entry):
        """What was done to its names lasts now, and what was done to the same names before elsewhere."""
        directory, left, done, names = Path(entry.name), [], [], set()
        for parents, changes in reversed(self._waiting):
            touched = {name for name, _ in changes}
            if directory in parents or touched & names:
                done.append(changes)
                names |= touched
            else:
                left.append((parents, changes))
        for changes in reversed(done):
            self._make_last(changes)
        self._waiting = left[::-1]

    def _make_last(self, changes, names=None):
        names = self._inodes if names is None else names
        for name, what in changes:
            if what is None:
                names.pop(name, None)
            else:
                names[name] = what

    def after(self, cut, seed=0):
        """What is there after a cut: name → bytes, or None for a directory."""
        chance, names = random.Random(seed), dict(self._inodes)
        survivors = len(self._waiting)
        if cut is Cut.STRICT:
            survivors = 0
        elif cut is Cut.CHANCE:  # a file system keeps the order of names
            survivors = chance.randrange(survivors + 1)
        for _, changes in self._waiting[:survivors]:
            self._make_last(changes, names)
        names = dict.fromkeys(self._directories, "directory") | names
        found = {}
        for name, what in sorted(names.items(), key=lambda one: len(one[0].parts)):
            if name == Path() or name.parent in found:
                found[name] = None if what == "directory" else self._files[what].after(cut, chance)
        return found

    def put(self, cut, seed=0):
        """Make the directory what it is after a cut; nobody may be at work in it."""
        modes = {name: self._files[what].mode for name, what in self._inodes.items() if what != "directory"}
        after = self.after(cut, seed)
        for path in self._root.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        for name, data in sorted(after.items(), key=lambda found: len(found[0].parts)):
            if data is None:
                (self._root / name).mkdir(mode=0o700, exist_ok=True)
            else:
                (self._root / name).write_bytes(data)
                (self._root / name).chmod(modes.get(name, 0o600))


def _apply(content, at, data):
    if data is None:
        del content[at:]
        content.extend(bytes(at - len(content)))
        return
    content.extend(bytes(max(0, at - len(content))))
    content[at : at + len(data)] = data


_PLAY = {
    Op.CREATE: Disk._create,
    Op.WRITE: Disk._write,
    Op.TRUNCATE: Disk._truncate,
    Op.SYNC: Disk._sync,
    Op.SYNC_DIRECTORY: Disk._sync_directory,
    Op.RENAME: Disk._rename,
    Op.LINK: Disk._link,
    Op.UNLINK: Disk._unlink,
    Op.MAKE_DIRECTORY: Disk._make_directory,
    Op.SYNC_FAILED: Disk._sync_failed,
}
