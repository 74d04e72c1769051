"""A shift at one booth: call after call over one line, scripted at the far end, with trouble now and then.

Everything is real but the telephone network and the hands: booth, driver, recorder, vault and database; the modem at the
end of its ports is emulated, and so are the handset and the keys.
"""

import faulthandler
import os
import threading
import time
import traceback
from collections import deque
from dataclasses import replace
from random import Random

import pyrage

from firmware import listfile, record
from firmware.__main__ import compose
from firmware.callflow import IN_CALL, State
from firmware.calls import Calls
from firmware.clock import Clock
from firmware.hardware import Hardware
from firmware.settings import parse
from firmware.store import Store
from hw.emulated.analog import AnalogModem
from hw.emulated.exchange import Exchange
from hw.emulated.gsm import GsmModem
from hw.emulated.handset import EmulatedHandset
from hw.events import Event, KeyPressed, KeyReleased
from hw.gsm import FAMILIES, GsmLine
from hw.modems.analog import MODELS
from hw.voicemodem import VoiceModem
from tests.whole.holdings import Figures, Holdings, Metronome
from tests.whole.scripts import NUMBERS, drawn
from tests.whole.troubles import NONE, troubles
from tests.whole.truth import Circumstances, Witness, differences, off

ANALOG = ("usr5637", "conexant", "zoom3095", "startech", "mt9234")
LINES = (*FAMILIES, *ANALOG)
PATIENCE = 60.0  # seconds; a booth that takes longer to be ready for the next call is wedged
DEAD_SILENCE = 30.0  # seconds without any sound, after which a person hangs up
CURE = "AT+CRESET"
WRITTEN = 3.0  # in which the card has taken what the screen shows already
ODDS = 0.2  # of a call that something breaks in it
NOW = 1795330000.0
NEUTRAL = "5"  # the key of a result that bars nobody: an answering machine
HOMEWARD = {
    **dict.fromkeys((State.PREVIEW, State.BLOCKED, State.KEYING, State.WHY, State.MENU), "D"),
    State.WRAP_UP: NEUTRAL + "A",
    State.RINGING_IN: "D",  # still, or again: a modem had not taken the line
}
KEEP = 80  # lines of the dialogue with the modem, to look at when a call went wrong
DEVICE = """
booth = "desk"
language = "en"
data = "{data}"
[line]
kind = "gsm"
port = "none"
audio = "none"
[handset]
kind = "emulated"
[keypad]
kind = "matrix"
rows = [5, 6, 13, 19]
columns = [12, 16, 20, 21]
[hook]
kind = "none"
[screen]
kind = "hd44780"
[recording]
recipients = ["{recipient}"]
[campaign]
packs = []
[guard]
min_gap_any = 0
min_gap_after_talk = 0
min_gap_unanswered = 0
max_per_day = 100000
max_unanswered_per_day = 100000
gacha_limit = 100000
"""


class Wedged(AssertionError):
    """The booth is not ready for the next call, and will not be."""


class Nothing(Event):
    """Means nothing to a booth."""


class Untouched:
    """A keypad or a hook that nobody touches, a screen that nobody looks at."""

    def open(self, _post):
        pass

    def write(self, rows):
        pass

    def close(self):
        pass


def hasty_gsm(name):
    """A family's table with less patience than on a real network; a silent modem is reset after two seconds."""
    family = FAMILIES[name]
    pace = family.pace
    quick = {"reply": 1.0, "ping": 0.5, "poll": min(pace.poll, 1.0), "check": 0.5, "sim": 3.0, "settle": 2.0}
    quick["stream"] = min(pace.stream, 2.0)
    return replace(family, pace=replace(pace, **quick, rescue=2.0))


def hasty_analog(name):
    """The same for an analog modem; the emulated exchange knows no flash, so the line may be taken again at once."""
    model = MODELS[name]
    return replace(model, pace=replace(model.pace, reply=1.0, ping=0.5, halt=1.0, mute=1.0, on_hook=0.2, check=1.0))


