"""What the desk page shows of a booth, and what its keys and buttons do to it."""

import io
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from PIL.Image import Image

from firmware.desk import card
from firmware.desk.office import Office
from firmware.desk.running import RunningBooth
from firmware.desk.troubles import troubles
from firmware.desk.words import ANSWERS, LAMPS
from firmware.numbers import group
from firmware.screens.view import View
from hw.emulated.characters import Hd44780Panel
from hw.emulated.exchange import FarEnd, Progress
from hw.emulated.gsm import GsmModem
from hw.emulated.speech import Speech

KEPT = 200  # lines of the modem log
DOT = 2  # pixels for a dot of the character LCD; the page multiplies them
CALLER = FarEnd(voice=Speech(2))

# What the far end does with the next call, by the names of words.ANSWERS.
FAR_ENDS = {
    "answers": FarEnd(answers_after=3.0),
    "busy": FarEnd(answers_after=1.0, outcome="busy"),
    "no-answer": FarEnd(outcome="no answer"),
    "unassigned": FarEnd(answers_after=1.0, outcome="unassigned"),
    "wordless": FarEnd(answers_after=3.0, then="hangs up wordlessly"),
    "mid-pitch": FarEnd(answers_after=3.0, then="hangs up mid-pitch"),
}

LogLine = tuple[str, str, str]  # time of day, "booth" or "modem", what it said


class UnknownAct(ValueError):
    """The page asked for something that there is no button for."""


@dataclass(slots=True)
class Memory:
    """What one open window has been told already."""

    told: dict[str, object] = field(default_factory=dict)
    picture: int = 0
    logged: int = 0


class ModemLog:
    """The last lines between booth and modem. They hold numbers, of the sample list only, and never reach a file."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._lines: deque[LogLine] = deque(maxlen=KEPT)
        self._count = 0
        self._lock = threading.Lock()

    def add(self, line: str) -> None:
        """One line as the modem tells it: `> ` before what it heard, `< ` before what it said."""
        mark, _, text = line.partition(" ")
        time = datetime.now(self._zone).strftime("%H:%M:%S")
        with self._lock:
            self._lines.append((time, "booth" if mark == ">" else "modem", text))
            self._count += 1

    def after(self, count: int) -> tuple[int, list[LogLine]]:
        """How many lines there have been, and those after the first `count` that are still kept."""
        with self._lock:
            fresh = min(self._count - count, len(self._lines))
            return self._count, list(self._lines)[len(self._lines) - fresh :]


class Page:
    """One booth as its page sees it, in however many windows. Any thread may ask; one thread acts."""

    def __init__(
        self, running: RunningBooth, callers: Sequence[tuple[str, str]] = (), office: Office | None = None
    ) -> None:
        """`callers`: numbers that may call in, each with what the page says of it."""
        self._running, self._rig, self.callers = running, running.rig, tuple(callers)
        self.has_hook, self.handset = self._rig.hook_kind != "none", self._rig.handset
        self.size = self._picture().size
        self._painted = 1
        self._log = ModemLog(running.settings.zone)
        self._next, self._silent = ANSWERS[0], False
        self._troubles = troubles(running, office)
        self.troubles, self.supervisor = tuple(self._troubles), office.pages if office else ""
        self._acts = self._table()
        self._rig.panel.watch(self._repaint)
        self._rig.listen_in(self._log.add)
        self._rig.exchange.listen(self._follow)
        self._answer_next(self._next)

    def act(self, act: str, about: str) -> None:
        """Do what a key or button asks. Raises UnknownAct."""
        try:
            self._acts[act](about)
        except KeyError as missing:
            raise UnknownAct(f"{act} {about}") from missing

    def news(self, memory: Memory) -> tuple[dict[str, object], bytes]:
        """What a window has not been told yet, and the screen as PNG if it has changed; takes note of both."""
        shown = self._shown()
        news = {name: value for name, value in shown.items() if memory.told.get(name) != value}
        memory.told = shown
        memory.logged, lines = self._log.after(memory.logged)
        if lines:
            news["log"] = lines
        painted = self._painted  # read first: what is painted meanwhile is told the next time
        if painted == memory.picture:
            return news, b""
        memory.picture = painted
        return news, self._png()

    def _table(self) -> dict[str, Callable[[str], object]]:
        rig, exchange = self._rig, self._rig.exchange
        return {
            "down": rig.fingers.press,
            "up": rig.fingers.release,
            "hook": lambda to: rig.lift() if to == "up" else rig.replace(),
            "far": self._answer_next,
            "answer": lambda _: exchange.change("answers"),
            "hang-up": lambda _: exchange.hang_up(),
            "silent": lambda _: self._be_silent(silent=True),
            "no-silent": lambda _: self._be_silent(silent=False),
            "call-in": lambda number: self._call_in(number or None),
            "modem": self._change_modem,
            "trouble": lambda name: self._troubles[name].begin(),
            "no-trouble": lambda name: self._troubles[name].end(),
        }

    def _shown(self) -> dict[str, object]:
        rig, exchange = self._rig, self._rig.exchange
        state, number = exchange.state, group(exchange.number or "", self._running.settings.country)
        return {
            "hook": "up" if rig.switch.lifted else "down",
            "lamps": {name: rig.glow(name) for name in LAMPS},
            "far": {"state": state, "number": number, "next": self._next, "silent": self._silent},
            "modem": rig.modem_name,
            "troubles": [name for name, trouble in self._troubles.items() if trouble.present()],
            "unfit": [name for name, trouble in self._troubles.items() if not trouble.fits()],
            "lines": lines_of(self._running.view),
        }

    def _png(self) -> bytes:
        file = io.BytesIO()
        self._picture().save(file, "PNG", compress_level=1)
        return file.getvalue()

    def _picture(self) -> Image:
        panel = self._rig.panel
        return panel.picture(DOT) if isinstance(panel, Hd44780Panel) else panel.picture()

    def _answer_next(self, name: str) -> None:
        self._rig.exchange.default = FAR_ENDS[name]
        self._next = name

    def _call_in(self, number: str | None) -> None:
        """While somebody talks, the caller waits: this network has forgotten that the booth wants no call waiting."""
        modem = self._rig.modem
        if isinstance(modem, GsmModem):
            modem.ccwa_anyway = True
        self._rig.exchange.call_in(number, CALLER, waiting=True)

    def _change_modem(self, name: str) -> None:
        self._running.change_modem(name)
        card.keep(self._rig, self._running.settings)

    def _be_silent(self, *, silent: bool) -> None:
        self._rig.exchange.change("goes silent" if silent else "speaks")
        self._silent = silent and self._rig.exchange.state == "talking"

    def _follow(self, progress: Progress) -> None:
        if progress.state == "idle":
            self._silent = False

    def _repaint(self) -> None:
        self._painted += 1


def lines_of(view: View | None) -> list[str]:
    """The texts of a view for somebody who cannot see it, the soft keys with their letters."""
    if view is None:
        return []
    return [*replace(view, keys=()).words(), *(f"{key.key} {key.name}" for key in view.keys)]
