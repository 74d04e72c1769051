"""Runs the cases of one role: each a whole-call script in which the role's n-th change of its files goes wrong.

    python -m tests.crash.stage DIRECTORY ROLE CASES [PATIENCE] [unsynced]

with the shim preloaded. CASES is a JSON list of [kind, at] or [kind, at, part of a file's name]; what becomes of each is printed as one line of JSON. Every
case is a fork of this process, which has everything imported and has made the world from which all begin. With
`unsynced` no fsync does anything: a build that forgot them.
"""

import json
import os
import select
import shutil
import ssl
import sys
import time
import traceback
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from functools import partial
from pathlib import Path

from firmware import wire
from firmware.desk.rig import Rig  # noqa: F401  (imported once, before the forks)
from firmware.syncing.identity import Wallet
from provisioning.server import tls
from provisioning.server.pages import passwords
from provisioning.server.parts import RECORDINGS_KEY, Parts
from tests.crash import roles
from tests.crash.history import History, Judge, peeked
from tests.crash.powercut import Cut, Disk
from tests.crash.shim import Fate, Page, arm, entries
from tests.crash.world import ADDRESS, Child, World, reserved

AT_ONCE = 8  # cases; most of the time they wait
PATIENCE = 60.0  # seconds for a step of a script to come to its end
GRACE = {Fate.FAIL: 2.0, Fate.FULL: 0.5}  # seconds for which a program may live with its disk before it is started anew


@dataclass(frozen=True, slots=True)
class Kind:
    """What goes wrong."""

    fate: Fate
    cut: Cut = Cut.NOTHING


KINDS = {
    "kill": Kind(Fate.DIE),
    "strict": Kind(Fate.DIE, Cut.STRICT),
    "names": Kind(Fate.DIE, Cut.NAMES),
    "chance": Kind(Fate.DIE, Cut.CHANCE),
    "eio": Kind(Fate.FAIL),
    "full": Kind(Fate.FULL),
}


class Stuck(Exception):
    """The script did not come to its end."""


class Untrue(Exception):
    """The log does not tell what was done: nothing that is found can be believed."""


