"""booth-provision server retain: delete the recordings whose time is over."""

import argparse
import sys
import time
from collections.abc import Sequence

from obstore.exceptions import BaseError

from firmware import results
from provisioning.server.booths import office_results
from provisioning.server.commands import Actions, CommandError, action, opened
from provisioning.server.keeping.retention import NO_RESULT, Due, Retention, counted
from provisioning.server.operations.cli import open_archive
from provisioning.server.operations.progress import Progress

RETAIN = """\
Without --yes nothing is deleted: it only says what would be. How many days the recordings of a result
are kept is said by `archive` in the office's result codes (server results); --days counts for results
that say nothing. Without either, recordings are kept for good.
A recording under a legal hold is never deleted. A deleted one leaves its row: the call's page says when
it went and by which rule, and the call itself, its result and what the guard goes by all stay.
Booths delete their own copies by rules of their own, and only what the server has.

examples:
  booth-provision server retain                     what is over, by result code
  booth-provision server retain --days 365          likewise, with a year for results that say nothing
  booth-provision server retain --days 365 --yes    delete it
"""


def add_to(actions: "Actions[argparse.ArgumentParser]") -> None:
    """The command."""
    one = action(actions, "retain", "delete recordings whose time is over", RETAIN)
    one.add_argument("--days", type=_days, metavar="N", help="for results whose code does not say how long")
    one.add_argument("--yes", action="store_true", help="delete; otherwise it is only said what would be")
    one.set_defaults(run=retain)


def retain(options: argparse.Namespace) -> int:
    """`server retain`."""
    with opened(options.data) as database:
        with database.read() as connection:
            codes = results.parse(office_results(connection))
        retention = Retention(database, open_archive(options.data), codes, options.days)
        now = time.time()
        due = retention.due(now)
        _tell(due)
        if not options.yes:
            print("Nothing was deleted; with --yes it is." if due else "Nothing is over.")
            return 0
        try:
            _delete(retention, due, now)
        except BaseError as problem:
            raise CommandError(
                "the archive does not answer: what is marked as deleted goes with the next run"
            ) from problem
    return 0


def _delete(retention: Retention, due: Sequence[Due], now: float) -> None:
    finished, gone, told = retention.finish(), 0, Progress()
    free = [one for one in due if not one.held]
    for one in free:
        gone += retention.delete(one, now)
        told("deleted", gone, len(free))
    told.over()
    if finished:
        print(f"{finished} recordings that an earlier run had begun to delete are gone now.", file=sys.stderr)
    print(f"{gone} recordings deleted, {len(due) - gone} kept.")


def _tell(due: Sequence[Due]) -> None:
    for code, days, count, size, held in counted(due):
        name = "(no result)" if code == NO_RESULT else code
        kept = f", {held} under a legal hold stay" if held else ""
        print(f"{name:<12} after {days:g} days: {count} recordings, {size / 1e6:.1f} MB{kept}")


def _days(text: str) -> float:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("a number of days, 1 or more")
    return float(text)
