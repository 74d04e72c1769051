"""Wrap-up (後処理): the result of the call that has just ended, and what that result asks for."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import Literal
from zoneinfo import ZoneInfo

from firmware.calls import Call
from firmware.redial import Decision
from firmware.results import NO, Result, Results, refuses
from firmware.screens.scene import WrapUpBody
from firmware.seen import REFUSAL

WHOM = ("self", "family", "reception", "other")
CLEAR = ("yes", NO, "later", "not-asked")
MORNING, AFTERNOON = 10, 15  # hours of "next weekday" and "this afternoon"
SATURDAY = 5

Asking = Literal["result", "when", "date", "time", "whom", "clear"]
Foresee = Callable[[Call, float], Decision]


def moment(key: str, now: datetime) -> datetime | None:
    """The call-back time that one key of the list stands for (keys 1 to 7); None for the other keys.

    >>> friday = datetime(2026, 11, 20, 16, 30)
    >>> moment("1", friday), moment("6", friday)
    (datetime.datetime(2026, 11, 20, 17, 0), datetime.datetime(2026, 11, 23, 10, 0))
    """
    day = now.replace(minute=0, second=0, microsecond=0)
    if key in "123":
        return now + timedelta(minutes={"1": 30, "2": 60, "3": 120}[key])
    if key == "4":
        afternoon = day.replace(hour=AFTERNOON)
        return afternoon if afternoon > now else afternoon + timedelta(days=1)
    if key == "6":
        weekday = day.replace(hour=MORNING) + timedelta(days=1)
        while weekday.weekday() >= SATURDAY:
            weekday += timedelta(days=1)
        return weekday
    return now + timedelta(days={"5": 1, "7": 7}[key]) if key in "57" else None


def on_date(digits: str, base: datetime, now: datetime) -> datetime | None:
    """The next `MMDD`, today at the earliest, at base's time of day; None when there is no such day."""
    for year in (now.year, now.year + 1):
        try:
            day = base.replace(year=year, month=int(digits[:2]), day=int(digits[2:]))
        except ValueError:
            continue
        if day.date() >= now.date():
            return day
    return None


def at_time(digits: str, base: datetime, now: datetime) -> datetime | None:
    """`HHMM` on base's day, or on the day after when that time has gone by; None when there is no such time."""
    try:
        time = base.replace(hour=int(digits[:2]), minute=int(digits[2:]), second=0, microsecond=0)
    except ValueError:
        return None
    return time if time > now else time + timedelta(days=1)


