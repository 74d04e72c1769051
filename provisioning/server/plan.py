"""What the processes of a server have in common, as their parent tells each of them."""

import msgspec

from provisioning.server.operations.logs import Style

STOP_PATIENCE = 3.0  # seconds for requests that are under way; long-polls are sent home at once
LEAVE_PATIENCE = 30.0  # the same when others have taken over: nobody waits for the end
LINGER = 1.0  # seconds in which whoever has just been let in may still say what they came for
WORKER = "provisioning.server.serving"  # the program of such a process


class Plan(msgspec.Struct, frozen=True):
    """How to serve."""

    directory: str
    api_url: str
    hosts: tuple[str, ...]  # by which browsers may know the pages
    zone: str  # of the times on the pages
    booths: int  # the sockets' numbers
    browsers: int
    measures: int = -1  # the socket of /metrics, if it is wanted
    names: bool = False  # of booths, in /metrics
    log: Style = "plain"
