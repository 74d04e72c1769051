"""What can be done to a booth, and undone: plug, SIM, port, clock, card, network."""

from collections.abc import Callable
from dataclasses import dataclass, field

from firmware.desk.cable import Cable
from firmware.desk.office import Office
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth
from hw.emulated.circumstances import PIN_TRIES
from hw.emulated.gsm import GsmModem

GARBLED = 0.2  # of all bytes
LOST, PIECES = 0.002, 8  # of all bytes, and the longest piece that is left whole: a bad plug
LOCKED = ("SIM PIN", "SIM PUK")


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble: whether it is there, how it begins and ends, and whether the present modem can have it at all."""

    present: Callable[[], bool]
    begin: Callable[[], None]
    end: Callable[[], None]
    fits: Callable[[], bool] = field(default=_always)


def troubles(running: RunningBooth, office: Office | None = None) -> dict[str, Trouble]:
    """Every trouble of words.TROUBLES by its name; without an office no network can be cut.

    The modem is looked up whenever it is needed: it may be exchanged.
    """
    rig = running.rig

    def be_silent(*, silent: bool) -> None:
        rig.modem.silent = silent

    def garble(share: float) -> None:
        rig.modem.garble = share

    def lose(share: float, pieces: int) -> None:
        rig.modem.cable.loss, rig.modem.cable.cut = share, pieces

    def forget_time() -> None:
        rig.set_clock(1970)
        running.stop()  # a booth that runs knows the time by itself
        if office is not None:
            office.forget_time()
        running.restart()

    network = {} if office is None else {"network": _network(office.cable)}
    return network | {
        "unplugged": Trouble(lambda: not rig.modem.plugged, rig.unplug, rig.plug),
        "clock": Trouble(lambda: not rig.timepiece.right, forget_time, rig.restore_clock),
        "mute": Trouble(lambda: rig.modem.silent, lambda: be_silent(silent=True), lambda: be_silent(silent=False)),
        "garble": Trouble(lambda: rig.modem.garble > 0, lambda: garble(GARBLED), lambda: garble(0.0)),
        "lossy": Trouble(lambda: rig.modem.cable.loss > 0, lambda: lose(LOST, PIECES), lambda: lose(0.0, 0)),
        "no-sim": _sim(rig, "NOT INSERTED"),
        "sim-locked": _sim(rig, *LOCKED),
        "full-card": Trouble(lambda: rig.card_full, rig.fill_card, rig.empty_card),
    }


def _network(cable: Cable) -> Trouble:
    return Trouble(lambda: cable.is_cut, cable.cut, cable.mend)


def _sim(rig: Rig, *states: str) -> Trouble:
    """A SIM in one of `states`, the first to begin with; a modem without a SIM cannot have that."""

    def set_sim(state: str) -> None:
        modem = rig.modem
        if isinstance(modem, GsmModem):
            modem.sim, modem.pin_wanted, modem.tries = state, state in LOCKED, PIN_TRIES

    def present() -> bool:
        return isinstance(rig.modem, GsmModem) and rig.modem.sim in states

    return Trouble(present, lambda: set_sim(states[0]), lambda: set_sim("READY"), lambda: rig.kind.has_sim)
