"""Frames that come at their own pace, given out evenly: held back a little, and kept in step sample by sample."""

from array import array
from collections.abc import Callable
from functools import cache

from hw.contracts import FRAME, SILENCE

SAMPLES = FRAME // 2
PREFILL = 3  # frames that wait before the first is given: then a frame waits 40 to 60 ms, as long as a pause may be
CAP = 10  # frames: 200 ms, beyond which the oldest goes; a talk with more delay than this is no talk
AIM = 0.2  # of a frame above the prefill: running dry is worse than being 4 ms later
MEMORY = 100  # takes over which the fill is averaged: two seconds, in which the jitter of the frames levels out
LOOSE = SAMPLES // 2  # samples, 10 ms: how far the mean fill may be off before anything is done about it
PRESSING = LOOSE * 6 // 5  # so far off, and frames have to do whatever they carry
QUIET = 600  # a frame without a sample above this (-35 dBFS) is a pause: nobody hears what is done to it


class Jitter:
    """Holds one stream of frames back so that `take` finds one every 20 ms, whatever the sender's clock does.

    Clocks differ by up to some 200 ppm. When the mean fill has left its target by more than 10 ms, a frame at a time is
    made of one sample more or less than it has, by interpolation, until the fill is right again: in a pause if there
    is one soon. 160 frames so treated are 20 ms; not one of them has a step in it.
    """

    def __init__(self, fetch: Callable[[], bytes | None], prefill: int = PREFILL, cap: int = CAP) -> None:
        self.underruns = 0  # takes for which nothing was there although the stream had begun
        self.overflows = 0  # frames dropped because more than the cap was held
        self.adjusted = 0  # frames that gave a sample less, or one more, than they took
        self._fetch, self._prefill, self._cap = fetch, prefill, cap
        self._target = (prefill + AIM) * SAMPLES
        self._held = bytearray()
        self._speaking = False
        self._mean = self._target
        self._correcting = self._pressing = False
        self._gather()
        self._held.clear()  # stale: it would be delay for the whole talk

    @property
    def excess(self) -> float:
        """How many samples too many are held on an average; negative if too few, 0 while nothing flows."""
        return self._mean - self._target if self._speaking else 0.0

    def take(self, owed: int = 0) -> bytes:
        """The next frame, or SILENCE itself; as many more as are `owed` may wait without being too many."""
        self._gather()
        held = self._held
        while len(held) > (self._cap + owed) * FRAME:
            del held[:FRAME]
            self.overflows += 1
        if len(held) < (1 if self._speaking else self._prefill) * FRAME:
            self.underruns += self._speaking
            self._speaking = False
            return SILENCE
        if not self._speaking:
            self._speaking, self._mean = True, self._target
        self._mean += (len(held) // 2 - owed * SAMPLES - self._mean) / MEMORY
        excess = self._mean - self._target
        if self._correcting or abs(excess) > LOOSE:
            return self._corrected(excess)
        frame = bytes(held[:FRAME])
        del held[:FRAME]
        return frame

    def _corrected(self, excess: float) -> bytes:
        """The next frame, with a sample more or less where nobody hears it, until the mean is what it should be."""
        self._correcting = abs(excess) > 1
        self._pressing = self._correcting and (self._pressing or abs(excess) > PRESSING)
        step = 1 if excess > 0 else -1
        held = self._held
        samples = array("h", bytes(held[: FRAME + 4]))
        samples.extend(samples[-1:] * (SAMPLES + 2 - len(samples)))  # these weigh nothing when a sample is to be gained
        if len(held) < FRAME + 2 * step or (not self._pressing and not -QUIET <= min(samples) <= max(samples) <= QUIET):
            step, frame = 0, bytes(held[:FRAME])
        else:
            frame = stretched(samples, step)
            self.adjusted += 1
            self._mean -= step
        del held[: FRAME + 2 * step]
        return frame

    def _gather(self) -> None:
        # Twice the cap is more than a device may hold; an end that never runs dry must not hold the path.
        for _ in range(2 * self._cap):
            frame = self._fetch()
            if frame is None:
                break
            self._held += frame


def stretched(samples: "array[int]", step: int) -> bytes:
    """A frame made of one sample more (step 1) or less (-1) than it has; `samples` are two more than a frame has.

    Cubic interpolation (Catmull-Rom): the voice sounds 0.6 % higher or lower for 20 ms, and goes on without a step.

    >>> ramp = array("h", range(0, 1620, 10))
    >>> array("h", stretched(ramp, 1))[:3], array("h", stretched(ramp, 1))[-1], ramp[161]
    (array('h', [0, 10, 20]), 1600, 1610)
    """
    first = samples[0]
    padded = [first, *samples] if step > 0 else [first, first, *samples]
    weighed = zip(_weights(step), padded, padded[1:], padded[2:], padded[3:], strict=False)
    exact = [a * w + b * x + c * y + d * z for (a, b, c, d), w, x, y, z in weighed]
    return array("h", [min(max(round(sample), -32768), 32767) for sample in exact]).tobytes()


@cache
def _weights(step: int) -> list[tuple[float, float, float, float]]:
    """What each sample of a stretched frame takes of the four around its place."""
    places = [at / SAMPLES if step > 0 else 1 - at / SAMPLES for at in range(SAMPLES)]
    return [
        (
            (-t + 2 * t**2 - t**3) / 2,
            (2 - 5 * t**2 + 3 * t**3) / 2,
            (t + 4 * t**2 - 3 * t**3) / 2,
            (t**3 - t**2) / 2,
        )
        for t in places
    ]
