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
        brief=Brief(_brief_title(body, text("Wrap {time}", time=clock), teller), brief, fixed=2),
    )


def _brief_title(body: WrapUpBody, title: str, teller: Teller) -> str:
    """In 20 columns there is no line left for the question: it is the title."""
    if body.card_full:
        return teller.text("Card full!")
    asked = {
        "when": teller.text("When?"),
        "date": teller.text("MMDD"),
        "time": teller.text("HHMM"),
        "whom": teller.text("Spoke to?"),
        "clear": teller.text("Clear answer?"),
    }
    return asked.get(body.asking, title)


def _keys(body: WrapUpBody, teller: Teller) -> tuple[SoftKey, ...]:
    return teller.keys(
        A=softkeys.SAVE_NEXT if body.asking == "result" else softkeys.ACCEPT,
        B=softkeys.MEMO_STOP if body.memo else softkeys.MEMO,
        C=words.SPOKEN_TO.get(body.whom, softkeys.WHOM),
        D=softkeys.LATER,
    )


def _head(body: WrapUpBody, teller: Teller) -> tuple[Block, ...]:
    if body.card_full:
        return (Banner(teller.text("Card full: not saved"), "bad"),)
    if body.memo:
        return (Banner(teller.text("Voice memo is being recorded"), "bad"),)
    if body.refused:
        return (Banner(teller.text("No: will not be called again"), "bad"),)
    call = body.call
    name = call.customer.name if call.customer else teller.number(call)
    return (Line(name, "dim", "small", right=_ending(body, teller)),)


def _ending(body: WrapUpBody, teller: Teller) -> str:
    text, call = teller.text, body.call
    if not call.answered:
        return text(words.CAUSES[call.cause]) if call.cause else ""
    by = text(words.PARTIES[call.by]) if call.by else ""
    who = by if call.sure or not by else text("{who}?", who=by)
    talk = teller.talk(call.talk, estimated=call.estimated)
    return " ".join(filter(None, (text("talk {time}", time=talk), who)))


def _result(body: WrapUpBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    if body.keyed:
        return _two_digits(body, teller)
    boxes = tuple(_box(result, body, teller) for result in body.boxes)
    said = body.chosen or body.suggested
    above = (_beyond(said, body, teller),) if said is not None and said not in body.boxes else ()
    brief = teller.text("Key 1-9, 0+two digits")
    if said is not None:
        brief = f"{said.box or '0' + said.key} {teller.box(said)}{'' if body.chosen else '?'}"
    return (*above, Boxes(boxes)), (_who_brief(body, teller), brief)


def _who_brief(body: WrapUpBody, teller: Teller) -> str:
    """Whom the call was with; a clear no is said before anything else, for A saves it."""
    if body.refused:
        return teller.text("No: not called again")
    return teller.reading(body.call.customer) if body.call.customer else teller.number(body.call)


def _beyond(result: Result, body: WrapUpBody, teller: Teller) -> Line:
    """A result that has no box of its own: chosen, or likely and waiting for A."""
    named = f"0{result.key}  {teller.box(result)}"
    return Line(f"✓ {named}", "accent") if body.chosen else Line(f"A  {named}", "accent", right=teller.text("likely"))


def _box(result: Result, body: WrapUpBody, teller: Teller) -> Box:
    chosen = result == body.chosen
    lit = result == body.suggested and (body.chosen is None or body.refused)
    return Box(str(result.box or ""), teller.box(result), teller.text("likely") if lit else "", lit, chosen)


def _two_digits(body: WrapUpBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """0 and a result's two digits: those that are still possible, in the order of their keys."""
    keyed, by_key = body.keyed[1:], {result.key: result for result in teller.results.values()}
    possible = [by_key[key] for key in sorted(by_key) if key.startswith(keyed)]
    if not possible:
        grid: Block = Line(teller.text("No such result"), "warn", centred=True)
    elif keyed:
        grid = Boxes(tuple(Box(result.key, teller.box(result)) for result in possible))
    else:
        grid = Rows(_tens(possible, teller))
    found = " ".join(result.key[1] + teller.box(result) for result in possible) or teller.text("No such result")
    number = f"0{keyed}_"
    return (Line(number, "accent", "large"), grid), (number, found if keyed else teller.text("two digits"))


def _tens(results: list[Result], teller: Teller) -> tuple[Row, ...]:
    """The results by their first digit."""
    tens: dict[str, list[str]] = {}
    for result in results:
        tens.setdefault(result.key[0], []).append(teller.box(result))
    return tuple(Row(f"{ten}_  {', '.join(names)}") for ten, names in tens.items())


def _when(body: WrapUpBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    text = teller.text
    boxes = tuple(Box(str(n), text(said)) for n, said in enumerate(words.WHENS, 1))
    due = _due(body, teller)
    asked = Line(text("Call again when?"), "accent", right=text("A: no time asked for") if body.timeless else "")
    if due:
        return (due, Boxes(boxes)), (due.text, due.right)
    return (asked, Boxes(boxes)), tuple(text(line) for line in words.WHENS_BRIEF)


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
    return blocks, (f"{shown}_", due.text if due else "")


def _whom(body: WrapUpBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    return _choice(teller.text("Whom did you speak to?"), words.SPOKEN_TO, body.whom, teller)


def _clear(body: WrapUpBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    return _choice(teller.text("Was there a clear answer?"), words.CLEARS, body.clear, teller)


def _choice(
    asked: str, choices: dict[str, str], chosen: str, teller: Teller
) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    boxes = tuple(
        Box(str(n), teller.text(said), chosen=key == chosen) for n, (key, said) in enumerate(choices.items(), 1)
    )
    cells = [f"{'*' if box.chosen else box.key}{box.text}" for box in boxes]
    brief = (" ".join(cells[:2]), " ".join(cells[2:]))
    return (Line(asked, "accent"), Boxes(boxes, columns=2)), brief
