"""PINs are hashed, compared, and tried only so often."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import pin
from firmware.pin import FREE_TRIES, LOCKS, Tries, hash_pin, is_hash, verify

HASHED = hash_pin("041273")


def test_only_the_right_pin_fits() -> None:
    assert verify("041273", HASHED)
    assert not verify("041274", HASHED)
    assert not verify("", HASHED)
    assert not verify("０４１２７３", HASHED)


def test_a_hash_tells_its_cost_and_never_the_pin() -> None:
    assert HASHED.startswith(f"scrypt${pin.N}$8$1$")
    assert "041273" not in HASHED
    assert hash_pin("041273") != HASHED  # another salt


@pytest.mark.parametrize("bad", ["", "123", "12345678901", "12a4", "12 4", "-1234", "１２３４"])
def test_what_is_no_pin_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="4 to 10 digits"):
        hash_pin(bad)


@pytest.mark.parametrize(
    "bad",
    ["", "1234", HASHED[:-2], HASHED.replace("scrypt", "plain"), HASHED.replace("16384", "16383"), HASHED + "\n"]
    + [HASHED.replace("$16384$8$1$", cost) for cost in ("$1$8$1$", "$1048576$8$1$", "$16384$0$1$", "$16384$8$99$")],
    ids=range(10),  # the hash is another one in every process
)
def test_what_is_no_hash_is_refused(bad: str) -> None:
    assert not is_hash(bad)
    with pytest.raises(ValueError, match="no PIN hash"):
        verify("1234", bad)


def test_five_tries_then_growing_waits() -> None:
    kept: list[str] = []
    tries = Tries(None, kept.append, 0.0)
    for used in range(FREE_TRIES):
        assert (tries.left(0.0), tries.locked(0.0)) == (FREE_TRIES - used, 0.0)
        tries.failed(0.0)
    now = 0.0
    for wait in [*LOCKS, LOCKS[-1]]:
        assert (tries.left(now), tries.locked(now)) == (0, wait)
        now += wait
        assert (tries.left(now), tries.locked(now)) == (1, 0.0)
        tries.failed(now)
    assert kept[-1] == str(FREE_TRIES + len(LOCKS) + 1)
    tries.succeeded()
    assert (tries.left(now), kept[-1]) == (FREE_TRIES, "0")


def test_success_without_a_failure_writes_nothing() -> None:
    kept: list[str] = []
    Tries(None, kept.append, 0.0).succeeded()
    assert kept == []


@given(st.lists(st.sampled_from(["fail", "restart", "wait"]), max_size=40))
def test_restarts_never_win_a_try(deeds: list[str]) -> None:
    kept = ["0"]
    now, wrong = 0.0, 0
    tries = Tries(None, kept.append, now)
    for deed in deeds:
        if deed == "fail" and not tries.locked(now):
            tries.failed(now)
            wrong += 1
        elif deed == "restart":
            now = 0.0
            tries = Tries(kept[-1], kept.append, now)
        elif deed == "wait":
            now += 60.0
        assert int(kept[-1]) == wrong
        assert tries.left(now) <= max(1, FREE_TRIES - wrong)
    if deeds and deeds[-1] == "fail" and wrong >= FREE_TRIES:
        assert tries.locked(now) > 0
