"""booth-provision recover: every recording of a dead booth's card."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from getpass import getpass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pyrage import x25519

from firmware import results
from firmware.doctoring.words import of_terminal
from firmware.text.catalogue import Text
from provisioning import keys
from provisioning.recovery import books, card, rebuilding, table, words
from provisioning.recovery.books import Book
from provisioning.recovery.card import Card, CardError, Found
from provisioning.recovery.ledger import Ledger
from provisioning.recovery.rebuilding import Outcome
from provisioning.recovery.table import Entry, Speaker
from provisioning.server.operations.progress import Progress
from provisioning.server.pages.language import Language

WHOLE, DAMAGED, NOTHING = 0, 1, 2  # exit codes
TRIED: Final = 20  # recordings that the key may not open before it counts as the wrong one

RECOVER = """\
CARD is where the card of a booth is mounted (read-only is best: mount -o ro,noload), or any folder with
its files; several booths may lie below it. Nothing is ever written to it. Of each recording all that can
be opened is written to DIR as an .opus file, also where the end is torn or something in the middle is
damaged, and calls.csv says whose it is as far as the booth's database can be read. Without a database
the recordings are there all the same.
KEY is the office's recordings.key, or the offline recovery key. It may be protected by a passphrase
(age -p): then it is asked for.
A run that was broken off goes on where it was; a second run changes nothing.

Without this program, the age tool alone opens a segment (two seconds of both ears). The first one, of
JOURNAL with KEY:
  tail -c +9 JOURNAL | head -c $(od -An -tu4 -N4 JOURNAL) | age -d -i KEY

Exit code 0: all is whole. 1: something is not; calls.csv says what. 2: nothing could be recovered.

examples:
  booth-provision recover /media/card --key recordings.key
  booth-provision recover /media/card --key recovery.key.age --out rescued --zone Asia/Tokyo
