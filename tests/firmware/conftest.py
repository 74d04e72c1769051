"""A booth that is told what happens, event by event, in an order that no real line would repeat."""

import resource
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pyrage
import pytest

from firmware import listfile
from firmware.__main__ import compose
from firmware.calls import Calls
from firmware.clock import Clock
from firmware.hardware import Hardware
from firmware.pin import hash_pin
from firmware.settings import parse
from hw.emulated.handset import EmulatedHandset
from hw.errors import AudioError
from hw.events import Event, KeyPressed, KeyReleased

SAMPLE = Path(__file__).parents[2] / "firmware" / "desk" / "sample.ja.csv"
NOW = 1795330000.0
PIN, AGENTS_PIN = "246810", "1357"
HASHES = {pin: hash_pin(pin) for pin in (PIN, AGENTS_PIN)}
RECIPIENT = str(pyrage.x25519.Identity.generate().to_public())
DEVICE = """
booth = "desk"
language = "en"
data = "{data}"
[line]
kind = "gsm"
port = "none"
audio = "none"
{line}
[handset]
kind = "emulated"
[keypad]
kind = "matrix"
rows = [5, 6, 13, 19]
columns = [12, 16, 20, 21]
[hook]
kind = "{hook}"
{pin}
[screen]
kind = "hd44780"
[recording]
recipients = ["{recipient}"]
{recording}
[campaign]
packs = {packs}
product = "{product}"
[supervisor]
pin = "{supervisor}"
{more}
"""


class Mute:
    """The audio of a line on which nobody speaks."""

    def read(self):
        return None

    def write(self, frame):
        pass


class Wire:
    """A Line that does nothing by itself; what it is asked is kept in `asked`."""

    def __init__(self):
        self.asked, self.audio = [], Mute()

    def open(self, _post):
        self.asked.append("open")

    def dial(self, number):
        self.asked.append(f"dial {number}")

    def answer(self):
        self.asked.append("answer")

    def hang_up(self):
        self.asked.append("hang up")

    def unlock(self, pin):
        self.asked.append(f"unlock {pin}")

    def send_tones(self, digits):
        self.asked.append(f"tones {digits}")

    def close(self):
        self.asked.append("close")

    @property
    def dials(self):
        return [asked.removeprefix("dial ") for asked in self.asked if asked.startswith("dial ")]


class Quiet:
    """A keypad or a hook that nobody touches, a screen that nobody looks at."""

    def open(self, _post):
        pass

    def write(self, rows):
        pass

    def close(self):
        pass


class DeafHandset(EmulatedHandset):
    """Its sound card has been pulled out."""

    def open(self):
        raise AudioError("no sound card")


@dataclass
class Played:
    """What became of it."""

    wire: Wire
    scenes: list = field(default_factory=list)

    @property
    def last(self):
        return self.scenes[-1]

    @property
    def state(self):
        return self.last.state

    @property
    def states(self):
        return [scene.state for scene in self.scenes]


def flat(events):
    for event in events:
        if isinstance(event, Event):
            yield event
        elif isinstance(event, str):
            yield from tapped(event)
        else:
            yield from flat(event)


def tapped(keys):
    for key in keys:
        yield from (KeyPressed(key), KeyReleased(key))


class Stage:
    """Where booths are played on, with the card that they share."""

    SAMPLE, PIN, AGENTS_PIN, NOW = SAMPLE, PIN, AGENTS_PIN, NOW

    def __init__(self, directory):
        self.directory, self.time = directory, NOW
        self.listed = False
        self.packs: list[str] = []
        self.product = ""
        self.line = ""  # more settings of it
        self.recording = ""  # likewise

    def fill_card(self):
        """From now on the kernel takes no byte more, in any file."""
        self._limit(0)

    def empty_card(self):
        """There is room again."""
        self._limit(resource.getrlimit(resource.RLIMIT_FSIZE)[1])

    def _limit(self, size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    def clock(self):
        return Clock("system", system=lambda: self.time, monotonic=lambda: self.time, synchronised=lambda: False)

    def books(self):
        """The booth's database; no booth may be running."""
        return Calls(self.directory / "booth.db", "desk", self.clock())

    def add_list(self):
        read = listfile.read(SAMPLE, "JP", "03")
        calls = self.books()
        calls.add_list("sample", read.entries, sample=read.sample)
        calls.close()
        self.listed = True

    def settings(self, hook, more):
        return parse(
            DEVICE.format(
                data=self.directory,
                hook=hook,
                pin="pin = 17" if hook == "cradle" else "",
                recipient=RECIPIENT,
                supervisor=HASHES[PIN],
                packs=self.packs,
                product=self.product,
                line=self.line,
                recording=self.recording,
                more=more.replace("AGENTS_PIN", HASHES[AGENTS_PIN]),
            )
        )

    def play(self, *events, customers=True, hook="none", full=False, more="", watch=(), deaf=False, idle=0.0):
        """Run a booth until it has taken all `events`, and `idle` seconds more; strings are keys tapped.

        Each of `watch` is called with every scene. The card is full from the start, or for as long as a watcher says.
        """
        if customers and not self.listed:
            self.add_list()
        played = Played(Wire())
        hardware = Hardware(played.wire, DeafHandset() if deaf else EmulatedHandset(), Quiet(), Quiet(), Quiet(), {})
        booth = compose(self.settings(hook, more), hardware, clock=self.clock(), sample_allowed=True)
        booth.watch(lambda scene, _view: played.scenes.append(scene))
        for watcher in watch:
            booth.watch(lambda scene, _view, watcher=watcher: watcher(scene))
        for event in flat(events):
            booth.post(event)
        ending = threading.Timer(idle, booth.stop)
        ending.start() if idle else booth.stop()
        if full:
            self.fill_card()
        try:
            booth.run()
        finally:
            self.empty_card()
            ending.cancel()
        return played


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


@pytest.fixture
def wire():
    """A line that does nothing by itself."""
    return Wire()


@pytest.fixture
def recipient():
    """Whom recordings are sealed to."""
    return RECIPIENT
