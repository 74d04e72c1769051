"""`booth-sync`: the headless daemon between one booth and its server. It touches no device."""

import argparse
import base64
import hashlib
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from firmware import mailbox, ownership, quarantine, wake, wire
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

A booth that its server no longer knows, or has revoked, comes back with a new token and a new key:
  booth-sync enrol --again 'booth1:https://...'
What the server had of it stays its own.
"""


def enrol(args: argparse.Namespace) -> int:
    """Make this booth known to a server."""
    with ownership.given(args.data):
        return _made_known(args)


def _made_known(args: argparse.Namespace) -> int:
    given, wallet = token(args.token), Wallet(args.data)
    known, spent = wallet.identity(), hashlib.sha256(given.secret.encode("utf-8")).hexdigest()
    if known is not None and known.spent == spent and not args.again and not wallet.renewing():
        wallet.keep(known)  # killed after the last file and before the last word: now it survives a power cut, too
        return _welcome(known)
    if known is not None and not args.again:
        print(
            f"booth-sync: this booth is enrolled at {known.url} as {known.name!r}; --again enrols it anew",
            file=sys.stderr,
        )
        return 1
    args.data.mkdir(parents=True, exist_ok=True)
    # A daemon that runs goes on with the old server, and its answers would count for the new one.
    with nullcontext() if known is None else wallet.alone():
        return _enrolled_anew(args, given, wallet)


def _enrolled_anew(args: argparse.Namespace, given: wire.Token, wallet: Wallet) -> int:
    known, spent = wallet.identity(), hashlib.sha256(given.secret.encode("utf-8")).hexdigest()
    enrolled = _enrolled(given, wallet, args.name or _own_name(args.data))
    if known is None or known.booth != enrolled.booth:  # whoever knows us as ourselves has what we have told
        with closing(Store(args.data / DATABASE)) as store, store.write() as db:
            mailbox.note(db, CURSOR, "")
            offer_again(db)
    pins = tuple(dict.fromkeys((*given.pin.split(","), *enrolled.pins)))
    identity = Identity(given.url, pins, enrolled.booth, enrolled.name, spent)
    (wallet.keep if known is None else wallet.renew)(identity)
    return _welcome(identity)


def _welcome(identity: Identity) -> int:
    print(f"Enrolled at {identity.url} as {identity.name!r}. Start the booth again, and booth-sync run.")
    return 0


def _enrolled(given: wire.Token, wallet: Wallet, name: str) -> wire.Enrolled:
    """Spend the token. The key lies on the card before: an answer that is lost on the way can be asked for again."""
    known = wallet.identity()
    key = wallet.key() if known is None else wallet.candidate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode("ascii")
    message = wire.Enrol(secret=given.secret, key=public, name=name)
    if known is not None:
        proof = wallet.key().sign(wire.renewal_text(known.booth, given.secret, public))
        message = replace(message, former=known.booth, proof=base64.b64encode(proof).decode("ascii"))
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
        since, kept = mailbox.oldest(store), quarantine.some(store)
    finally:
        store.close()
    fresh = report.fresh(Clock().stamp())
    print(f"Server:        {identity.url}, which calls this booth {report.name or identity.name!r}")
    print(f"Waiting:       {counts['call']} calls, {counts['fact']} facts, {counts['shift']} shift entries")
    print(
        f"               {report.recordings} recordings"
        + (f"; the oldest call is of {_moment(since)}" if since else "")
    )
    if to_go := progress(report, counts["call"]):
        print(f"               {to_go}")
    print(f"Last contact:  {_moment(report.contact)}")
    print(f"State:         {report.detail or ('in touch' if fresh else 'no word since; is booth-sync running?')}")
    for one in kept:
        since_when = f" (since {_moment(one.since)})" if one.since is not None else ""
        print(f"Kept back:     {one.kind} {one.id}{since_when}: {one.reason}")
    if report.kept_back > len(kept):
        print(f"               and {report.kept_back - len(kept)} more")
    if kept:
        print("               Nothing of it is lost. To offer it again: booth-sync retry --all")
    return 0 if fresh else 1


def progress(report: mailbox.Report, calls: int) -> str:
    """What is to go and how long that takes; empty when it is not worth a word.

    >>> progress(mailbox.Report(recordings=90, bytes=3_200_000_000, pace=178_000), 1234)
    '1,234 calls, 3.2 GB to go, about 5 h at the present pace'
    >>> progress(mailbox.Report(recordings=2, bytes=400_000, opens=5400), 0)
    "0.4 MB to go, in 1.5 h, when the line's hours begin"
    """
    if not report.bytes:
        return ""
    said = f"{calls:,} calls, " if calls else ""
    said += f"{report.bytes / 1e9:.1f} GB to go" if report.bytes >= 1e9 else f"{report.bytes / 1e6:.1f} MB to go"
    if report.opens:
        return f"{said}, in {_span(report.opens)}, when the line's hours begin"
    return f"{said}, about {_span(report.bytes / report.pace)} at the present pace" if report.pace >= 1 else said


def _span(seconds: float) -> str:
    """A length of time to read.

    >>> [_span(seconds) for seconds in (20, 600, 5400, 18000, 400000, 2e7)]
    ['1 min', '10 min', '1.5 h', '5 h', '4.6 days', '231 days']
    """
    if seconds < 3600:
        return f"{max(1, round(seconds / 60))} min"
    number, unit = (seconds / 3600, "h") if seconds < 2 * 86400 else (seconds / 86400, "days")
    return f"{number:.2g} {unit}" if number < 10 else f"{number:.0f} {unit}"


def retry(args: argparse.Namespace) -> int:
    """Offer once more what the server had refused."""
    with closing(Store(args.data / DATABASE)) as store:
        with store.write() as db:
            count = quarantine.release(db, "" if args.all else args.id)
        if not count:
            print("booth-sync: nothing of that name is kept back; see booth-sync status", file=sys.stderr)
            return 1
    wake.Bell(args.data, wake.SYNC).ring()
    print(f"Offered once more: {count}. What is refused again is kept back again; see booth-sync status.")
    return 0


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
    enrolling.add_argument(
        "--again", action="store_true", help="take a new key, at the same server (as the same booth) or at another one"
    )
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
    _add_retry(commands)
    for command in commands.choices.values():
        command.add_argument(
            "--data", type=Path, default=DATA, metavar="DIR", help=f"the booth's data (default {DATA})"
        )
    return top


def _add_retry(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    again = commands.add_parser(
        "retry",
        help="offer once more what the server refused",
        description="What the server keeps refusing is kept back, so that the rest goes on; nothing of it is deleted, and"
        " `booth-sync status` says why. This offers it once more. After a new version of booth or server that happens by"
        " itself.",
        epilog="examples:\n  booth-sync retry --all\n  booth-sync retry 6e1f2c9a-8a5e-4f0e-9d55-0d6f3f6f7a10",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = again.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", default="", metavar="ID", help="of a call, fact or recording, as in `status`")
    which.add_argument("--all", action="store_true", help="all that is kept back")
    again.set_defaults(do=retry)


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
