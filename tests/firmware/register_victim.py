"""Takes a register in as a process of its own, tells its memory, and kills itself on the way if it is told to."""

import argparse
import json
import os
import signal
from pathlib import Path

from firmware.registers import Registers


def main():
    """As `kill -9` would, at the n-th word about how far it has come."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--country", default="JP")
    parser.add_argument("--run", type=int, default=250_000)
    parser.add_argument("--die-at", type=int, default=0)
    options = parser.parse_args()
    words = []

    def watch(step, count):
        words.append((step, count))
        if len(words) == options.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    registers = Registers(options.data)
    taken = registers.take([options.file], "tps", options.country, 1.7e9, watch, run=options.run)
    print(json.dumps({"rows": taken.rows, "count": taken.register.count, "peak": peak(), "words": len(words)}))


def peak():
    """Most memory that was resident, in bytes; getrusage would tell our parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
