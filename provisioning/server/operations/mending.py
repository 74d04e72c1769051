"""What a check has found is put right, as far as a program can. Nothing is deleted but what was to be gone."""

import obstore
from obstore.exceptions import NotFoundError
from sqlalchemy import update

from provisioning.server.archive import JOURNAL, OPUS
from provisioning.server.bell import Bell
from provisioning.server.facts import Facts
from provisioning.server.operations.check import ASIDE, Place
from provisioning.server.operations.faults import Fault, Kind
from provisioning.server.schema import recording
from provisioning.server.uploads import PART

_OPENED_AGAIN = {Kind.NO_SOUND, Kind.NO_WAVEFORM, Kind.UNOPENED}
_ASKED_FOR = {Kind.NO_JOURNAL, Kind.WRONG_SIZE, Kind.WRONG_HASH}
_ANEW = {"state": "partial", "bytes": 0, "sha256": None, "taken": None, "peaks": None}


class Mending:
    """Mends fault by fault; `finish` has the booths asked, if there is anything to ask for."""

    def __init__(self, place: Place) -> None:
        self._place, self._asked = place, False

    def mend(self, fault: Fault) -> bool:
        """Put it right; False for what a person must look at."""
        if fault.kind in _OPENED_AGAIN:
            self._update(fault.name, state="taken")
        elif fault.kind in _ASKED_FOR:
            self._put_aside(f"{fault.name}{JOURNAL}")
            self._update(fault.name, **_ANEW)
            self._asked = True
        elif fault.kind is Kind.NO_ROW:
            self._put_aside(fault.name)
        elif fault.kind is Kind.NOT_GONE:
            for ending in (JOURNAL, OPUS):
                self._delete(f"{fault.name}{ending}")
        elif fault.kind is Kind.CUT_SHORT:
            part = self._place.incoming / f"{fault.name}{PART}"
            self._update(fault.name, bytes=part.stat().st_size if part.exists() else 0)
            self._asked = True
        elif fault.kind is Kind.LEFTOVER:
            (self._place.incoming / fault.name).unlink(missing_ok=True)
        return fault.mendable

    def finish(self) -> bool:
        """Booths offer again what they have, if they are to be asked; whether they are."""
        if self._asked:
            Facts(self._place.database, Bell()).begin_epoch()
        return self._asked

    def _update(self, name: str, **values: object) -> None:
        with self._place.database.write() as connection:
            connection.execute(update(recording).where(recording.c.id == name).values(values))

    def _put_aside(self, name: str) -> None:
        try:
            obstore.rename(self._place.archive, name, f"{ASIDE}{name}")
        except (FileNotFoundError, NotFoundError):
            pass  # there was none: that was the fault

    def _delete(self, name: str) -> None:
        try:
            obstore.delete(self._place.archive, name)
        except (FileNotFoundError, NotFoundError):
            pass
