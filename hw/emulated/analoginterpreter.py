"""What a voice modem does at each command line."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

from hw.emulated.analogbody import OFF_HOOK, Body
from hw.emulated.analogcommands import FLAGS, IGNORED, Order, orders_in
from hw.emulated.analogdial import DIALLED
from hw.emulated.analogring import caller_lines, caller_message
from hw.emulated.analogstream import Kind
from hw.emulated.analogtones import COUNTRIES
from hw.emulated.analogtonestring import tones_in
from hw.emulated.farend import Progress

VOICE_ONLY = frozenset({"+VLS", "+VSM", "+VTS", "+VTX", "+VRX", "+VTR"})
CLASSES = "0,1,1.0,2,8"
CALLER_ID_AT = 0.4  # of the time from the first ring to the second
JAPAN = timezone(timedelta(hours=9))
FIXED = frozenset({"P", "T", "L", "M", "B", "W", "N", "X"})

Lines = list[str] | None


class Interpreter:
    """Obeys command lines and tells of rings, on behalf of a body."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._ringing: object = None
        self._after_result = ""

    def obey(self, line: str) -> None:
        """Do what the line says, up to the first command that fails."""
        self._after_result = ""
        orders = orders_in(line)
        said: list[str] = []
        for order in orders or ():
            lines = self._do(order)
            if lines is None:
                orders = None
                break
            said += lines
        if said:
            self._body.case.send("\r\n" + "\r\n".join(said) + "\r\n")
        if orders is None:
            self._body.result("ERROR")
        elif not self._body.occupied:
            self._body.result("OK")
            self._body.report(self._after_result)

    def follow(self, progress: Progress) -> None:
        """The exchange has moved, or the far end has pressed a key."""
        if progress.tone:
            self._body.line.press(progress.tone)
            return
        if progress.second:
            self._body.report("w" * (progress.state == "waiting"))
            return
        self._ringing = None
        if progress.state == "ringing":
            self.begin_ringing()
        else:
            self._body.follow(progress)

    def begin_ringing(self) -> None:
        """Ring, now and on."""
        self._ringing = object()
        self._ring(self._ringing, first=True)

    def _do(self, order: Order) -> Lines:
        body, settings = self._body, self._body.settings
        if order.name in VOICE_ONLY and not settings.voice:
            return None
        special = self._specials.get(order.name)
        if special is not None:
            return special(self, order)
        if settings.knows(order.name):
            lines = settings.exchange(order)
            if order.name == "+VIT" and lines is not None:
                body.watch_idleness()
            return lines
        if order.name[0] == "S" and order.name[1:].isdigit():
            return self._register(order)
        return self._basic(order)

    def _basic(self, order: Order) -> Lines:
        if order.name in IGNORED and order.form == "=":
            return []
        if order.name in FLAGS and order.value not in ("", "0", "1"):
            return None
        if order.form != "=" or order.name not in FIXED | set(FLAGS):
            return None
        self._body.settings.basic[order.name] = order.value or "0"
        return []

    def _register(self, order: Order) -> Lines:
        registers, which = self._body.settings.registers, int(order.name[1:])
        if order.form == "?":
            return [f"{registers.get(which, 0):03d}"]
        value = int(order.value or 0)
        if value > 255:
            return None
        registers[which] = value
        return []

    def _about(self, order: Order) -> Lines:
        lines = self._body.model.about.get(order.value)
        return [] if lines is None else [one.format(firmware=self._body.around.firmware) for one in lines]

    def _maker(self, order: Order) -> Lines:
        return [self._body.model.maker] if order.form in ("", "?") else None

    def _reset(self, _order: Order) -> Lines:
        self._body.on_hook()
        self._body.settings.restore(all_of_it=True)
        return []

    def _class(self, order: Order) -> Lines:
        settings = self._body.settings
        if order.form == "=?":
            return [CLASSES]
        if order.form == "?":
            return ["8" if settings.voice else "0"]
        if order.value not in CLASSES.split(","):
            return None
        settings.voice = order.value == "8"
        if settings.voice:
            self._body.watch_idleness()
        elif settings.label and settings.number("+VNH") == 0:
            self._body.on_hook()
        return []

    def _line(self, order: Order) -> Lines:
        labels = self._body.model.lines
        if order.form == "=?":
            return list(labels)
        if order.form == "?":
            return [str(self._body.settings.label)]
        if not any(row.split(",")[0] == order.value for row in labels):
            return None
        self._body.select(int(order.value))
        if self._body.around.self_confirms and order.value == "1":
            self._after_result = "H"
        return []

    def _compress(self, order: Order) -> Lines:
        return self._body.settings.compress(order)

    def _tones(self, order: Order) -> Lines:
        if order.form == "=?":
            return ["(200-3000),(200-3000),(0-255)"]
        frames = tones_in(order.value, self._body.around, self._body.settings.number("+VTD"))
        if order.form != "=" or frames is None:
            return None
        self._body.tones.extend(frames)
        self._body.case.run()
        return []

    def _stream(self, order: Order) -> Lines:
        """No test form, as measured on a CX93001: +VTR=? is an error, and says nothing of +VTR."""
        kind = next((one for one in get_args(Kind) if one == order.name), None)
        return [] if kind is not None and order.form == "" and self._body.begin(kind) else None

    def _dial(self, order: Order) -> Lines:
        if not DIALLED.fullmatch(order.value.removesuffix(";")):
            return None
        self._body.dial(order.value)
        return []

    def _hook(self, order: Order) -> Lines:
        if order.value == "1":
            self._body.seize()
            self._body.settings.label = 1
        elif order.value in ("", "0"):
            self._body.on_hook()
        else:
            return None
        return []

    def _answer(self, _order: Order) -> Lines:
        if not self._body.settings.voice:
            return None  # a data call, which nobody here can make
        self._body.seize()
        self._body.settings.label = 1
        return []

    def _defaults(self, _order: Order) -> Lines:
        self._body.settings.restore(all_of_it=False)
        return []

    _specials: dict[str, Callable[["Interpreter", Order], Lines]] = {  # noqa: RUF012 - a table, and nobody writes to it
        "I": _about,
        "Z": _reset,
        "D": _dial,
        "H": _hook,
        "A": _answer,
        "+FCLASS": _class,
        "+VLS": _line,
        "+VSM": _compress,
        "+VTS": _tones,
        "+VTX": _stream,
        "+VRX": _stream,
        "+VTR": _stream,
        "+VIP": _defaults,
        "+GMI": _maker,
        "+FMI": _maker,
    }

    # Rings.

    def _ring(self, ringing: object, *, first: bool = False) -> None:
        body = self._body
        if ringing is not self._ringing or (body.settings.label in OFF_HOOK and body.line.off_hook):
            return
        every = body.around.ring_every or COUNTRIES[body.around.country].ring_every
        if body.settings.number("+VDR"):
            body.case.send(f"\r\nDRON={round(every / 3 * 10)}\r\n\r\nDROF={round(every / 3 * 20)}\r\n")
        if body.settings.voice and body.around.rings_as_event:
            body.report("R")
        else:
            body.result("RING")
        if first:
            body.case.later(every * CALLER_ID_AT, lambda: self._tell_caller(ringing))
        body.case.later(every, lambda: self._ring(ringing))

    def _tell_caller(self, ringing: object) -> None:
        wanted = self._body.settings.number("+VCID")
        if ringing is not self._ringing or not wanted:
            return
        tell = caller_lines if wanted == 1 else caller_message
        now = datetime.now(UTC).astimezone(JAPAN)
        exchange = self._body.exchange
        for line in tell(exchange.number, exchange.hidden, self._body.around, now):
            self._body.case.send(f"\r\n{line}\r\n")
