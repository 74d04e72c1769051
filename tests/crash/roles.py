"""Those who play: the server, sync, a booth's books while it is in a call, and the booth itself. Each the real program."""

import os
import signal
import threading
import uuid

from firmware import numbers, results, sync, wake, wire
from firmware import tape as tapes
from firmware.__main__ import main as booth
from firmware.__main__ import recover
from firmware.callflow import State
from firmware.calls import Call, Calls
from firmware.clock import Clock
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth
from firmware.recorder import Recorder
from firmware.retention import Retention, Terms
from firmware.store import CardError
from firmware.syncing import backoff, link
from firmware.vault import Vault
from hw.contracts import FRAME
from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Tone
from hw.events import Cause, Party
from provisioning import keys
from provisioning.cli import main as provision
from provisioning.server.run import Server

FIRST = "0312345601"
PATIENCE = "3"  # seconds for which sync waits for an answer


def serve(arm, history, data, port):
    """The server, in one process, until somebody ends it."""
    arm()
    history.tell("server starts")
    server = Server(data, api_port=port)
    server.start()
    history.tell("server serves")
    while True:
        signal.pause()


def found_server(arm, history, data):
    """`server init`, on an empty directory or on what a crash has left of it."""
    arm()
    code = provision(["server", "init", "--data", str(data), "--announce"])
    history.tell("made", code=code)
    return code


def synchronise(arm, history, card):
    """booth-sync, with a tap on what the server answers; it backs off for less long than in an office."""
    backoff.FIRST, backoff.LONGEST = 0.05, 0.4
    _listen_in(history)
    arm()
    return sync.main(["run", "--data", str(card), "--patience", PATIENCE])


def enrol(arm, history, card, token):
    """`booth-sync enrol`."""
    _listen_in(history)
    arm()
    code = sync.main(["enrol", token, "--data", str(card)])
    history.tell("enrolled", code=code)
    return code


def _listen_in(history):
    exchange = link.Channel.exchange

    def tapped(channel, method, target, *rest, **more):
        answer = exchange(channel, method, target, *rest, **more)
        offset = answer.headers.get(wire.OFFSET.lower())
        told = {"method": method, "target": target.split("?")[0], "status": answer.status}
        history.tell("answer", **told, offset=None if offset is None else int(offset))
        return answer

    link.Channel.exchange = tapped


def import_list(arm, history, card, file):
    """The first program that ever runs on a card: `booth import`."""
    arm()
    code = booth(["--device", str(card / "device.toml"), "import", str(file)])
    history.tell("imported", code=code)
    return code


def _watch_tapes(history):
    """Note how much each recording has heard, and which segments it says are on the card."""
    hear, flush = tapes.Tape.hear, tapes.Tape.flush
    heard = {}

    def heard_too(tape, agent, customer):
        heard[tape.call] = heard.get(tape.call, 0) + 1
        if heard[tape.call] % 10 == 0:
            history.tell("heard", call=str(tape.call), frames=heard[tape.call])
        hear(tape, agent, customer)

    def flushed_too(tape):
        before = tape._segments
        flush(tape)
        if tape._segments > before:
            history.tell("segment", call=str(tape.call), count=tape._segments)

    tapes.Tape.hear, tapes.Tape.flush = heard_too, flushed_too


class Books:
    """A booth in a call as its card sees it: the books and the recording, without the devices. Does what it is told."""

    def __init__(self, history, card, key):
        self._history, bell = history, wake.Bell(card, wake.SYNC)
        recipients = [str(identity.to_public()) for identity in keys.load(key)]
        self._vault = Vault(card / "recordings", recipients, lambda _event: None, bell.ring)
        self._calls = Calls(card / "booth.db", "desk", Clock("system"), written=bell.ring)
        self._codes = {result.code: result for result in results.load()}
        recover(self._vault, self._calls)
        self._recorder = Recorder(self._vault, lambda _event: None)
        self._call = None

    def begin(self):
        """A call that is answered, and its first two seconds and a half."""
        self._call = Call(str(uuid.uuid4()), numbers.parse(FIRST), None)
        self._calls.begin(self._call, None, "07", "off-list")
        self._history.tell("dialled", call=self._call.id)
        self._calls.answered(self._call.id)
        self._recorder.start(self._call.id)
        self.talk(125)

    def talk(self, frames=100):
        """Some more of it, faster than anybody speaks; when this returns, the vault has all."""
        for _ in range(frames):
            self._recorder.hear(os.urandom(FRAME), bytes(FRAME))
        done = threading.Event()
        self._vault.do(done.set)
        assert done.wait(30)

    def end(self):
        """Hang up, and save a result."""
        if self._call is not None:
            sealed = self._recorder.stop()
            kept = {"file": sealed.path.name, "segments": sealed.segments, "sha256": sealed.sha256, "complete": True}
            self._calls.ended(self._call.id, Cause.NORMAL, Party.NEAR, sealed.talk_seconds, kept)
        self.save()

    def save(self):
        """The result that is owed, also after a crash."""
        while (owed := self._calls.owed()) is not None:
            self._calls.finish(owed.id, self._codes["REF"])
            self._history.tell("finished", call=owed.id)


