"""Generated conversations with an analog modem: a bad day on the wire, and a good call after it."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.hw.analog_conversations import AnalogBooth, bad_day

SAMPLE, FULL = 300, 200_000
PIECE = 10_000  # of the full run: one process, one booth
PAST: tuple[int, ...] = ()  # conversations that went wrong once


def talk(seeds):
    """So many conversations on one booth; the first that goes wrong is named by its seed."""
    booth = AnalogBooth()
    for seed in seeds:
        try:
            bad_day(booth, seed)
        except BaseException as problem:
            raise AssertionError(f"seed {seed}: {problem!r}") from problem
    return booth.sessions


def test_a_bad_day_on_the_wire_and_a_good_call_after_it():
    talk((*PAST, *range(SAMPLE)))


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_two_hundred_thousand_bad_days():
    pieces = [range(start, start + PIECE) for start in range(0, FULL, PIECE)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as processes:
        sessions = sum(processes.map(talk, pieces))
    print(f"analog: {FULL} conversations, {sessions} sessions, every call ended once, the next one worked every time")
