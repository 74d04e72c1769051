"""What a desk booth keeps between runs: its settings, the sample list, and the key that opens its recordings."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pyrage

from firmware import listfile
from firmware.calls import Calls
from firmware.clock import Clock
from firmware.desk.modems import FIRST, name_of
from firmware.desk.rig import Rig, random_pin
from firmware.desk.words import Language, texts
from firmware.pin import hash_pin
from firmware.settings import Settings, parse

DEVICE = "device.toml"
KEY = "recordings.key"
STRANGER = "03-1234-5699"  # on no list
MOST = 100  # numbers to choose from when somebody calls in

Callers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A card that a booth can start from. `pin` is the supervisor's, if it was made just now."""

    settings: Settings
    callers: Callers
    pin: str | None


def identity(directory: Path) -> pyrage.x25519.Identity:
    """The key that opens the recordings of this card, made at the first run.

    A real booth has the public half only; here it lies beside what it opens, for the demo must be able to play it.
    """
    file = directory / KEY
    if not file.exists():
        directory.mkdir(parents=True, exist_ok=True)
        file.touch(0o600)
        file.write_text(f"{pyrage.x25519.Identity.generate()}\n", encoding="ascii")
    return pyrage.x25519.Identity.from_str(file.read_text(encoding="ascii").strip())


def last_language(directory: Path) -> Language:
    """The language of the last start, Japanese before the first. Raises SettingsError when device.toml was spoilt."""
    file = directory / DEVICE
    return parse(file.read_text(encoding="utf-8")).language if file.exists() else "ja"


def last_modem(directory: Path) -> str:
    """The modem of the last start, a name of MODEMS. Raises SettingsError when device.toml was spoilt."""
    file = directory / DEVICE
    return name_of(parse(file.read_text(encoding="utf-8")).line) if file.exists() else FIRST


def prepared(
    rig: Rig, language: Language | None = None, *, new_pin: bool = False, recipients: tuple[str, ...] = ()
) -> Card:
    """Make the rig's card ready to start from; what is there already stays.

    `language` is the one to start with, if not the last one used. Recordings are sealed to `recipients` (age public
    keys; if there are none, as the last time) and to the card's own key. Raises SettingsError when device.toml was spoilt.
    """
    file = rig.directory / DEVICE
    before = parse(file.read_text(encoding="utf-8")) if file.exists() else None
    sealed_to = recipients or (before.recording.recipients if before else ())
    rig.recipients = tuple(dict.fromkeys((*sealed_to, *rig.recipients)))
    pin = None
    kept = before.supervisor.pin if before else ""
    if new_pin or not before:
        pin = random_pin()
        kept = hash_pin(pin)
    file.write_text(rig.device_toml(kept), encoding="utf-8")
    settings = parse(file.read_text(encoding="utf-8"))
    calls = Calls(settings.data / "booth.db", settings.booth, Clock(settings.clock.trust))
    try:
        if language:
            calls.remember("language", language)
        if not calls.lists():
            _add_sample(calls, settings)
        return Card(settings, _callers(calls), pin)
    finally:
        calls.close()


def keep(rig: Rig, settings: Settings) -> None:
    """Write down what the rig has become while it ran with `settings`."""
    (rig.directory / DEVICE).write_text(rig.device_toml(settings.supervisor.pin), encoding="utf-8")


def _add_sample(calls: Calls, settings: Settings) -> None:
    name = texts(settings.language)["sample"]
    source = resources.files("firmware.desk") / f"sample.{settings.language}.csv"
    with resources.as_file(source) as file:
        calls.add_list(name, listfile.read(file, settings.country, settings.area_code).entries, sample=True)


def _callers(calls: Calls) -> Callers:
    first = calls.lists()[0]
    listed = [(one.number.dialled, f"{one.number.shown} {one.name}") for one in calls.customers(first.id, 0, MOST)]
    return (*listed, (STRANGER.replace("-", ""), STRANGER))
