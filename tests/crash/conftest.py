"""The stage: built and set up by the tests, in a process of its own that has the shim before its files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash import shim

ROOT = Path(__file__).parents[2]
ROOMS = ("firmware", "hw", "provisioning")


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """The shim, compiled."""
    return shim.build(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def stage(library, tmp_path):
    """Plays cases of a role, and gives what became of each."""

    def play(role, cases, *options, tree=ROOT):
        place = tmp_path / f"stage-{len(list(tmp_path.iterdir()))}"
        place.mkdir()
        command = [sys.executable, "-P", "-m", "tests.crash.stage", place, role, json.dumps(cases), *options]
        words = {"LD_PRELOAD": str(library), "PYTHONPATH": f"{tree}{os.pathsep}{ROOT}"}
        done = subprocess.run(command, env=os.environ | words, cwd=tree, stdout=subprocess.PIPE, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    return play


@pytest.fixture
def broken(tmp_path):
    """Makes a copy of the program in which something is not as it should be: `old` is `new` there."""

    def build(file, *changes):
        tree = tmp_path / "tree"
        tree.mkdir()
        for room in ROOMS:
            shutil.copytree(ROOT / room, tree / room, ignore=shutil.ignore_patterns("__pycache__"))
        text = (tree / file).read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, f"{file} has changed: make this broken build anew"
            text = text.replace(old, new)
        (tree / file).write_text(text, encoding="utf-8")
        return tree

    return build
