"""What makes one booth different from another: device.toml, read once at start, refused with every fault it has."""

import re
import tomllib
from collections import Counter
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
import pyrage

from firmware import rulepack, tariff
from firmware.clock import Trust
from firmware.known import Rules
from firmware.pin import is_hash
from firmware.rulepack import RulePackError
from firmware.sim import is_sim_pin
from firmware.tables import Driver, Reader, Rule, Secret

EXAMPLE_RECIPIENT = "age1ewru8ms6rwxf6j4c2k2un8vefc2evw07kg4azqjtq6yuz8rpsq8s9qug7q"
"""The recipient in `example()`: nobody has its other half, so what is sealed to it is lost."""
NO_PIN = Secret()
STRICT = Rules()
NO_LAMPS = Driver("none")


class SettingsError(ValueError):
    """device.toml is wrong; each line of the text is one fault, with its place and what to do."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f'no such time zone: {name!r}; they are named like "Asia/Tokyo"'
    return ""


def _country(code: str) -> str:
    known = code in phonenumbers.SUPPORTED_REGIONS
    return "" if known else f'no such country: {code!r}; write two capital letters, such as "JP" or "GB"'


def _booth(name: str) -> str:
    right = re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z-]{0,15}", name)
    return "" if right else "must be 1 to 16 letters, digits or hyphens: it stands on every record"


def _area_code(code: str) -> str:
    right = not code or (code.isascii() and code.isdigit() and len(code) <= 6)
    return "" if right else 'must be the digits of the area code, such as "03"'


def _recipients(keys: tuple[str, ...]) -> str:
    if not keys:
        return "must name at least one public key (age1…), or no recording could ever be opened"
    bad = [place for place, key in enumerate(keys, 1) if not _is_recipient(key)]
    return f"key {bad[0]} is no public key (age1…): copy it again, one letter is wrong or missing" if bad else ""


def _is_recipient(key: str) -> bool:
    try:
        pyrage.x25519.Recipient.from_str(key)
    except pyrage.RecipientError:
        return False
    return True


def _pin(hashed: Secret) -> str:
    right = not hashed or is_hash(hashed)
    return "" if right else "must be a PIN's hash (scrypt$…), never the PIN itself; `booth-provision pin` makes one"


def _recording(recording: "Recording") -> str:
    sizes = {"keep_days": recording.keep_days, "free_mb": recording.free_mb, "reserve_mb": recording.reserve_mb}
    below = [name for name, value in sizes.items() if value < 0]
    return f"{below[0]} must not be negative" if below else ""


def _sim_pin(digits: str) -> str:
    return "" if is_sim_pin(digits) else "must be the SIM card's PIN: 4 to 8 digits in quotes"


def _agent_id(keyed: str) -> str:
    right = keyed.isascii() and keyed.isdigit() and len(keyed) <= 4
    return "" if right else 'must be 1 to 4 digits in quotes, such as "07": it is keyed to log in'


def _guard(rules: Rules) -> str:
    if rules.sample_allowed:
        return "sample_allowed is no setting: a real line never dials the sample list"
    below = [name for name, value in asdict(rules).items() if value < 0]
    return f"{below[0]} must not be negative" if below else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Who can open the recordings, whether emergency calls are recorded, and how long the booth keeps its copies."""

    recipients: Annotated[
        tuple[str, ...], Rule(check=_recipients, missing="name the public key of your server (age1…)")
    ]
    emergency: bool = False
    keep_days: float = 7.0
    free_mb: int = 1000
    reserve_mb: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSource:
    """Whether the system's clock is believed only while NTP vouches for it, or always (a PC with a battery)."""

    trust: Trust = "synchronised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervisor:
    """The supervisor's PIN; empty: nothing on this booth can be overridden."""

    pin: Annotated[Secret, Rule(check=_pin)] = NO_PIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Somebody who may log in; with an empty PIN by id alone."""

    id: Annotated[str, Rule(check=_agent_id, missing='the digits that the agent keys, such as "07"')]
    name: Annotated[str, Rule(missing="the name that the records show")]
    pin: Annotated[Secret, Rule(check=_pin)] = NO_PIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """Whether somebody has made sure that this line reaches the emergency services."""

    confirmed: bool = False


def _campaign(campaign: "Campaign") -> str:
    try:
        rulepack.chosen(campaign.packs, campaign.unverified)
    except RulePackError as error:
        return "; ".join(error.faults)
    return "attempts must not be negative" if campaign.attempts < 0 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What the calls are about, and the rule packs that hold for them."""

    packs: tuple[str, ...] = ("jp-sales",)
    unverified: tuple[str, ...] = ()
    product: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """What recordings may take of the line to the server: so many kbit/s (0: all of it), and in which hours."""

    limit: Annotated[int, Rule(check=tariff.limit_fault)] = 0
    hours: Annotated[str, Rule(check=tariff.hours_fault)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the agent says, page by page."""

    pages: tuple[str, ...] = ()


SALES = Campaign()
_DRIVER = "say which driver serves it: kind = …"
_LINE = ("family", "port", "audio", "imei", "usb", "model", "country")
_SCREEN = ("port", "device", "speed", "gpio_dc", "gpio_rst", "gpio_light", "address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One booth."""

    booth: Annotated[str, Rule(check=_booth, missing='the name of this booth, such as "3"')]
    language: Literal["ja", "en"] = "ja"
    country: Annotated[str, Rule(check=_country)] = "JP"
    area_code: Annotated[str, Rule(check=_area_code)] = ""
    zone: Annotated[str, Rule(check=_zone)] = "Asia/Tokyo"
    data: Path = Path("/var/lib/boothphone")
    line: Annotated[Driver, Rule(known=_LINE, secrets={"pin": _sim_pin}, missing=_DRIVER)]
    handset: Annotated[Driver, Rule(known=("input", "output", "loudspeaker"), missing=_DRIVER)]
    keypad: Annotated[Driver, Rule(known=("rows", "columns", "keys"), missing=_DRIVER)]
    hook: Annotated[Driver, Rule(known=("pin", "lifted_high"), missing='say which driver serves it, or kind = "none"')]
    lamps: Annotated[Driver, Rule(known=("line", "recording", "sync"))] = NO_LAMPS
    screen: Annotated[Driver, Rule(known=_SCREEN, missing=_DRIVER)]
    recording: Annotated[
        Recording, Rule(check=_recording, missing="say who can open the recordings: recipients = [ … ]")
    ]
    guard: Annotated[Rules, Rule(check=_guard)] = STRICT
    campaign: Annotated[Campaign, Rule(check=_campaign)] = SALES
    clock: TimeSource = TimeSource()
    supervisor: Supervisor = Supervisor()
    agents: Annotated[tuple[Agent, ...], Rule(name="agent")] = ()
    emergency: Emergency = Emergency()
    sync: Sync = Sync()
    script: Script = Script()


def load(path: Path) -> Settings:
    """The settings of a booth at work. Raises SettingsError, also while the example's key still stands in them."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise SettingsError((f"{path}: cannot be read: {problem.strerror}",)) from problem
    except UnicodeDecodeError as problem:
        raise SettingsError((f"{path}: is not UTF-8 text",)) from problem
    settings = parse(text)
    if EXAMPLE_RECIPIENT in settings.recording.recipients:
        raise SettingsError(("recording.recipients: is still the example's; put the public key of your server",))
    return settings


def parse(text: str) -> Settings:
    """The settings in a text. Raises SettingsError with every fault at once.

    >>> parse('[recordng]')
    Traceback (most recent call last):
        ...
    firmware.settings.SettingsError: recordng: there is no such setting (did you mean recording?)
    booth: is missing: the name of this booth, such as "3"
    line: is missing: say which driver serves it: kind = …
    handset: is missing: say which driver serves it: kind = …
    keypad: is missing: say which driver serves it: kind = …
    hook: is missing: say which driver serves it, or kind = "none"
    screen: is missing: say which driver serves it: kind = …
    recording: is missing: say who can open the recordings: recipients = [ … ]
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise SettingsError((f"device.toml: is no TOML: {problem}",)) from problem
    reader = Reader()
    settings = reader.read(table, Settings)
    if settings is not None:
        reader.faults += _between(settings)
    if settings is None or reader.faults:
        raise SettingsError(tuple(reader.faults))
    return settings


def example() -> str:
    """A complete device.toml with an explanation of everything in it; `parse` takes it as it is."""
    return (resources.files("firmware") / "device.example.toml").read_text(encoding="utf-8")


def _between(settings: Settings) -> list[str]:
    """What is wrong between settings that are each right."""
    twice = [keyed for keyed, count in Counter(agent.id for agent in settings.agents).items() if count > 1]
    faults = [f'agent: the id "{keyed}" is given to more than one' for keyed in twice]
    if settings.country != "JP" and settings.campaign == SALES:
        ours = [pack.id for pack in rulepack.shipped().values() if pack.pack.region == settings.country]
        there = f"there are {', '.join(ours)}" if ours else "none is shipped, so write one of your own"
        faults.append(f"campaign.packs: name the rule packs of {settings.country} ({there}), or [] for none")
    return faults