class Case:
    """One run of a script; its own directory, ports and processes."""

    def __init__(self, world, directory, role, case, *, patience, unsynced):
        (kind, self.at), only = case[:2], "".join(case[2:])
        self.directory, self.role, self.kind = Path(directory), role, KINDS[kind]
        self._only, self._patience, self._unsynced = only, patience, unsynced
        self.root = self.directory / ROOTS[role]
        self._port_kept = reserved()
        self.port = self._port_kept.getsockname()[1]
        world.copy(self.directory, self.port)
        self.token = world.token.replace(ADDRESS, f"https://127.0.0.1:{self.port}")
        self.history = History(self.directory / "history")
        self.page, self._calm = Page(), Page()
        self.log = self.directory / "log"
        self.faults = []
        self.untrue = False
        self._children = {}
        self._armed = True  # until it has happened
        self._hit_at = 0.0
        self._lives = 0
        self._disk = None

    # The processes.

    @property
    def card(self):
        return self.directory / "card"

    @property
    def server(self):
        return self.directory / "server"

    def watch(self, disk):
        """Remember how the directory is, as `disk`; what is done to it from now on is in the log."""
        self._disk = disk

    def start(self, name, work, *arguments):
        """Start a process. One that works in the directory that is watched has its changes logged."""
        fated = name == self.role.split("-")[0]
        arming = self._arm_fated if fated and self._armed else self._arm
        watched = partial(arming) if name in WORKERS[ROOTS[self.role]] else _nothing
        self._children[name] = Child(self.directory / f"{name}.out", work, watched, self.history, *arguments)

    def _arm(self):
        arm(self.root, self.log, self._calm, unsynced=self._unsynced)

    def _arm_fated(self):
        how = {"only": self._only, "unsynced": self._unsynced}
        arm(self.root, self.log, self.page, self.kind.fate, self.at, **how)

    def kill(self, *names):
        """End processes at once, but none between a change and what the log says of it."""
        with self._between_changes():
            for name in names or tuple(self._children):
                if name in self._children:
                    self._children.pop(name).kill()

    @contextmanager
    def _between_changes(self):
        with ExitStack() as stack:
            with suppress(FileNotFoundError):
                flock(stack.enter_context(self.log.open("rb")), LOCK_EX)
            yield

    def ended(self, name):
        """Whether a process has ended; it counts as started no more. It must have ended well if it was its last life."""
        child = self._children.get(name)
        return child is not None and child.dead

    def status(self, name):
        """How it ended."""
        return self._children.pop(name).status

    # What goes wrong.

    def mend(self):
        """Nothing goes wrong any more."""
        self._armed = False

    def struck(self, name):
        """Whether the fated process is to be started again; then all is as whoever starts it finds it."""
        child = self._children.get(name)
        if child is None or name != self.role.split("-")[0]:
            return False
        if self.page.hit and not self._hit_at:
            self._hit_at = time.monotonic()
        late = self._armed and self._hit_at and time.monotonic() - self._hit_at > GRACE.get(self.kind.fate, 1e9)
        if not child.dead and not late:
            return False
        if not self._armed or not self.page.hit:
            raise Stuck(f"{name} has ended by itself with {child.status}")
        self._armed = False
        if self.kind.cut is Cut.NOTHING:
            self.kill(name)
        else:
            self.kill(*WORKERS[ROOTS[self.role]])
            self.cut(self.kind.cut)
        return True

    def cut(self, how):
        """The power goes off for everybody in the watched directory, and comes back."""
        self._faithful()
        self._disk.play(entries(self.log)).put(how, self.at)
        self.log.unlink(missing_ok=True)
        self.watch(Disk(self.root))

    def _faithful(self):
        """The log tells how the directory is now, or nothing that is found can be believed."""
        played = self._disk.copy().play(entries(self.log)).after(Cut.NOTHING)
        real = Disk(self.root).after(Cut.NOTHING)
        if played != real:
            wrong = sorted(
                str(name) for name in played.keys() | real.keys() if played.get(name, 0) != real.get(name, 0)
            )
            raise Untrue(f"the log does not tell the truth of {wrong}")

    # The script's own words.

    def until(self, what, true, tend):
        """Wait, and meanwhile start again what has been struck. Raises Stuck."""
        began = time.monotonic()
        while not true():
            tend()
            waited = time.monotonic() - began
            if waited > self._patience or (waited > 1 and Judge(self.history, self.card).promises()):
                raise Stuck(f"never: {what}")
            select.select([], [], [], 0.02)

    def outcome(self):
        """All faults, with what was hit."""
        return {
            "at": self.at,
            "hit": self.page.hit,
            "count": self.page.count,
            "faults": self.faults,
            "untrue": self.untrue,
        }

    def judged(self, *, server=True, audio=True):
        """End everything, cut the power once more, and have the judge look."""
        self.kill()
        self.cut(Cut.STRICT)
        self.faults += Judge(self.history, self.card, self.server if server else None).verdict(audio=audio)


def _nothing():
    """Nobody watches this process."""


class Call:
    """A call that is recorded, sent while it lasts, ended and saved: books, sync and server, until all is delivered."""

    def __init__(self, case):
        self._case, self._orders, self._lives = case, -1, 0

    def run(self):
        """Play it, and have it judged."""
        self.play()
        self._case.judged()

    def play(self):
        """Play it to its end."""
        case = self._case
        case.watch(Disk(case.root))
        case.start("server", roles.serve, case.server, case.port)
        self._open_books()
        case.until("the books are open", lambda: self._heard("books open"), self._tend)
        case.start("sync", roles.synchronise, case.card)
        for word in ("begin", "talk"):
            self._say(word)
            case.until("all that is recorded is sent", lambda: _sent(case), self._tend)
        self._say("end")
        case.until("all is delivered", lambda: _delivered(case), self._tend)
        os.close(self._orders)

    def _open_books(self):
        if self._orders >= 0:
            os.close(self._orders)
        theirs, self._orders = os.pipe()
        self._case.start("books", roles.keep_books, self._case.card, self._case.server / RECORDINGS_KEY, theirs)
        os.close(theirs)
        self._lives += 1

    def _tend(self):
        case = self._case
        if case.struck("server"):
            case.start("server", roles.serve, case.server, case.port)
        if case.struck("sync"):
            if case.kind.cut is not Cut.NOTHING:
                self._open_books()
                self._order("save")
            case.start("sync", roles.synchronise, case.card)
        if case.ended("books"):
            raise Stuck("the books have ended by themselves")

    def _order(self, word):
        os.write(self._orders, f"{word}\n".encode())

    def _say(self, word):
        """Have it done; when the power has failed meanwhile, it is over as well."""
        told, life = self._heard(word), self._lives
        self._order(word)
        self._case.until(word, lambda: self._heard(word) > told or self._lives != life, self._tend)

    def _heard(self, word):
        return sum(one["what"] == word for one in self._case.history.read())


