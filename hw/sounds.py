"""Short sounds for the agent's ear only: key click, refusal, soft tick."""

from array import array
from math import pi, sin

from hw.contracts import FRAME, RATE

EDGE = 0.004  # seconds of fading in and out; a tone cut hard crackles


def tone(hertz: float, seconds: float, loudness: float = 0.1) -> bytes:
    """A sine with soft edges, at a loudness of 0 to 1 of full scale, padded to whole frames."""
    count, edge = int(seconds * RATE), EDGE * RATE
    samples = array("h")
    for at in range(count):
        swell = min(1.0, at / edge, (count - 1 - at) / edge)
        samples.append(round(32767 * loudness * swell * sin(2 * pi * hertz * at / RATE)))
    return samples.tobytes() + bytes(-2 * count % FRAME)


CLICK = tone(1200, 0.012, 0.06)
REFUSED = tone(330, 0.15, 0.15) + tone(250, 0.25, 0.15)
TICK = tone(880, 0.04, 0.05)
