"""The guard's own tests, tested: every small change to the guard is noticed, but for those in tests/data/mutants.txt.

mutmut makes the changes, in a copy of the tree. The survivors that are known do not matter, and stand there with the
reason why; anything else that survives is a hole in the tests.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KNOWN = ROOT / "tests" / "data" / "mutants.txt"
SOURCES = ("redial", "consent", "window", "refusal", "frequency")
TESTS = ("redial", "rulings", "boundaries", "rules_of_law", "guard_model")
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "mutants")
SETUP = """
[mutmut]
source_paths=
    {sources}
pytest_add_cli_args_test_selection=
    {tests}
pytest_add_cli_args=
    -m
    not soak
    -p
    no:randomly
    -p
    no:cacheprovider
also_copy=
    firmware
    hw
    provisioning
    tests
    pyproject.toml
"""


def mutmut(tree, *words):
    """What mutmut says; it may end with any code."""
    command = [str(Path(sys.executable).with_name("mutmut")), *words]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def change(tree, mutant):
    """One change as a line: where, what was, what became of it."""
    shown = mutmut(tree, "show", mutant).splitlines()
    was = " ".join(line[1:].strip() for line in shown if re.match(r"-(?!--)", line))
    became = " ".join(line[1:].strip() for line in shown if re.match(r"\+(?!\+\+)", line))
    where = re.sub(r"^firmware\.|x_|xǁ|__mutmut_\d+$", "", mutant).replace("ǁ", ".")
    return f"{where}: {was} -> {became}"


def known():
    """The survivors that do not matter."""
    lines = KNOWN.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def test_the_known_survivors_have_a_reason_each():
    lines = KNOWN.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("#")
    assert len(known()) == len([line for line in lines if line and not line.startswith("#")])
    assert not [line for line in known() if " -> " not in line]


@pytest.mark.soak
@pytest.mark.timeout(5400)
def test_no_change_to_the_guard_goes_unnoticed(tmp_path):
    tree = tmp_path / "tree"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    sources = "\n    ".join(f"firmware/{name}.py" for name in SOURCES)
    tests = "\n    ".join(f"tests/firmware/test_{name}.py" for name in TESTS)
    (tree / "setup.cfg").write_text(SETUP.format(sources=sources, tests=tests), encoding="utf-8")
    told = mutmut(tree, "run", "--max-children", "2")
    counts = re.findall(r"(\d+)/(\d+)", told)
    assert counts, told[-3000:]
    done, total = map(int, counts[-1])
    assert done == total > 900, told[-500:]
    results = mutmut(tree, "results").splitlines()
    alive = [line.strip().partition(": ") for line in results if line.rstrip().endswith(("survived", "no tests"))]
    survivors = {change(tree, mutant) for mutant, _, _ in alive}
    print(f"{total} changes, {total - len(alive)} noticed, {len(alive)} not; new among them:")
    print("\n".join(sorted(survivors - known())))
    assert survivors <= known()
