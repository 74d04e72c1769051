"""booth-provision: what is done for booths at a desk. The server, tokens, keys, PINs, and listening to recordings."""

import argparse
import sys
from collections.abc import Sequence
from getpass import getpass
from pathlib import Path

from firmware import pin
from firmware.journal import Ending
from firmware.opus import OpusError
from firmware.vault import SUFFIX
from hw.contracts import FRAME_SECONDS
from hw.errors import HardwareError
from provisioning import keys, recording, rules, systemd, udev
from provisioning.recording import Recording, RecordingError
from provisioning.recovery import cli as recovery
from provisioning.server import cli as server
from provisioning.server.archive import ArchiveError
from provisioning.server.commands import CommandError
from provisioning.server.environment import EnvironmentWordError
from provisioning.server.lock import TakenError
from provisioning.server.parts import DatabaseAwayError
from provisioning.server.workers import StartError

DATA = Path("/var/lib/boothphone")
ENDINGS = {
    Ending.CLOSED: "closed when the call ended",
    Ending.RECOVERED: "the booth lost power or crashed in the call; closed at its next start",
    Ending.CUT_SHORT: "cut short: the card was full or broken",
    None: "not closed",
}

EXAMPLES = """\
examples:
  booth-provision server init              make a central server; then: server run, token new
  booth-provision key new office.key       make the key pair; the age1… it prints goes into device.toml:
                                           [recording] recipients = ["age1…"]
  booth-provision rules explain 03-1234-5601 --pack jp-sales
                                           what the guard would say of a number now
  booth-provision pin                      hash a supervisor's PIN for device.toml
  booth-provision play 3f2a --key office.key --data /media/card/boothphone
                                           turn a call's recording into 3f2a….opus and 3f2a….wav
  booth-provision recover /media/card --key office.key --out rescued
                                           every recording of a dead booth's card, and whose it is
"""
KEY_EXAMPLES = """\
Booths are given the public key only, so nobody who steals one can listen. Keep the file
off the booths, and keep a copy: without it no recording can ever be opened.

example:
  booth-provision key new office.key
"""
PIN_EXAMPLES = """\
The PIN is asked for twice and shown nowhere; only its hash is printed.

example:
  booth-provision pin
"""
PLAY_EXAMPLES = """\
The .opus file holds the very packets that the booth recorded; agent left, customer right.
Both files begin with up to ten seconds before the answer, of the customer's side only.
Exit code 0: all is there. 1: something is wrong; what is whole was written, if anything was.

examples:
  booth-provision play 3f2a --key office.key
  booth-provision play card/3f2a4b5c-….journal --key office.key --out /tmp
"""


class Refusal(Exception):
    """What was asked for cannot be done; the text says why."""


REFUSALS = (
    *(Refusal, CommandError, rules.ExplainError, TakenError, keys.KeyFileError, RecordingError),
    *(OpusError, HardwareError, EnvironmentWordError, DatabaseAwayError, ArchiveError, StartError),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (*REFUSALS, OSError) as problem:
        print(f"booth-provision: {problem}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _taught(argparse.ArgumentParser(prog="booth-provision", description=__doc__), EXAMPLES)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    server.add_to(commands)
    rules.add_to(commands)
    udev.add_to(commands)
    recovery.add_to(commands)
    systemd.add_to(commands)

    key = _taught(commands.add_parser("key", help="make the key pair that recordings are sealed to"), KEY_EXAMPLES)
    actions = key.add_subparsers(metavar="ACTION", required=True)
    new = _taught(actions.add_parser("new", help="write a new secret key and print its public half"), KEY_EXAMPLES)
    new.add_argument("file", type=Path, metavar="FILE", help="where the secret key goes; must not exist")
    new.set_defaults(run=new_key)

    play = _taught(commands.add_parser("play", help="open a recording and write it as .opus and .wav"), PLAY_EXAMPLES)
    play.add_argument("call", metavar="CALL", help="a journal's path, or the beginning of a call's id")
    play.add_argument("--key", type=Path, required=True, metavar="FILE", help="the secret key of `key new`")
    play.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="where to look for an id (%(default)s)")
    play.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where the files go (here)")
    play.set_defaults(run=play_call)

    hash_pin = _taught(commands.add_parser("pin", help="hash a supervisor's PIN for device.toml"), PIN_EXAMPLES)
    hash_pin.set_defaults(run=new_pin)
    return parser


def _taught(parser: argparse.ArgumentParser, text: str) -> argparse.ArgumentParser:
    parser.epilog, parser.formatter_class = text, argparse.RawDescriptionHelpFormatter
    return parser


def new_key(options: argparse.Namespace) -> int:
    """`key new FILE`."""
    print(keys.make(options.file))
    print(f"The secret key is in {options.file}: keep it off the booths, and keep a copy.", file=sys.stderr)
    return 0


def new_pin(_: argparse.Namespace) -> int:
    """`pin`."""
    first = getpass("PIN: ")
    if first != getpass("Once more: "):
        raise Refusal("the two PINs differ")
    try:
        print(pin.hash_pin(first))
    except ValueError as problem:
        raise Refusal(str(problem)) from problem
    return 0


def play_call(options: argparse.Namespace) -> int:
    """`play CALL`."""
    found = recording.load(find(options.call, options.data), keys.load(options.key))
    options.out.mkdir(parents=True, exist_ok=True)
    plain = options.out / str(found.call)
    plain.with_suffix(".opus").write_bytes(recording.opus(found))
    recording.write_wav(found, plain.with_suffix(".wav"))
    print(summary(found), f"written   {plain}.opus", f"          {plain}.wav", sep="\n")
    for fault in found.faults:
        print(f"booth-provision: {fault.flaw.value}: {fault.detail}", file=sys.stderr)
    return 0 if found.whole else 1


def find(call: str, data: Path) -> Path:
    """The journal at the path `call`, or the only one under `data` whose call id begins with it."""
    if (path := Path(call)).is_file():
        return path
    if not data.is_dir():
        raise Refusal(f"{call} is no file, and there is no directory {data} to look for such a call (see --data)")
    hits = sorted(path for path in data.rglob(f"*{SUFFIX}") if path.name.startswith(call.lower()))
    if not hits:
        raise Refusal(f"no recording of a call {call} in {data}")
    if len(hits) > 1:
        raise Refusal(f"{call} may be any of {', '.join(hit.stem for hit in hits[:5])}")
    return hits[0]


def summary(found: Recording) -> str:
    """What is known of a recording, a line each."""
    gaps = [f"{_clock(gap.frames)} at {_clock(gap.at)}" for gap in found.gaps]
    return "\n".join((
        f"call      {found.call}",
        f"answered  {_clock(found.answer)} after the beginning of the files",
        f"length    {_clock(len(found.agent) - found.answer)} from the answer on",
        f"segments  {found.segments}, {'hash right' if found.whole else 'NOT WHOLE'}",
        f"left out  {', '.join(gaps) or 'nothing'}",
        f"ending    {ENDINGS[found.ending]}",
    ))  # fmt: skip


def _clock(frames: int) -> str:
    minutes, seconds = divmod(max(0, frames) * FRAME_SECONDS, 60)
    return f"{int(minutes)}:{seconds:05.2f}"


if __name__ == "__main__":
    sys.exit(main())
