"""Which facts follow from a result: by its attributes, never by its name."""

from firmware.redial import FactKind
from firmware.results import Result


def consequences(result: Result, due: float | None) -> tuple[FactKind, ...]:
    """The facts about a number that a result brings, in the order in which they are written."""
    barred = result.refusal == "explicit" and result.scope.startswith("tenant") and "product" not in result.scope
    holds = {
        FactKind.CONTACT: result.contact,
        FactKind.COUNTED: result.refusal == "counted" or result.limit is not None,
        FactKind.DO_NOT_CALL: barred,
        FactKind.REFUSAL: not barred and (result.refusal == "explicit" or _implies(result)),
        FactKind.FINAL: result.final and result.scope == "number",
        FactKind.VOID: not result.attempt,
        FactKind.CALLBACK: due is not None,
    }
    return tuple(kind for kind, is_so in holds.items() if is_so)


def _implies(result: Result) -> bool:
    return result.refusal == "implied" and result.limit is None
