"""The list room: LIST and PREVIEW."""

from firmware.calls import CallList, Customer
from firmware.redial import Verdict
from firmware.screens import softkeys, words
from firmware.screens.halfwidth import halfwidth
from firmware.screens.scene import ListBody, PreviewBody
from firmware.screens.teller import FADED, VERDICTS, Teller, masked
from firmware.screens.view import (
    Alert,
    Banner,
    Block,
    Brief,
    Chip,
    Chips,
    Line,
    Panel,
    Row,
    Rows,
    Scroll,
    Tone,
    View,
)

LAST_CONTACTS = 3
COLUMNS = 20


def listing(body: ListBody, teller: Teller) -> View:
    """LIST: five customers around the chosen one, and what has just happened."""
    text = teller.text
    if body.list is None or not body.rows:
        return _nobody(body, teller)
    chosen = body.rows[body.chosen]
    rows = tuple(_row(customer, teller, chosen=customer is chosen) for customer in body.rows)
    call = softkeys.KEY_RESULT if body.owed else softkeys.CALL
    progress = f"{body.list.done}/{body.list.total}"
    return View(
        title=f"{_list_name(body.list, teller)} {progress}",
        blocks=(*_banner(body, teller), Rows(rows, body.first, body.list.total)),
        keys=teller.keys(A=call, B=softkeys.UP, C=softkeys.DOWN, D=softkeys.DETAILS),
        brief=_brief(body, chosen, text("List {progress}", progress=progress), teller),
    )


def _nobody(body: ListBody, teller: Teller) -> View:
    text = teller.text
    said = text("No call list") if body.list is None else text("The list is empty")
    how = text("Import one: USB stick in, hold *, then 8. Or run “booth import FILE” on the booth.")
    return View(
        title=text("Call list"),
        blocks=(
            *_banner(body, teller),
            Alert(said, how, "accent"),
            Line(text("Digits: dial by hand"), "dim", centred=True),
        ),
        keys=(*teller.keys(A=softkeys.KEY_RESULT if body.owed else ""), teller.key("*", softkeys.MENU_HOLD)),
        brief=_nobody_brief(body, said, teller),
    )


def _nobody_brief(body: ListBody, said: str, teller: Teller) -> Brief:
    title, news = teller.text("Call list"), _notice(body, teller)
    return Brief(title, (news,), fixed=0) if news else Brief(title, (said, teller.text("USB: hold *, 8")), fixed=2)


def _list_name(entry: CallList, teller: Teller) -> str:
    return teller.text("[sample] {name}", name=entry.name) if entry.sample else entry.name


def _row(customer: Customer, teller: Teller, *, chosen: bool) -> Row:
    return Row(
        text=customer.name,
        below=customer.number.shown,
        badge=teller.badge(customer.badge),
        chosen=chosen,
        faded=customer.badge.kind in FADED,
    )


def _brief(body: ListBody, chosen: Customer, title: str, teller: Teller) -> Brief:
    """In 20 columns: the chosen customer; what is owed or has just happened takes the lower line, or both."""
    if body.owed is not None:
        return Brief(title, (teller.reading(chosen), teller.text("Result owed!")), fixed=2)
    news = _notice(body, teller)
    if news and len(halfwidth(news)) > COLUMNS:
        return Brief(title, (news,), fixed=0)
    return Brief(title, (teller.reading(chosen), news or _standing(chosen, teller)), fixed=2)


def _standing(customer: Customer, teller: Teller) -> str:
    """Number and badge, the number without its hyphens where both would not fit."""
    badge = teller.badge(customer.badge).text
    said = f"{customer.number.shown} {badge}"
    return said if len(halfwidth(said)) <= COLUMNS else f"{customer.number.dialled} {badge}"


def _banner(body: ListBody, teller: Teller) -> tuple[Banner, ...]:
    if body.owed is not None:
        owed = body.owed.customer.name if body.owed.customer else teller.number(body.owed)
        return (Banner(teller.text("Result owed: {name}", name=owed), "warn"),)
    if body.notice:
        tone: Tone = "warn" if body.notice in words.WARNING_NOTICES else "good"
        return (Banner(_notice(body, teller), tone),)
    return ()


def _notice(body: ListBody, teller: Teller) -> str:
    return teller.text(words.NOTICES.get(body.notice, body.notice)) if body.notice else ""


def preview(body: PreviewBody, teller: Teller) -> View:
    """PREVIEW: profile, history, script or notes of one customer."""
    text, customer = teller.text, body.customer
    page = {1: _profile, 2: _history, 3: _script, 4: _notes}[body.page]
    tabs = Chips(tuple(Chip(str(n), text(name), n == body.page, "accent") for n, name in enumerate(words.PAGES, 1)))
    call = softkeys.CALL_ANYWAY if body.warned else softkeys.CALL
    return View(
        title=f"No. {customer.row} {customer.name}",
        blocks=(tabs, *page(body, teller)),
        keys=teller.keys(A=call, B=softkeys.UP, C=softkeys.DOWN, D=softkeys.BACK),
        brief=Brief(
            f"No.{customer.row} {body.page}/4",
            (teller.reading(customer), *_preview_brief(body, teller)),
            body.scroll,
        ),
    )


