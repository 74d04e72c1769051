"""Builds that are broken on purpose. A judge who lets one of them pass is worth nothing.

Each is the real program with one change: an fsync that does nothing, or a few lines of the source done in the wrong order.
"""

import re

import pytest

pytestmark = pytest.mark.slow

HASTE = "20"  # seconds: a script that gets stuck is caught as well, and nobody need wait long for it

COUNTER_BEFORE_ITS_FSYNC = (
    "firmware/syncing/identity.py",
    (
        "        os.write(file, data)\n        os.fsync(file)\n",
        "        os.write(file, data)\n        part.replace(path)\n        os.fsync(file)\n",
    ),
    ("        os.close(file)\n    part.replace(path)\n", "        os.close(file)\n"),
)
KEY_BEFORE_ITS_FSYNC = (
    "provisioning/intact.py",
    (
        "            os.fsync(out.fileno())\n        part.replace(path)\n",
        "            part.replace(path)\n            os.fsync(out.fileno())\n",
    ),
)
APPENDED_TO_AN_OFFSET_KEPT_ELSEWHERE = (
    "provisioning/server/uploads.py",
    (
        "    def offset(self, name: UUID) -> int:\n",
        """\
    def offset(self, name: UUID) -> int:
        beside = self._folder / f"{name}.offset"
        return int(beside.read_text()) if beside.exists() else 0

    def _size(self, name: UUID) -> int:
""",
    ),
    ("O_CREAT | os.O_CLOEXEC, 0o600)\n        end", "O_CREAT | os.O_APPEND, 0o600)\n        end"),
    (
        "        except OSError:\n            os.ftruncate",
        """\
            new = self._folder / f"{name}.new"
            new.write_text(str(end))
            new.replace(self._folder / f"{name}.offset")
        except OSError:
            os.ftruncate""",
    ),
)
FORGOTTEN_BEFORE_THE_ANSWER = (
    "firmware/syncing/uplink.py",
    (
        "            taken = self._link.post(",
        """\
            self._outbox.delivered(parcel, [ref for ref, *_ in parcel.seals], ())
            taken = self._link.post(""",
    ),
)


def caught(outcomes, why):
    """What the judge says, where it is what is wrong with the build; `why` is a regular expression."""
    assert not [one for one in outcomes if one["untrue"]]
    found = [fault for one in outcomes for fault in one["faults"]]
    print("\n".join(fault[:160] for fault in found))
    return [fault for fault in found if re.search(why, fault)]


@pytest.mark.parametrize(
    ("role", "case", "why"),
    [
        ("server", ["strict", 20, "archive"], "the card has .*, the server"),
        pytest.param(
            "sync", ["strict", 3, "sync/counter"], "was dialled and is not in the books", marks=pytest.mark.soak
        ),
        ("booth", ["strict", 6, "recordings"], "dials?, 0 calls in the books|was dialled and is not in the books"),
        pytest.param("init", ["strict", 400], "KeyFileError", marks=pytest.mark.soak),
    ],
    ids=["server", "sync", "booth", "init"],
)
def test_without_fsync(stage, role, case, why):
    assert caught(stage(role, [case], HASTE, "unsynced"), why)


@pytest.mark.parametrize(
    ("build", "role", "name", "why"),
    [
        (COUNTER_BEFORE_ITS_FSYNC, "sync", "sync/counter", "sync has ended by itself"),
        pytest.param(KEY_BEFORE_ITS_FSYNC, "init", "recordings.key", "holds no key", marks=pytest.mark.soak),
    ],
    ids=["counter", "key"],
)
def test_renamed_before_the_fsync(stage, broken, build, role, name, why):  # noqa: PLR0917  (fixtures)
    assert caught(stage(role, [["names", at, name] for at in (3, 4)], HASTE, tree=broken(*build)), why)


def test_appended_instead_of_written_at_its_place(stage, broken):
    tree = broken(*APPENDED_TO_AN_OFFSET_KEPT_ELSEWHERE)
    cases = [["kill", at, "incoming/"] for at in (5, 8)]
    assert caught(stage("server", cases, HASTE, tree=tree), "answers PATCH .* with 422")


def test_forgotten_before_the_answer(stage, broken):
    tree = broken(*FORGOTTEN_BEFORE_THE_ANSWER)
    assert caught(stage("server", [["kill", at] for at in (40, 46)], HASTE, tree=tree), "the card has .*, the server")


@pytest.mark.soak
def test_a_vault_that_does_not_wait_for_its_card(stage, broken):
    tree = broken(
        "firmware/vault.py",
        (
            "+= os.pwrite(self._file, data[at:], self.size + at)\n        os.fdatasync(self._file)",
            "+= os.pwrite(self._file, data[at:], self.size + at)",
        ),
    )
    assert caught(stage("booth", [["strict", 7, "recordings"]], HASTE, tree=tree), "is gone|0 of 1 segments")
