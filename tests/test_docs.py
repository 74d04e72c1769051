"""The papers are checked against the product."""

import re
import tomllib
from pathlib import Path

import pytest

from firmware import settings
from firmware.callflow import State

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
JAPANESE = (ROOT / "README.ja.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_the_readme_names_every_state(state):
    assert re.search(rf"\b{state.name}\b", README)


@pytest.mark.parametrize("readme", [README, JAPANESE], ids=["en", "ja"])
def test_both_readmes_name_the_two_commands_and_every_program(readme):
    programs = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    for wanted in (
        "make demo",
        "make test",
        "make demo-once",
        *(f"{name} " for name in programs if name != "booth-desk"),
    ):
        assert wanted in readme, wanted


@pytest.mark.parametrize("readme", [README, JAPANESE], ids=["en", "ja"])
def test_what_the_readmes_point_to_exists(readme):
    for target in re.findall(r"\]\(([^)#]+)\)", readme):
        assert target.startswith("http") or (ROOT / target).exists(), target
    for path in re.findall(r"`((?:hw|firmware|provisioning|tests)/[\w/.]*)`", readme):
        assert (ROOT / path).exists(), path


def test_make_lists_each_target_with_what_it_does():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {name for line in re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE) for name in line.split()}
    told = set(re.findall(r"^([a-z-]+):.*## .", makefile, re.MULTILINE))
    assert {name for name in targets if not name.startswith(".")} == told


def test_the_settings_named_in_the_readme_exist():
    known = tomllib.loads(settings.example())
    for table, name in re.findall(r"`(\w+)\.(\w+)`", README):
        if table in known and isinstance(known[table], dict):
            assert name in known[table], f"{table}.{name}"
