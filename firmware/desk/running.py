"""A booth that runs on a rig, on a thread of its own, and can be watched."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Self

from firmware.__main__ import compose
from firmware.booth import Booth
from firmware.desk.modems import MODEMS
from firmware.desk.rig import Rig
from firmware.screens.scene import Scene
from firmware.screens.view import View
from firmware.settings import Settings

PATIENCE = 10.0  # seconds that stop() waits for a booth to put its things away


class BoothDied(RuntimeError):
    """The booth ended although nobody asked it to; the cause is its own."""


class RunningBooth:
    """The booth of one rig. It can be stopped and started again, as by its mains switch."""

    def __init__(self, rig: Rig, settings: Settings) -> None:
        self.rig, self.settings = rig, settings
        self.scene: Scene | None = None
        self.view: View | None = None
        self._death: BaseException | None = None
        self._news = threading.Condition()
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Switch it off; returns when it has put its things away. Raises BoothDied if it had done so by itself."""
        self.booth.stop()
        self._thread.join(PATIENCE)
        if self._death is not None:
            raise BoothDied("the booth has stopped by itself") from self._death

    def restart(self) -> None:
        """Switch it off and on."""
        self.stop()
        self.rig.power_on()
        self._start()

    def change_modem(self, name: str) -> None:
        """Switch it off, put another modem of MODEMS in, switch it on. Raises KeyError for a modem that no desk has."""
        if name not in MODEMS:
            raise KeyError(name)
        self.stop()
        self.rig.change_modem(name)
        line = replace(self.rig.line, secrets=self.settings.line.secrets)
        self.settings = replace(self.settings, line=line)
        self._start()

    @property
    def died(self) -> bool:
        """Whether it has stopped by itself."""
        return self._death is not None

    def wait_for(self, what: str, seen: Callable[[Scene, View], bool], patience: float = 30.0) -> Scene:
        """Until the booth shows what `seen` looks for. Raises TimeoutError that names `what`, or BoothDied."""
        with self._news:
            self._news.wait_for(lambda: self._death is not None or self._sees(seen), patience)
            if self._death is not None:
                raise BoothDied(what) from self._death
            if self.scene is None or not self._sees(seen):
                state = self.scene.state.name if self.scene else "nothing"
                raise TimeoutError(f"{what}: not within {patience:g} s; the booth is at {state}")
            return self.scene

    def _sees(self, seen: Callable[[Scene, View], bool]) -> bool:
        return self.scene is not None and self.view is not None and seen(self.scene, self.view)

    def _start(self) -> None:
        self.booth: Booth = compose(self.settings, self.rig.hardware, clock=self.rig.clock(), sample_allowed=True)
        self.booth.watch(self._look)
        self._thread = threading.Thread(target=self._run, name="booth")
        self._thread.start()

    def _look(self, scene: Scene, view: View) -> None:
        with self._news:
            self.scene, self.view = scene, view
            self._news.notify_all()

    def _run(self) -> None:
        try:
            self.booth.run()
        except BaseException as death:
            with self._news:
                self._death = death
                self._news.notify_all()
            raise
