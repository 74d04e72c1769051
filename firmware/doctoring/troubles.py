"""What can be wrong with a line, the most urgent first, and what to do about it: a table and pure rules."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from firmware.doctoring.report import Patient, Report
from firmware.doctoring.words import phrase
from firmware.screens.words import FAULTS, SIM_TROUBLES
from firmware.text.catalogue import Text
from hw.checkup import Checkup, Contact
from hw.events import Fault
from hw.gsm import FAMILIES
from hw.modems.known import Kind, Role

LAST_TRY = 1  # with so many tries left no PIN is given
WEAK = 5  # +CSQ: -103 dBm; below it calls break off
GAPS = 10  # gaps in the sound of the last calls that are not worth a word
MISSED = ("underrun", "overflow", "dropped", "gap", "lost")


class Entry(NamedTuple):
    """What is wrong, and what to do; a hint does not keep the booth from calling."""

    said: str
    advice: str
    hint: bool = False


def _as_on_screen(fault: Fault) -> Entry:
    return Entry(FAULTS[fault].said, FAULTS[fault].advice)


_NO_SCREEN = phrase('Write its PIN as pin = "…" under [line] of device.toml, or key it on the booth.')

TABLE: dict[str, Entry] = {
    "settings": Entry(
        phrase("device.toml is not in order: {what}"), phrase("Correct it; `booth check` lists all its faults.")
    ),
    "no-modem": _as_on_screen(Fault.ABSENT),
    "disguised": Entry(
        phrase("{name} still shows itself as a CD-ROM"),
        phrase("Install usb-modeswitch (sudo apt install usb-modeswitch), then plug it in again."),
    ),
    "no-driver": Entry(
        phrase("{name} has no serial port"),
        phrase("Wait ten seconds. If none comes, plug it in again; if that does not help, no driver knows this modem."),
    ),
    "absent": Entry(
        phrase("There is no {port}"),
        phrase('See above what is plugged in, or write port = "auto" under [line] of device.toml.'),
    ),
    "forbidden": Entry(
        phrase("{port} may not be opened by this user"),
        phrase("Use sudo, or install the rules (booth-provision udev) and put the user into the group dialout."),
    ),
    "silent": _as_on_screen(Fault.SILENT),
    "garbled": _as_on_screen(Fault.GARBLED),
    "several": Entry(
        phrase("{count} modems are plugged in and device.toml does not say which one to use"),
        phrase('Write usb = "{path}" (or another one\'s) under [line] of device.toml.'),
    ),
    "no-sim": _as_on_screen(Fault.NO_SIM),
    "sim-unread": Entry(
        phrase("No SIM card, or one that cannot be read"),
        phrase("Take it out and put it in again, gold side down. If that does not help, try another one."),
    ),
    "puk": Entry(SIM_TROUBLES["puk"].said, SIM_TROUBLES["puk"].advice),
    "pin-few": Entry(SIM_TROUBLES["few"].said, SIM_TROUBLES["few"].advice),
    "pin": Entry(phrase("The SIM card wants its PIN (tries left: {tries})"), _NO_SCREEN),
    "denied": Entry(
        phrase("The network refuses this SIM card"),
        phrase("Ask the operator whether the contract runs and whether it lets this model of modem in."),
    ),
    "no-network": _as_on_screen(Fault.NO_NETWORK),
    "no-voice": _as_on_screen(Fault.NO_VOICE),
    "voiceless": Entry(phrase("This modem's firmware has a known fault: {flaw}"), phrase("Use another modem.")),
    "no-voice-port": Entry(
        phrase("{name} shows no port for the voice"),
        phrase("Wait ten seconds. If none comes, plug it in again; calls would be made, but nobody would hear them."),
    ),
    "no-card": Entry(
        phrase("No sound card is plugged in"), phrase("Plug in the USB handset, headset or sound card of the booth.")
    ),
    "flaw": Entry(
        phrase("This modem's firmware has a known fault: {flaw}"), phrase("Ask its seller for a newer one."), hint=True
    ),
    "volte-off": Entry(
        phrase("VoLTE is off"),
        phrase("Where a network has neither 2G nor 3G, no call works without it: have it switched on in the modem."),
        hint=True,
    ),
    "weak": Entry(
        phrase("The signal is weak ({dbm} dBm)"), phrase("Move the modem or its aerial nearer to a window."), hint=True
    ),
    "note": Entry(phrase("About {name}"), "{note}", hint=True),
    "gaps": Entry(
        phrase("The sound of the last calls had gaps ({count})"),
        phrase("Give the modem a USB hub with its own power supply, and close other programs."),
        hint=True,
    ),
    "kept-back": Entry(
        phrase("The server will not have some of what the booth has to tell ({count}): {what}"),
        phrase("Nothing is lost. See each with booth-sync status, and offer it once more with booth-sync retry --all."),
        hint=True,
    ),
    "stranger": Entry(
        phrase("Nobody here knows {name}"),
        phrase("Save what it says with --transcript FILE, and send that to the support."),
        hint=True,
    ),
    "in-use": Entry(
        phrase("{port} is in use by the booth"),
        phrase("The booth's screen shows how the line is. To have it examined here, stop the booth first."),
        hint=True,
    ),
}
"""By code, the most urgent first."""
_ORDER = {code: place for place, code in enumerate(TABLE)}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong; `where`: at which modem."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)
    where: str = ""
    minor: bool = False  # it is not the booth's modem that has it

    @property
    def hint(self) -> bool:
        """Whether calls can be made all the same."""
        return self.minor or TABLE[self.code].hint

    def said(self, say: Text) -> str:
        """What is wrong."""
        return self._told(TABLE[self.code].said, say)

    def advice(self, say: Text) -> str:
        """What to do."""
        return self._told(TABLE[self.code].advice, say)

    def _told(self, msgid: str, say: Text) -> str:
        # Values are texts of our own tables or of the machine's; those of the tables have translations.
        values = {name: say(value) if isinstance(value, str) else value for name, value in self.values.items()}
        return say(msgid, **values) if values else say(msgid)


def troubles(report: Report) -> list[Trouble]:
    """All that is wrong, the most urgent first, hints last."""
    found = [Trouble("settings", {"what": report.settings})] if report.settings else []
    modems = [one for one in report.patients if not (one.found and one.found.kind is Kind.ADAPTER and _mute(one))]
    if not modems:
        found.append(Trouble("no-modem"))
    ours = [one for one in modems if one.ours]
    if report.choosing and len(ours) > 1:
        found.append(Trouble("several", {"count": len(ours), "path": ours[0].where}))
    if report.cards == ():
        found.append(Trouble("no-card"))
    gaps = missed(report.sound)
    if gaps > GAPS:
        found.append(Trouble("gaps", {"count": gaps}))
    if report.kept_back:
        found.append(Trouble("kept-back", {"count": len(report.kept_back), "what": report.kept_back[0]}))
    at_work = any(one.checkup and one.checkup.contact in {Contact.ANSWERS, Contact.IN_USE} for one in ours)
    for one in modems:
        where = one.where if len(modems) > 1 else ""
        minor = not one.ours or (at_work and one.checkup is None)  # a modem without a port is not the one that works
        found += [replace(trouble, where=where, minor=minor) for trouble in _of(one)]
    return sorted(found, key=lambda trouble: (trouble.hint, _ORDER[trouble.code]))


def missed(counts: object) -> int:
    """How many frames or moments of sound were missed, wherever the booth counted them."""
    if isinstance(counts, Mapping):
        own = (value for name, value in counts.items() if any(word in str(name) for word in MISSED))
        return sum(value for value in own if isinstance(value, int)) + sum(missed(inner) for inner in counts.values())
    return sum(missed(inner) for inner in counts) if isinstance(counts, list) else 0


def _mute(one: Patient) -> bool:
    """A serial adapter behind which nothing answers is no modem."""
    return one.checkup is None or one.checkup.contact in {Contact.SILENT, Contact.GARBLED}


def _of(one: Patient) -> Iterator[Trouble]:
    known, values = one.found.known if one.found else None, {"name": one.name, "port": one.port}
    if known and known.kind is Kind.DISGUISED:
        yield Trouble("disguised", values)
    elif one.checkup is None:
        yield Trouble("no-driver", values)
    elif one.checkup.contact is not Contact.ANSWERS:
        yield Trouble(one.checkup.contact.value.replace(" ", "-"), values)
    else:
        yield from _of_sim(one.checkup)
        yield from _of_network(one.checkup)
        yield from _of_voice(one.checkup)
        if not (known or one.checkup.family) or one.checkup.family == "v253":
            yield Trouble("stranger", values)
    if known and known.note and (known.kind is Kind.GSM or (one.checkup and one.checkup.family == "sim800")):
        yield Trouble("note", {"name": one.name, "note": known.note})
    if _lacks_voice_port(one):
        yield Trouble("no-voice-port", values)


def _of_sim(checkup: Checkup) -> Iterator[Trouble]:
    tries = checkup.tries
    if checkup.sim in {"NOT INSERTED", "NOT READY"}:
        yield Trouble("no-sim")
    elif checkup.sim == "ERROR":
        yield Trouble("sim-unread")
    elif "PUK" in checkup.sim:
        yield Trouble("puk")
    elif checkup.sim not in {"READY", ""}:
        yield Trouble("pin-few") if tries is not None and tries <= LAST_TRY else Trouble("pin", {"tries": tries or "?"})


def _of_network(checkup: Checkup) -> Iterator[Trouble]:
    if checkup.sim != "READY":
        return
    if checkup.status == 3:
        yield Trouble("denied")
    elif not checkup.registered:
        yield Trouble("no-network")
    elif checkup.signal and checkup.signal.rssi is not None and checkup.signal.rssi <= WEAK:
        yield Trouble("weak", {"dbm": dbm(checkup.signal.rssi)})
    if checkup.registered and checkup.volte is False:
        yield Trouble("volte-off")


def _of_voice(checkup: Checkup) -> Iterator[Trouble]:
    if checkup.voice is False and checkup.family:
        yield Trouble("no-voice")
    if checkup.flaw:
        yield Trouble("voiceless" if checkup.flaw.voiceless else "flaw", {"flaw": checkup.flaw.advice})


def _lacks_voice_port(one: Patient) -> bool:
    family = FAMILIES.get(one.checkup.family) if one.checkup else None
    roles = one.found.known.roles.values() if one.found and one.found.known else ()
    by_port = family is not None and family.sound.via == "port" and Role.PCM in roles
    return by_port and one.found is not None and Role.PCM not in one.found.ports


def dbm(rssi: int) -> int:
    """Received strength by 27.007 in dBm."""
    return 2 * rssi - 113
