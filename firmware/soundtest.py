"""The sound test of the menu, 20 seconds: a tone in the ear, then the agent's own voice a second late, then a verdict."""

import logging
from array import array
from collections import deque
from math import cos, pi, sqrt
from time import monotonic

from firmware.screens.scene import SoundBody
from hw.contracts import FRAME, FRAME_SECONDS, RATE, SILENCE, Handset
from hw.errors import AudioError
from hw.levels import FLOOR, decibels
from hw.sounds import tone
from hw.talkpath import TalkPath

log = logging.getLogger(__name__)

SECONDS = 20.0
BEEPS = 3
SECOND = round(1 / FRAME_SECONDS)  # frames
TONE_HERTZ = 1000
TONES = 2 * BEEPS * SECOND  # frames: the tone sounds in every other second
SETTLING = 20  # frames at the start of each second that count for nothing: card, air and card take up to 0.4 s
DELAY = SECOND  # frames: late enough to be told from the handset's own side tone
HEARD = -45.0  # dBFS of 20 ms: speech into a handset is louder, the noise of an empty room is not
LOUD_ENOUGH = -36.0  # dBFS of the loudest tenth of the frames; a customer strains to understand less
CLIPPED = 32600  # a sample beyond this is one that had no room
OFTEN = 5  # frames with such samples are no accident
CAME_BACK = 4.0  # times the power of the tone in the seconds with it, against those without
COMING_BACK = -60.0  # dBFS; less of the tone is no more than the microphone's hum


class Mirror:
    """A line that plays a tone and then says back what it hears; it keeps what that tells of the microphone."""

    def __init__(self) -> None:
        self.levels: list[float] = []  # dBFS of each 20 ms in which the agent is to speak
        self.clipped = 0  # of those, how many had samples at full scale
        self.last = FLOOR
        self._beep = tone(TONE_HERTZ, 1.0, 0.2)
        self._tone = {True: 0.0, False: 0.0}  # power of the tone in the microphone, while it sounds and while not
        self._heard = self._said = 0
        self._late = deque([SILENCE] * DELAY)

    def read(self) -> bytes | None:
        """The tone, and then what was said a second ago: a frame for each that came."""
        if self._said == self._heard:
            return None
        self._said += 1
        if self._said > TONES:
            return self._late.popleft()
        at = (self._said - 1) % (2 * SECOND)
        return self._beep[at * FRAME : (at + 1) * FRAME] if at < SECOND else SILENCE

    def write(self, frame: bytes) -> None:
        """Look at it, and keep it for later."""
        self._heard += 1
        samples = array("h", frame)
        self.last = decibels(sqrt(sum(sample * sample for sample in samples) / len(samples)))
        if self._heard <= TONES:
            if (self._heard - 1) % SECOND >= SETTLING:
                self._tone[(self._heard - 1) % (2 * SECOND) < SECOND] += power_at(TONE_HERTZ, samples)
            return
        self._late.append(frame)
        self.levels.append(self.last)
        self.clipped += max(max(samples), -min(samples)) > CLIPPED  # noqa: PLW3301  # flat, it would unpack them all

    @property
    def voice(self) -> float:
        """How loud the agent speaks, in dBFS: what the loudest tenth of the frames reaches."""
        return sorted(self.levels)[len(self.levels) * 9 // 10] if self.levels else FLOOR

    @property
    def tone_back(self) -> bool:
        """Whether the microphone heard the tone: through the air, or through a loop that somebody has plugged in."""
        loud = decibels(sqrt(self._tone[True] / (BEEPS * (SECOND - SETTLING))))
        return loud > COMING_BACK and self._tone[True] > CAME_BACK * self._tone[False]

    def verdict(self) -> str:
        """A word of the menu's outcomes."""
        if self.voice <= HEARD:
            nothing = max(self.levels, default=FLOOR) <= HEARD
            return "audio-loop" if self.tone_back else "audio-silent" if nothing else "audio-quiet"
        if self.clipped >= OFTEN:
            return "audio-clipped"
        if self.voice < LOUD_ENOUGH:
            return "audio-quiet"
        return "audio-echo" if self.tone_back else "audio-ok"


class SoundTest:
    """Runs while its menu page is open, for 20 seconds at most."""

    def __init__(self, handset: Handset) -> None:
        self._handset = handset
        self._path: TalkPath | None = None
        self._mirror = Mirror()
        self._began = 0.0

    def start(self) -> str:
        """Begin; returns a word of the menu's outcomes."""
        self.stop()
        try:
            self._handset.open()
        except AudioError as problem:
            log.warning("sound test: %s", problem)
            return "audio-failed"
        self._mirror, self._began = Mirror(), monotonic()
        self._path = TalkPath(self._handset, self._mirror)
        self._path.start()
        return "audio-tone"

    @property
    def progress(self) -> SoundBody | None:
        """How far it is and what is heard; None when none runs."""
        if self._path is None:
            return None
        return SoundBody(max(0.0, SECONDS - (monotonic() - self._began)), SECONDS, self._mirror.last)

    def verdict(self) -> str | None:
        """A word of the menu's outcomes, the last one once it can be told; the test then ends. None when none runs."""
        if self._path is None:
            return None
        if not self._handset.alive:
            self.stop()
            return "audio-failed"
        lasted = monotonic() - self._began
        if lasted < SECONDS - FRAME_SECONDS:
            return "audio-tone" if lasted < TONES * FRAME_SECONDS else "audio-speak"
        counts, heard = self._path.counts, self._mirror
        self.stop()
        log.info(
            "sound test: voice %.0f dBFS, %d frames clipped, tone back: %s, %s",
            heard.voice,
            heard.clipped,
            heard.tone_back,
            counts,
        )
        return heard.verdict()

    def stop(self) -> None:
        """End it; harmless when none runs."""
        if self._path is not None:
            self._path.stop()
            self._handset.close()
            self._path = None


def power_at(hertz: int, samples: "array[int]") -> float:
    """The power of one tone in some samples, as the square of its root mean square (Goertzel's algorithm)."""
    turn, last, before = 2 * cos(2 * pi * hertz / RATE), 0.0, 0.0
    for sample in samples:
        last, before = sample + turn * last - before, last
    return (last * last + before * before - turn * last * before) * 2 / len(samples) ** 2
