"""The calling room: ARMED, DIALLING, ALERTING, TALKING, RINGING_IN and ANSWERING."""

from firmware.callflow import State
from firmware.calls import Call, PastCall
from firmware.screens import softkeys, words
from firmware.screens.scene import CallBody, RingingBody
from firmware.screens.teller import Teller
from firmware.screens.view import (
    Alert,
    Banner,
    Bar,
    BigNumber,
    Block,
    Brief,
    Chip,
    Chips,
    Line,
    Panel,
    SoftKey,
    Space,
    Tone,
    View,
)
from firmware.text.times import duration

TICK_KEYS = ("2", "4", "6")
LAST_HALF_MINUTE = 30
LAST_CONTACTS = 3


def outgoing(body: CallBody, teller: Teller, state: State) -> View:
    """ARMED, DIALLING and ALERTING: whom, on which line, since when."""
    text, call = teller.text, body.call
    seconds = text("{seconds} s", seconds=int(body.seconds))
    said, title, brief = {
        State.ARMED: (text("Lift the handset"), text("Ready to call"), text("Lift handset!")),
        State.DIALLING: (text("Dialling {seconds}", seconds=seconds), text("Dialling"), text("Dialling")),
        State.ALERTING: (text("Ringing {seconds}", seconds=seconds), text("Ringing"), text("Ringing")),
    }[state]
    tone: Tone = "warn" if state is State.ARMED else "accent"
    keys = teller.keys(D=softkeys.CANCEL)
    if state is State.ARMED:
        head: Block = Alert(said, text("within ten seconds, and the call is placed."), "warn")
        keys = teller.keys(A=softkeys.CALL, D=softkeys.CANCEL)
    else:
        head = Line(said, tone, "large", centred=True)
        keys = teller.keys(B=softkeys.LOUDER, C=softkeys.SOFTER, D=softkeys.CANCEL)
    under = [Line(_line(body, teller), "dim", "small", right=_volume(body, teller, state))]
    lead = brief if state is State.ARMED else f"{brief} {seconds}"
    return View(
        title=_title(call, title, teller),
        blocks=(
            BigNumber(call.number.shown, "bad" if call.emergency else "plain"),
            *_who(call, teller),
            head,
            *_last(body, teller),
            Space(),
            *under,
        ),
        keys=keys,
        brief=Brief(lead, (_second_brief(body, teller) or _name_brief(call, teller), call.number.shown), fixed=2),
        alarm=call.emergency,
    )


def _title(call: Call, title: str, teller: Teller) -> str:
    return teller.text("Emergency: {title}", title=title) if call.emergency else title


def _who(call: Call, teller: Teller) -> tuple[Line, ...]:
    text = teller.text
    if call.customer is not None:
        return (
            Line(call.customer.name, size="large", centred=True),
            Line(call.customer.reading, "dim", "small", centred=True),
        )
    if call.emergency:
        service = text(words.EMERGENCY_SERVICES.get(call.number.key, "Emergency number"))
        return (Line(service, "bad", "large", centred=True),)
    return (Line(text("Not on the list"), "dim", centred=True),)


def _name_brief(call: Call, teller: Teller) -> str:
    if call.customer is not None:
        return teller.reading(call.customer)
    return teller.text("!EMERGENCY!") if call.emergency else teller.text("Not on the list")


def _line(body: CallBody, teller: Teller) -> str:
    return teller.text("Line: {line}", line=body.line) if body.line else ""


def _volume(body: CallBody, teller: Teller, state: State) -> str:
    return "" if state is State.ARMED else teller.text("Volume {volume}", volume=body.volume)


def _last(body: CallBody, teller: Teller) -> tuple[Block, ...]:
    return _second(body, teller) or tuple(_previous(call, teller, centred=True) for call in body.history[:1])


def _second(body: CallBody, teller: Teller) -> tuple[Block, ...]:
    """Somebody who called meanwhile; takes the place of what was before."""
    if body.second is None:
        return ()
    name = body.second.customer.name if body.second.customer else ""
    who = " ".join(filter(None, (teller.number(body.second), name)))
    return (Banner(teller.text("Meanwhile: {who}", who=who), "warn"),)


def _previous(call: PastCall, teller: Teller, *, centred: bool = False) -> Line:
    return Line(teller.text("Last: {call}", call=teller.past(call)), "warn", "small", centred=centred)


