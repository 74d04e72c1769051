"""Every verdict of the guard on the desk, in a real browser, in both sizes and both languages.

Each picture lies in the test's directory, named by its reason; its path is printed (pytest -s).
"""

import time
import uuid
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from firmware import listfile, rulepack
from firmware.calls import Calls
from firmware.clock import Clock
from firmware.desk import card
from firmware.desk.page import Page
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth
from firmware.desk.web import serving
from firmware.known import Fact, FactKind
from firmware.redial import Reason
from firmware.registers import Registers
from firmware.screens.reasons import REASONS
from firmware.screens.teller import Teller
from firmware.text.catalogue import load
from firmware.text.times import Times

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HOUR, DAY = 3600.0, 86400.0
SIZES = [(screen, language) for screen in ("ili9341", "hd44780") for language in ("ja", "en")]
OTHERS = [("ili9341", "en"), ("hd44780", "ja")]  # the longest walk has both screens and both languages without these
COUNTERS = """
[[frequency]]
id = "two"
max = 2
window = "7d"
source = { ja = "法の第1条(7日間に2回まで)", en = "Act, art. 1: two in seven days" }
[[frequency]]
id = "rest"
after = "conversation"
window = "7d"
first_day_counts = true
[[frequency]]
id = "dropped"
after = "abandoned"
window = "72h"
"""
LISTED = {
    "0312345610": Reason.FREE,
    "0312345611": Reason.DO_NOT_CALL,
    "0312345612": Reason.REFUSED,
    "0312345613": Reason.DEAD_NUMBER,
    "0312345622": Reason.ON_HOLD,
    "0312345614": Reason.REGISTERED,
    "0312345615": Reason.TOO_OFTEN,
    "0312345616": Reason.AFTER_TALK,
    "0312345617": Reason.AFTER_ABANDONED,
    "0312345618": Reason.CALLED_RECENTLY,
    "0312345619": Reason.CLAIMED,
    "0312345620": Reason.CAMPAIGN_FULL,
    "0312345621": Reason.OVERRIDDEN,
    "0570012345": Reason.SHARED_COST,
    "0120123456": Reason.TOLL_FREE,
}
KEYED = {
    "0312345699": Reason.OFF_LIST,
    "0990123456": Reason.BARRED_CLASS,
    "312345610": Reason.COMPLETED,
    "00330312345601": Reason.INVALID_NUMBER,
    "1840312345610": Reason.NUMBER_HIDDEN,
}
ELSEWHERE = {Reason.SAMPLE_NUMBER, Reason.RESULT_OWED, Reason.EMERGENCY, Reason.SERVICE_NUMBER, Reason.UNCERTAIN}
"""Reasons that no screen of the desk's guard shows: its line may dial the sample, owed results lead to wrap-up, and free
numbers are dialled at once; what is uncertain looks as what is toll-free does."""


def pack(directory, name, more="", hours='[hours]\nall_days = ["00:00-24:00"]\n'):
    """A pack of the office's own, as a file on the card."""
    text = rulepack.text_of("jp-notice").replace('id = "jp-notice"', f'id = "{name}"')
    start, end = text.index("[hours]"), text.index("[redial]")
    path = directory / f"{name}.toml"
    path.write_text(text[:start] + hours + text[end:] + more, encoding="utf-8")
    return str(path)


def later(zone="Asia/Tokyo"):
    """A minute half a day away, by the clock of the booth: what is open then is closed now."""
    here = datetime.now(ZoneInfo(zone)) + timedelta(hours=12)
    return f"{here:%H:%M}-{here:%H}:59" if here.minute < 59 else f"{here:%H}:00-{here:%H}:58"


