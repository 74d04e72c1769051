"""A thousand calls in a row over every line, something breaking now and then, and every record is what really happened.

One process for each line has a whole booth with all its drivers, the emulated modem, network and handset. The small size
runs a few calls of each; the full one is for `make soak`.
"""

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from hw.emulated.exchange import FarEnd
from tests.whole.holdings import Figures, Holdings
from tests.whole.scripts import Script
from tests.whole.shift import LINES, work
from tests.whole.troubles import MUTE, NONE, SECOND_CALLER, UNPLUGGED
from tests.whole.truth import Circumstances, Seen, differences

SAMPLE, FULL = 8, 1000
AT_ONCE = 7  # lines of the sample; they mostly wait
GROWN = (
    4096  # KiB that a process may grow between its hundredth call and its last: Python keeps pieces of what it frees
)
# Calls that went wrong once, by line.
PAST: dict[str, tuple[int, ...]] = {"quectel": (146, 147), "generic": (73, 74, 75)}


def alone(name, directory, numbers):
    """The figures of one line, from a process of its own; of one that has died, what is left to say."""
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as process:
        try:
            return process.submit(work, name, directory, numbers).result()
        except BrokenProcessPool:
            return Figures(name, wedged="the process has died")


def shifts(directory, calls, at_once):
    """The figures of every line, as they come."""
    with ThreadPoolExecutor(at_once) as threads:
        plans = [(name, directory / name, (*PAST.get(name, ()), *range(calls))) for name in LINES]
        for one in as_completed([threads.submit(alone, *plan) for plan in plans]):
            yield one.result()


@pytest.fixture
def cards():
    """Where the booths keep their cards: in memory, for a disk that others keep busy makes a booth late, too."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as directory:
        yield Path(directory)


def wrong(figures):
    """Everything in a shift's figures that must not be."""
    found = [*figures.untrue, *figures.deaths, *filter(None, [figures.wedged])]
    if figures.after is None:
        return found
    if max(figures.after.beyond(figures.before)) > 0:
        found.append(f"leaked: {figures.before} -> {figures.after}")
    if max(figures.closed.beyond(figures.bare)) > 0:
        found.append(f"left behind: {figures.bare} -> {figures.closed}")
    return found


@pytest.mark.slow
def test_some_calls_over_every_line(cards):
    bad = {one.line: wrong(one) for one in shifts(cards, SAMPLE, AT_ONCE)}
    assert not any(bad.values()), "\n".join(line for found in bad.values() for line in found)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_thousand_calls_over_every_line(cards):
    bad = {}
    for figures in shifts(cards, FULL, len(LINES)):
        bad[figures.line] = wrong(figures)
        if figures.after and figures.after.rss > figures.hundredth + GROWN:
            bad[figures.line].append(f"grown from {figures.hundredth} to {figures.after.rss} KiB")
        print(figures, *bad[figures.line], sep="\n", flush=True)
    assert not any(bad.values()), {line: len(found) for line, found in bad.items()}


# The judge: it knows a true record, and finds what is wrong with any other.

NUMBER = "0312345601"
GOOD = {
    "id": "1",
    "number": {"key": "+81312345601"},
    "incoming": False,
    "answered": True,
    "estimated": False,
    "cause": "NORMAL",
    "by": "FAR",
    "talk": 2.0,
    "recording": {"talk": 2.0, "complete": True},
}
BUSY = GOOD | {"answered": False, "cause": "BUSY", "by": "LINE", "talk": 0.0, "recording": None}
MISSED = BUSY | {"id": "2", "incoming": True}


def talked(**how):
    """They answered after a second, and hung up two seconds later."""
    return Seen(
        **({"incoming": False, "began": 1.0, "number": NUMBER, "answered": 2.0, "ended": 4.0, "cause": 16} | how)
    )


def told(records, calls, *, line="quectel", trouble=NONE, presses=()):
    """What the judge finds."""
    return differences(records, calls, Circumstances(line, line == "conexant", Script(FarEnd()), trouble, presses))


