"""Who a booth is: its token, its key, and a counter that never repeats."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.syncing.faults import BadToken
from firmware.syncing.identity import LEAP, Identity, Wallet, token

PIN = "A" * 43
GOOD = f"booth1:https://server.example:8443:{PIN}:secret"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (GOOD, "https://server.example:8443"),
        (f"  {GOOD}\n", "https://server.example:8443"),
        (f"booth1:https://[::1]:8443:{PIN},{PIN}:s", "https://[::1]:8443"),
        (f"booth1:https://server.example:{PIN}:s", "https://server.example"),
    ],
)
def test_tokens(text, url):
    assert token(text).url == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        GOOD[:-10],
        GOOD.replace("booth1", "booth2"),
        GOOD.replace("https", "http"),
        GOOD.replace("server.example", ""),
        GOOD.replace(":8443", ":port"),
        GOOD.replace(PIN, PIN[:-1]),
        GOOD.replace(PIN, f"{PIN},"),
        GOOD.replace(PIN, "é" * 43),
        GOOD.replace("server.example", "[::1"),
    ],
)
def test_bad_tokens_say_so(text):
    with pytest.raises(BadToken, match="token"):
        token(text)


def test_the_key_stays_and_is_secret(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    key = wallet.key().private_bytes_raw()
    assert Wallet(tmp_path).key().private_bytes_raw() == key
    assert (tmp_path / "sync" / "key").stat().st_mode & 0o777 == 0o600
    other = wallet.candidate().private_bytes_raw()
    assert Wallet(tmp_path).candidate().private_bytes_raw() == other != key  # killed, it is the same enrolment again
    assert wallet.key().private_bytes_raw() == key
    wallet.renew(Identity("https://server.example", ("p",), "b", "Booth 3"))
    assert wallet.key().private_bytes_raw() != key


def test_an_identity_is_kept_whole(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    assert wallet.identity() is None
    wallet.key()
    assert wallet.identity() is None
    identity = Identity("https://server.example", (PIN, PIN), "id", "ブース3")
    wallet.keep(identity)
    assert Wallet(tmp_path).identity() == identity
    assert [path.name for path in (tmp_path / "sync").iterdir() if path.suffix == ".part"] == []


def test_the_counter_grows_over_restarts(tmp_path: Path) -> None:
    Wallet(tmp_path).key()
    seen = []
    for _ in range(4):
        counter = Wallet(tmp_path).counter()
        seen += [counter.next() for _ in range(LEAP + 5)]
    assert seen == sorted(set(seen))
    assert seen[0] >= 1


COUNTING = """
import os, sys
from pathlib import Path
from firmware.syncing.identity import Wallet
counter = Wallet(Path(sys.argv[1])).counter()
while True:
    os.write(1, b"%d\\n" % counter.next())
"""


def test_the_counter_never_repeats_when_killed(tmp_path: Path) -> None:
    Wallet(tmp_path).key()
    last = 0
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", COUNTING, str(tmp_path)], stdout=subprocess.PIPE, env=dict(os.environ)
        ) as child:
            assert child.stdout is not None
            head = [child.stdout.readline() for _ in range(2500)]
            child.kill()
            rest = child.stdout.read().split(b"\n")[:-1]
        numbers = [int(line) for line in [*head, *rest]]
        assert numbers == sorted(set(numbers))
        assert numbers[0] > last
        last = numbers[-1]