def talking(body: CallBody, teller: Teller, state: State) -> View:
    """TALKING, and a complaint's two questions: the customer, the promise, the ticks, the script."""
    text, call = teller.text, body.call
    if state is State.HOOK_HELD:
        return _held_by_hook(body, teller)
    foot = _ask_end(teller) if _ending(body, state) else _foot(body, teller)
    since = _since(body, teller)
    return View(
        title=_title(call, text("Talking {time}", time=since), teller),
        blocks=(*_head(body, teller), *_promise(body, teller), *_chips(body, teller), foot),
        keys=_talk_keys(body, teller, state),
        brief=Brief(since, (_name_brief(call, teller), _talk_brief(body, teller, state)), fixed=2),
        alarm=call.emergency,
    )


def _since(body: CallBody, teller: Teller) -> str:
    """How long the talk has lasted."""
    return teller.about(duration(body.seconds).zfill(5), estimated=body.call.estimated)


def _ending(body: CallBody, state: State) -> bool:
    return body.confirm_end or state is State.END_ASKED


def _ask_end(teller: Teller) -> Alert:
    text = teller.text
    return Alert(text("End a complaint?"), text("D once more ends the call. A goes on."))


def _talk_keys(body: CallBody, teller: Teller, state: State) -> tuple[SoftKey, ...]:
    if _ending(body, state):
        return teller.keys(A=softkeys.GO_ON, D=softkeys.END_NOW)
    page = softkeys.NEXT_PAGE if len(body.script) + bool(body.opening) > 1 else ""
    return teller.keys(
        A=softkeys.CHOOSE_BRANCH if body.branches else page,
        B=softkeys.UNMUTE if body.muted else softkeys.MUTE,
        C=softkeys.TONES_OFF if body.tone_mode else softkeys.TONES,
        D=softkeys.END,
    )


def _head(body: CallBody, teller: Teller) -> tuple[Block, ...]:
    call, customer = body.call, body.call.customer
    number = teller.number(call)
    if customer is None:
        return (BigNumber(number, "bad" if call.emergency else "plain"), *_who(call, teller), *_second(body, teller))
    previous = _second(body, teller) or tuple(_previous(past, teller) for past in body.history[:1])
    return (Line(customer.name, size="large"), Line(customer.reading, "dim", "small", right=number), *previous)


def _promise(body: CallBody, teller: Teller) -> tuple[Block, ...]:
    text = teller.text
    if body.call.emergency:
        return ()
    if body.promise is None:
        return (Line(text("Promise minutes: 1, 3 or 5"), "dim", "small"),)
    left = body.promise * 60 - body.seconds
    name = text("Promised {minutes} min", minutes=body.promise)
    if left < 0:
        return (Bar(name, 1.0, text("over {time}", time=duration(-left)), "bad"),)
    tone: Tone = "warn" if left <= LAST_HALF_MINUTE else "good"
    return (Bar(name, 1 - left / (body.promise * 60), text("left {time}", time=duration(left)), tone),)


def _chips(body: CallBody, teller: Teller) -> tuple[Chips, ...]:
    text = teller.text
    if body.call.emergency:
        return ()
    ticks = tuple(
        Chip(key, text(said), done) for key, said, done in zip(TICK_KEYS, words.TICKS, body.ticks, strict=True)
    )
    marks = tuple(_mark(mark, teller) for mark in body.marks)
    states = _states(body, teller)
    return (Chips((*ticks, *states, *marks)),)


def _mark(mark: str, teller: Teller) -> Chip:
    key, said = words.MARKS.get(mark, ("", mark))
    tone: Tone = "good" if mark == "identity" else "warn"
    return Chip(key, teller.text(said), on=True, tone=tone)


def _states(body: CallBody, teller: Teller) -> tuple[Chip, ...]:
    text = teller.text
    muted = (Chip("B", text("muted"), on=True, tone="bad"),) if body.muted else ()
    held = (Chip("B", text("on hold"), on=True, tone="bad"),) if body.held else ()
    deaf = (Chip("!", text("no sound"), on=True, tone="bad"),) if body.deaf else ()
    impaired = (Chip("!", text("line impaired"), on=True, tone="warn"),) if body.impaired else ()
    asking = (Chip("*", text("agrees to recording"), tone="warn"),) if body.asking else ()
    return asking + deaf + impaired + muted + held


