"""A sound card, through PortAudio, 20 ms at a time: the handset's, or one that carries a modem's voice."""

import contextlib
import ctypes
import os
import sys
import threading
from collections import deque
from collections.abc import Iterator
from typing import ClassVar

import pyaudio

from hw.contracts import RATE
from hw.echo import EchoCanceller
from hw.errors import AudioError, MisuseError
from hw.jitter import CAP, SAMPLES, Jitter

PREFILL = 2  # frames that must wait before the card is fed: it takes them at its own pace, not at the path's
# Seconds of sound that the card holds besides the 20 ms it works on: with less than 80 ms in all, USB on a Raspberry Pi
# crackles. PyAudio asks for the least that there is, 20 to 40 ms, and lets nobody else decide.
CUSHION = 0.06
PORTAUDIO = "libportaudio.so.2"
PLUG = "PA_ALSA_PLUGHW"  # tells PortAudio to let ALSA convert: many cards know nothing but 48 kHz in stereo
PATIENCE = 1.0  # seconds that close() waits for PortAudio
HEARS, SPEAKS = "maxInputChannels", "maxOutputChannels"
WHAT = {HEARS: "microphone", SPEAKS: "earpiece"}


class SoundCard:
    """Fulfils contracts.Handset on a sound card; names are (parts of) what PortAudio calls the devices, "" the default.

    With `loudspeaker`, what the card plays is taken out of what its microphone hears; WiringError if that cannot be.
    The card takes frames by its own clock: they are fitted to it, a sample at a time, as hw.jitter does.
    """

    def __init__(self, input: str = "", output: str = "", *, loudspeaker: bool = False) -> None:  # noqa: A002  # as device.toml has it
        self._names = {HEARS: input, SPEAKS: output}
        self._echo = EchoCanceller() if loudspeaker else None
        self._heard: deque[bytes] = deque(maxlen=CAP)
        self._to_say: deque[bytes] = deque(maxlen=CAP)
        self._portaudio: pyaudio.PyAudio | None = None
        self._streams: list[pyaudio.Stream] = []
        self._stuck = False
        self._begin()

    def _begin(self) -> None:
        """Nothing heard, nothing to say, nothing counted."""
        self._lost = 0
        self._heard.clear()
        self._to_say.clear()
        self._mouth = Jitter(self._next_to_say, PREFILL)
        if self._echo:
            self._echo.forget()

    @property
    def dropped(self) -> int:
        """Frames since it was opened that came too fast for us or for the card."""
        return self._lost + self._mouth.overflows

    @property
    def underruns(self) -> int:
        """Times since it was opened that the card wanted a frame and there was none."""
        return self._mouth.underruns

    @property
    def adjusted(self) -> int:
        """Frames to the card that were made a sample longer or shorter, because clocks differ."""
        return self._mouth.adjusted

    def open(self) -> None:
        """Begin to hear and speak; raises AudioError, which names the device asked for and those there are."""
        if self._stuck:
            raise AudioError("a sound card went away and PortAudio has not let go of it: the booth must start again")
        if self._portaudio is not None:
            raise MisuseError("the sound card is open already")
        self._streams.clear()
        self._begin()
        os.environ.setdefault(PLUG, "1")
        with _hushed():
            portaudio = pyaudio.PyAudio()
            try:
                self._open_stream(portaudio, HEARS, input=True, stream_callback=self._hear)
                self._open_stream(portaudio, SPEAKS, output=True, stream_callback=self._speak)
            except AudioError:
                self._release(portaudio)
                raise
        self._portaudio = portaudio

    def close(self) -> None:
        """Let go of the card; harmless when it is not open."""
        portaudio, self._portaudio = self._portaudio, None
        if portaudio is not None:
            self._release(portaudio)
        self._streams.clear()
        self._heard.clear()
        self._to_say.clear()

    @property
    def alive(self) -> bool:
        """Whether the card still runs; False once it was unplugged (or closed), and then it has to be opened again."""
        return bool(self._streams) and all(stream.is_active() for stream in self._streams)

    def read(self) -> bytes | None:
        """The oldest frame that the microphone heard."""
        return self._heard.popleft() if self._heard else None

    def write(self, frame: bytes) -> None:
        """Say a frame when the card wants one; the oldest goes when too many wait."""
        self._lost += len(self._to_say) == CAP
        self._to_say.append(frame)

    def _open_stream(self, portaudio: pyaudio.PyAudio, side: str, **settings: object) -> None:
        try:
            device, name = _find(portaudio, side, self._names[side])
            settings |= _index(side, device)
            _cushion(portaudio, side, device)
            stream = portaudio.open(RATE, 1, pyaudio.paInt16, frames_per_buffer=SAMPLES, **settings)
        except (OSError, ValueError) as problem:
            raise AudioError(
                f"the {WHAT[side]} {name!r} does not open: {problem}; {_present(portaudio, side)}"
            ) from problem
        self._streams.append(stream)

    def _release(self, portaudio: pyaudio.PyAudio) -> None:
        # When a card goes away, PortAudio 19.6 may spin on its errors for ever, and then waits for ever for itself.
        ending = threading.Thread(target=portaudio.terminate, name="sound card", daemon=True)
        ending.start()
        ending.join(PATIENCE)
        self._stuck = ending.is_alive()

    # On PortAudio's own threads, which must never wait: they move bytes and count.

    def _hear(self, frame: bytes, _count: int, _times: object, _flags: int) -> tuple[None, int]:
        self._lost += len(self._heard) == CAP
        self._heard.append(self._echo.cleaned(frame) if self._echo else frame)
        return None, pyaudio.paContinue

    def _speak(self, _none: None, _count: int, _times: object, _flags: int) -> tuple[bytes, int]:
        frame = self._mouth.take()
        if self._echo:
            self._echo.played(frame)
        return frame, pyaudio.paContinue

    def _next_to_say(self) -> bytes | None:
        try:
            return self._to_say.popleft()
        except IndexError:
            return None


