"""The wrap-up room: what came of the call, and what the result asks for."""

from firmware.redial import Verdict
from firmware.results import Result
from firmware.screens import softkeys, words
from firmware.screens.guarding import grouped
from firmware.screens.scene import WrapUpBody
from firmware.screens.teller import Teller
from firmware.screens.view import Banner, BigNumber, Block, Box, Boxes, Brief, Line, Row, Rows, SoftKey, View
from firmware.text.times import duration


def wrap_up(body: WrapUpBody, teller: Teller) -> View:
    """WRAP_UP: nine boxes, or the question that the chosen result still asks."""
    text = teller.text
    asking = {
        "result": _result,
        "when": _when,
        "date": _moment,
        "time": _moment,
        "whom": _whom,
        "clear": _clear,
    }[body.asking]
    blocks, brief = asking(body, teller)
    clock = duration(body.seconds).zfill(5)
    return View(
        title=text("Wrap-up {time}", time=clock),
        blocks=(*_head(body, teller), *blocks),
        keys=_keys(body, teller),
        brief=Brief(text("Wrap {time}", time=clock), brief, fixed=2),
    )


def _keys(body: WrapUpBody, teller: Teller) -> tuple[SoftKey, ...]:
    return teller.keys(
        A=softkeys.SAVE_NEXT if body.asking == "result" else softkeys.ACCEPT,
        B=softkeys.MEMO_STOP if body.memo else "",
        C=softkeys.WHOM,
        D=softkeys.LATER,
    )


def _head(body: WrapUpBody, teller: Teller) -> tuple[Block, ...]:
    call = body.call
    name = call.customer.name if call.customer else call.number.shown
    ended = " ".join(filter(None, (_ending(body, teller), teller.whom(body.whom))))
    return (Line(name, "dim", "small", right=ended), *_memo(body, teller))


def _memo(body: WrapUpBody, teller: Teller) -> tuple[Banner, ...]:
    return (Banner(teller.text("Voice memo is being recorded"), "bad"),) if body.memo else ()


def _ending(body: WrapUpBody, teller: Teller) -> str:
    text, call = teller.text, body.call
    if not call.answered:
        return text(words.CAUSES[call.cause]) if call.cause else ""
    by = text(words.PARTIES[call.by]) if call.by else ""
    return " ".join(filter(None, (text("talk {time}", time=duration(call.talk)), by)))


def _result(body: WrapUpBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    if body.keyed:
        return _two_digits(body, teller)
    boxes = tuple(_box(result, body, teller) for result in body.boxes)
    other = body.chosen if body.chosen is not None and body.chosen not in body.boxes else None
    above = (Line(f"✓ 0{other.key}  {teller.box(other)}", "accent"),) if other else ()
    said = body.chosen or body.suggested
    brief = teller.text("Key 1-9, 0+two digits")
    if said is not None:
        brief = f"{said.box or '0' + said.key} {teller.box(said)}{'' if body.chosen else '?'}"
    who = teller.reading(body.call.customer) if body.call.customer else body.call.number.shown
    return (*above, Boxes(boxes)), (who, brief)


def _box(result: Result, body: WrapUpBody, teller: Teller) -> Box:
    chosen = result == body.chosen
    lit = result == body.suggested and body.chosen is None
    return Box(str(result.box or ""), teller.box(result), teller.text("likely") if lit else "", lit, chosen)


def _two_digits(body: WrapUpBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """0 and a result's two digits: those that are still possible, in the order of their keys."""
    keyed = body.keyed[1:]
    possible = sorted(
        (result for result in teller.results.values() if result.key.startswith(keyed)), key=lambda r: r.key
    )
    if not keyed:
        tens: dict[str, list[str]] = {result.key[0]: [] for result in possible}
        for result in possible:
            tens[result.key[0]].append(teller.box(result))
        rows = tuple(Row(f"{ten}_  {', '.join(names)}") for ten, names in tens.items())
    else:
        rows = tuple(Row(f"{result.key}  {teller.box(result)}") for result in possible)
    number = f"0{keyed}"
    found = teller.box(possible[0]) if len(possible) == 1 else ""
    rows_or_none: tuple[Block, ...] = (
        (Rows(rows),) if rows else (Line(teller.text("No such result"), "warn", centred=True),)
    )
    return (BigNumber(number, keying=True), *rows_or_none), (f"{number}_", found or teller.text("two digits"))


def _when(body: WrapUpBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    text = teller.text
    boxes = tuple(Box(str(n), text(said)) for n, said in enumerate(words.WHENS, 1))
    due = _due(body, teller)
    asked = Line(text("Call again when?"), "accent")
    return (due or asked, Boxes(boxes)), (text("When? 1-9"), due.text if due else "")


def _due(body: WrapUpBody, teller: Teller) -> Line | None:
    """The asked-for time with the guard's word on it; None while none has been chosen."""
    if body.due is None:
        return None
    when = teller.times.moment(body.due)
    if body.decision is None or body.decision.verdict is not Verdict.BLOCK:
        return Line(f"✓ {when}", "good", right=teller.text("may be called then"))
    return Line(f"× {when}", "bad", right=teller.why_brief(body.decision))


def _moment(body: WrapUpBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    text = teller.text
    asked = text("Date: MMDD") if body.asking == "date" else text("Time: HHMM")
    shown = grouped(body.keyed, body.asking)
    due = _due(body, teller)
    blocks: tuple[Block, ...] = (
        Line(asked, "accent", centred=True),
        BigNumber(shown, keying=True),
        *([due] if due else []),
    )
    return blocks, (asked, f"{shown}_ {due.text if due else ''}")


def _whom(body: WrapUpBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    return _choice(teller.text("Whom did you speak to?"), words.WHOMS, body.whom, teller)


def _clear(body: WrapUpBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    return _choice(teller.text("Was there a clear answer?"), words.CLEARS, body.clear, teller)


def _choice(
    asked: str, choices: dict[str, str], chosen: str, teller: Teller
) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    boxes = tuple(
        Box(str(n), teller.text(said), chosen=key == chosen) for n, (key, said) in enumerate(choices.items(), 1)
    )
    brief = teller.text(choices[chosen]) if chosen in choices else " ".join(f"{box.key}{box.text}" for box in boxes)
    return (Line(asked, "accent"), Boxes(boxes, columns=2)), (asked, brief)