def keep_books(arm, history, card, key, orders):
    """Do what comes through the pipe `orders`, a word a line."""
    _watch_tapes(history)
    arm()
    books = Books(history, card, key)
    history.tell("books open")
    with os.fdopen(orders, "r") as lines:
        for line in lines:
            getattr(books, line.strip())()
            history.tell(line.strip())
    return 0


def keep_up(arm, history, card, key):
    """What the booth does in quiet moments, when the card has no room left for what the server has as well."""
    arm()
    recipients = [str(identity.to_public()) for identity in keys.load(key)]
    vault = Vault(card / "recordings", recipients, lambda _event: None, lambda: None)
    calls = Calls(card / "booth.db", "desk", clock := Clock("system"))
    retention = Retention(calls.store, clock, vault, results.load(), Terms(days=9e9, free=1 << 60))
    pause = threading.Event()
    while retention.copies() or _going(calls):
        try:
            retention.step()
        except (CardError, OSError):
            pause.wait(0.05)  # a minute in a booth
    history.tell("kept up")
    signal.pause()


def _going(calls):
    return calls.store.rows("SELECT 1 FROM delivered WHERE state <> 'gone'") or not calls.store.rows(
        "SELECT 1 FROM delivered"
    )


def be_booth(arm, history, card, key, *, calls):
    """The booth before its devices, and the agent: dials once if `calls`, talks, keys what is owed, goes home."""
    _watch_tapes(history)
    rig = Rig(card, identity=keys.load(key)[0], screen="hd44780")
    rig.exchange.book[FIRST] = FarEnd(answers_after=0.05, voice=Tone(1000))
    rig.listen_in(lambda line: history.tell("atd") if "ATD" in line else None)
    arm()
    running = RunningBooth(rig, rig.settings("246810"))
    try:
        Agent(rig, running, history).work(calls=calls)
    finally:
        running.stop()
        rig.close()
    history.tell("home")
    return 0


class Agent:
    """Whoever sits before the booth: looks at the screen and does the next thing."""

    def __init__(self, rig, running, history):
        self._rig, self._running, self._history = rig, running, history

    def work(self, *, calls):
        """Until the list is before us again, with nothing owed."""
        left = 1 if calls else 0
        while True:
            scene = self._scene()
            match scene.state:
                case State.LIST if scene.body.owed is not None:
                    self._rig.tap("A")
                    self._until(lambda seen: seen.state is not State.LIST)
                case State.LIST | State.PREVIEW if left and scene.body is not None:
                    left -= 1
                    self._rig.lift()
                    self._rig.tap("A")
                    self._until(lambda scene: scene.state not in {State.LIST, State.PREVIEW} or bool(scene.body.notice))
                case State.LIST | State.PREVIEW:
                    return
                case State.TALKING:
                    self._talk(scene)
                case State.WRAP_UP:
                    self._wrap_up(scene)
                case _:
                    self._moves_on(scene.state)

    def _moves_on(self, state):
        self._until(lambda seen: seen.state is not state)

    def _scene(self):
        return self._until(lambda _scene: True)

    def _until(self, seen):
        return self._running.wait_for("the next thing", lambda scene, _view: seen(scene), 10.0)

    def _talk(self, scene):
        call = scene.body.call.id
        self._history.tell("dialled", call=call)
        self._until(lambda seen: seen.state is not State.TALKING or self._said(call))
        self._rig.replace()
        self._until(lambda seen: seen.state is not State.TALKING)

    def _said(self, call):
        return self._history.has("segment", call=call)

    def _wrap_up(self, scene):
        if scene.body.chosen is None:
            self._rig.tap("1")
            self._until(lambda seen: seen.state is not State.WRAP_UP or seen.body.chosen is not None)
            return
        self._rig.tap("A")
        if self._until(lambda seen: seen.state is not State.WRAP_UP or seen.body.card_full).state is not State.WRAP_UP:
            self._history.tell("finished", call=scene.body.call.id)
