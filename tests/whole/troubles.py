"""What breaks in a call: a plug is pulled, a cable is bad, the SIM is out, a modem has one of its bugs."""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hw.emulated.exchange import FarEnd

SECOND_CALLER = "09012345600"


@dataclass(frozen=True, eq=False)
class Trouble:
    """`strike` comes at a random moment of the call and `cure` a while later; `attributes` of the modem are changed
    for so many `calls` on end.

    noticed: seconds after a call in which all that it brings about has begun.
    harmless: a call with it goes as every other. delays: seconds by which news may come later. blind: seconds for which the line may not know what happens to the call.
    damages: what the modem says may arrive as something else, or be a lie (it says OK and does not take the line, and only
    the next ring tells), so that nothing can be proved of the call itself.
    """

    name: str = ""
    strike: Callable[[Any], None] | None = None
    cure: Callable[[Any], None] | None = None
    lasts: tuple[float, float] = (0.1, 0.6)
    attributes: dict[str, Any] = field(default_factory=dict)
    calls: int = 1
    noticed: float = 0.15
    harmless: bool = False
    blind: float = 0.0
    delays: float = 0.0
    damages: bool = False

    def begin(self, shift):
        """Before the first of its calls."""
        shift.kept = {name: getattr(shift.modem, name) for name in self.attributes}
        for name, value in self.attributes.items():
            setattr(shift.modem, name, value)

    def over(self, shift):
        """After the last of them."""
        for name in self.attributes:
            setattr(shift.modem, name, shift.kept[name])

    @contextmanager
    def during(self, shift, chance):
        """One call: it strikes at a random moment, and is cured when the call is over, at the latest."""
        if self.strike is None:
            yield
            return
        timers = [threading.Timer(chance.triangular(0.0, 2.5, 0.7), partial(self.strike, shift))]
        if self.cure:
            timers.append(threading.Timer(timers[0].interval + chance.uniform(*self.lasts), partial(self.cure, shift)))
        for timer in timers:
            timer.start()
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()
                timer.join()
            if self.cure:
                self.cure(shift)


NONE = Trouble(harmless=True)


def _unplug(shift, survives=False):
    shift.modem.unplug(call_survives=survives)


def _plug(shift):
    shift.modem.plug()


def _restart(shift):
    shift.modem.restart()


def _change(**values):
    def change(shift):
        for name, value in values.items():
            setattr(shift.modem, name, value)

    return change


def _spoil(**values):
    def change(shift):
        for name, value in values.items():
            setattr(shift.modem.cable, name, value)

    return change


def _second(shift):
    shift.exchange.call_in(SECOND_CALLER, FarEnd(rings_for=1.0), waiting=True)


def _cable(name, *, good=0, lasts=(0.2, 1.5), **values):
    ((which, bad),) = values.items()
    return Trouble(
        name, _spoil(**{which: bad}), _spoil(**{which: good}), lasts, damages=which in ("garble", "loss"), blind=4.0
    )


UNPLUGGED = Trouble("unplugged", _unplug, _plug)
SURVIVED = Trouble("unplugged, the call survives", partial(_unplug, survives=True), _plug)
MUTE = Trouble("mute", _change(silent=True), _change(silent=False), (0.1, 3.0), blind=5.0)
CABLES = (
    _cable("a cable that garbles", garble=0.03),
    _cable("a cable that garbles much", garble=0.6),
    _cable("a cable that loses", loss=0.03),
    Trouble("a cable that cuts", _spoil(cut=3), _spoil(cut=0), (0.5, 2.0), harmless=True),
    Trouble("a cable that merges", _spoil(merge=0.05), _spoil(merge=0.0), (0.5, 2.0), harmless=True, delays=0.1),
)
EVERYWHERE = (UNPLUGGED, UNPLUGGED, SURVIVED, MUTE, *CABLES)


def _bug(*, harmless=True, damages=False, noticed=0.15, **attributes):
    name = ", ".join(f"{bug}={value!r}" for bug, value in attributes.items())
    return Trouble(f"bug {name}", attributes=attributes, calls=4, harmless=harmless, damages=damages, noticed=noticed)


def _cured(**attributes):
    """The driver's cure is a reset after the call: whoever dials in the moment before the modem goes loses that call."""
    return _bug(**attributes, harmless=False, noticed=0.6)


RADIO = (
    *EVERYWHERE,
    Trouble("restarts", _restart),
    Trouble("restarts", _restart),
    Trouble("SIM out", _change(sim="NOT INSERTED"), _change(sim="READY")),
    Trouble("no network", _change(registered=False), _change(registered=True)),
    Trouble("wedged", _change(wedged="commands"), None, blind=5.0),
    Trouble("wedged altogether", _change(wedged="all"), None, blind=5.0),
    Trouble("a second caller", _second, attributes={"ccwa_anyway": True}, harmless=True),
    Trouble("a second caller", _second, attributes={"ccwa_anyway": True}, harmless=True),
    Trouble("power comes slowly", _restart, attributes={"sim_busy_for": 0.6, "calls_fail_for": 0.8}),
    _bug(no_blank=True),
    _bug(crcrlf=True),
    _bug(urc_in_reply="^RSSI:9"),
    _bug(alpha="OK SHOP"),
    _bug(data_call=True),
    _bug(early_urc=True),
    _bug(noise=0.1),
    _bug(slow=0.02),
    _bug(late_clip=True),
    _bug(clcc_row="no number"),
    _bug(slow_on="AT+CCWA", slow=1.0),
    _bug(withholds="AT+CSQ", harmless=False),
)
LATE_OK, NO_CHUP = _bug(dial_ok_after=0.3), _bug(lacks=("+CHUP",))
OF_FAMILY = {
    "quectel": (_bug(forgets_pcm=True), _bug(nmea=True)),
    "quectel-uac": (_bug(forgets_pcm=True),),
    "sim7600": (_bug(vague_end=True), _cured(wears_out="choppy"), _cured(pcm_settle=0.4)),
    "a7670": (
        _bug(volte_drops=True, harmless=False),
        _bug(vague_end=True),
        _cured(wears_out="no uplink"),
        _cured(pcm_settle=0.4),
    ),
    "sim800": (_bug(clcc_urc=False),),
    "huawei": (
        _bug(cend="short"),
        _bug(cend="empty cause"),
        _bug(cend_status=255),
        _bug(cend_twice=True),
        _bug(early_chup_no_cend=True),
        _bug(no_conf=True),
    ),
}
WIRED = (
    *EVERYWHERE,
    Trouble("a dead line", _change(line=False), _change(line=True)),
    _bug(misses_off_hook=1, harmless=False, damages=True),
    _bug(cuts=True),
    _bug(traps=True),
    _bug(slow=0.02),
    _bug(clearing="dial tone"),
    _bug(clearing="loop break"),
    _bug(polarity=True),
    _bug(caller_id="incomplete"),
    _bug(caller_id="none"),
    _bug(echo_db=12.0),
    _bug(clock_ppm=200.0),
    _bug(announces=False),
    _bug(vtr=False),
)


def troubles(name, *, analog):
    """What may happen to this line."""
    if analog:
        return WIRED
    known = {"odd": (NO_CHUP,), "huawei": (LATE_OK,)}  # the one says no OK at all, the other knows only +CHUP
    return (*RADIO, *known.get(name, (LATE_OK, NO_CHUP)), *OF_FAMILY.get(name, ()) * 2)
