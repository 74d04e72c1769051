"""`booth-sync`: the headless daemon between one booth and its server. It touches no device."""

import argparse
import base64
import logging
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from firmware import mailbox, wire
from firmware.clock import Clock
from firmware.store import CardError, NewerDatabaseError, Store
from firmware.syncing.daemon import DATABASE, Daemon
from firmware.syncing.downlink import CURSOR
from firmware.syncing.faults import SyncError
from firmware.syncing.identity import Identity, Wallet, token
from firmware.syncing.link import PATIENCE, Channel, read
from firmware.syncing.outbox import booth_name, offer_again

DATA = Path("/var/lib/boothphone")

DESCRIPTION = """\
Brings what happens in the booth to the central server, and lists and other booths' facts back. It runs beside the
booth as a process of its own, can be stopped at any time, and goes on where it was. Without it the booth works all the
same: everything waits on the card, and nothing is lost.
"""
EPILOG = """\
A new booth, step by step:
  1. on the server:   booth-provision token new "Booth 3"     prints one line, booth1:https://...
  2. in the booth:    booth-sync enrol 'booth1:https://...'          once; the line is of no use afterwards
  3. in the booth:    booth-sync run                                 systemd does this at every start
  4. to look:         booth-sync status
"""


def enrol(args: argparse.Namespace) -> int:
    """Make this booth known to a server."""
    given, wallet = token(args.token), Wallet(args.data)
    known = wallet.identity()
    if known is not None and not args.again:
        print(
            f"booth-sync: this booth is enrolled at {known.url} as {known.name!r}; --again enrols it anew",
            file=sys.stderr,
        )
        return 1
    args.data.mkdir(parents=True, exist_ok=True)
    if known is not None:
        wallet.forget()
    enrolled = _enrolled(given, wallet, args.name or _own_name(args.data))
    store = Store(args.data / DATABASE)
    with store.write() as db:
        mailbox.note(db, CURSOR, "")
        offer_again(db)
    store.close()
    pins = tuple(dict.fromkeys((*given.pin.split(","), *enrolled.pins)))
    wallet.keep(Identity(given.url, pins, enrolled.booth, enrolled.name))
    print(f"Enrolled at {given.url} as {enrolled.name!r}. Start the booth again, and booth-sync run.")
    return 0


def _enrolled(given: wire.Token, wallet: Wallet, name: str) -> wire.Enrolled:
    """Spend the token. The key lies on the card before: an answer that is lost on the way can be asked for again."""
    public = base64.b64encode(wallet.key().public_key().public_bytes_raw()).decode("ascii")
    message = wire.Enrol(secret=given.secret, key=public, name=name)
    channel = Channel(given.url, given.pin.split(","))
    try:
        answer = channel.exchange("POST", wire.ENROL, wire.encode(message), {"Content-Type": "application/json"})
    finally:
        channel.close()
    return read(answer, wire.Enrolled)


def _own_name(data: Path) -> str:
    """What the booth calls itself; empty before it has run for the first time: then the token's name counts."""
    if not (data / DATABASE).exists():
        return ""
    store = Store(data / DATABASE)
    try:
        return booth_name(store, "")
    finally:
        store.close()


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM."""
    wallet = Wallet(args.data)
    identity = wallet.identity()
    if identity is None:
        print("booth-sync: this booth is not enrolled yet; see booth-sync --help", file=sys.stderr)
        return 1
    with wallet.alone():
        daemon = Daemon(args.data, identity, wallet, args.patience)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: daemon.stop())
        daemon.run()
    return 0


def status(args: argparse.Namespace) -> int:
    """Say how things stand; 0 when nothing is wrong."""
    identity = Wallet(args.data).identity()
    if identity is None:
        print("Not enrolled at any server; see booth-sync --help")
        return 1
    store = Store(args.data / DATABASE)
    try:
        report, counts = mailbox.report(store), mailbox.waiting(store)
        since = mailbox.oldest(store)
    finally:
        store.close()
    fresh = report.fresh(Clock().stamp())
    print(f"Server:        {identity.url}, which calls this booth {report.name or identity.name!r}")
    print(f"Waiting:       {counts['call']} calls, {counts['fact']} facts, {counts['shift']} shift entries")
    print(
        f"               {report.recordings} recordings"
        + (f"; the oldest call is of {_moment(since)}" if since else "")
    )
    print(f"Last contact:  {_moment(report.contact)}")
    print(f"State:         {report.detail or ('in touch' if fresh else 'no word since; is booth-sync running?')}")
    return 0 if fresh else 1


def _moment(utc: float | None) -> str:
    return "never" if utc is None else f"{datetime.fromtimestamp(utc, UTC):%Y-%m-%d %H:%M:%S} UTC"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="booth-sync",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--verbose", action="store_true", help="log more; never names, numbers or PINs")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    enrolling = commands.add_parser("enrol", help="make this booth known to a server, with a token")
    enrolling.add_argument("token", metavar="TOKEN", help="the line that the server's `token new` printed, in quotes")
    enrolling.add_argument("--name", default="", help="what to call this booth there (default: the token's name)")
    enrolling.add_argument("--again", action="store_true", help="leave the present server, and begin anew")
    enrolling.set_defaults(do=enrol)
    running = commands.add_parser("run", help="bring and fetch, until SIGTERM")
    running.add_argument(
        "--patience",
        type=float,
        default=PATIENCE,
        metavar="SECONDS",
        help=f"of silence after which the server counts as gone (default {PATIENCE:g}; more on a very slow line)",
    )
    running.set_defaults(do=run)
    commands.add_parser("status", help="what waits, the last contact, what is wrong").set_defaults(do=status)
    for command in commands.choices.values():
        command.add_argument(
            "--data", type=Path, default=DATA, metavar="DIR", help=f"the booth's data (default {DATA})"
        )
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """`booth-sync`."""
    args = parser().parse_args(argv)
    logging.basicConfig(level=logging.DEBUG if args.verbose else logging.INFO, format="%(name)s: %(message)s")
    try:
        code: int = args.do(args)
    except (SyncError, CardError, NewerDatabaseError, OSError) as problem:
        print(f"booth-sync: {problem}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