def _foot(body: CallBody, teller: Teller) -> Block:
    text = teller.text
    if body.tone_mode:
        return Alert(body.tones or "—", text("Tone mode: the keys are sent to the line. C ends it."), "accent")
    pages = _pages(body, teller)
    if not pages:
        return Space()
    page = min(body.page, len(pages) - 1)
    branches = "   ".join(f"{n} {name}" for n, name in enumerate(body.branches, 1))
    script = pages[page] + (f"\n{branches}" if branches else "")
    return Panel(script, text("Script {page}/{pages}", page=page + 1, pages=len(pages)), shrink=True)


def _pages(body: CallBody, teller: Teller) -> tuple[str, ...]:
    """The script, led by what the law has said first."""
    return (*((teller.opening(body.opening),) if body.opening else ()), *body.script)


def _talk_brief(body: CallBody, teller: Teller, state: State) -> str:
    text = teller.text
    if _ending(body, state):
        return text("Complaint: D ends")
    if body.tone_mode:
        return text("Tones {digits}", digits=body.tones)
    if news := _news_brief(body, teller):
        return news
    promise = ""
    if body.call.emergency:
        return body.call.number.shown
    if body.promise is not None:
        left = body.promise * 60 - body.seconds
        promise = f"{body.promise}m {'+' if left < 0 else '-'}{duration(abs(left))}"
    ticks = "".join(key if done else "." for key, done in zip(TICK_KEYS, body.ticks, strict=True))
    marks = "".join(words.MARKS[mark][0] for mark in body.marks if mark in words.MARKS)
    return " ".join(filter(None, (promise or text("1/3/5 min?"), f"[{ticks}]", marks)))


def _news_brief(body: CallBody, teller: Teller) -> str:
    """What is more urgent than the promise."""
    text = teller.text
    if body.deaf:
        return text("NO SOUND")
    if body.held or body.muted:
        return text("ON HOLD") if body.held else text("MUTED")
    return _second_brief(body, teller)


def _second_brief(body: CallBody, teller: Teller) -> str:
    return "" if body.second is None else teller.text("Missed {who}", who=teller.number(body.second))


def _held_by_hook(body: CallBody, teller: Teller) -> View:
    text = teller.text
    return View(
        title=text("On hold {time}", time=_since(body, teller)),
        blocks=(
            *_head(body, teller),
            Alert(text("Lift the handset to go on"), text("A complaint: the line is held for five seconds."), "warn"),
        ),
        keys=(),
        brief=Brief(_since(body, teller), (text("Lift handset!"), text("5 s, then it ends")), fixed=2),
    )


def ringing(body: RingingBody, teller: Teller, state: State) -> View:
    """RINGING_IN and ANSWERING: who calls, and what is known of them."""
    text = teller.text
    shown = body.number.shown if body.number else text(words.HIDDEN[body.hidden])
    blocks: list[Block] = [BigNumber(shown), *_caller(body, teller)]
    if body.greeting:
        blocks.append(Alert(body.greeting, text("Answer with this name."), "accent"))
    if body.same_name:
        blocks.append(
            Line(text("Same name: {count} others. Confirm the identity.", count=body.same_name), "warn", lines=2)
        )
    blocks += [Line(_with_booth(call, teller), "dim") for call in body.history[:LAST_CONTACTS]]
    name = teller.reading(body.customer) if body.customer else text("Unknown caller")
    if body.number is None:
        name = text("Answer: lift")
    title = text("Same name: {count}!", count=body.same_name) if body.same_name else text("Incoming")
    return View(
        title=text("Answering") if state is State.ANSWERING else text("Incoming call"),
        blocks=tuple(blocks),
        keys=teller.keys(D=softkeys.END)
        if state is State.ANSWERING
        else teller.keys(A=softkeys.ANSWER, D=softkeys.REFUSE),
        brief=Brief(title, (shown, teller.legible(body.greeting) if body.greeting else name), fixed=2),
    )


def _caller(body: RingingBody, teller: Teller) -> tuple[Line, ...]:
    customer = body.customer
    if customer is None:
        unknown = (
            teller.text("Nobody on the list has this number") if body.number else teller.text("Ask who is calling.")
        )
        return (Line(unknown, "dim", centred=True, lines=2),)
    return (
        Line(customer.name, "accent", "large", centred=True),
        Line(customer.reading, "dim", "small", centred=True),
    )


def _with_booth(call: PastCall, teller: Teller) -> str:
    parts = (teller.times.moment(call.at), teller.booth(call.booth), call.agent, teller.result(call.result))
    return " ".join(filter(None, parts))
