"""Which driver stands behind each word of device.toml. The only place that imports late, and it never falls back."""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, cast

from hw.contracts import Handset, Hook, Keypad, Lamp, Line, Screen, TextScreen
from hw.errors import WiringError

LINES = {"gsm": "hw.gsm:GsmLine", "analog": "hw.voicemodem:VoiceModem"}
HANDSETS = {"pyaudio": "hw.audio:SoundCard"}
KEYPADS = {"matrix": "hw.keypad:MatrixKeypad"}
HOOKS = {"cradle": "hw.hook:Cradle", "none": "hw.hook:NoHook"}
SCREENS = {"ili9341": "hw.lcd:Ili9341", "hd44780": "hw.lcd:Hd44780"}
LAMPS = {"led": "hw.lamp:Led", "none": "hw.lamp:NoLamp"}


def open_line(kind: str, /, **settings: object) -> Line:
    """A telephone line that has yet to be opened."""
    return cast("Line", _made("line", LINES, kind, settings))


def open_handset(kind: str, /, **settings: object) -> Handset:
    """A handset or headset that has yet to be opened."""
    return cast("Handset", _made("handset", HANDSETS, kind, settings))


def open_keypad(kind: str, /, **settings: object) -> Keypad:
    """A keypad that has yet to be opened."""
    return cast("Keypad", _made("keypad", KEYPADS, kind, settings))


def open_hook(kind: str, /, **settings: object) -> Hook:
    """A cradle switch that has yet to be opened; of kind "none" for a headset."""
    return cast("Hook", _made("hook", HOOKS, kind, settings))


def open_screen(kind: str, /, **settings: object) -> Screen | TextScreen:
    """An LCD, ready to show; a TextScreen when its kind is one of characters."""
    return cast("Screen | TextScreen", _made("screen", SCREENS, kind, settings))


def open_lamp(kind: str, /, **settings: object) -> Lamp:
    """A lamp, ready to show."""
    return cast("Lamp", _made("lamp", LAMPS, kind, settings))


def _made(sort: str, table: Mapping[str, str], kind: str, settings: Mapping[str, object]) -> object:
    if kind not in table:
        known = ", ".join(sorted(table))
        raise WiringError(f"no such {sort}: {kind}{_did_you_mean(kind, table)}; known are {known}")
    driver = _driver(sort, kind, table[kind])
    _check(f"{sort} {kind}", driver, settings)
    return driver(**settings)


def _driver(sort: str, kind: str, place: str) -> Callable[..., object]:
    module, _, name = place.partition(":")
    try:
        return cast("Callable[..., object]", getattr(import_module(module), name))
    except ModuleNotFoundError as problem:
        if problem.name is None or problem.name.partition(".")[0] == "hw":
            raise
        raise WiringError(f"{sort} {kind} needs the Python module {problem.name}, which is not installed") from problem


def _check(what: str, driver: Callable[..., Any], settings: Mapping[str, object]) -> None:
    """Compare with the driver's own signature, so that a TypeError inside the driver stays the bug it is."""
    taken = inspect.signature(driver).parameters
    faults = [f"no such setting: {name}{_did_you_mean(name, taken)}" for name in settings if name not in taken]
    faults += [
        f"setting {name} is missing" for name, one in taken.items() if one.default is one.empty and name not in settings
    ]
    if faults:
        raise WiringError(f"{what}: {'; '.join(faults)}")


def _did_you_mean(word: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(word, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
