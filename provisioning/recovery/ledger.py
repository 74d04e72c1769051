"""What has been done already, so that a run that was broken off goes on, and one that was done twice changes nothing."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

from provisioning import intact
from provisioning.recovery.card import Found
from provisioning.recovery.rebuilding import SOUND, Outcome, remembered

NAME: Final = ".recovered.json"
OFTEN: Final = 100  # outcomes after which the ledger is written down


class Ledger:
    """Lies in the folder that recordings are written to. What cannot be read of it counts as not done."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._new = folder, 0
        self._kept: dict[str, dict[str, object]] = {}
        with suppress(OSError, ValueError):
            read = json.loads((folder / NAME).read_text(encoding="utf-8"))
            self._kept = read if isinstance(read, dict) else {}

    def known(self, one: Found) -> Outcome | None:
        """What became of a journal, if it is the same as then and so is the file that was made of it."""
        kept = self._kept.get(str(one.path))
        if not isinstance(kept, dict) or kept.get("of") != _of(one):
            return None
        with suppress(ValueError, KeyError, TypeError, AssertionError):
            outcome = remembered(kept)
            if not outcome.plays or (self._folder / f"{outcome.name}{SOUND}").exists():
                return outcome
        return None

    def note(self, one: Found, outcome: Outcome) -> None:
        """Keep what became of it; not that a key was wrong, for there may come a better one. Raises OSError."""
        if outcome.sealed_to_another:
            return
        self._kept[str(one.path)] = outcome.plain() | {"of": _of(one)}
        self._new += 1
        if self._new % OFTEN == 0:
            self.write()

    def write(self) -> None:
        """Onto the disk. Raises OSError."""
        intact.replace(self._folder / NAME, json.dumps(self._kept, ensure_ascii=False).encode("utf-8"))


def _of(one: Found) -> list[int]:
    known = one.path.stat()
    return [known.st_size, known.st_mtime_ns]