def _find(portaudio: pyaudio.PyAudio, side: str, wanted: str) -> tuple[int | None, str]:
    """Number and name of the one device that is meant; number None for the default."""
    if not wanted:
        return None, "default"
    devices = _devices(portaudio, side)
    hits = [number for number, name in devices.items() if name == wanted]
    hits = hits or [number for number, name in devices.items() if wanted.lower() in name.lower()]
    if len(hits) == 1:
        return hits[0], devices[hits[0]]
    which = "several are called" if hits else "there is no"
    raise AudioError(f"{which} {WHAT[side]} {wanted!r}; {_present(portaudio, side)}")


def _index(side: str, device: int | None) -> dict[str, int | None]:
    return {"input_device_index" if side == HEARS else "output_device_index": device}


class _DeviceInfo(ctypes.Structure):
    """PaDeviceInfo of portaudio.h."""

    _fields_: ClassVar = [
        ("version", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("host_api", ctypes.c_int),
        ("inputs", ctypes.c_int),
        ("outputs", ctypes.c_int),
        ("low_input", ctypes.c_double),
        ("low_output", ctypes.c_double),
    ]


def _cushion(portaudio: pyaudio.PyAudio, side: str, device: int | None) -> None:
    """Have PyAudio ask for enough: what it takes for the device's lowest latency is changed. OSError without a device."""
    if device is None:
        default = portaudio.get_default_input_device_info if side == HEARS else portaudio.get_default_output_device_info
        device = int(default()["index"])
    library = ctypes.CDLL(PORTAUDIO)  # the very one that PyAudio has loaded
    library.Pa_GetDeviceInfo.restype = ctypes.POINTER(_DeviceInfo)
    info = library.Pa_GetDeviceInfo(device).contents
    info.low_input, info.low_output = max(info.low_input, CUSHION), max(info.low_output, CUSHION)


def _devices(portaudio: pyaudio.PyAudio, side: str) -> dict[int, str]:
    found = (portaudio.get_device_info_by_index(number) for number in range(portaudio.get_device_count()))
    return {int(device["index"]): str(device["name"]) for device in found if int(device[side])}


def _present(portaudio: pyaudio.PyAudio, side: str) -> str:
    names = ", ".join(map(repr, _devices(portaudio, side).values()))
    return f"present: {names}" if names else "no sound device is present at all"


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Keep ALSA and JACK from telling the terminal about every device that this machine has not got."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