class WrapUp:
    """The form of one ended call."""

    def __init__(self, results: Results, zone: str, now: Callable[[], float | None], foresee: Foresee) -> None:
        self._results, self._zone, self._now, self._foresee = results, ZoneInfo(zone), now, foresee
        self._call: Call | None = None

    def open(self, call: Call, suggested: Result | None) -> None:
        """Begin the form for `call`, unless it is this call's already."""
        if self._call is not None and self._call.id == call.id:
            return
        self._call, self.suggested, self._opened = call, suggested, monotonic()
        self.chosen: Result | None = None
        self.due: float | None = None
        self.whom = self.clear = self._keyed = ""
        self._asking: Asking = "result"
        self._no_time = self.refused_by_card = False

    def close(self) -> None:
        """The form is saved; the next one begins empty."""
        self._call = None

    @property
    def call(self) -> Call:
        """The call that the form is about."""
        if self._call is None:
            raise LookupError("no form is open")
        return self._call

    def key(self, key: str) -> None:
        """One of the twelve keys; what makes no sense here is ignored."""
        if key in "*#":
            self._asking, self._keyed = "result", ""
            return
        {
            "result": self._key_result,
            "when": self._key_when,
            "date": self._key_date,
            "time": self._key_time,
            "whom": self._key_whom,
            "clear": self._key_clear,
        }[self._asking](key)

    def next_whom(self) -> None:
        """Whom was spoken to: the next of the four."""
        self.whom = WHOM[(WHOM.index(self.whom) + 1) % len(WHOM)] if self.whom else WHOM[0]

    def accept(self) -> bool:
        """Whether everything is answered; if not, the form asks for what is missing.

        On the question for a time, A without one takes the code's own, if it has one.
        """
        if self.chosen is None and self.suggested is not None:
            self._choose(self.suggested)
        elif self._asking == "when" and self._timeless:
            self._no_time = True
        missing = self._missing()
        if self.chosen is None or missing is None:
            return self.chosen is not None
        self._asking, self._keyed = missing, ""
        return False

    def body(self, *, memo: bool = False) -> WrapUpBody:
        """What the screen shows."""
        return WrapUpBody(
            call=self.call,
            seconds=monotonic() - self._opened,
            boxes=self._results.boxes(),
            suggested=self._likely,
            chosen=self.chosen,
            keyed=self._keyed,
            asking=self._asking,
            due=self.due,
            decision=self._foresee(self.call, self.due) if self.due is not None else None,
            whom=self.whom,
            clear=self.clear,
            refused=self._says_no,
            timeless=self._timeless,
            memo=memo,
            card_full=self.refused_by_card,
        )

    def _choose(self, result: Result) -> None:
        self.chosen, self.due, self._keyed = result, None, ""
        self.clear, self._no_time = "", False  # what was answered was asked for another result
        self._ask_on()

    @property
    def _says_no(self) -> bool:
        """Whether the customer has said no to what was chosen: then saving it is a refusal."""
        return self.chosen is not None and refuses(self.chosen, self.clear)

    @property
    def _likely(self) -> Result | None:
        """What is lit: after a clear no, the code that says so itself."""
        return self._results.claiming(REFUSAL) if self._says_no else self.suggested

    @property
    def _timeless(self) -> bool:
        """Whether the form may go on without a time: the chosen code has one of its own."""
        return self.due is None and self.chosen is not None and self.chosen.recall is not None

    def _ask_on(self) -> None:
        self._asking, self._keyed = self._missing() or "result", ""

    def _missing(self) -> Literal["when", "whom", "clear"] | None:
        asks = self.chosen.asks if self.chosen else ()
        if "when" in asks and not (self._no_time or self._says_no or self._due_stands()):
            return "when"
        if "whom" in asks and not self.whom:
            return "whom"
        return "clear" if "clear" in asks and not self.clear else None

    def _due_stands(self) -> bool:
        """Whether the call-back lies ahead: one that has gone by would free the customer at once. No time, no question."""
        now = self._now()
        return now is None or (self.due is not None and self.due > now)

    def _key_result(self, key: str) -> None:
        if not self._keyed:
            boxes = {str(result.box): result for result in self._results.boxes()}
            if key == "0":
                self._keyed = "0"
            elif key in boxes:
                self._choose(boxes[key])
        elif len(self._keyed) == 1:
            self._keyed += key
        else:
            result = self._results.by_key(self._keyed[1:] + key)
            self._keyed = ""
            if result is not None:
                self._choose(result)

    def _key_when(self, key: str) -> None:
        here = self._here()
        if key in "89":
            self._asking, self._keyed = ("date" if key == "8" else "time"), ""
        elif here is not None and (found := moment(key, here)):
            self._take(found)

    def _key_date(self, key: str) -> None:
        self._key_four(key, on_date, stay="time")

    def _key_time(self, key: str) -> None:
        self._key_four(key, at_time, stay=None)

    def _key_four(
        self, key: str, read: Callable[[str, datetime, datetime], datetime | None], stay: Literal["time"] | None
    ) -> None:
        self._keyed += key
        now = self._here()
        if len(self._keyed) < 4 or now is None:
            return
        base = now if self.due is None else datetime.fromtimestamp(self.due, self._zone)
        found, self._keyed = read(self._keyed, base, now), ""
        if found is None:
            return
        self._take(found)
        if stay:
            self._asking = stay

    def _take(self, found: datetime) -> None:
        """Keep a call-back time; the form stays on it, so that the guard's word on it is seen before A accepts."""
        self.due = found.timestamp()
        self._asking, self._keyed = "when", ""

    def _key_whom(self, key: str) -> None:
        if "1" <= key <= str(len(WHOM)):
            self.whom = WHOM[int(key) - 1]
            self._ask_on()

    def _key_clear(self, key: str) -> None:
        if "1" <= key <= str(len(CLEAR)):
            self.clear = CLEAR[int(key) - 1]
            if self._says_no:
                self.due = None  # nobody is called again
            self._ask_on()

    def _here(self) -> datetime | None:
        now = self._now()
        return None if now is None else datetime.fromtimestamp(now, self._zone)
