"""What the three lamps say: line, recording, sync."""

from collections.abc import Mapping

from firmware.callflow import State
from firmware.screens.scene import Scene
from hw.contracts import Glow, Lamp


def glows(scene: Scene, *, ready: bool) -> dict[str, Glow]:
    """How each lamp glows: green line ready or ringing; red recording; blue pending sync, or trouble with the card."""
    recording = scene.header.recording
    line: Glow = "blink" if scene.state is State.RINGING_IN else ("on" if ready else "off")
    sync: Glow = "blink" if recording == "failed" else ("on" if scene.header.pending else "off")
    red: Glow = {"on": "on", "paused": "blink"}.get(recording, "off")  # type: ignore[assignment]
    return {"line": line, "recording": red, "sync": sync}


class Signs:
    """Tells each lamp only what is new to it."""

    def __init__(self, lamps: Mapping[str, Lamp]) -> None:
        self._lamps = lamps
        self._shown: dict[str, Glow] = {}

    def show(self, scene: Scene, *, ready: bool) -> None:
        """Light the lamps as `scene` wants them."""
        for name, glow in glows(scene, ready=ready).items():
            if name in self._lamps and self._shown.get(name) != glow:
                self._lamps[name].show(glow)
                self._shown[name] = glow
