"""A stranger drives the emulated voice modem: `vm` of Debian's mgetty-voice, a V.253 client that was not written here.

Its settings are in /etc/mgetty, which is left alone: it runs in a mount namespace of its own, with copies.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hw.emulated.analog import AnalogModem
from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Tone

SETTINGS = Path("/etc/mgetty")
LOGS = Path("/var/log/mgetty")
CUSTOMER, BUSY = "0312345601", "0312345602"
SOUND = bytes(range(1, 256)) * 63  # two seconds; vm's duplex passes over zeros
PRIVATE = 'mount --bind "$1" /etc/mgetty && mount --bind "$2" /var/log/mgetty && shift 2 && exec vm "$@"'
WISHES = {
    r"^#forceV253 FALSE": "forceV253 TRUE",  # else it takes 56000 for a Rockwell, and says AT#CLS
    r"^port_speed .*": "port_speed 115200",
    r"^do_hard_flow .*": "do_hard_flow false",  # a pty has no RTS
    r"^command_delay .*": "command_delay 0",
    r"^raw_data .*": "raw_data true",
    r"^ringback_goes_away .*": "ringback_goes_away 25",
    r"^ringback_never_came .*": "ringback_never_came 20",
}


def private():
    """Why vm cannot have settings of its own; None when it can."""
    if shutil.which("vm") is None or not SETTINGS.is_dir():
        return "mgetty-voice is not installed"
    if os.geteuid() or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        return "only root may mount settings over /etc/mgetty"
    return None


pytestmark = pytest.mark.skipif(private() is not None, reason=private() or "")


class Stranger:
    """`vm`, its settings and its log."""

    def __init__(self, directory):
        self.settings, self.logs = directory / "mgetty", directory / "log"
        shutil.copytree(SETTINGS, self.settings)
        self.logs.mkdir()
        LOGS.mkdir(exist_ok=True)
        text = (self.settings / "voice.conf").read_text()
        for pattern, wish in WISHES.items():
            text, count = re.subn(pattern, wish, text, flags=re.MULTILINE)
            assert count == 1, pattern
        (self.settings / "voice.conf").write_text(text)

    def run(self, action, modem, *arguments):
        """What vm logs while it acts on the modem; its device names are relative to /dev."""
        device = os.path.realpath(modem.port).removeprefix("/dev/")
        script = ["unshare", "-m", "sh", "-c", PRIVATE, "sh", str(self.settings), str(self.logs)]
        command = [action, "-l", device, "-x", "6", *arguments]
        subprocess.run([*script, *command], capture_output=True, check=False, timeout=60)
        return (self.logs / "vm.log").read_text(errors="replace")


@pytest.fixture
def stranger(tmp_path):
    return Stranger(tmp_path)


@pytest.fixture
def make():
    """The modem's, of MODELS."""
    return "conexant"


@pytest.fixture
def modem(make, exchange, tmp_path):
    exchange.book |= {CUSTOMER: FarEnd(answers_after=0.5, voice=Tone(1000)), BUSY: FarEnd(outcome="busy")}
    with AnalogModem(make, exchange, tmp_path, ring_every=60.0) as modem:
        yield modem


@pytest.fixture
def called(modem, exchange):
    """A modem with a call that rings: going off-hook takes it."""
    assert exchange.call_in(CUSTOMER)
    return modem


@pytest.mark.parametrize("make", ["usr5637"])
def test_it_dials(stranger, modem, exchange):
    states = []
    exchange.listen(lambda progress: states.append(progress.state))
    log = stranger.run("dial", modem, CUSTOMER)
    assert states == ["dialling", "alerting", "talking", "idle"]
    assert {"AT+FCLASS=8", "AT+VSM=?", f"ATD{CUSTOMER}", "AT+VLS=0"} <= set(modem.heard)
    assert "V253 modem detected" in log
    assert "Invalid modem answer" not in log
    assert not modem.off_hook


def test_it_hears_that_the_other_is_busy(stranger, modem):
    log = stranger.run("dial", modem, BUSY)
    assert "BUSY" in log
    assert "Invalid modem answer" not in log
    assert not modem.off_hook


@pytest.mark.parametrize("make", ["conexant", "usr5637"])
def test_its_duplex_brings_every_byte(stranger, called, exchange, tmp_path):
    said, heard = tmp_path / "said", tmp_path / "heard"
    said.write_bytes(SOUND)
    log = stranger.run("duplex", called, "-d", "2", str(said), str(heard))
    assert called.taken - len(SOUND) in (0, 1)  # vm often says the end of the file as one byte more
    assert called.codes == [ord("^")]
    # It says a byte for each that it hears; an underrun that it is told of stands for one, too.
    assert heard.stat().st_size > 0.95 * called.taken
    # What it has not yet read when it wants to stop is sound; its own log calls that a wrong answer, and goes on.
    assert "<DLE> <ETX> received" in log or "[10][03]" in log
    assert called.heard[-4:] == ["AT+VTR", "AT+VLS=0", "AT+FCLASS=0", "AT"]
    assert not called.off_hook
    if called.model == "conexant":
        reached = bytes(byte ^ 0x80 for byte in exchange.heard[1::2]).replace(b"\x80", b"")
        sent = SOUND.replace(b"\x80", b"")
        assert len(reached) > 0.5 * len(sent)  # what waits when a duplex is stopped is flushed
        assert reached == sent[: len(reached)]


def test_it_plays_and_records(stranger, called, exchange, tmp_path):
    said, heard = tmp_path / "said", tmp_path / "heard"
    said.write_bytes(SOUND)
    stranger.run("play", called, "-d", "2", str(said))
    assert called.taken == len(SOUND)
    assert called.codes == [3]  # ETX
    assert SOUND in bytes(byte ^ 0x80 for byte in exchange.heard[1::2])
    assert exchange.call_in(CUSTOMER)
    log = stranger.run("record", called, "-d", "2", "-L", "2", str(heard))
    assert heard.stat().st_size > 8000
    assert len(set(heard.read_bytes())) > 4  # a tone, and no silence
    assert set(called.codes) == {ord("!")}  # it may say so more than once
    assert "Invalid modem answer" not in log
