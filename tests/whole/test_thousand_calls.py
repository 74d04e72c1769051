"""A thousand calls in a row over every line, something breaking now and then, and every record is what really happened.

One process for each line has a whole booth with all its drivers, the emulated modem, network and handset. The small size
runs a few calls of each; the full one is for `make soak`.
"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.whole.shift import LINES, work

SAMPLE, FULL = 8, 1000
AT_ONCE = 7  # lines of the sample; they mostly wait
GROWN = (
    4096  # KiB that a process may grow between its hundredth call and its last: Python keeps pieces of what it frees
)
# Calls that went wrong once, by line.
PAST: dict[str, tuple[int, ...]] = {}


def shifts(directory, calls, at_once):
    """The figures of every line, as they come."""
    with ProcessPoolExecutor(at_once, mp_context=get_context("forkserver"), max_tasks_per_child=1) as processes:
        numbers = [(*PAST.get(name, ()), *range(calls)) for name in LINES]
        yield from processes.map(work, LINES, [directory / name for name in LINES], numbers)


def wrong(figures):
    """Everything in a shift's figures that must not be."""
    found = [*figures.untrue, *figures.deaths, *filter(None, [figures.wedged])]
    if figures.after.counts > figures.before.counts:
        found.append(f"leaked: {figures.before} -> {figures.after}")
    if figures.closed.counts != figures.bare.counts:
        found.append(f"left behind: {figures.bare} -> {figures.closed}")
    return found


def test_some_calls_over_every_line(tmp_path):
    assert {one.line: bad for one in shifts(tmp_path, SAMPLE, AT_ONCE) if (bad := wrong(one))} == {}


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_thousand_calls_over_every_line(tmp_path):
    bad = {}
    for figures in shifts(tmp_path, FULL, len(LINES)):
        print(figures, flush=True)
        found = wrong(figures)
        if figures.after.rss > figures.hundredth + GROWN:
            found.append(f"grown from {figures.hundredth} to {figures.after.rss} KiB")
        if found:
            bad[figures.line] = found
    assert bad == {}
