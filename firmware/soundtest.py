"""The sound test of the menu: the agent hears their own voice a second late, and the microphone's level is judged."""

from array import array
from collections import deque
from math import log10, sqrt
from time import monotonic

from hw.contracts import FRAME_SECONDS, SILENCE, Handset
from hw.errors import AudioError
from hw.talkpath import TalkPath

DELAY = 50  # frames: late enough to be told from the handset's own side tone
SECONDS = 8.0
HEARD = -45.0  # dB of full scale: speech into a handset is louder, the noise of an empty room is not


class Mirror:
    """A line that says back what it hears, and remembers how loud the loudest frame was."""

    def __init__(self) -> None:
        self._frames = deque([SILENCE] * DELAY)
        self._loudest = 0.0

    def read(self) -> bytes | None:
        """What was said a second ago."""
        return self._frames.popleft() if len(self._frames) >= DELAY else None

    def write(self, frame: bytes) -> None:
        """Keep it for later."""
        self._frames.append(frame)
        samples = array("h", frame)
        self._loudest = max(self._loudest, sqrt(sum(sample * sample for sample in samples) / len(samples)))

    @property
    def level(self) -> float:
        """The loudest 20 ms so far, in dB of full scale."""
        return 20 * log10(max(self._loudest, 1e-3) / 32768)


class SoundTest:
    """Runs for a few seconds while its menu page is open."""

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
        except AudioError:
            return "audio-failed"
        self._mirror, self._began = Mirror(), monotonic()
        self._path = TalkPath(self._handset, self._mirror)
        self._path.start()
        return "audio-running"

    def verdict(self) -> str | None:
        """A word of the menu's outcomes once it can be told; the test then ends. None while it runs or none does."""
        if self._path is None or monotonic() - self._began < SECONDS - FRAME_SECONDS:
            return None
        self.stop()
        return "audio-ok" if self._mirror.level > HEARD else "audio-failed"

    def stop(self) -> None:
        """End it; harmless when none runs."""
        if self._path is not None:
            self._path.stop()
            self._handset.close()
            self._path = None