"""


@dataclass(slots=True)
class Run:
    """One run, as far as it has come."""

    say: Text
    found: Card
    folder: Path
    identities: Sequence[x25519.Identity]
    outcomes: dict[str, Outcome] = field(default_factory=dict)  # by the recording's name
    homes: dict[str, Path] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)  # what the card does not give out at all
    torn_books: int = 0


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command."""
    one = commands.add_parser(
        "recover",
        help="rebuild every recording of a dead booth's card",
        epilog=RECOVER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("card", type=Path, metavar="CARD", help="a mounted card, or a folder with its files")
    one.add_argument("--key", type=Path, required=True, metavar="FILE", help="the secret key that opens recordings")
    one.add_argument("--out", type=Path, default=Path("recovered"), metavar="DIR", help="where it goes (%(default)s)")
    one.add_argument("--zone", type=_zone, default=ZoneInfo("Asia/Tokyo"), help="of the times (Asia/Tokyo)")
    one.set_defaults(run=recover)


def recover(options: argparse.Namespace) -> int:
    """`recover CARD`."""
    say = words.load(of_terminal_words())
    try:
        return _recover(options, say)
    except CardError as problem:
        print("booth-provision: " + say(problem.said, **problem.values), file=sys.stderr)
        return NOTHING
    except KeyboardInterrupt:
        print("\n" + say("Broken off. The same command goes on where it was."), file=sys.stderr)
        return NOTHING


def of_terminal_words() -> Language:
    """The terminal's language, of those that this command speaks."""
    return "ja" if of_terminal() == "ja" else "en"


def _recover(options: argparse.Namespace, say: Text) -> int:
    identities = keys.load(options.key, lambda: getpass(say("Passphrase of the key: ")))
    found = card.look(options.card)
    _refuse_same(options)
    if not found.journals:
        print("booth-provision: " + say("No recording was found in {place}.", place=options.card), file=sys.stderr)
        return NOTHING
    options.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    run = Run(say, found, options.out, identities)
    if not _open_all(run):
        print(
            "booth-provision: " + say("The key opens none of these recordings: they are sealed to another one."),
            file=sys.stderr,
        )
        return NOTHING
    entries = list(_entries(run))
    speaker = Speaker(say, options.zone, {one.code: one for one in results.load()})
    table.write(options.out, entries, speaker)
    return _sum_up(run, entries)


def _refuse_same(options: argparse.Namespace) -> None:
    """Raises CardError if what is recovered would be written to the card."""
    out = options.out.resolve()
    if options.card.resolve() in (out, *out.parents):
        raise CardError(words.phrase("--out lies on the card itself: nothing may be written there"))


def _open_all(run: Run) -> bool:
    """Every journal; False when the key is the wrong one."""
    ledger, told = Ledger(run.folder), Progress()
    try:
        for number, one in enumerate(run.found.journals, 1):
            _open(run, one, ledger)
            told(run.say("recordings"), number, len(run.found.journals))
            if number == TRIED and _wrong_key(run):
                return False
    finally:
        told.over()
        ledger.write()
    return not _wrong_key(run)


def _open(run: Run, one: Found, ledger: Ledger) -> None:
    try:
        outcome = ledger.known(one) or rebuilding.rebuild(one, run.identities, run.folder)
    except OSError as problem:
        if problem.filename is not None and Path(problem.filename) != one.path:
            raise  # our own disk
        run.failed.append(str(one.path))
        return
    ledger.note(one, outcome)
    before = run.outcomes.get(outcome.name)
    if before is None or before.seconds < outcome.seconds:
        run.outcomes[outcome.name], run.homes[outcome.name] = outcome, one.home


def _wrong_key(run: Run) -> bool:
    every = run.outcomes.values()
    return (
        bool(every)
        and all(one.sealed_to_another or not one.plays for one in every)
        and any(one.sealed_to_another for one in every)
    )


def _entries(run: Run) -> Iterator[Entry]:
    """Every call of every booth with its recordings, then the recordings that no database knows."""
    left = dict(run.outcomes)
    for database in run.found.databases:
        book = _book(run, database)
        for name, line in books.by_recording(book.lines):
            outcome = left.pop(name, None)
            if outcome is None and name in run.outcomes:
                continue  # a copy of the same database
            if outcome is not None or (name == line.id and line.answered):
                yield Entry(book.booth, line, outcome, memo=name != line.id)
    for name, outcome in sorted(left.items()):
        yield Entry(_booth_of(run, name), None, outcome)


def _book(run: Run, database: Path) -> Book:
    try:
        book = books.read(database)
    except OSError:
        book = Book("", (), whole=False)
    if not book.whole:
        run.torn_books += 1
        said = run.say("{file} is damaged: {count} calls could be read from it.", file=database, count=len(book.lines))
        print("booth-provision: " + said, file=sys.stderr)
    return book


def _booth_of(run: Run, name: str) -> str:
    """The folder that a recording lay in tells booths apart where no database does."""
    return run.homes[name].name if len(set(run.homes.values())) > 1 else ""


def _sum_up(run: Run, entries: Sequence[Entry]) -> int:
    say = run.say
    opened = [one for one in run.outcomes.values() if one.plays]
    whole = [one for one in opened if not one.faults]
    nameless = sum(entry.line is None for entry in entries)
    lines = [
        say(
            "{count} recordings, {minutes} minutes",
            count=len(opened),
            minutes=round(sum(one.seconds for one in opened) / 60),
        ),
        say("{count} of them are whole", count=len(whole)),
    ]
    lines += _if(len(opened) - len(whole), lambda n: say("{count} are not whole: what there is of them plays", count=n))
    lines += _if(len(run.outcomes) - len(opened), lambda n: say("{count} cannot be opened at all", count=n))
    lines += _if(nameless, lambda n: say("{count} are known to no database: only their id is", count=n))
    lines += _if(len(run.failed), lambda n: say("{count} files could not be read from the card", count=n))
    lines += [say("The card does not give out {place}", place=place) for place in run.found.unreadable]
    lines.append(say("Written to {folder}; {table} says whose is whose.", folder=run.folder, table=table.NAME))
    print("\n".join(lines))
    bad = len(whole) < len(run.outcomes) or run.failed or run.found.unreadable or run.torn_books
    return (DAMAGED if bad else WHOLE) if opened else NOTHING


def _if(count: int, line: Callable[[int], str]) -> list[str]:
    return [line(count)] if count else []


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise argparse.ArgumentTypeError(f"{name} is no time zone, such as Asia/Tokyo") from problem
