"""`booth-desk`: a whole booth phone on a PC, without any hardware."""

import argparse
import logging
import os
import signal
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from firmware.desk import card
from firmware.desk.modems import FIRST, MODEMS
from firmware.desk.office import Office, OfficeError
from firmware.desk.once import run_once
from firmware.desk.page import Page
from firmware.desk.rig import Rig
from firmware.desk.running import BoothDied, RunningBooth
from firmware.desk.web import serving
from firmware.desk.words import LANGUAGES, Language
from firmware.settings import SettingsError
from firmware.store import CardError
from hw.errors import HardwareError

DATA, CARD = Path(".demo"), "booth"
LOOK = 0.5  # seconds between two looks whether the booth still lives

DESCRIPTION = """\
A whole booth phone on a PC, without any hardware: its LCD, its sixteen keys, the hook, the lamps and the people at the
far end are on a web page that only this machine can open. The booth itself is the real one. It dials a modem at the
end of a real serial port; only the modem, the exchange, the pins and the panel are emulated. Nobody is called. Beside
it run a real central server and the booth's sync, with a network between them that the page can cut.
"""
EPILOG = """\
A first call: press A on the shown customer (or Enter), lift the handset (or h), talk, put it down, press 1 for the
result and A to save it. Then call the same customer again, and read why you may not.

examples:
  booth-desk                      Japanese, 320x240 pixels
  booth-desk --language en        English
  booth-desk --screen hd44780     the LCD of 20x4 characters
  booth-desk --no-server          the booth alone; what happens in it waits on its card
  booth-desk --once               one whole call with no human; the exit code says whether it went well
"""


def _modems() -> str:
    """What --help says of them."""
    rows = "".join(f"  {name:<10} {kind.words[1]}\n" for name, kind in MODEMS.items())
    return f"\nmodems, which the page can swap, too:\n{rows}"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="booth-desk",
        description=DESCRIPTION,
        epilog=EPILOG + _modems(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--language", choices=LANGUAGES, help="of LCD and page (default: as the last time, else ja)")
    made.add_argument(
        "--screen", choices=("ili9341", "hd44780"), default="ili9341", help="320x240 pixels or 20x4 letters"
    )
    made.add_argument(
        "--hook", choices=("cradle", "none"), default="cradle", help="none: a headset, A calls and D ends"
    )
    made.add_argument(
        "--modem",
        choices=tuple(MODEMS),
        help=f"the modem that is plugged in, of the list below (default: as the last time, else {FIRST})",
    )
    made.add_argument("--port", type=int, default=0, metavar="N", help="of the page (default 0: any free one)")
    made.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help=f"booth's card and server, kept between runs (default {DATA}; with --once one that is thrown away)",
    )
    made.add_argument("--once", action="store_true", help="make one whole call with no human, print each step, end")
    made.add_argument(
        "--pack",
        action="append",
        default=[],
        metavar="PACK",
        help="a rule pack to obey, such as jp-sales; may be repeated (default: none, so that it works at any hour)",
    )
    made.add_argument("--no-server", action="store_true", help="the booth alone, without server and sync")
    made.add_argument("--no-browser", action="store_true", help="print the address only")
    made.add_argument("--new-pin", action="store_true", help="forget the supervisor's PIN and make another")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """`booth-desk`."""
    args = parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        with ExitStack() as stack:
            return _run(args, stack)
    except (SettingsError, HardwareError, BoothDied, OfficeError, CardError, OSError) as problem:
        print(f"booth-desk: {problem}", file=sys.stderr)
        return 1


def _run(args: argparse.Namespace, stack: ExitStack) -> int:
    stop = _stop_signal()
    directory = _directory(args, stack)
    home = directory / CARD
    language: Language = args.language or card.last_language(home)
    office = None if args.no_server else stack.enter_context(Office(directory, home, language))
    if office:
        _open(office, kept=args.data is not None or not args.once)
    rig = stack.enter_context(
        Rig(
            home,
            language=language,
            screen=args.screen,
            hook=args.hook,
            identity=card.identity(home),
            modem=args.modem or card.last_modem(home),
        )
    )
    rig.packs = args.pack
    made = card.prepared(rig, args.language, new_pin=args.new_pin, recipients=office.recipients if office else ())
    running = stack.enter_context(RunningBooth(rig, made.settings))
    if args.once:
        return run_once(rig, running, office=office)
    page = Page(running, made.callers, office)
    address = stack.enter_context(serving(page, port=args.port, language=language))
    _greet(address, office, directory, made.pin)
    if not args.no_browser and _has_desktop():
        webbrowser.open(address)
    while not stop.wait(LOOK) and not running.died:
        if office and office.ended:
            raise OfficeError(office.ended)
    return 0


def _open(office: Office, *, kept: bool) -> None:
    """The log-in of a server that is kept is printed as soon as it is made: it would be lost if anything failed then."""
    log_in = office.prepare()
    if log_in is not None and kept:
        print(f"Log-in:     {log_in.name}, password {log_in.password}")
        print("            for the server's pages, shown this once and kept as a hash only", flush=True)
    office.open()


def _stop_signal() -> threading.Event:
    """Set by Ctrl-C and by SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def _directory(args: argparse.Namespace, stack: ExitStack) -> Path:
    if args.once and args.data is None:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="booth-")))
    return (args.data or DATA).absolute()


def _greet(address: str, office: Office | None, directory: Path, pin: str | None) -> None:
    print(f"The booth:  {address}")
    if pin is None:
        print("            its supervisor's PIN was shown at the first start; --new-pin makes another")
    else:
        print(
            f"            its supervisor's PIN {pin}, shown this once and kept as a hash only; --new-pin makes another"
        )
    if office:
        print(f"The server: {office.pages}/")
    print(f"Their data: {directory}")
    print("Ctrl-C stops.", flush=True)


def _has_desktop() -> bool:
    """Whether there is a screen for a browser; without one a text browser would take the terminal."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
