"""KEYING: the digits so far, whom they could mean, and why a number off the list is dialled."""

from firmware.calls import Customer
from firmware.redial import Reason
from firmware.screens import softkeys, words
from firmware.screens.halfwidth import halfwidth
from firmware.screens.scene import KeyingBody
from firmware.screens.teller import FADED, Teller
from firmware.screens.view import Alert, Badge, BigNumber, Block, Brief, Line, Row, Rows, Tone, View

COLUMNS = 20
TITLE = 14  # columns beside the clock
TAIL = COLUMNS - 3  # digits of too many for 20 columns
EMERGENCY_PREFIXES = ("184", "186")
FOUND = frozenset({"customer", "previous", "other"})
ROWS = 3


def keying(body: KeyingBody, teller: Teller) -> View:
    """KEYING: the digits so far, and whom they could mean."""
    if body.emergency or body.emergency_number:
        return _emergency(body, teller)
    if body.warning and body.warning.reason is Reason.OFF_LIST:
        return _question(body, teller)
    text, found = teller.text, _customers(body)
    tone, said = _match(body, teller)
    blocks: list[Block] = [BigNumber(body.shown, keying=True, wrong=_lit(body))]
    if body.warning:
        blocks.append(Alert(text("Check before calling"), teller.why(body.warning), "warn"))
    elif said:
        blocks.append(Line(said, tone, "body" if tone == "warn" else "small", centred=not found))
    if found and not body.warning:
        blocks.append(Rows(tuple(_found(customer, body, teller) for customer in found)))
    elif not body.digits:
        blocks.append(Line(text("Digits are compared with the list as you key them."), "dim", lines=2, centred=True))
    call = softkeys.CALL_ANYWAY if body.warning else softkeys.CALL
    return View(
        title=text("Dial by hand"),
        blocks=tuple(blocks),
        keys=teller.keys(A=call, B=softkeys.ERASE, C=softkeys.DETAILS if found else "", D=softkeys.CANCEL),
        brief=_brief(body, said, teller),
    )


def _customers(body: KeyingBody) -> tuple[Customer, ...]:
    """Whom the digits mean or were to mean, then the others whose numbers begin so."""
    first = body.match.customer
    return tuple(dict.fromkeys((*(() if first is None else (first,)), *body.matches)))[:ROWS]


def _lit(body: KeyingBody) -> int | None:
    """Where in what is shown the wrong digit stands; None without one, or where none has been keyed there yet."""
    digits = [place for place, sign in enumerate(body.shown) if sign.isdigit() or sign in "*#"]
    wrong = body.match.wrong
    return None if wrong is None or wrong >= len(digits) else digits[wrong]


def _question(body: KeyingBody, teller: Teller) -> View:
    """A number off the list: the key of a reason dials it, and nothing else does."""
    text, customer = teller.text, body.match.customer
    near: tuple[Line, ...] = ()
    title = body.shown if len(body.shown) <= TITLE else f"..{body.shown[2 - TITLE :]}"
    if customer is not None and body.match.kind == "near":
        near = (Line(text("One digit off No. {row} — really another number?", row=customer.row), "warn", lines=2),)
        title = text("1 off No.{row}", row=customer.row)
    rows = tuple(Row(f"{key}  {text(why)}") for key, why in words.DIAL_REASONS.items())
    return View(
        title=text("Why this number?"),
        blocks=(
            BigNumber(body.shown, wrong=_lit(body)),
            *near,
            Line(teller.why(body.warning) if body.warning else "", "dim" if near else "warn", "small"),
            Rows(rows),
        ),
        keys=teller.keys(B=softkeys.ERASE, C=softkeys.DETAILS if customer else "", D=softkeys.CANCEL),
        brief=Brief(title, tuple(map(text, words.DIAL_REASONS_BRIEF)), fixed=2),
    )


