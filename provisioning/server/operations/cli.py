"""booth-provision server backup, restore and check."""

import argparse
import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

import msgspec
from obstore.exceptions import BaseError
from obstore.store import ObjectStore
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from firmware.ownership import given
from provisioning.server import archive, parts
from provisioning.server.commands import Actions, CommandError, action, day, must_be, opened
from provisioning.server.database import Database
from provisioning.server.operations import backup, check, faults, quotas, restore, shelf
from provisioning.server.operations.check import Place
from provisioning.server.operations.faults import Fault
from provisioning.server.operations.mending import Mending
from provisioning.server.operations.progress import Progress
from provisioning.server.operations.restore import Target, Wish
from provisioning.server.schema import recording

KEPT = 14  # backups; with one a day two weeks

BACKUP = """\
The server goes on serving meanwhile. DEST is a folder on another disk or machine. Every run makes a
backup of its own in it; recordings lie there once and only new ones are copied. They stay sealed:
without the keys a backup plays nothing. WITH the keys, which it holds unless you say --without-keys,
whoever has the backup can open every recording and pass for the server: keep it as you keep the server.
A run that was broken off leaves no backup; the next one goes on from it.
Of the backups in DEST the newest 14 are kept (--keep), and recordings that none of them needs are
removed, so that what the server has deleted for good is gone from the backups a while later as well.

examples:
  booth-provision server backup /mnt/backup/booths
  booth-provision server backup /mnt/backup/booths --without-keys --keep 30
"""
RESTORE = """\
SRC is a folder of backups (the newest is taken) or one backup in it. It is looked at as a whole before
anything is changed. The server must be stopped. It may be another machine, another version of this
program that is not older, and another kind of database than the one that was backed up.
When the server runs again the booths begin anew by themselves, and what the backup lacks comes back
from them as far as they still have it. Booths that were enrolled after the backup need a new token.

examples:
  booth-provision server restore /mnt/backup/booths
  booth-provision server restore /mnt/backup/booths/2026-11-30T12-00-00.000Z --data /srv/booths
  booth-provision server restore /mnt/backup/booths --look-only     is this backup all right?
"""
CHECK = """\
Looks whether every row has its file, every file its row, and whether sizes are right; with --hashes
it reads every sealed recording as well. The server may run meanwhile. One line for each fault; exit
code 0: all is well, 1: something is wrong that has not been mended.
--mend: what plays or is drawn is made again by the server; what is damaged or no row speaks of is put
into aside/ in the archive; booths are asked again for what is missing. Where several machines share a
database, what is on its way through the others looks cut short here: do not mend then.

examples:
  booth-provision server check
  booth-provision server check --hashes --json > faults.jsonl
  booth-provision server check --mend
"""
QUOTA = """\
Bounds for what comes in, so that a booth that went mad or was stolen does not fill the disk on which
all stand. Over a bound nothing is lost: booths keep their recordings, show why, and ask again later;
calls and facts, which are small, come in all the same. Without an option the bounds in force are
printed, with what is used. Sizes: 500M, 20G, 2T.

examples:
  booth-provision server quota
  booth-provision server quota --booth-day 5G --archive 500G --disk-free 2G
"""


def add_to(actions: "Actions[argparse.ArgumentParser]") -> None:
    """The commands."""
    one = action(actions, "backup", "copy everything to a safe place", BACKUP)
    one.add_argument("dest", type=Path, metavar="DEST", help="the folder of backups; made if it is not there")
    one.add_argument(
        "--without-keys", action="store_true", help="leave the keys out: keep them elsewhere, or all is lost"
    )
    one.add_argument("--keep", type=_count, default=KEPT, metavar="N", help="how many backups stay (%(default)s)")
    one.set_defaults(run=make_backup)

    one = action(actions, "restore", "make a server out of a backup", RESTORE)
    one.add_argument("source", type=Path, metavar="SRC", help="the folder of backups, or one backup")
    one.add_argument("--replace", action="store_true", help="put aside the server that is there")
    one.add_argument("--damaged", action="store_true", help="take what is right of a damaged backup")
    one.add_argument("--look-only", action="store_true", help="look at all of the backup and change nothing")
    one.set_defaults(run=restore_backup)

    one = action(actions, "check", "compare rows and files", CHECK)
    one.add_argument("--hashes", action="store_true", help="read every sealed recording")
    one.add_argument("--mend", action="store_true", help="put right what can be put right")
    one.add_argument("--json", action="store_true", help="a line of JSON for each fault, for programs")
    one.set_defaults(run=check_all)

    one = action(actions, "quota", "how much may come in", QUOTA)
    one.add_argument("--booth-day", type=size, metavar="SIZE", help="of recordings, from one booth within 24 hours")
    one.add_argument("--archive", type=size, metavar="SIZE", help="of all recordings together")
    one.add_argument("--disk-free", type=size, metavar="SIZE", help="what stays free on the server's disk")
    one.set_defaults(run=bounds)


@contextmanager
def _plainly() -> Iterator[None]:
    """What goes wrong below us in a word; the words of libraries may quote rows and keys."""
    try:
        yield
    except BaseError as problem:
        raise CommandError("the archive has stopped answering; nothing is lost: run it again") from problem
    except (SQLAlchemyError, sqlite3.Error) as problem:
        kind = type(problem).__name__
        raise CommandError(
            f"the database does not do what it should ({kind}): is it away, or a disk full?"
        ) from problem


