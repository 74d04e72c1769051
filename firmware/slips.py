"""A finger's slips: where two rows of digits part, and whether one slip makes one of the other. No list, no I/O."""

from collections.abc import Iterator

_DIGITS = "0123456789"


def parting(keyed: str, wanted: str) -> int | None:
    """The position, from 0, of the first digit that is not the wanted one; None while all of them are.

    >>> parting("0313", "0312345601"), parting("0312", "0312345601"), parting("03123456011", "0312345601")
    (3, None, 10)
    """
    if wanted.startswith(keyed):
        return None
    pairs = enumerate(zip(keyed, wanted, strict=False))
    return next((place for place, (one, other) in pairs if one != other), len(wanted))


def one_off(keyed: str, wanted: str) -> bool:
    """Whether one slip lies between the two: a digit wrong, two neighbours swapped, a digit missing or one too many.

    >>> [one_off(keyed, "0312345601") for keyed in ("0312345611", "0312346501", "031234601", "03312345601", "0312345601")]
    [True, True, True, True, False]
    """
    if keyed == wanted or abs(len(keyed) - len(wanted)) > 1:
        return False
    first = next((place for place, (one, other) in enumerate(zip(keyed, wanted, strict=False)) if one != other), None)
    if first is None:
        return True  # the last digit is missing, or one is too many at the end
    one, other = keyed[first:], wanted[first:]
    if len(one) != len(other):
        return one[1:] == other or one == other[1:]
    return one[1:] == other[1:] or (one[1::-1] == other[:2] and one[2:] == other[2:])


def slips(digits: str) -> frozenset[str]:
    """Every row of digits that lies one slip from this one: some 210 for a telephone number.

    >>> sorted(slips("1"))[:4], len(slips("0312345601"))
    (['', '0', '01', '10'], 209)
    """
    return frozenset(_slips(digits)) - {digits}


def _slips(digits: str) -> Iterator[str]:
    for place in range(len(digits) + 1):
        before, after = digits[:place], digits[place:]
        yield from (before + digit + after for digit in _DIGITS)
        yield from (before + digit + after[1:] for digit in _DIGITS)
        yield before + after[1:]
        yield before + after[1::-1] + after[2:]
