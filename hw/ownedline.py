"""A line whose telephone lives on a thread of its own: what may be asked from any thread, and what is due when it fails."""

import re
import threading
from collections.abc import Callable
from typing import Protocol

from hw.contracts import Post
from hw.errors import HardwareError, MisuseError
from hw.events import CallEnded, Cause, Fault, LineLost, Party
from hw.worker import Bell, Worker

# A number that begins with * or # is a request to the network, not a call, but the modem says which.
DIALLABLE = re.compile(r"[0-9*#+]+")
TONES = re.compile(r"[0-9*#A-D]+")
SIM_PIN = re.compile(r"[0-9]{4,8}")  # 3GPP TS 31.101, 9.5


class Telephone(Protocol):
    """What one session with a modem can do; all of it on the line's thread."""

    def connect(self) -> None: ...

    def listen(self) -> None: ...

    def dial(self, number: str) -> None: ...

    def answer(self) -> None: ...

    def hang_up(self) -> None: ...

    def send_tones(self, digits: str) -> None: ...

    def unlock(self, pin: str) -> None: ...

    def leave(self) -> None: ...

    def lose(self, problem: HardwareError, waiting: int) -> None: ...


class _Session:
    """From one opening to the next; the telephone is found and made on the line's thread."""

    def __init__(self) -> None:
        self.bell = Bell()
        self.telephone: Telephone | None = None

    @property
    def phone(self) -> Telephone:
        if self.telephone is None:
            raise MisuseError("the line was asked before it began")
        return self.telephone

    def listen(self) -> None:
        self.phone.listen()

    def leave(self) -> None:
        if self.telephone:
            self.telephone.leave()


class OwnedLine:
    """Fulfils `contracts.Line` but for `audio`; a driver adds that, and `telephone`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._post: Post | None = None
        self._session: _Session | None = None
        self._worker: Worker | None = None
        self._gate = threading.Lock()  # between a dial just asked for and the line being lost
        self._lost = True
        self._dials = 0  # asked for, not yet taken up by the worker

    def telephone(self, post: Post, bell: Bell) -> Telephone:
        """Find the modem and make its telephone; on the line's thread. Raises HardwareError when there is none."""
        raise NotImplementedError

    def open(self, post: Post) -> None:
        """Begin, or begin anew; what comes of it is posted: LineReady, or LineLost with the fault.

        After ABSENT, UNPLUGGED, SILENT or GARBLED nothing more comes until it is opened again. After the other faults
        the modem is still watched, and emergency calls can still be dialled.
        """
        self.close()
        self._post = post
        self._session = session = _Session()
        self._worker = Worker(
            self._name, session.listen, lambda problem: self._fail(session, problem, post), session.bell
        )
        with self._gate:
            self._lost, self._dials = False, 0
        self._worker.do(self._begin, session, post)
        self._worker.start()

    def dial(self, number: str) -> None:
        """Place a call; one that is in its way is hung up. MisuseError when it is no number."""
        if not DIALLABLE.fullmatch(number):
            raise MisuseError("a number has only digits, *, # and +")
        if not self._post:
            raise MisuseError("the line was never opened")
        with self._gate:
            if self._worker and self._session and self._worker.alive and not self._lost:
                self._dials += 1
                self._worker.do(self._dial, self._session, number)
                return
        self._post(CallEnded(Cause.FAILED, Party.LINE, "there is no line"))

    def answer(self) -> None:
        """Take the incoming call; nothing happens when the caller has just given up."""
        self._ask(lambda phone: phone.answer())

    def hang_up(self) -> None:
        """End or refuse the call, or stop dialling; nothing happens when there is none."""
        self._ask(lambda phone: phone.hang_up())

    def send_tones(self, digits: str) -> None:
        """Into the call, one after the other. MisuseError when one of them is no key."""
        if not TONES.fullmatch(digits):
            raise MisuseError("tones are 0-9, *, #, A-D")
        self._ask(lambda phone: phone.send_tones(digits))

    def unlock(self, pin: str) -> None:
        """Give the SIM its PIN, once. MisuseError when it cannot be one: a wrong one costs one of three tries."""
        if not SIM_PIN.fullmatch(pin):
            raise MisuseError("a SIM's PIN has 4 to 8 digits")
        self._ask(lambda phone: phone.unlock(pin))

    def close(self) -> None:
        """Hang up if need be and let the ports go; harmless when it is closed."""
        worker, session = self._worker, self._session
        self._worker = self._session = None
        if worker and session:
            worker.do(session.leave)
            worker.stop()
            if not worker.alive:
                session.bell.close()

    def _ask(self, act: Callable[[Telephone], None]) -> None:
        """Have the telephone do something once it is there; nothing when the line is closed."""
        if self._worker and (session := self._session):
            self._worker.do(lambda: act(session.phone))

    def _begin(self, session: _Session, post: Post) -> None:
        session.telephone = self.telephone(post, session.bell)
        session.telephone.connect()

    def _dial(self, session: _Session, number: str) -> None:
        with self._gate:
            self._dials -= 1
        session.phone.dial(number)

    def _fail(self, session: _Session, problem: HardwareError, post: Post) -> None:
        """On the worker's thread, which ends with it: dials that it will not come to are over."""
        with self._gate:
            self._lost, waiting = True, self._dials
        if session.telephone:
            session.telephone.lose(problem, waiting)
            return
        for _ in range(waiting):
            post(CallEnded(Cause.FAILED, Party.LINE, "there is no line"))
        post(LineLost(Fault.ABSENT, str(problem)))