def facts_for(number, reason, now):
    """What must be known of a number so that the guard says this."""
    key = f"+81{number[1:]}"

    def one(kind, days, **more):
        return Fact(str(uuid.uuid4()), kind, key, now - days * DAY, "2", "OP12", **({"result": "NOANS"} | more))

    dial, calls = FactKind.ATTEMPT, [str(uuid.uuid4()) for _ in range(3)]
    return {
        Reason.DO_NOT_CALL: [one(FactKind.DO_NOT_CALL, 3, result="DNC")],
        Reason.REFUSED: [one(FactKind.REFUSAL, 5, result="REF")],
        Reason.DEAD_NUMBER: [one(FactKind.FINAL, 9, result="DEAD")],
        Reason.ON_HOLD: [one(FactKind.FINAL, 1, result="EMERG", note="hold")],
        Reason.TOO_OFTEN: [one(dial, 2), one(dial, 3)],
        Reason.AFTER_TALK: [one(FactKind.CONTACT, 2, note="talk", result="WARM")],
        Reason.AFTER_ABANDONED: [one(FactKind.CONTACT, 2, note="abandoned")],
        Reason.CALLED_RECENTLY: [one(dial, 0.01)],
        Reason.CAMPAIGN_FULL: [one(dial, days, call=call) for days, call in zip((30, 60, 90), calls, strict=True)],
        Reason.OVERRIDDEN: [one(dial, 0.01), one(FactKind.OVERRIDE, 0, result=None, note="asked")],
    }.get(reason, [])


class Desk:
    """One booth on a desk, with a browser before it."""

    def __init__(self, stack, chromium, directory, *, screen, language, packs, timeless=False):
        self.directory, self.language = directory, language
        home = directory / "card"
        self.rig = stack.enter_context(Rig(home, language=language, screen=screen, hook="none"))
        self.rig.packs = packs
        ready = card.prepared(self.rig, language)
        self._fill(home)
        capped = replace(ready.settings, campaign=replace(ready.settings.campaign, attempts=3))
        self.running = stack.enter_context(RunningBooth(self.rig, capped))
        address = stack.enter_context(serving(Page(self.running, ready.callers), language=language))
        context = chromium.new_context(viewport={"width": 1180, "height": 900})
        stack.callback(context.close)
        self.window = context.new_page()
        self.window.goto(address)
        self.running.wait_for("a line", lambda scene, _view: scene.header.signal is not None)
        expect(self.window.locator('[data-lamp="line"]')).to_have_attribute("data-glow", "on")
        if timeless:
            self._forget_time()
        else:
            self._claim()

    def _forget_time(self):
        """As after a power cut, with no network to tell it."""
        self.window.locator('[data-about="clock"]').click()
        self.running.wait_for("no time", lambda scene, _view: scene.header.now is None)

    def _fill(self, home):
        now = time.time()
        books = Calls(home / "booth.db", "desk", Clock("system"))
        for known in books.lists():
            books.remove_list(known.id)
        file = self.directory / "list.csv"
        rows = [f"{reason.name.title()},{number}" for number, reason in LISTED.items()]
        file.write_text("\n".join(["name,phone", *rows]), encoding="utf-8")
        books.add_list("Verdicts", listfile.read(file, "JP", "03").entries)
        for number, reason in LISTED.items():
            for fact in facts_for(number, reason, now):
                books.add_fact(fact)
        books.close()
        listed = self.directory / "tps.txt"
        listed.write_text("\n".join(n for n, reason in LISTED.items() if reason is Reason.REGISTERED), encoding="utf-8")
        Registers(home).take([listed], "tps", "JP", now - DAY, lambda *_: None)

    def _claim(self):
        """Another booth is about to call: what sync writes when the server has said so."""
        stamp = self.running.booth._parts.clock.stamp()
        number = next(number for number, reason in LISTED.items() if reason is Reason.CLAIMED)
        store = self.running.booth._parts.calls.store
        with store.write(durable=False) as db:
            db.execute(
                "INSERT INTO claim (number, state, boot, asked, until, holder) VALUES (?, 'held', ?, ?, ?, '7')",
                (f"+81{number[1:]}", stamp.boot, stamp.monotonic, stamp.monotonic + 500),
            )

    def press(self, keys):
        """One key after the other."""
        for key in keys:
            self.window.keyboard.press(key)

    def key(self, number):
        """The digits of a number, each seen before the next: whoever waits for a slow screen does so, too."""
        for place in range(len(number)):
            self.press(number[place])
            so_far = number[: place + 1]
            self.running.wait_for(so_far, lambda scene, _v, so_far=so_far: getattr(scene.body, "digits", "") == so_far)

    def see(self, what, seen):
        """Wait for the booth and then for the browser to show it; a picture by this name."""
        scene = self.running.wait_for(what, lambda scene, _view: seen(scene))
        for text in filter(None, self.said(scene)):
            expect(self.window.locator("#mirror")).to_contain_text(text)
        self.window.wait_for_function("() => drawn.then(() => true)")
        path = self.directory / f"{what}.png"
        self.window.locator("#lcd").screenshot(path=path)
        print(path)

    def said(self, scene):
        """What the screen owes: why in a word, on either size."""
        decision = getattr(scene.body, "decision", None) or scene.body.warning
        # Beside the LCD the page says all of it, in the letters that the LCD has.
        kana = self.language == "ja" and self.rig.screen_kind == "hd44780"
        text = load("ja_kana" if kana else self.language)
        free = decision.reason is Reason.FREE
        teller = Teller(text, Times(text, "Asia/Tokyo", scene.header.now), {})
        return [text(REASONS[Reason.FREE].rule) if free else teller.why(decision)]

    def why(self, number, reason):
        """The customer's WHY, with rule and source, and back to the list."""
        self.key(number)
        self.press("-")
        self.running.wait_for("preview", lambda scene, _v: scene.state.name == "PREVIEW")
        self.press("#")
        self.see(f"{reason.name}", lambda scene: scene.state.name == "WHY" and scene.body.decision.reason is reason)
        self.press("#")
        self.see(f"{reason.name}-full", lambda scene: scene.state.name == "WHY" and scene.body.full)
        self.press(["Backspace", "Backspace"])
        self.running.wait_for("home", lambda scene, _v: scene.state.name == "LIST")

    def keyed(self, number, reason):
        """What A says of a number that is keyed, and back to the list."""
        self.key(number)
        self.press(["Enter"])

        def seen(scene):
            decision = getattr(scene.body, "decision", None) or getattr(scene.body, "warning", None)
            return decision is not None and decision.reason is reason

        self.see(reason.name, seen)
        self.press(["Backspace"])
        self.running.wait_for("home", lambda scene, _v: scene.state.name == "LIST")


