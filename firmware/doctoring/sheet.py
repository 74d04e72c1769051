"""How the doctor's report looks: a sheet for a terminal, and the same as JSON. IMEIs show their last four digits only."""

from collections.abc import Iterator
from typing import Any
from unicodedata import east_asian_width

from firmware.doctoring.report import Patient, Report
from firmware.doctoring.troubles import Trouble, dbm
from firmware.doctoring.words import phrase
from firmware.text.catalogue import Text
from hw.checkup import VOLTE, Checkup, Contact
from hw.gsm import FAMILIES

LABELS = 12  # columns of the labels
BARS = "▂▄▆█"
RADIO = {0: "GSM (2G)", 2: "UMTS (3G)", 3: "EDGE (2G)", 4: "HSPA (3G)", 5: "HSPA (3G)", 6: "HSPA (3G)", 7: "LTE"}
REGISTRATION = {
    0: phrase("not registered, not searching"),
    1: phrase("registered"),
    2: phrase("searching"),
    3: phrase("refused"),
    5: phrase("registered, roaming"),
}
CONTACT = {
    Contact.IN_USE: phrase("in use by the booth, so it was not asked"),
    Contact.FORBIDDEN: phrase("may not be opened by this user"),
    Contact.SILENT: phrase("does not answer"),
    Contact.GARBLED: phrase("answers nonsense"),
    Contact.ABSENT: phrase("is not there"),
}
SIM = {
    "READY": phrase("ready"),
    "SIM PIN": phrase("wants its PIN, tries left: {tries}"),
    "SIM PUK": phrase("wants its PUK"),
    "NOT INSERTED": phrase("none"),
    "NOT READY": phrase("does not become ready"),
    "ERROR": phrase("cannot be read"),
}
YES = {True: phrase("yes"), False: phrase("no"), None: phrase("it does not say")}


def sheet(report: Report, found: list[Trouble], say: Text) -> Iterator[str]:
    """The lines for a terminal: each modem, the sound, at the end what is wrong."""
    for one in report.patients:
        yield from _patient(one, say)
        yield ""
    if report.cards is not None:
        named = " · ".join(f"{card.number} {card.name}" for card in report.cards)
        yield _row(say("sound cards"), named or say("none"))
    if report.sound:
        yield _row(say("last calls"), ", ".join(_counts(report.sound)))
    if report.cards is not None or report.sound:
        yield ""
    yield from verdict(found, say)


def verdict(found: list[Trouble], say: Text) -> Iterator[str]:
    """What is wrong and what to do, a line each, the most urgent first."""
    if not any(not trouble.hint for trouble in found):
        well = say("Nothing keeps the booth from calling.")
        yield f"✓ {well}"
    for trouble in found:
        where = f"{trouble.where}: " if trouble.where else ""
        yield f"{'·' if trouble.hint else '✗'} {where}{told(trouble, say)}"


def told(trouble: Trouble, say: Text) -> str:
    """One line: what is wrong, and what to do."""
    said, advice = trouble.said(say), trouble.advice(say).rstrip(".。")
    return f"{said}。{advice}。" if say.language == "ja" else f"{said}. {advice[:1].upper()}{advice[1:]}."


def machine(report: Report, found: list[Trouble], say: Text) -> dict[str, Any]:
    """The same for programs."""
    return {
        "ok": all(trouble.hint for trouble in found),
        "verdict": told(found[0], say) if found else "",
        "troubles": [
            {
                "code": trouble.code,
                "hint": trouble.hint,
                "where": trouble.where,
                "said": trouble.said(say),
                "advice": trouble.advice(say),
            }
            for trouble in found
        ],
        "modems": [_plainly(one) for one in report.patients],
        "cards": None if report.cards is None else {str(card.number): card.name for card in report.cards},
        "sound": dict(report.sound),
    }


