"""The guarding room: BLOCKED, WHY and PIN_ENTRY."""

from firmware.redial import Reason, Verdict
from firmware.screens import softkeys, words
from firmware.screens.reasons import REASONS
from firmware.screens.scene import BlockedBody, PinBody
from firmware.screens.teller import Teller
from firmware.screens.view import Alert, BigNumber, Block, Brief, Line, Panel, Row, Rows, Scroll, SoftKey, Tone, View
from firmware.text.catalogue import mark
from firmware.text.times import duration

TONES: dict[Verdict, Tone] = {Verdict.ALLOW: "good", Verdict.WARN: "warn", Verdict.BLOCK: "bad"}
TITLES: dict[Verdict, str] = {
    Verdict.ALLOW: mark("Can be called"),
    Verdict.WARN: mark("Check before calling"),
    Verdict.BLOCK: mark("Cannot be called"),
}


def blocked(body: BlockedBody, teller: Teller, *, asked: bool) -> View:
    """BLOCKED, or WHY when the agent `asked`: the verdict, its rule and its evidence."""
    decision, text = body.decision, teller.text
    lines = (*_evidence(body, teller), *(_rule(body, teller) if body.full else ()), _hint(body, teller))
    return View(
        title=text("Why?") if asked else text("Redial guard"),
        blocks=(
            Alert(text(TITLES[decision.verdict]), teller.said(decision), TONES[decision.verdict]),
            Scroll(lines, body.scroll),
        ),
        keys=_keys(body, teller, asked=asked),
        brief=Brief(_brief_title(body, teller), _brief(body, teller), body.scroll),
    )


def _keys(body: BlockedBody, teller: Teller, *, asked: bool) -> tuple[SoftKey, ...]:
    if not asked:
        return teller.keys(A=softkeys.NEXT_CUSTOMER, B=softkeys.UP, C=softkeys.DOWN, D=softkeys.BACK)
    call = "" if body.decision.verdict is Verdict.BLOCK else softkeys.CALL
    return teller.keys(A=call, B=softkeys.UP, C=softkeys.DOWN, D=softkeys.BACK)


def _evidence(body: BlockedBody, teller: Teller) -> tuple[Line, ...]:
    text, until = teller.text, teller.until(body.decision)
    name = body.customer.name if body.customer else ""
    lines = [Line(" ".join(filter(None, (name, body.number.shown))), lines=2)]
    for fact in body.decision.evidence:
        lines.append(Line(teller.evidence(fact), "dim"))
        if fact.result is not None:
            lines.append(Line(text("Result: {result}", result=teller.outcome(fact)), "dim"))
    if until:
        lines.insert(min(3, len(lines)), Line(until, "warn", lines=2))
    return tuple(lines)


def _rule(body: BlockedBody, teller: Teller) -> tuple[Line, ...]:
    text, decision = teller.text, body.decision
    return (
        Line(text("Rule: {rule}", rule=text(REASONS[decision.reason].rule)), lines=4),
        Line(text("Source: {source}", source=teller.source(decision)), "dim", lines=4),
    )


def _hint(body: BlockedBody, teller: Teller) -> Line:
    text = teller.text
    more = "" if body.full else text("# rule and source")
    lift = _by_pin(body, teller)
    return Line("   ".join(filter(None, (more, lift))), "accent", "small")


def _brief_title(body: BlockedBody, teller: Teller) -> str:
    return {
        Verdict.ALLOW: teller.text("OK to call"),
        Verdict.WARN: teller.text("Check!"),
        Verdict.BLOCK: teller.text("!! BLOCKED !!"),
    }[body.decision.verdict]


def _brief(body: BlockedBody, teller: Teller) -> tuple[str, ...]:
    text, decision = teller.text, body.decision
    lines = [teller.why_brief(decision), teller.until_brief(decision)]
    for fact in decision.evidence:
        lines += [teller.evidence(fact), teller.outcome(fact) if fact.result is not None else ""]
    if body.full:
        lines += [text(REASONS[decision.reason].rule), teller.source(decision)]
    return tuple(filter(None, (*lines, _by_pin(body, teller))))


