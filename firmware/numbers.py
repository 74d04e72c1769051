"""What was keyed or imported becomes a telephone number: class, E.164, CLI prefix. The emergency table comes first."""

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What sort of number it is, as far as the guard must know."""

    EMERGENCY = auto()  # always dialled, past every rule
    SERVICE = auto()  # 171, 188, #7119 …: passes the guard, but is no emergency number
    ORDINARY = auto()
    TOLL_FREE = auto()
    SHARED_COST = auto()  # 0570 …: the caller pays extra
    PREMIUM = auto()
    INTERNATIONAL = auto()
    MACHINE = auto()  # 020: things, not people
    INVALID = auto()


@dataclass(frozen=True, slots=True)
class Number:
    """One telephone number.

    `dialled` is what goes on the line (digits * # +, prefix included); `key` names the number for the guard whatever
    its spelling: E.164 where there is one, else the digits without prefix.
    """

    dialled: str
    key: str
    shown: str
    kind: Kind
    prefix: str = ""  # 184 (hide our number) or 186 (show it)
    extension: str = ""
    zero_restored: bool = False  # a spreadsheet had eaten the leading zero
    uncertain: bool = False  # possible, but in no range that is known to be allocated
    sample: bool = False  # 03-1234-56xx and 090-1234-56xx: for examples only, a real line refuses it
