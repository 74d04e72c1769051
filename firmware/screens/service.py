"""The service room: OUT_OF_ORDER and the menu with its pages."""

from firmware.screens import softkeys, statuswords, words
from firmware.screens.scene import MenuBody, OutOfOrderBody
from firmware.screens.teller import Teller
from firmware.screens.view import Alert, Banner, Bar, Block, Brief, Line, Pairs, Panel, Row, Rows, Tone, View

LOUDEST = 10
DEEPEST = 60.0  # dB under full scale at which a microphone's bar is empty
TOO_LOUD = -6.0  # dBFS
METER = 13  # columns


def out_of_order(body: OutOfOrderBody, teller: Teller) -> View:
    """OUT_OF_ORDER: what is wrong, since when, what to do, when the booth tries again."""
    text, trouble = teller.text, _trouble(body)
    since = text("since {when}", when=teller.times.moment(body.since)) if body.since is not None else ""
    last = _last_line(body, teller)
    return View(
        title=text("Out of order"),
        blocks=(
            Alert(text(trouble.said), since),
            Panel(_advice(body, teller), text("What to do"), body.scroll, right=last),
            Line(text("Emergency numbers can be keyed all the same."), "dim", "small"),
        ),
        keys=teller.keys(A=_first_key(body), B=softkeys.UP, C=softkeys.DOWN, D=softkeys.MENU_KEY),
        brief=Brief(
            text("OUT OF ORDER"),
            tuple(filter(None, (text(trouble.brief), last if body.sim else since, text(trouble.advice), last))),
            body.scroll,
        ),
    )


def _first_key(body: OutOfOrderBody) -> str:
    if body.sim is None or not (body.sim.keyable or body.sim.trouble == "checking"):
        return softkeys.TRY_NOW
    return softkeys.KEY_PIN if body.sim.keyable else ""


def _trouble(body: OutOfOrderBody) -> words.Trouble:
    """What a locked SIM is in for counts more than that it is locked."""
    return words.FAULTS[body.fault] if body.sim is None else words.SIM_TROUBLES[body.sim.trouble]


def _last_line(body: OutOfOrderBody, teller: Teller) -> str:
    """When the booth tries again; what a SIM still bears, since the booth does not try that again."""
    if body.sim is not None:
        return "" if body.sim.trouble in {"checking", "puk"} else teller.tries(body.sim.tries)
    if body.retry > 0:
        return teller.text("Next try in {seconds} s", seconds=int(body.retry))
    return teller.text("Trying now")


def _advice(body: OutOfOrderBody, teller: Teller) -> str:
    advice = teller.text(_trouble(body).advice)
    return "\n".join(filter(None, (advice, teller.text("({detail})", detail=body.detail) if body.detail else "")))


def menu(body: MenuBody, teller: Teller) -> View:
    """MENU and its pages."""
    text = teller.text
    title = text(words.MENU.get(body.page, "Menu"))
    page = {"status": _status, "volume": _volume, "audio": _audio}.get(body.page, _items)
    blocks, brief = page(body, teller)
    return View(
        title=title,
        blocks=(*_outcome(body, teller), *blocks),
        keys=teller.keys(A=_choose(body), B=softkeys.UP, C=softkeys.DOWN, D=softkeys.BACK),
        brief=Brief(
            title, _said(body, teller) + brief, _scrolled(body), fixed=bool(body.outcome) + (body.page == "volume")
        ),
    )


def _choose(body: MenuBody) -> str:
    return softkeys.CHOOSE if body.items else ""


def _scrolled(body: MenuBody) -> int:
    return body.chosen


def _said(body: MenuBody, teller: Teller) -> tuple[str, ...]:
    return (teller.text(words.OUTCOMES.get(body.outcome, body.outcome)),) if body.outcome else ()


def _outcome(body: MenuBody, teller: Teller) -> tuple[Banner, ...]:
    tone: Tone = "warn" if body.outcome in words.WARNING_OUTCOMES else "good"
    return tuple(Banner(said, tone) for said in _said(body, teller))


def _items(body: MenuBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    if not body.items:
        return (Line(teller.text("Nothing here"), "dim", centred=True),), (teller.text("Nothing here"),)
    names = [_name(body.page, item, teller) for item in body.items]
    rows = tuple(Row(f"{n + 1}  {name}", chosen=n == body.chosen) for n, (name, _) in enumerate(names))
    brief = tuple(f"{'>' if n == body.chosen else ' '}{n + 1} {short}" for n, (_, short) in enumerate(names))
    return (Rows(rows),), brief


def _name(page: str, item: str, teller: Teller) -> tuple[str, str]:
    """An item's name, and the same for 20 columns."""
    if page == "language":
        return words.LANGUAGES.get(item, (item, item))
    known = {"": words.MENU, "breaks": words.BREAKS, "volume": words.VOLUMES}.get(page, {})
    name = teller.text(known[item]) if item in known else item
    return name, teller.legible(name)


def _status(body: MenuBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    pairs = tuple((_word(statuswords.STATUS, name, teller), _value(value, teller)) for name, value in body.status)
    return (Pairs(pairs, body.chosen),), tuple(f"{name} {value}".strip() for name, value in pairs)


def _value(value: str | float, teller: Teller) -> str:
    return teller.times.moment(value) if isinstance(value, float) else _word(statuswords.STATUS_VALUES, value, teller)


def _word(table: dict[str, str], key: str, teller: Teller) -> str:
    return teller.text(table[key]) if key in table else key


def _volume(body: MenuBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    bar = Bar(teller.text("Ear"), body.volume / LOUDEST, f"{body.volume}/{LOUDEST}", "accent")
    level = "#" * body.volume + "." * (LOUDEST - body.volume) + f" {body.volume}"
    rows, lines = _items(body, teller)
    return (bar, *rows), (level, *lines)


def _audio(body: MenuBody, teller: Teller) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    text, sound = teller.text, body.sound
    how = text("Lift the handset. You hear three tones; then speak: you hear yourself a second later.")
    if sound is None:
        return (Panel(how),), (text("Speak in the handset"),)
    left, done = text("{seconds} s", seconds=round(sound.left)), 1 - sound.left / sound.lasts
    loud = min(max(1 + sound.heard / DEEPEST, 0.0), 1.0)
    bars = (
        Bar(text("Test"), done, left, "accent"),
        Bar(text("Microphone"), loud, f"{sound.heard:.0f} dB", "warn" if sound.heard > TOO_LOUD else "good"),
    )
    meter = "#" * round(loud * METER) + "." * (METER - round(loud * METER))
    return (*bars, Panel(how)), (f"{meter} {left}",)
