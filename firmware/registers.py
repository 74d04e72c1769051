"""Do-not-call registers."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Register:
    """One register."""

    name: str
    asof: float
    count: int


class Registers:
    """The registers at hand."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def known(self) -> tuple[Register, ...]:
        """Those that are here."""
        return ()

    def listed(self, key: str, names: Collection[str]) -> tuple[str, ...]:
        """In which the number is."""
        return ()