@pytest.fixture
def desk(chromium, tmp_path):
    """Makes desks, one after the other."""
    with ExitStack() as stack:
        yield lambda **how: Desk(stack, chromium, tmp_path, **how)


@pytest.mark.parametrize(
    ("screen", "language"), [pytest.param(*size, marks=[pytest.mark.soak] if size in OTHERS else []) for size in SIZES]
)
def test_every_verdict_has_its_screen(desk, tmp_path, screen, language):
    ours = pack(tmp_path, "own", COUNTERS + '\n[register]\nnames = ["tps"]\n')
    booth = desk(screen=screen, language=language, packs=[ours])
    for number, reason in LISTED.items():
        booth.why(number, reason)
    for number, reason in KEYED.items():
        booth.keyed(number, reason)
    assert not [line for line in booth.rig.modem.heard if line.startswith("ATD")]


@pytest.mark.parametrize(("screen", "language"), SIZES)
@pytest.mark.parametrize(
    "reason", [Reason.NO_CONSENT, Reason.REGISTER_STALE, Reason.OUTSIDE_HOURS, Reason.TIME_UNKNOWN]
)
def test_what_bars_every_number_has_its_screen(desk, tmp_path, screen, language, reason):
    packs = {
        Reason.NO_CONSENT: lambda: [pack(tmp_path, "own", "\n[consent]\nrequired = true\n")],
        Reason.REGISTER_STALE: lambda: [pack(tmp_path, "own", '\n[register]\nnames = ["ctps"]\n')],
        Reason.OUTSIDE_HOURS: lambda: [
            pack(tmp_path, "own", hours=f'[hours]\nall_days = ["{later()}"]\nlegal_outer = ["00:00-24:00"]\n')
        ],
        Reason.TIME_UNKNOWN: list,
    }[reason]()
    booth = desk(screen=screen, language=language, packs=packs, timeless=reason is Reason.TIME_UNKNOWN)
    booth.why("0312345610", reason)


def test_every_reason_is_seen_here_or_has_a_reason_not_to_be():
    alone = {Reason.NO_CONSENT, Reason.REGISTER_STALE, Reason.OUTSIDE_HOURS, Reason.TIME_UNKNOWN}
    assert {*LISTED.values(), *KEYED.values(), *alone, *ELSEWHERE} == set(Reason)
