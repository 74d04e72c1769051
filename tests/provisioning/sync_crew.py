"""booth-sync for several booths in one process: python sync_crew.py PATIENCE CARD …; ends when its input does.

Its last line is the most memory that it had, in kB.
"""

import sys
import threading
from pathlib import Path

from firmware.syncing.daemon import Daemon
from firmware.syncing.identity import Wallet


def main(patience, *cards):
    """Each booth's daemon on a thread of its own."""
    daemons, threads = [], []
    for card in map(Path, cards):
        wallet = Wallet(card)
        daemons.append(Daemon(card, wallet.identity(), wallet, float(patience)))
        threads.append(threading.Thread(target=daemons[-1].run))
        threads[-1].start()
    sys.stdin.read()
    for daemon in daemons:
        daemon.stop()
    for thread in threads:
        thread.join()
    # What getrusage says includes that of the process which made this one.
    print(Path("/proc/self/status").read_text(encoding="ascii").split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
