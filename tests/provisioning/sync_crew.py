"""booth-sync for several booths in one process: python sync_crew.py PATIENCE CARD …; ends when its input does.

It ends with 0; with its peak of memory in kB on its last line.
"""

import resource
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
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main(*sys.argv[1:])