def _sent(case):
    """Whether the server has said that it has what the card has of each recording."""
    far = {}
    for one in case.history.read():
        if one["what"] == "answer" and one["offset"] is not None:
            far[one["target"].rpartition("/")[2]] = one["offset"]
    sizes = {path.stem: path.stat().st_size for path in (case.card / "recordings").glob("*.journal")}
    return all(far.get(name, 0) >= size for name, size in sizes.items())


def _delivered(case):
    """Whether the card thinks that the server has all, and has itself what the server has for it."""
    data = case.card / "booth.db"
    left = peeked(data, "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM arrival WHERE complete = 1)")
    if left != [(0, 1)] or peeked(data, "SELECT 1 FROM call WHERE version = 0"):
        return False
    synced = {row[0] for row in peeked(data, "SELECT recording FROM upload WHERE state = 'synced'")}
    return synced >= {path.stem for path in (case.card / "recordings").glob("*.journal")}


def booth_call(case):
    """A call before the real devices' emulated twins; then sync and server, until all is delivered."""
    case.watch(Disk(case.root))
    key = case.server / RECORDINGS_KEY
    case.start("booth", partial(roles.be_booth, calls=True), case.card, key)

    def tend():
        if case.struck("booth"):
            case.start("booth", partial(roles.be_booth, calls=False), case.card, key)

    def home():
        return case.history.has("home")

    case.until("the booth is home", home, tend)
    case.kill("booth")
    if case.kind.fate is not Fate.DIE:  # what the card did not take waits for the next start
        case.mend()
        case.start("booth", partial(roles.be_booth, calls=False), case.card, key)
        case.until("the booth is home once more", lambda: case.ended("booth"), _nothing)
        case.kill("booth")
    case.start("server", roles.serve, case.server, case.port)
    case.start("sync", roles.synchronise, case.card)
    case.until("all is delivered", lambda: _delivered(case), lambda: None)
    case.judged(audio=case.kind.fate is Fate.DIE)


def kept_up(case):
    """A call that the server has; then the booth deletes its own copy."""
    Call(case).play()
    case.kill()
    work = partial(case.start, "upkeep", roles.keep_up, case.card, case.server / RECORDINGS_KEY)
    work()

    def tend():
        if case.struck("upkeep"):
            work()

    case.until("the copy is gone", lambda: case.history.has("kept up"), tend)
    case.kill()
    case.cut(Cut.STRICT)
    case.mend()
    lives = case.history.count("kept up")
    work()  # the row of a file that is gone already may have been lost with the power
    case.until("the copy is gone once more", lambda: case.history.count("kept up") > lives, _nothing)
    case.kill()
    case.faults += Judge(case.history, case.card, case.server).given_up()


def enrolled(case):
    """`booth-sync enrol` on an empty card, again with the same token after a crash; then sync serves."""
    shutil.rmtree(case.card)
    case.card.mkdir()
    case.watch(Disk(case.root))
    case.start("server", roles.serve, case.server, case.port)
    case.until("the server serves", lambda: case.history.has("server serves"), _nothing)
    for _ in range(2):
        case.start("enrol", roles.enrol, case.card, case.token)
        case.until("the end of enrol", lambda: case.ended("enrol"), _nothing)
        if case.history.has("enrolled", code=0):
            break
        _again(case, "enrol")
    case.kill("enrol")
    case.cut(Cut.STRICT)
    if Wallet(case.card).identity() is None:
        case.faults.append("not enrolled, and a token is spent")
        return
    case.start("sync", roles.synchronise, case.card)
    status = {"method": "POST", "target": wire.STATUS, "status": 200}
    case.until("the server knows the booth", lambda: case.history.has("answer", **status), _nothing)
    case.faults += Judge(case.history, case.card).promises()


