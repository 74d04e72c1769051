"""A disk that fails once, at every place where it can: what a database acknowledged is there after the next power cut."""

import json
import os
import subprocess
import sys

import pytest

from tests.crash.conftest import ROOT
from tests.crash.ledgers import KEEPERS

LIVES = 40  # of each database, in full
PAST = {"booth": (2,), "server": (0, 2, 3, 5), "readers": (4,)}  # lives that lost lines once
CASES = [
    pytest.param(which, seed, marks=() if seed in PAST[which] else pytest.mark.soak)
    for which in KEEPERS
    for seed in range(LIVES)
]


@pytest.mark.parametrize(("which", "seed"), CASES)
def test_no_line_that_was_safe_is_lost(library, tmp_path, which, seed):
    command = [sys.executable, "-P", "-m", "tests.crash.ledgers", tmp_path, which, str(seed)]
    words = {"LD_PRELOAD": str(library), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=os.environ | words, stdout=subprocess.PIPE, check=True)
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(bool(one["hit"]) for one in outcomes) >= len(outcomes) - 1 > 10
    assert [one for one in outcomes if one["lost"]] == []