def _brief(body: KeyingBody, said: str, teller: Teller) -> Brief:
    """In 20 columns a caret stands below the wrong digit, and the title says what is wrong."""
    typed, title = _typed(body.shown), teller.text("Dial")
    customer, lit = body.match.customer, _lit(body)
    if body.warning or customer is None:
        return Brief(title, (typed, teller.why_brief(body.warning) if body.warning else said), fixed=2)
    if body.match.kind == "previous":
        return Brief(title, (typed, teller.text("Previous customer!")), fixed=2)
    place = None if lit is None else lit - max(0, len(body.shown) - len(typed) + 1)
    if place is not None and place >= 0:
        return Brief(_finding(body, customer, teller), (typed, _caret(place, teller.reading(customer))), fixed=2)
    if body.match.kind == "customer":
        return Brief(title, (typed, f"{len(_customers(body))}: {teller.reading(customer)}"), fixed=2)
    return Brief(title, (typed, said if len(halfwidth(said)) <= COLUMNS else _finding(body, customer, teller)), fixed=2)


def _finding(body: KeyingBody, customer: Customer, teller: Teller) -> str:
    said = {
        "wrong": teller.text("Not No.{row}", row=customer.row),
        "near": teller.text("1 off No.{row}", row=customer.row),
        "other": teller.text("Is No.{row}", row=customer.row),
    }
    return said.get(body.match.kind, "")


def _caret(place: int, name: str) -> str:
    """A caret at `place`, and on the side that has more room as much of the name as fits."""
    cells = halfwidth(name)
    if place < COLUMNS // 2:
        return f"{' ' * place}^ {cells[: COLUMNS - 2 - place]}".rstrip()
    return f"{cells[: place - 1]:<{place - 1}} ^"


def _typed(shown: str) -> str:
    """Digits with a cursor; of too many for 20 columns, the end."""
    return f"{shown}_" if len(shown) < COLUMNS else f"..{shown[-TAIL:]}_"


def _found(customer: Customer, body: KeyingBody, teller: Teller) -> Row:
    only = body.match.kind in FOUND and len(_customers(body)) == 1
    return Row(
        customer.name,
        below=customer.number.shown,
        badge=teller.badge(customer.badge) if only else Badge(teller.text("No. {row}", row=customer.row)),
        chosen=only,
        faded=customer.badge.kind in FADED,
    )


def _match(body: KeyingBody, teller: Teller) -> tuple[Tone, str]:
    text, customer = teller.text, body.match.customer
    row, place = customer.row if customer else 0, (body.match.wrong or 0) + 1
    said: dict[str, tuple[Tone, str]] = {
        "customer": ("dim", text("On the list")),
        "previous": ("warn", text("That is the previous customer")),
        "other": ("warn", text("This is No. {row} of your list", row=row)),
        "wrong": ("warn", text("Digit {place} differs from No. {row}", place=place, row=row)),
        "near": ("warn", text("One digit off No. {row}", row=row)),
        "off-list": ("warn", text("Not on the list")),
        "none": ("dim", ""),
    }
    return said[body.match.kind]


def _emergency(body: KeyingBody, teller: Teller) -> View:
    text = teller.text
    bare = body.digits[3:] if body.digits.startswith(EMERGENCY_PREFIXES) else body.digits
    service = text(words.EMERGENCY_SERVICES.get(bare, ""))
    how = text("A or lifting the handset dials at once.")
    if body.emergency_number:
        alert = Alert(service or text("Emergency number"), how)
    else:
        alert = Alert(text("Emergency call"), text("Key an emergency number: 110, 118, 119."))
    line = text("Emergency calls on this line: confirmed")
    if not body.confirmed:
        line = text("Emergency calls on this line: not confirmed")
    brief = text("A: {name}", name=service) if body.emergency_number else text("110 118 119")
    return View(
        title=text("Emergency"),
        blocks=(
            BigNumber(body.shown, "bad", keying=True),
            alert,
            Line(line, "dim" if body.confirmed else "warn", lines=2),
        ),
        keys=teller.keys(A=softkeys.CALL, B=softkeys.ERASE, D=softkeys.CANCEL),
        brief=Brief(
            text("!EMERGENCY!"),
            (_typed(body.shown), brief if body.confirmed else _unsure(body, brief, teller)),
            fixed=2,
        ),
        alarm=True,
    )


def _unsure(body: KeyingBody, brief: str, teller: Teller) -> str:
    return brief if body.emergency_number else teller.text("Line not confirmed")