class Shift:
    """One booth on one line, and the hands and the ears that try it."""

    def __init__(self, name, directory, seed=0):
        self.name, self.seed, self.directory = name, seed, directory
        self.analog = name in ANALOG
        self.exchange = Exchange()
        self.witness = Witness(self.exchange)
        self.modem = (AnalogModem if self.analog else GsmModem)(name, self.exchange, directory)
        self.modem.plug()
        self.dialogue = deque(maxlen=KEEP)
        self.modem.log(lambda line: self.dialogue.append(f"{time.monotonic():.3f} {line}"))
        self.metronome = Metronome()
        self.trouble, self._lasts = NONE, 0
        self.presses = []  # (moment, key)
        self.furthest = 0.0  # between a talk and its record, where nothing broke
        self._news = threading.Condition()
        self._import_list()
        self._compose()
        self.store = Store(directory / "booth.db")
        self.store.rows("PRAGMA cache_size = -100")  # what we read is not to count as the booth's memory

    def _import_list(self):
        listed = self.directory / "list.csv"
        rows = [f"Customer {number},{number}" for number in NUMBERS]
        listed.write_text("\n".join(["name,phone", *rows]), encoding="utf-8")
        read = listfile.read(listed, "JP", "03")
        assert len(read.entries) == len(NUMBERS)
        calls = Calls(self.directory / "booth.db", "desk", Clock("system"))
        calls.add_list("list", read.entries, sample=True)
        calls.close()

    def _compose(self):
        recipient = str(pyrage.x25519.Identity.generate().to_public())
        settings = parse(DEVICE.format(data=self.directory, recipient=recipient))
        if self.analog:
            self.line = VoiceModem(self.modem.port, hasty_analog(self.name))
        else:
            self.line = GsmLine(self.modem.at, self.modem.card or self.modem.pcm, hasty_gsm(self.name))
        hardware = Hardware(self.line, EmulatedHandset(), Untouched(), Untouched(), Untouched(), {})
        start = time.monotonic()
        clock = Clock(
            "system",
            system=lambda: NOW + time.monotonic() - start,
            monotonic=time.monotonic,
            synchronised=lambda: False,
        )
        self.booth = compose(settings, hardware, clock=clock, sample_allowed=True)
        self.booth.watch(self._look)
        self._thread = threading.Thread(target=self.booth.run, name="booth")
        self._thread.start()

    def _look(self, _scene, _view):
        with self._news:
            self._news.notify_all()

    # Hands and eyes.

    @property
    def state(self):
        return self.booth.place.state

    def tap(self, keys):
        for key in keys:
            self.presses.append((time.monotonic(), key))
            self.booth.post(KeyPressed(key))
            self.booth.post(KeyReleased(key))
        self.booth.post(Nothing())
        self.sees(self.booth._inbox.empty, PATIENCE)  # the booth has done what was keyed once it takes what came behind

    def sees(self, true, patience):
        """Whether `true` comes to hold within so many seconds."""
        end = time.monotonic() + patience
        with self._news:
            while not true():
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._news.wait(min(left, 0.02))
        return True

    def must(self, what, true, patience=PATIENCE):
        if not self.sees(true, patience):
            place = self.booth.place
            raise Wedged(f"{what}: not within {patience:g} s; {place}, exchange {self.exchange.state}")

    def stays(self, seconds):
        """Let time go by as long as the call lasts."""
        self.sees(lambda: self.state not in IN_CALL, seconds)

    def ready(self):
        """Whether the line has been ready once, and nothing is going on."""
        return bool(self.booth._parts.condition.model) and self._at_rest()

    # One call.

    def call(self, n):
        """The n-th call of this seed; what is untrue of its record."""
        chance = Random(f"{self.seed}/{self.name}/{n}")
        script = drawn(chance, analog=self.analog)
        before = self.trouble
        self._choose_trouble(chance)
        last, self.presses = self._last(), []
        cured = CURE in self.modem.heard  # after the call before
        del self.modem.heard[:]
        self.witness.calls.clear()
        self.metronome.take()
        start = time.monotonic()
        with self.trouble.during(self, chance):
            (self._be_called if script.incoming else self._dial)(script)
            if self.trouble.damages and not self.sees(lambda: self.state not in IN_CALL, DEAD_SILENCE):
                self.tap("D")
            self.must("the call's end", lambda: self.state not in IN_CALL)
        began = time.monotonic()
        self._rest()
        if not self.trouble.harmless:
            while self.sees(lambda: not self._at_rest(), self.trouble.noticed):
                self._rest()
        rest = time.monotonic() - began
        self.sees(lambda: self._written(last), WRITTEN)
        calls = list(self.witness.calls)
        records = [record.whole(self.store, one, "desk") for one in self._since(last)]
        around = Circumstances(
            *(self.name, self.analog, script, self.trouble, tuple(self.presses), self.metronome.take(), before),
            restarted=cured or CURE in self.modem.heard,
        )
        found = differences(records, calls, around)
        self.furthest = max(self.furthest, abs(off(records, calls, around)))
        if rest > 20 and not found:
            found = [f"ready again only after {rest:.1f} s"]
        if os.environ.get("SHIFT_TIMES"):
            print(
                f"TIME {time.monotonic() - start:.2f} {rest:.2f} {self.trouble.name} | {script} | {calls} {_short(records)}"
            )
        about = f"call {n}, {self.trouble.name or 'no trouble'}, {script}"
        return [f"{about}: {one}\n  {calls}\n  {records and _short(records)}" for one in found], records

    def _choose_trouble(self, chance):
        self._lasts -= 1
        if self._lasts > 0:
            return
        self.trouble.over(self)
        broken = self.trouble is NONE and chance.random() < ODDS  # after a bad call a good one, which must go well
        self.trouble = chance.choice(troubles(self.name, analog=self.analog)) if broken else NONE
        self._lasts = self.trouble.calls
        self.trouble.begin(self)

    def _dial(self, script):
        self.exchange.book = {script.number: script.far}
        self.tap(script.number + "A")
        idle = frozenset({State.LIST, State.KEYING})
        self.sees(lambda: self.state not in idle, 2.0)
        if self.state is State.KEYING and not self.booth.place.emergency:
            raise Wedged(f"the dial was refused: {self.booth._parts.keying.body()}")
        if script.act == "give up":
            self.stays(script.after)
            if self.state in IN_CALL:
                self.tap("D")
        elif script.act == "hang up":
            self.sees(lambda: self.state is State.TALKING or self.state not in IN_CALL, PATIENCE)
            self.stays(script.after)
            if self.state is State.TALKING:
                self.tap("D")

    def _be_called(self, script):
        if not self.exchange.call_in(script.number, script.far):
            return
        self.sees(lambda: self.state is State.RINGING_IN or self.exchange.state == "idle", PATIENCE)
        if script.act == "wait":
            self.sees(lambda: self.state is not State.RINGING_IN and self.exchange.state == "idle", PATIENCE)
            return
        self.sees(lambda: self.state is not State.RINGING_IN, script.ring)
        if self.state is not State.RINGING_IN:
            return
        self.tap("D" if script.act == "refuse" else "A")
        if script.act != "refuse":
            ended = lambda: self.state not in IN_CALL | {State.RINGING_IN}  # noqa: E731
            self.sees(lambda: self.state is State.TALKING or ended(), PATIENCE)
            if script.act == "hang up":
                self.stays(script.after)
                if self.state is State.TALKING:
                    self.tap("D")

    def _rest(self):
        """Key what is owed and go home, as a person does."""
        end = time.monotonic() + PATIENCE
        while not self._at_rest():
            if time.monotonic() > end:
                raise Wedged(f"never at rest: {self.booth.place}, exchange {self.exchange.state}")
            state = self.state
            self.tap(HOMEWARD.get(state, "A" if state is State.LIST and self._owes() else ""))
            self.sees(lambda state=state: self.state is not state or self._at_rest(), 0.5)

    def _owes(self):
        """Whether a result is owed for good: one that the booth gives by itself is there in a moment."""
        return self.booth.place.line and not self.sees(lambda: not self._owed(), 1.0)

    def _at_rest(self):
        place = self.booth.place
        quiet = self.exchange.state == "idle" and not (self.analog and self.modem.off_hook)
        return place.state is State.LIST and place.line and quiet and not self._owed()

    def _written(self, last):
        """Whether every call of the exchange is over, there and in the books."""
        rows, calls = self.store.rows("SELECT cause FROM call WHERE seq > ?", last), list(self.witness.calls)
        over = all(row["cause"] for row in rows) and all(one.ended for one in calls)
        return over and len(rows) >= len(calls)

    def _owed(self):
        return self.store.row(
            "SELECT 1 FROM call WHERE version = 0 AND emergency = 0 AND (incoming = 0 OR answered = 1) LIMIT 1"
        )

    def _last(self):
        row = self.store.row("SELECT max(seq) AS last FROM call")
        return row["last"] or 0

    def _since(self, last):
        return [row["id"] for row in self.store.rows("SELECT id FROM call WHERE seq > ? ORDER BY seq", last)]

    def settle(self, holdings):
        """What the process holds once all is quiet: threads of the last call take a moment to end."""
        self.sees(lambda: max(Holdings.now().beyond(holdings)) <= 0, 5.0)
        return Holdings.now()

    def close(self):
        self.trouble.over(self)
        self.booth.stop()
        self._thread.join(20)
        self.store.close()
        self.modem.close()
        self.exchange.close()
        self.metronome.close()