def _preview_brief(body: PreviewBody, teller: Teller) -> tuple[str, ...]:
    customer = body.customer
    history = tuple(teller.past(call) for call in body.history)
    pages: dict[int, tuple[str, ...]] = {
        1: (*_heed(body, teller), customer.number.shown, *history[:LAST_CONTACTS]),
        2: history or (teller.text("No calls yet"),),
        3: (*_opening(body, teller), *(teller.legible(page) for page in body.script)) or (teller.text("No script"),),
        4: (teller.legible(customer.note) if customer.note else teller.text("No notes"),),
    }
    return pages[body.page]


def _heed(body: PreviewBody, teller: Teller) -> tuple[str, ...]:
    """What must be seen before the number: the guard's word where it is not a plain yes, a name that is not the only one."""
    word = () if body.decision.verdict is Verdict.ALLOW else (teller.why_brief(body.decision),)
    same = (teller.text("Same name: {count}!", count=body.same_name),) if body.same_name else ()
    return (*word, *same)


def _profile(body: PreviewBody, teller: Teller) -> tuple[Block, ...]:
    text, customer = teller.text, body.customer
    blocks: list[Block] = [
        Line(customer.name, size="large", lines=1),
        Line(customer.reading, "dim", "small"),
        Line(customer.number.shown, size="large", badge=teller.badge(customer.badge)),
    ]
    if body.warned:
        blocks.append(Alert(teller.why(body.decision), text("Press A once more to call."), "warn"))
    else:
        blocks.append(verdict(body, teller))
    recent = tuple(Line(teller.past(call), "dim", "small") for call in body.history[:LAST_CONTACTS])
    none = (Line(text("No calls yet"), "dim", "small"),)
    return (*blocks, Scroll((*_identity(body, teller), *(recent or none)), body.scroll))


def verdict(body: PreviewBody, teller: Teller) -> Line:
    """The guard's word in one line, with a sign."""
    sign, tone = VERDICTS[body.decision.verdict]
    return Line(f"{sign} {teller.why(body.decision)}", tone, lines=1)


def _identity(body: PreviewBody, teller: Teller) -> tuple[Line, ...]:
    """Who it is and when to call next, in as few lines as it takes."""
    text = teller.text
    known = text("Identity {masked}", masked=masked(body.customer.identifier)) if body.customer.identifier else ""
    due = next((call.due for call in body.history if call.due is not None), None)
    next_call = text("Next: {when}", when=teller.times.moment(due)) if due is not None else ""
    if body.same_name:
        same = text("Same name: {count} others", count=body.same_name)
        lines = (Line(same, "warn", "small", right=known), Line(next_call, "warn", "small"))
    else:
        lines = (Line(known, "dim", "small", right=next_call), Line(""))
    return tuple(line for line in lines if line.text or line.right)


def _history(body: PreviewBody, teller: Teller) -> tuple[Block, ...]:
    if not body.history:
        return (Line(teller.text("No calls yet"), "dim", centred=True),)
    lines: list[Line] = []
    for call in body.history:
        where = " ".join(filter(None, (teller.times.moment(call.at), teller.booth(call.booth), call.agent)))
        talk = teller.talk(call.talk, estimated=call.estimated) if call.talk else ""
        spoken = " ".join(filter(None, (teller.whom(call.whom), talk)))
        lines.append(Line(teller.result(call.result), right=spoken))
        due = teller.text("Next: {when}", when=teller.times.moment(call.due)) if call.due is not None else ""
        lines.append(Line(where, "dim", "small", right=due))
    return (Scroll(tuple(lines), body.scroll),)


def _opening(body: PreviewBody, teller: Teller) -> tuple[str, ...]:
    """What is said first, an item a line: a screen of 20 columns has no boxes to tick."""
    return tuple(teller.opening(body.opening).replace("□ ", "").splitlines()) if body.opening else ()


def _pages(body: PreviewBody, teller: Teller) -> tuple[str, ...]:
    return (*((teller.opening(body.opening),) if body.opening else ()), *body.script)


def _script(body: PreviewBody, teller: Teller) -> tuple[Block, ...]:
    pages = "\n".join(f"{n}. {page}" for n, page in enumerate(_pages(body, teller), 1))
    return (Panel(pages or teller.text("No script"), scroll=body.scroll),)


def _notes(body: PreviewBody, teller: Teller) -> tuple[Block, ...]:
    others = "\n".join(number.shown for number in body.customer.others)
    note = body.customer.note or teller.text("No notes")
    more = (
        (Line(teller.text("Other numbers: {numbers}", numbers=others.replace("\n", ", ")), "dim", lines=2),)
        if others
        else ()
    )
    return (*more, Panel(note, scroll=body.scroll))