@_plainly()
def make_backup(options: argparse.Namespace) -> int:
    """`server backup`."""
    must_be(options.data)
    told = Progress()
    with closing(parts.open_database(options.data)) as store:
        made = backup.make(
            store,
            open_archive(options.data),
            options.data,
            options.dest,
            keys=not options.without_keys,
            told=told,
            software=version("boothphone"),
        )
    gone, recordings = backup.prune(options.dest, options.keep, told)
    told.over()
    manifest = made.manifest
    print(made.place)
    print(f"{manifest.rows.get('call', 0)} calls, {manifest.recordings.count} recordings", file=sys.stderr)
    if gone:
        print(f"removed: {gone} older backups, {recordings} recordings that no backup needs", file=sys.stderr)
    if made.keys:
        print(f"IT HOLDS THE KEYS: whoever has {made.place} can open every recording.", file=sys.stderr)
    else:
        print("The keys are not in it: without a copy of them elsewhere it opens nothing.", file=sys.stderr)
    return _lacking(manifest.recordings)


def _lacking(found: shelf.Recordings) -> int:
    if not found.lacking:
        return 0
    some = ", ".join(found.examples)
    print(
        f"booth-provision: {found.lacking} recordings are not in the archive as they should be: {some} …",
        file=sys.stderr,
    )
    print("See `booth-provision server check`.", file=sys.stderr)
    return 1


@_plainly()
def restore_backup(options: argparse.Namespace) -> int:
    """`server restore`."""
    told, source = Progress(), shelf.find(options.source)
    target = Target(options.data, partial(open_database, options.data), partial(open_archive, options.data))
    wish = Wish(replace=options.replace, damaged=options.damaged, look_only=options.look_only)
    with given(options.data):
        outcome = restore.restore(source, target, wish, told)
    told.over()
    of = f"the backup of {day(source.manifest.made)}"
    if options.look_only:
        print(f"{of} is whole: {outcome.recordings} recordings")
        return 0
    print(f"Restored from {of}: {outcome.recordings} recordings. Start the server; booths begin anew by themselves.")
    if outcome.lost:
        print(f"{outcome.lost} recordings are not in the backup: booths are asked for them.", file=sys.stderr)
    if outcome.aside:
        print(f"What was there before is in {outcome.aside}.", file=sys.stderr)
    return 0


@_plainly()
def check_all(options: argparse.Namespace) -> int:
    """`server check`."""
    must_be(options.data)
    text, told, count, mended = faults.text_of_terminal(), Progress(), 0, 0
    with closing(parts.open_database(options.data)) as store:
        place = Place(options.data, store, open_archive(options.data))
        mending = Mending(place)
        for fault in check.faults(place, told, hashes=options.hashes):
            told.over()
            done = options.mend and mending.mend(fault)
            count, mended = count + 1, mended + done
            print(_as_json(fault, mended=done) if options.json else fault.line(text, mended=done), flush=True)
        asked = mending.finish()
        with store.read() as connection:
            rows = connection.scalar(select(func.count()).select_from(recording))
    told.over()
    if count:
        print(text("Faults: {count}, of which mended: {mended}.", count=count, mended=mended), file=sys.stderr)
        if not options.mend:
            print(text("With --mend what can be put right is put right."), file=sys.stderr)
    elif not options.json:
        print(text("All is well: {rows} recordings, every one with its file, and no file too many.", rows=rows))
    if asked:
        print(text("Booths begin anew and offer again what they have."), file=sys.stderr)
    return int(count > mended)


def bounds(options: argparse.Namespace) -> int:
    """`server quota`."""
    with opened(options.data) as store:
        asked = {name: getattr(options, name) for name in quotas.Limits.__struct_fields__}
        wanted = {name: value for name, value in asked.items() if value is not None}
        with store.write() as connection:
            limits = msgspec.structs.replace(quotas.limits(connection), **wanted)
            if wanted:
                quotas.put(store, connection, limits)
            whole, most = quotas.whole(connection), max(quotas.of_day(connection, time.time()).values(), default=0)
    free = shutil.disk_usage(options.data).free
    print(f"booth-day  {told_size(limits.booth_day):>8}  the busiest booth has sent {told_size(most)}")
    print(f"archive    {told_size(limits.archive):>8}  {told_size(whole)} are used")
    print(f"disk-free  {told_size(limits.disk_free):>8}  {told_size(free)} are free")
    return 0


def size(text: str) -> int:
    """Bytes.

    >>> size("20G"), size("500m"), size("12")
    (20000000000, 500000000, 12)
    """
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "")
    if unit not in _UNITS or not number.isdecimal() or len(number) > 9:
        raise argparse.ArgumentTypeError(f"{text} is no size: 500M, 20G, 2T")
    return int(number) * _UNITS[unit]


def told_size(count: int) -> str:
    """Bytes as `size` reads them, rounded.

    >>> told_size(20_000_000_000), told_size(1_500_000), told_size(900)
    ('20G', '1.5M', '900')
    """
    unit = next((name for name in "TGMK" if count >= _UNITS[name]), "")
    return f"{count / _UNITS[unit]:.3g}{unit}"


_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def _as_json(fault: Fault, *, mended: bool) -> str:
    said = {"fault": fault.kind.value, "name": fault.name, "detail": fault.detail, "mended": mended}
    return json.dumps(said, ensure_ascii=False)


def open_database(directory: Path) -> Database:
    """The server's database, made if there is none."""
    return parts.open_database(directory)


def open_archive(directory: Path) -> ObjectStore:
    """The server's archive."""
    return archive.open_archive(os.environ.get(archive.PLACE) or directory / parts.ARCHIVE)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("at least one")
    return int(text)