def _patient(one: Patient, say: Text) -> Iterator[str]:
    device = one.found.device if one.found else None
    yield f"{one.name}  [{device.ident}]" if device else one.name
    if one.found and device:
        yield _row(say("socket"), say("USB {path}", path=device.path))
        ports = [f"{role.value} {port}" for role, port in one.found.ports.items()]
        ports += [f"? {port}" for port in one.found.others]
        yield _row(say("ports"), " · ".join(ports) or say("none"))
        if device.cards:
            yield _row(say("own card"), " · ".join(card.name for card in device.cards))
    if one.checkup and one.checkup.contact is Contact.ANSWERS:
        yield from _answers(one.checkup, say)
    elif one.checkup:
        yield _row(say("contact"), say(CONTACT[one.checkup.contact]))


def _answers(checkup: Checkup, say: Text) -> Iterator[str]:
    about = (checkup.maker, checkup.model, checkup.firmware)
    yield _row(say("says it is"), ", ".join(filter(None, about)) or say("it does not say"))
    if checkup.imei:
        yield _row("IMEI", hidden(checkup.imei))
    yield _row(say("family"), checkup.family or say("unknown"))
    if checkup.sim:
        word = SIM.get(checkup.sim, checkup.sim)
        yield _row("SIM", say(word, tries="?" if checkup.tries is None else checkup.tries))
        if checkup.sim == "READY":
            yield _row(say("network"), _network(checkup, say))
        yield _row(say("signal"), _signal(checkup, say))
    yield _row(say("voice"), say(_voice(checkup)))
    if checkup.family in VOLTE:
        yield _row("VoLTE", say(YES[checkup.volte]))


def _voice(checkup: Checkup) -> str:
    family = FAMILIES.get(checkup.family)
    if checkup.voice is None and family and family.sound.via == "card":
        return phrase("analog, by the sound card of the line")
    return YES[checkup.voice]


def _network(checkup: Checkup, say: Text) -> str:
    if checkup.status is None:
        return say("it does not say")
    radio = RADIO.get(checkup.access) if checkup.access is not None else None
    state = say(REGISTRATION.get(checkup.status, REGISTRATION[1] if checkup.registered else phrase("unknown")))
    return ", ".join(filter(None, (state, checkup.operator, radio)))


def _signal(checkup: Checkup, say: Text) -> str:
    signal = checkup.signal
    if signal is None or signal.rssi is None or signal.bars is None:
        return say("it does not say")
    return f"{BARS[: signal.bars]:·<{len(BARS)}} {dbm(signal.rssi)} dBm"


def _plainly(one: Patient) -> dict[str, Any]:
    checkup, found = one.checkup, one.found
    about: dict[str, Any] = {"name": one.name, "port": one.port, "ours": one.ours}
    if found:
        ports = {role.value: port for role, port in found.ports.items()}
        about |= {"usb": found.device.path, "id": found.device.ident, "ports": ports, "others": list(found.others)}
    if checkup:
        signal = checkup.signal
        about |= {
            "contact": checkup.contact.value,
            "family": checkup.family,
            "maker": checkup.maker,
            "model": checkup.model,
            "firmware": checkup.firmware,
            "imei": hidden(checkup.imei),
            "sim": checkup.sim,
            "tries": checkup.tries,
            "status": checkup.status,
            "registered": checkup.registered,
            "operator": checkup.operator,
            "access": checkup.access,
            "rssi": signal.rssi if signal else None,
            "voice": checkup.voice,
            "volte": checkup.volte,
        }
    return about


def hidden(imei: str) -> str:
    """An IMEI of which only the last four digits can be read."""
    return "x" * (len(imei) - 4) + imei[-4:]


def _counts(counts: object, name: str = "") -> Iterator[str]:
    """Numbers with their names, however deep the booth has put them."""
    if isinstance(counts, dict):
        for inner, value in counts.items():
            yield from _counts(value, f"{name} {inner}".strip())
    elif isinstance(counts, list):
        for value in counts:
            yield from _counts(value, name)
    else:
        yield f"{name} {counts}"


def _row(label: str, text: str) -> str:
    width = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in label)
    return f"  {label}{' ' * max(1, LABELS - width)}{text}"
