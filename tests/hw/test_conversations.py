"""Generated conversations with every family: a bad day on the wire, and a good call after it."""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import pytest

from hw.gsm import FAMILIES
from tests.hw.conversations import Booth, converse

SAMPLE, FULL = 400, 200_000
PIECE = 10_000  # of the full run: one process, one booth
# Conversations that went wrong once, by family: (seed, what it was).
PAST: dict[str, tuple[int, ...]] = {}


def talk(name, seeds):
    """So many conversations on one booth; the first that goes wrong is named by its seed."""
    booth = Booth(name)
    for seed in seeds:
        try:
            converse(booth, seed)
        except BaseException as problem:
            raise AssertionError(f"{name}, seed {seed}: {problem!r}") from problem
    return booth.sessions


@pytest.mark.parametrize("name", FAMILIES)
def test_a_bad_day_on_the_wire_and_a_good_call_after_it(name):
    talk(name, (*PAST.get(name, ()), *range(SAMPLE)))


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", FAMILIES)
def test_two_hundred_thousand_bad_days(name):
    pieces = [range(start, start + PIECE) for start in range(0, FULL, PIECE)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as processes:
        sessions = sum(processes.map(partial(talk, name), pieces))
    print(f"{name}: {FULL} conversations, {sessions} sessions, every call ended once, the next one worked every time")