def found(case):
    """`server init`, again after a crash; then the server serves."""
    shutil.rmtree(case.server)
    case.server.mkdir()
    case.watch(Disk(case.root))
    _init(case)
    if not case.history.has("made", code=0):
        _again(case, "init")
        _init(case)  # where the crash came late it says that there is a server already
    case.kill()
    case.cut(Cut.STRICT)
    parts = Parts.open(case.server)
    with parts.database.read() as connection:
        there = connection.exec_driver_sql("SELECT password FROM administrator").scalars().all()
    parts.close()
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(case.server / tls.CERTIFICATE, case.server / tls.KEY)
    shown = [json.loads(line)["password"] for line in _printed(case, "init") if line.startswith("{")]
    if not (shown and [passwords.matches(shown[-1], kept) for kept in there] == [True]):
        case.faults.append(f"{len(there)} administrators, {len(shown)} passwords shown, the last is not the one")
    left = [str(path) for path in case.server.rglob("*") if ".part" in path.name or not path.stat().st_size]
    if left := [name for name in left if not name.endswith((".lock", "-wal", "archive", "incoming"))]:
        case.faults.append(f"left over or empty: {left}")


def _init(case):
    case.start("init", roles.found_server, case.server)
    case.until("the end of init", lambda: case.ended("init"), _nothing)


def _printed(case, name):
    return (case.directory / f"{name}.out").read_text().splitlines()


def _again(case, name):
    if case.struck(name):
        return
    status = case.status(name)
    if status not in {0, 1}:
        raise Stuck(f"{name} ended with {status}")


ROOTS = {"server": "server", "sync": "card", "booth": "card", "init": "server", "enrol": "card", "upkeep": "card"}
WORKERS = {"server": ("server", "init"), "card": ("books", "sync", "booth", "enrol", "upkeep")}
SCRIPTS = {
    "server": lambda case: Call(case).run(),
    "sync": lambda case: Call(case).run(),
    "booth": booth_call,
    "init": found,
    "enrol": enrolled,
    "upkeep": kept_up,
}


def act(world, directory, role, what, **how):
    """One case; what is wrong."""
    case = Case(world, directory, role, what, **how)
    began = time.monotonic()
    try:
        SCRIPTS[role](case)
    except Stuck as problem:
        case.faults += [str(problem), *Judge(case.history, case.card).promises()]
    except Untrue as problem:
        case.faults.append(str(problem))
        case.untrue = True
    except Exception as problem:  # noqa: BLE001  (what cannot even be opened is a fault like others)
        traceback.print_exc()
        case.faults.append(f"{type(problem).__name__}: {problem}")
    finally:
        case.kill()
    said = case.outcome() | {"kind": what[0], "seconds": round(time.monotonic() - began, 2)}
    (directory / "outcome").write_text(json.dumps(said), encoding="utf-8")
    return 0


def main(directory, role, cases, patience=PATIENCE, unsynced=""):
    """All cases, some at a time."""
    directory = Path(directory)
    world = World(directory / "world")
    waiting, running = list(enumerate(json.loads(cases))), {}
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            number, what = waiting.pop(0)
            place = directory / f"{number}-{what[0]}-{what[1]}"
            place.mkdir()
            how = {"patience": float(patience), "unsynced": bool(unsynced)}
            work = partial(act, world, place, role, what, **how)
            running[place] = Child(place / "case.out", work)
        done = [place for place, child in running.items() if child.dead]
        for place in done:
            _report(place, running.pop(place).status)
        if not done:
            select.select([], [], [], 0.01)


def _report(place, status):
    """Say what became of a case; what went well leaves nothing behind."""
    file = place / "outcome"
    outcome = (
        json.loads(file.read_text(encoding="utf-8"))
        if file.exists()
        else {"faults": [f"ended with {status}: see {place}"]}
    )
    print(json.dumps(outcome, ensure_ascii=False), flush=True)
    if not outcome["faults"]:
        shutil.rmtree(place)


if __name__ == "__main__":
    main(*sys.argv[1:])
