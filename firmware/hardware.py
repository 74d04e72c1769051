"""All the hardware of one booth, as the booth sees it: contracts only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hw.contracts import Handset, Hook, Keypad, Lamp, Line, Screen, TextScreen


@dataclass(frozen=True, slots=True)
class Hardware:
    """One booth's devices. `lamps` has any of "line", "recording" and "sync"."""

    line: Line
    handset: Handset
    keypad: Keypad
    hook: Hook
    screen: Screen | TextScreen
    lamps: Mapping[str, Lamp] = field(default_factory=dict)
