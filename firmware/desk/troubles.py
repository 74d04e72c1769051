"""What can be done to a booth, and undone: plug, SIM, port, clock, card, network."""

from collections.abc import Callable
from dataclasses import dataclass

from firmware.desk.cable import Cable
from firmware.desk.office import Office
from firmware.desk.running import RunningBooth

GARBLED = 0.2  # of all bytes


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble: whether it is there, and how it begins and ends."""

    present: Callable[[], bool]
    begin: Callable[[], None]
    end: Callable[[], None]


def troubles(running: RunningBooth, office: Office | None = None) -> dict[str, Trouble]:
    """Every trouble of words.TROUBLES by its name; without an office no network can be cut."""
    rig, modem = running.rig, running.rig.modem

    def be_silent(*, silent: bool) -> None:
        modem.silent = silent

    def garble(share: float) -> None:
        modem.garble = share

    def set_sim(state: str) -> None:
        modem.sim = state

    def forget_time() -> None:
        rig.set_clock(1970)
        running.stop()  # a booth that runs knows the time by itself
        if office is not None:
            office.forget_time()
        running.restart()

    network = {} if office is None else {"network": _network(office.cable)}
    return network | {
        "unplugged": Trouble(lambda: not modem.plugged, rig.unplug, rig.plug),
        "clock": Trouble(lambda: not rig.timepiece.right, forget_time, rig.restore_clock),
        "mute": Trouble(lambda: modem.silent, lambda: be_silent(silent=True), lambda: be_silent(silent=False)),
        "garble": Trouble(lambda: modem.garble > 0, lambda: garble(GARBLED), lambda: garble(0.0)),
        "no-sim": Trouble(lambda: modem.sim != "READY", lambda: set_sim("NOT INSERTED"), lambda: set_sim("READY")),
        "full-card": Trouble(lambda: rig.card_full, rig.fill_card, rig.empty_card),
    }


def _network(cable: Cable) -> Trouble:
    return Trouble(lambda: cable.is_cut, cable.cut, cable.mend)
