"""Fingers that keep a key down, and then up, until the keypad has felt it: on a busy machine no key is lost."""

from time import monotonic, sleep

from hw.emulated.matrix import GAP, TAP, Matrix

SCAN = 4 * 4  # readings in one scan of the matrix
FELT = 5 * SCAN  # more than any debounce asks for
RESTS = 0.02  # seconds without a reading after which the keypad has gone to rest
LOOK = 0.002  # seconds between two looks at what the driver does
PATIENCE = 5.0  # seconds; without a driver nobody feels anything


class Fingers:
    """Somebody's fingers on a matrix: no faster than people are, and slower when the driver is."""

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix

    def press(self, key: str) -> None:
        """Put a finger on a key; returns when it was felt."""
        before = self._matrix.readings
        self._matrix.press(key)
        self._wait(before, TAP, least=FELT)

    def release(self, key: str) -> None:
        """Take the finger off; returns when that was felt."""
        before = self._matrix.readings
        self._matrix.release(key)
        self._wait(before, GAP, least=3 * SCAN)

    def _wait(self, before: int, seconds: float, least: int) -> None:
        """For `seconds`, and until the readings since `before` are enough, or at least `least` and then a rest."""
        end = monotonic() + PATIENCE
        seen, since = before, monotonic()
        sleep(seconds)
        while (now := monotonic()) < end and seen - before < FELT:
            if self._matrix.readings != seen:
                seen, since = self._matrix.readings, now
            elif seen - before >= least and now - since > RESTS:
                return
            sleep(LOOK)
