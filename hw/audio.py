"""The handset's sound card, through PortAudio: two bounded queues of 20 ms frames and nothing else."""

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Iterator

import pyaudio

from hw.contracts import FRAME, RATE, SILENCE
from hw.errors import AudioError, MisuseError

SAMPLES = FRAME // 2
CAP = 10  # frames: 200 ms; what has waited longer is stale, and the oldest goes
PREFILL = 2  # frames that must wait before the card is fed: it takes them at its own pace, not at the path's
PATIENCE = 1.0  # seconds that close() waits for PortAudio
HEARS, SPEAKS = "maxInputChannels", "maxOutputChannels"
WHAT = {HEARS: "microphone", SPEAKS: "earpiece"}


class SoundCard:
    """Fulfils contracts.Handset on a sound card; names are (parts of) what PortAudio calls the devices, "" the default."""

    def __init__(self, input: str = "", output: str = "") -> None:  # noqa: A002  # as device.toml has it
        self.dropped = 0  # frames that came too fast for us or for the card
        self.underruns = 0  # times the card wanted a frame and there was none
        self._names = {HEARS: input, SPEAKS: output}
        self._heard: deque[bytes] = deque(maxlen=CAP)
        self._to_say: deque[bytes] = deque(maxlen=CAP)
        self._speaking = False
        self._portaudio: pyaudio.PyAudio | None = None
        self._streams: list[pyaudio.Stream] = []
        self._stuck = False

    def open(self) -> None:
        """Begin to hear and speak; raises AudioError, which names the device asked for and those there are."""
        if self._stuck:
            raise AudioError("a sound card went away and PortAudio has not let go of it: the booth must start again")
        if self._portaudio is not None:
            raise MisuseError("the sound card is open already")
        self._streams.clear()
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
        self._speaking = False

    @property
    def alive(self) -> bool:
        """Whether the card still runs; False once it was unplugged (or closed), and then it has to be opened again."""
        return bool(self._streams) and all(stream.is_active() for stream in self._streams)

    def read(self) -> bytes | None:
        """The oldest frame that the microphone heard."""
        return self._heard.popleft() if self._heard else None

    def write(self, frame: bytes) -> None:
        """Say a frame when the card wants one; the oldest goes when too many wait."""
        self.dropped += len(self._to_say) == CAP
        self._to_say.append(frame)

    def _open_stream(self, portaudio: pyaudio.PyAudio, side: str, **settings: object) -> None:
        device, name = _find(portaudio, side, self._names[side])
        settings |= _index(side, device)
        try:
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
        self.dropped += len(self._heard) == CAP
        self._heard.append(frame)
        return None, pyaudio.paContinue

    def _speak(self, _none: None, _count: int, _times: object, _flags: int) -> tuple[bytes, int]:
        if not self._speaking and len(self._to_say) < PREFILL:
            return SILENCE, pyaudio.paContinue
        try:
            frame, self._speaking = self._to_say.popleft(), True
        except IndexError:
            frame, self._speaking = SILENCE, False
            self.underruns += 1
        return frame, pyaudio.paContinue


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
