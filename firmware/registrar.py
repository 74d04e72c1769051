"""`booth register`: do-not-call registers are taken in, listed, put aside and brought back."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from firmware.intake import Step
from firmware.ownership import given
from firmware.registers import Register, RegisterError, Registers, Taken
from firmware.settings import load

_STEPS: Final = {"read": "numbers read", "written": "numbers written"}
_EVERY: Final = 1_000_000  # numbers between two words where no terminal shows them in place

_ABOUT: Final = """\
Do-not-call registers (TPS and CTPS, a national registry, an association's list) on this booth's disk. The guard asks
them at every dial; which of them must be there, and how old they may be, is a rule of the country.
"""
_TAKE: Final = """\
Takes in a register, whatever its size and order: text with one number per line, or CSV (the column is found; an area
code and the rest in two columns are joined). National digits, +81…, spaces, hyphens and full-width digits are
understood. The numbers take the place of the register's old ones; if anything goes wrong, the old ones stay.

A register is as old as its file says: without --asof the date of the file (the oldest, if there are several) counts.
"""
_EXAMPLES: Final = """\
examples:
  booth register take tps.txt --name tps
  booth register take 201.txt 202.txt --name us --asof 2026-11-02
  booth register list --check
  booth register remove tps        # asks back
  booth register restore tps       # and it is there again
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command line of `booth register`."""
    plain = argparse.RawDescriptionHelpFormatter
    register = commands.add_parser(
        "register",
        help="take in, list or remove do-not-call registers",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=plain,
    )
    jobs = register.add_subparsers(required=True, metavar="JOB")
    taking = jobs.add_parser(
        "take", help="take in a register's file", description=_TAKE, epilog=_EXAMPLES, formatter_class=plain
    )
    taking.add_argument("file", type=Path, nargs="+", help="text or CSV; several files make one register")
    taking.add_argument("--name", required=True, help="the register's name in the rules, such as tps")
    taking.add_argument("--asof", type=_day, metavar="YYYY-MM-DD", help="the day on which the file was true")
    taking.set_defaults(do=take)
    listing = jobs.add_parser("list", help="name, size and age of each register")
    listing.add_argument("--check", action="store_true", help="read every number and compare with what was taken in")
    listing.set_defaults(do=show)
    removing = jobs.add_parser("remove", help="put a register aside; `restore` brings it back")
    removing.add_argument("name")
    removing.add_argument("--yes", action="store_true", help="do not ask back")
    removing.set_defaults(do=remove)
    restoring = jobs.add_parser("restore", help="bring back a register that was removed")
    restoring.add_argument("name")
    restoring.set_defaults(do=restore)


def take(args: argparse.Namespace) -> int:
    """Take in a file."""
    settings, progress = load(args.device), _Progress()
    asof = args.asof or min(file.stat().st_mtime for file in args.file)
    with given(settings.data):
        taken = Registers(settings.data).take(args.file, args.name, settings.country, asof, progress)
    progress.end()
    _tell(taken)
    if args.asof is None:
        print("the date is the file's; if the register is older, take it in again with --asof")
    return 0


def show(args: argparse.Namespace) -> int:
    """List the registers; 1 if one of them cannot be asked."""
    registers = Registers(load(args.device).data)
    broken = False
    for name in registers.names():
        try:
            print(_line(registers.register(name)))
            if args.check:
                registers.check(name)
                print(f"{name}: every number is as it was taken in")
        except RegisterError as problem:
            print(f"booth: {problem}", file=sys.stderr)
            broken = True
    if not registers.names():
        print("no register is on this booth; `booth register take` takes one in")
    return int(broken)


def remove(args: argparse.Namespace) -> int:
    """Put a register aside, if that is really meant."""
    registers = Registers(load(args.device).data)
    if args.name not in registers.names():
        raise RegisterError(args.name, "is not on this booth; `booth register list` shows what is")
    if not args.yes and not _sure(f"Calls will no longer be checked against {args.name}. Remove it? [y/N] "):
        print("nothing was changed")
        return 1
    registers.remove(args.name)
    print(f"{args.name} is removed; `booth register restore {args.name}` brings it back")
    return 0


def restore(args: argparse.Namespace) -> int:
    """Bring a register back."""
    print(_line(Registers(load(args.device).data).restore(args.name)))
    return 0


def _day(text: str) -> float:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-11-02") from None


def _sure(question: str) -> bool:
    print(question, end="", flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


class _Progress:
    """How far it has come, on stderr: in place on a terminal, now and then in a log."""

    def __init__(self) -> None:
        self._told: dict[Step, int] = {}

    def __call__(self, step: Step, count: int) -> None:
        """So many numbers."""
        if sys.stderr.isatty():
            print(f"\r{count:>13,} {_STEPS[step]}\033[K", end="", file=sys.stderr, flush=True)
        elif count // _EVERY > self._told.get(step, 0):
            self._told[step] = count // _EVERY
            print(f"{count:,} {_STEPS[step]}", file=sys.stderr)

    def end(self) -> None:
        """What follows begins a line."""
        if sys.stderr.isatty():
            print(file=sys.stderr)


def _tell(taken: Taken) -> None:
    for fault in taken.faults:
        print(f"{fault.file} line {fault.line}: {fault.reason}: not taken", file=sys.stderr)
    if taken.faulty > len(taken.faults):
        print(f"and {taken.faulty - len(taken.faults):,} more lines that were not taken", file=sys.stderr)
    print(_line(taken.register))
    print(f"{taken.rows:,} lines taken, {taken.duplicates:,} of them twice or more, {taken.faulty:,} lines not")


def _line(register: Register) -> str:
    day = datetime.fromtimestamp(register.asof, UTC).date()
    return f"{register.name}: {register.count:,} numbers, as of {day} (UTC)"