def _by_pin(body: BlockedBody, teller: Teller) -> str:
    """What 0 and a supervisor's PIN can do about it."""
    if body.decision.reason is Reason.TIME_UNKNOWN:
        return teller.text("0 key the time")
    return teller.text("0 supervisor") if body.decision.overridable else ""


def pin(body: PinBody, teller: Teller) -> View:
    """PIN_ENTRY: a PIN as dots, or what is asked after it."""
    text = teller.text
    title = text(words.PINS[body.whose].said)
    titles = {
        "pin": title,
        "reason": text("Reason"),
        "agent": text("Agent number"),
        "date": text("Date: YYYYMMDD"),
        "time": text("Time: HHMM"),
    }
    blocks, brief = _reasons(body, teller) if body.asking == "reason" else _digits(body, teller)
    return View(
        title=titles[body.asking],
        blocks=(Line(text(words.PURPOSES[body.purpose]), "dim", centred=True, lines=2), *blocks),
        keys=teller.keys(D=softkeys.BACK)
        if body.trouble
        else teller.keys(A=softkeys.DONE, B=softkeys.ERASE, D=softkeys.BACK),
        brief=Brief(_short_title(body, teller), brief, fixed=2),
    )


def _short_title(body: PinBody, teller: Teller) -> str:
    text = teller.text
    whose = text(words.PINS[body.whose].brief)
    asked = {"reason": text("Reason"), "agent": text("Agent no."), "date": text("YYYYMMDD"), "time": text("HHMM")}
    return asked.get(body.asking, whose)


def _reasons(body: PinBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    rows = tuple(
        Row(f"{key}  {teller.text(said)}", chosen=body.keyed == key) for key, said in words.OVERRIDE_REASONS.items()
    )
    chosen = teller.text(words.OVERRIDE_REASONS.get(body.keyed, ""))
    return (Rows(rows),), (teller.text("Reason 1-5: {keyed}", keyed=body.keyed), chosen)


def _digits(body: PinBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    text = teller.text
    shown = (
        " ".join("•" * body.dots)
        if body.asking == "pin"
        else grouped(body.keyed, "day" if body.asking == "date" else body.asking)
    )
    stars = "*" * body.dots if body.asking == "pin" else shown
    if body.locked > 0:
        left = text("Try again in {time}", time=duration(body.locked))
        return (BigNumber("—", "dim"), Alert(text("Locked"), left)), (text("Locked"), left)
    if body.trouble:
        known = words.SIM_TROUBLES[body.trouble]
        return (Alert(text(known.said)), Panel(text(known.advice))), (text(known.brief),)
    tries = teller.tries(body.tries)
    if body.wrong:
        return _wrong(body, shown, tries, teller)
    said = tries if body.asking == "pin" else ""
    return (BigNumber(shown, keying=True), Line(said, "dim", centred=True)), (f"{stars}_", said)


def _wrong(body: PinBody, shown: str, tries: str, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    text = teller.text
    if body.whose == "sim":
        alert, brief = Alert(text("Not valid"), text("A SIM card's PIN has 4 to 8 digits.")), text("4 to 8 digits")
    elif body.asking == "pin":
        alert, brief = Alert(text("Wrong PIN"), tries), text("Wrong! {left}", left=tries)
    else:
        alert, brief = Alert(text("Not valid"), text("Key it again.")), text("Not valid")
    return (BigNumber(shown, keying=True), alert), (f"{shown}_", brief)


def grouped(keyed: str, asking: str) -> str:
    """Digits of a date or a time with the signs between them.

    >>> grouped("112", "date"), grouped("10", "time"), grouped("07", "agent")
    ('11/2', '10:', '07')
    >>> grouped("2026112", "day")
    '2026/11/2'
    """
    cuts, sign = {"date": ((2,), "/"), "time": ((2,), ":"), "day": ((4, 6), "/")}.get(asking, ((), ""))
    for cut in reversed(cuts):
        if len(keyed) >= cut:
            keyed = keyed[:cut] + sign + keyed[cut:]
    return keyed