@pytest.mark.parametrize(
    ("record", "call", "how"),
    [
        (GOOD, talked(), {}),
        (GOOD | {"talk": 2.15}, talked(), {}),
        (
            GOOD | {"by": "NEAR", "talk": 1.5, "recording": {"talk": 1.6, "complete": True}},
            talked(),
            {"presses": ((3.5, "D"),)},
        ),
        (BUSY, talked(answered=None, cause=17), {}),
        (
            GOOD | {"estimated": True, "talk": 1.2, "recording": {"talk": 1.2, "complete": True}},
            talked(),
            {"line": "conexant"},
        ),
        (GOOD | {"cause": "LOST", "by": "LINE"}, talked(here=True), {"trouble": UNPLUGGED}),
        (BUSY | {"cause": "FAILED"}, talked(here=True), {"trouble": UNPLUGGED}),
        (GOOD | {"talk": 5.0, "recording": {"talk": 5.0, "complete": True}}, talked(), {"trouble": MUTE}),
    ],
)
def test_a_true_record_passes(record, call, how):
    assert told([record], [call], **how) == []


@pytest.mark.parametrize(
    ("records", "call", "how"),
    [
        ([], talked(), {}),
        ([GOOD, GOOD | {"id": "2"}], talked(), {}),
        ([GOOD | {"cause": None}], talked(), {}),
        ([GOOD | {"talk": 2.25, "recording": {"talk": 2.25, "complete": True}}], talked(), {}),
        ([GOOD | {"recording": {"talk": 1.7, "complete": True}}], talked(), {}),
        ([GOOD | {"recording": {"talk": 2.0, "complete": False}}], talked(), {}),
        ([GOOD | {"recording": None}], talked(), {}),
        ([GOOD | {"by": "NEAR"}], talked(), {}),
        ([GOOD | {"cause": "LOST", "by": "LINE"}], talked(), {}),
        ([GOOD | {"estimated": True}], talked(), {}),
        ([GOOD | {"number": {"key": "+81312345602"}}], talked(), {}),
        ([BUSY], talked(), {}),
        ([BUSY], talked(answered=None, cause=1), {}),
        ([BUSY | {"talk": 1.0}], talked(answered=None, cause=17), {}),
        ([GOOD], talked(answered=None, cause=17), {}),
        ([GOOD, MISSED], talked(), {}),
        ([GOOD | {"talk": 5.0, "recording": {"talk": 5.0, "complete": True}}], talked(), {"line": "conexant"}),
        ([GOOD], talked(here=True), {"trouble": UNPLUGGED}),
        ([GOOD | {"cause": "LOST", "by": "LINE"}], talked(answered=None, here=True), {"trouble": UNPLUGGED}),
        ([], talked(here=True), {"trouble": UNPLUGGED}),
    ],
)
def test_an_untrue_record_is_found(records, call, how):
    assert told(records, [call], **how)


def test_whatever_is_leaked_is_found():
    then = Holdings(("MainThread", "booth"), 20, 4, 50_000)
    for now in (
        replace(then, threads=("MainThread", "booth", "booth")),
        replace(then, files=21),
        replace(then, ptys=5),
    ):
        assert wrong(Figures("quectel", before=then, after=now, bare=then, closed=then))
        assert wrong(Figures("quectel", before=then, after=then, bare=then, closed=now))
    fewer = replace(then, threads=("MainThread",), files=21)
    assert wrong(Figures("quectel", before=then, after=fewer, bare=then, closed=then))
    assert not wrong(Figures("quectel", before=then, after=then, bare=then, closed=then))


def test_a_second_caller_wants_a_record():
    second = Seen(incoming=True, began=2.5, number=SECOND_CALLER, ended=2.6, cause=17, here=True, second=True)
    assert told([GOOD, MISSED], [talked(), second]) == []
    assert told([GOOD], [talked(), second])
