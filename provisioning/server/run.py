"""A whole server in the process that asks for it: for a test, or for whoever needs no more."""

import logging
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

from provisioning.server import parts
from provisioning.server.lock import Lock
from provisioning.server.pages.gate import HERE
from provisioning.server.parts import Parts
from provisioning.server.places import Place
from provisioning.server.serving import Serving

log = logging.getLogger(__name__)


class Server:
    """Both listeners on a thread of their own. What the directory lacks is made. Raises TakenError or OSError.

    Port 0: any that is free. `url` is the booth API's as booths reach it, when that is not where it listens; `hosts` are
    the names by which browsers may know the pages; `zone` is that of the times on the pages.
    """

    def __init__(
        self,
        directory: Path,
        *,
        host: str = "127.0.0.1",
        api_port: int = 0,
        pages_host: str = "127.0.0.1",
        pages_port: int = 0,
        url: str = "",
        hosts: Collection[str] = HERE,
        zone: str = "Asia/Tokyo",
    ) -> None:
        parts.make(directory)
        with ExitStack() as undo:
            undo.enter_context(Lock(directory))
            self.parts = Parts.open(directory)
            undo.callback(self.parts.close)
            booths = undo.enter_context(Place.bound(host, api_port))
            browsers = undo.enter_context(Place.bound(pages_host, pages_port))
            self.api_url, self.pages_url = url or f"https://{booths.address}", f"http://{browsers.address}"
            self.parts.reached_at(self.api_url)
            self._serving = Serving(self.parts, booths, browsers, api_url=self.api_url, hosts=hosts, zone=zone)
            self._undo = undo.pop_all()

    @property
    def pin(self) -> str:
        """Of the key in use."""
        return self.parts.pins[0]

    def start(self) -> None:
        """Listen; returns when both listeners do."""
        self._serving.start()
        log.info("booth API at %s, pages at %s", self.api_url, self.pages_url)

    def stop(self) -> None:
        """Finish what is under way, for a few seconds at most, and end."""
        self._serving.stop()
        self._undo.close()

    def new_token(self, name: str) -> str:
        """The enrolment string for a new booth of that name."""
        return self.parts.new_token(name, self.api_url)
