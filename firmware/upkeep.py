"""What keeps the card in order while nobody waits: copies that may go, and the look at how long it will last."""

import logging

from firmware.forecast import SOON, Forecast
from firmware.retention import Retention
from firmware.store import CardError

log = logging.getLogger(__name__)


class Upkeep:
    """Does one small thing at a time, and never more than one look a minute where there is nothing to do."""

    def __init__(self, retention: Retention, forecast: Forecast) -> None:
        self._retention, self._forecast = retention, forecast
        self._said = ""

    def turn(self) -> None:
        """One thing, if any is due. What the card refuses is tried again later."""
        try:
            if self._retention.due:
                self._retention.step()
            elif self._forecast.due:
                self._forecast.look()
        except (CardError, OSError) as problem:
            if str(problem) != self._said:
                log.warning("the card could not be put in order: %s", problem)
            self._said = str(problem)
        else:
            self._said = ""

    @property
    def days(self) -> float | None:
        """Until the card is full; None: not foreseen."""
        return self._forecast.days

    @property
    def scarce(self) -> float | None:
        """The same once it is time to warn: 0 when nothing can be recorded any more."""
        if self._forecast.full:
            return 0.0
        days = self._forecast.days
        return days if days is not None and days < SOON else None
