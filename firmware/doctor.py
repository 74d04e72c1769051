"""`booth doctor`: what is plugged in, what each modem says of itself, and in one line what is wrong and what to do."""

import argparse
import json
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from firmware.doctoring import words
from firmware.doctoring.report import Patient, Report
from firmware.doctoring.sheet import machine, sheet
from firmware.doctoring.troubles import troubles
from firmware.settings import Settings, SettingsError, load
from hw.checkup import Checkup, Contact, examine
from hw.finding import Found, find
from hw.interview import masked
from hw.modems.known import Kind
from hw.usb import DEV, SYSFS, cards

_ABOUT: Final = """\
Lists every modem that is plugged in: which port does what, what it is, its SIM, network, signal and voice, and says what
is wrong and what to do, the most urgent first. Only questions are asked: nothing is dialled, no PIN is tried, nothing is
set. A modem that the booth has in use is left alone. Exit status 1: something keeps the booth from calling.
"""
_EXAMPLES: Final = """\
examples:
  booth doctor                           # everything that is plugged in
  booth doctor --lang ja                 # the same in Japanese
  booth doctor --port /dev/ttyUSB2       # only the modem behind this port
  booth doctor --transcript said.txt     # and all that was said, numbers masked, for a modem's support
"""
AUTO: Final = "auto"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command line of `booth doctor`."""
    doctor = commands.add_parser(
        "doctor",
        help="see what is plugged in, and what is wrong with the line",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    doctor.add_argument("--port", metavar="DEVICE", help="ask only what is behind this serial port, known or not")
    doctor.add_argument("--json", action="store_true", help="print it for a program")
    doctor.add_argument("--lang", choices=("ja", "en"), help="default: device.toml's language, else the terminal's")
    doctor.add_argument("--transcript", type=Path, metavar="FILE", help="write down what was said, numbers masked")
    doctor.add_argument("--sysfs", type=Path, default=SYSFS, help=argparse.SUPPRESS)
    doctor.add_argument("--dev", type=Path, default=DEV, help=argparse.SUPPRESS)
    doctor.set_defaults(do=run)


def run(args: argparse.Namespace) -> int:
    """Examine, and say what was found; 1 when something keeps the booth from calling."""
    settings, wrong = _settings(args.device)
    transcript = Transcript()
    round_ = Round(args.sysfs, args.dev, settings, transcript, more=args.transcript is not None)
    report = round_.one(args.port, wrong) if args.port else round_.all(wrong)
    if args.transcript:
        args.transcript.write_text(transcript.whole(), encoding="utf-8")
    say = words.load(args.lang or (settings.language if settings else words.of_terminal()))
    found = troubles(report)
    if args.json:
        told = json.dumps(machine(report, found, say), ensure_ascii=False, indent=2)
    else:
        told = "\n".join(sheet(report, found, say))
    sys.stdout.write(f"{told}\n")
    return 0 if all(trouble.hint for trouble in found) else 1


def _settings(path: Path) -> tuple[Settings | None, str]:
    """device.toml, and what is wrong with it; a machine that has none yet can be examined, too."""
    if not path.exists():
        return None, ""
    try:
        return load(path), ""
    except SettingsError as problem:
        return None, problem.faults[0]


@dataclass(slots=True)
class Transcript:
    """What was said to each port and by it, numbers masked."""

    lines: list[str] = field(default_factory=list)

    def begin(self, title: str) -> None:
        """What follows is said at this port."""
        self.lines += ["", f"# {title}"]

    def heard(self, line: str) -> None:
        """One line, either way."""
        self.lines.append(masked(line))

    def whole(self) -> str:
        """All of it, with a word on what it is."""
        about = ("# booth doctor: what was asked (>) and answered (<). In rows of five or more digits, each is an x.",)
        return "\n".join((*about, *self.lines, ""))


@dataclass(frozen=True, slots=True)
class Round:
    """A round by all modems of a machine."""

    sysfs: Path
    dev: Path
    settings: Settings | None
    transcript: Transcript
    more: bool = False

    def all(self, wrong: str) -> Report:
        """Everything that is plugged in, and the port that device.toml names besides."""
        patients = [self._patient(found) for found in find(self.sysfs, self.dev)]
        named = self._line("port")
        if named not in {"", AUTO} and not any(_is(named, port) for one in patients for port in _ports(one.found)):
            patients.append(self._ask(None, (named,)))
        choosing = named == AUTO and not (self._line("usb") or self._line("imei"))
        return Report(tuple(patients), cards(self.sysfs), self._sound(), wrong, choosing, self._kept_back())

    def one(self, port: str, wrong: str) -> Report:
        """Only what is behind this port."""
        found = next((one for one in find(self.sysfs, self.dev) if any(_is(port, each) for each in _ports(one))), None)
        return Report((self._ask(found, (port,)),), settings=wrong)

    def _patient(self, found: Found) -> Patient:
        if found.kind is Kind.DISGUISED:
            return Patient(found, "", None)
        return self._ask(found, (found.at,) if found.at else found.others)

    def _ask(self, found: Found | None, ports: tuple[str, ...]) -> Patient:
        """Examine the first port that answers, or else tell of the first one."""
        asked: list[tuple[str, Checkup]] = []
        for port in ports:
            self.transcript.begin(f"{port}, {found.device.ident} {found.name}" if found else port)
            families = found.families if found else ()
            checkup = examine(port, families, heard=self.transcript.heard, more=self.more)
            asked.append((port, checkup))
            if checkup.contact is Contact.ANSWERS:
                return Patient(found, port, checkup, self._ours(found, port, checkup))
        port, said = asked[0] if asked else ("", None)
        return Patient(found, port, said, self._ours(found, port, said))

    def _ours(self, found: Found | None, port: str, checkup: Checkup | None) -> bool:
        """Whether device.toml means this one; without it, any modem may be meant."""
        if not self.settings or not self._line("port"):
            return True
        if (named := self._line("port")) != AUTO:
            return any(_is(named, each) for each in (port, *_ports(found)))
        usb, imei = self._line("usb"), self._line("imei")
        if found and found.kind is (Kind.ANALOG if self.settings.line.kind == "gsm" else Kind.GSM):
            return False
        path = found.device.path if found else ""
        here = not usb or path == usb or path.startswith(f"{usb}.")
        return here and (not imei or checkup is None or not checkup.imei or checkup.imei.endswith(imei))

    def _line(self, name: str) -> str:
        return str(self.settings.line.settings.get(name, "")) if self.settings else ""

    def _sound(self) -> Mapping[str, object]:
        """What the booth counted in its last calls; nothing when there is no such booth or no such note."""
        rows = self._rows("SELECT value FROM note WHERE key = 'sound'")
        try:
            counts = json.loads(str(rows[0][0])) if rows else {}
        except ValueError:
            return {}
        return counts if isinstance(counts, dict) else {"calls": counts}

    def _kept_back(self) -> tuple[str, ...]:
        """Why the server refused what the booth keeps back since."""
        rows = self._rows("SELECT reason FROM kept_back WHERE held = 1 ORDER BY coalesce(since, 0), kind, ref")
        return tuple(str(reason) for (reason,) in rows)

    def _rows(self, question: str) -> list[tuple[object, ...]]:
        """What the booth's books say; nothing when there is no such booth, or it is of another version."""
        book = self.settings.data / "booth.db" if self.settings else None
        if book is None or not book.exists():
            return []
        try:
            with closing(sqlite3.connect(f"file:{book}?mode=ro", uri=True)) as db:
                return db.execute(question).fetchall()
        except sqlite3.Error:
            return []


def _ports(found: Found | None) -> tuple[str, ...]:
    return (*found.ports.values(), *found.others) if found else ()


def _is(one: str, other: str) -> bool:
    """Whether two paths lead to the same port: /dev/booth-modem is a link to a ttyUSB."""
    return bool(one and other) and Path(one).resolve() == Path(other).resolve()