def _short(records):
    names = ("incoming", "answered", "estimated", "cause", "by", "sure", "talk", "recording")
    return [{name: one[name] for name in names} for one in records]


def work(name, directory, numbers, seed=0):
    """Live through the calls `numbers` of a line; never raises for what is wrong with them."""
    figures, deaths = Figures(name), []
    threading.excepthook = lambda death: deaths.append(
        "".join(traceback.format_exception(death.exc_type, death.exc_value, death.exc_traceback))
    )
    faulthandler.enable()
    directory.mkdir()
    figures.bare = Holdings.now()
    shift, began = Shift(name, directory, seed), time.monotonic()
    try:
        shift.must("the line", shift.ready)
        figures.before = Holdings.now()
        for n in numbers:
            untrue, records = shift.call(n)
            figures.calls += 1
            figures.faults += shift.trouble is not NONE
            figures.answered += any(one["answered"] for one in records)
            if untrue:
                figures.untrue += [*untrue, *shift.dialogue] if os.environ.get("SHIFT_TALK") else untrue
            shift.dialogue.clear()
            if figures.calls == min(100, max(1, len(numbers) // 2)):
                figures.hundredth = Holdings.now().rss
            if len(figures.untrue) > 4000 or deaths:
                break
    except Wedged as wedged:
        figures.wedged = "\n".join([f"call {n}, {shift.trouble.name}: {wedged}", *shift.dialogue])
    finally:
        figures.seconds = time.monotonic() - began
        figures.before = figures.before or Holdings.now()
        figures.after = shift.settle(figures.before)
        figures.stall, figures.furthest = shift.metronome.ever, shift.furthest
        shift.close()
        figures.closed, figures.deaths = shift.settle(figures.bare), deaths
    return figures
