"""What a voice modem reports of the line: the codes after DLE that tones and silence give rise to."""

from hw.contracts import FRAME_SECONDS
from hw.emulated.analogline import AnalogLine
from hw.emulated.analogoptions import AnalogCircumstances
from hw.emulated.analogtones import frames_in, loudest

BUSY_AFTER, BUSY_AGAIN = frames_in(1.0), frames_in(4.0)  # of the tone, pauses left out
DIAL_TONE_AFTER = frames_in(1.0)
RING_BACK_AFTER = frames_in(0.2)
QUIET = 600  # peak of a frame that counts as silence: about -35 dBFS


class Watch:
    """Listens to the line in voice mode; its memory begins anew at forget()."""

    def __init__(self, line: AnalogLine, around: AnalogCircumstances) -> None:
        self._line, self._around = line, around
        self.forget()

    def forget(self) -> None:
        """Nothing has been heard yet."""
        self._busy = self._dial = self._ring_back = self._special = self._quiet = 0

    def codes(self, frame: bytes, silence_tenths: int) -> str:
        """What the modem says of this frame; `silence_tenths` is +VSD's second value, 0: it does not look for it."""
        heard = self._line.heard
        codes = ""
        if heard == "busy":
            self._busy += 1
            codes += "b" * (self._busy == BUSY_AFTER or (self._busy - BUSY_AFTER) % BUSY_AGAIN == 0)
        elif heard:
            self._busy = 0
        self._dial = self._dial + 1 if heard == "dial tone" else 0
        self._ring_back = self._ring_back + 1 if heard == "ring-back" else 0
        self._special = self._special + 1 if heard == "special" else 0
        codes += "d" * (self._dial == DIAL_TONE_AFTER) + "r" * (self._ring_back == RING_BACK_AFTER)
        codes += "J" * (self._special == RING_BACK_AFTER)
        return codes + self._silence(frame, silence_tenths)

    def _silence(self, frame: bytes, tenths: int) -> str:
        self._quiet = self._quiet + 1 if tenths and loudest(frame) < QUIET else 0
        return self._around.silence_code * (self._quiet > 0 and self._quiet == round(tenths / 10 / FRAME_SECONDS))
