"""What to do with a modem that no longer answers: nothing at first, then its own reset, then the power. Pure.

>>> rescue = Rescue()
>>> [rescue.remedy(now) for now in (0, 30)]  # nobody has called it silent
[<Remedy.NONE: 1>, <Remedy.NONE: 1>]
>>> rescue.silent(0.0)
>>> [rescue.remedy(now).name for now in (59.0, 60.0, 61.0, 120.0, 121.0, 180.0)]
['NONE', 'RESET', 'NONE', 'POWER', 'NONE', 'RESET']
"""

from enum import Enum, auto


class Remedy(Enum):
    """What helps, weakest first."""

    NONE = auto()
    RESET = auto()  # the family's own command; a modem that is deaf on one side may still obey
    POWER = auto()  # its USB port switched off and on, where the hub can


class Rescue:
    """Counts how long a modem has been silent, across all attempts to open it; moments are monotonic seconds."""

    def __init__(self, patience: float = 60.0) -> None:
        """`patience`: seconds of silence after which something is done, and between two remedies."""
        self._patience = patience
        self._due: float | None = None
        self._next = Remedy.RESET

    def silent(self, now: float) -> None:
        """It did not answer, or was mute in the middle of something."""
        if self._due is None:
            self._due = now + self._patience

    def ready(self) -> None:
        """It answers again: all is forgotten."""
        self._due, self._next = None, Remedy.RESET

    def remedy(self, now: float) -> Remedy:
        """What to try at this opening; each remedy has time to work before the next one is due."""
        if self._due is None or now < self._due:
            return Remedy.NONE
        remedy, self._due = self._next, now + self._patience
        self._next = Remedy.POWER if remedy is Remedy.RESET else Remedy.RESET
        return remedy
