"""One of our programs on a leash: `python -m firmware.desk.leash MODULE ARGUMENTS` ends when its standard input does.

Whoever holds the other end of that pipe need not live to end it: the kernel lets go of it when he is killed.
"""

import os
import pkgutil
import signal
import sys
import threading
from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run MODULE's `main` until it ends, or until it is let go of: then it is told by SIGTERM."""
    module, *arguments = argv
    threading.Thread(target=_feel, name="leash", daemon=True).start()
    code: int = pkgutil.resolve_name(f"{module}:main")(arguments)
    return code


def _feel() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
