"""A booth in a process of its own, in the middle of a call, to be killed: python victim.py CARD IDENTITY."""

import sys
from pathlib import Path

import pyrage

from firmware.callflow import State
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth


def main(card, identity):
    """Call the first customer, say so, and talk until the end."""
    rig = Rig(Path(card), identity=pyrage.x25519.Identity.from_str(identity))
    booth = RunningBooth(rig, rig.settings("246810"))
    booth.wait_for("the list", lambda scene, _view: scene.state is State.LIST)
    rig.lift()
    rig.tap("A")
    scene = booth.wait_for("a talk", lambda scene, _view: scene.state is State.TALKING)
    print(scene.body.call.id, flush=True)
    booth.wait_for("the end", lambda scene, _view: scene.state is State.LIST, 600.0)


if __name__ == "__main__":
    main(*sys.argv[1:])
