"""Somebody who calls in while there is a call: told once, and sent away politely. A booth has one line. No I/O."""

from collections.abc import Sequence

from hw.callrows import CallRow, CallState
from hw.contracts import Post
from hw.events import SecondCallRefused
from hw.gsmcall import Call
from hw.readings import Caller

WAITS = frozenset({CallState.INCOMING, CallState.WAITING})


class SecondCall:
    """The one caller who may be waiting beside the call."""

    def __init__(self, refuse: str, post: Post) -> None:
        """`refuse` is the command that sends them away; empty for a modem that must not be asked."""
        self._refuse, self._post = refuse, post
        self._present = self._refused = False
        self._rang: Caller | None = None  # while our call was being hung up
        self._leaving = False  # told, and in the list before the last one: the notice of their end may still come

    def heard(self, caller: Caller) -> None:
        """They wait, or wait still."""
        if not self._present:
            self._present, self._refused = True, False
            self._post(SecondCallRefused(caller.number, caller.hidden))

    @property
    def rings(self) -> bool:
        """Whether somebody has rung while our call was being hung up."""
        return self._rang is not None

    def rang(self, caller: Caller) -> None:
        """They ring while our call is being hung up; who it is may come in a second notice."""
        if self._rang is None or caller != Caller(None):
            self._rang = caller

    def parted(self, rows: Sequence[CallRow]) -> None:
        """Our call is gone, and `rows` are left: one who rang and is not among them was sent away with it."""
        caller, self._rang = self._rang, None
        if caller is not None and not any(row.incoming and row.state in WAITS for row in rows):
            self._post(SecondCallRefused(caller.number, caller.hidden))

    def listed(self, others: Sequence[CallRow]) -> None:
        """A complete list has these calls besides ours."""
        waiting = [row for row in others if row.voice and row.incoming and row.state in WAITS]
        for row in waiting[:1]:
            self.heard(Caller(row.number))
        self._leaving, self._present = self._present, bool(waiting)

    def gone(self, call: Call, row: CallRow) -> None:
        """A notice beside `call` that is not of it: the end of who waits, or of somebody whom the network sent away."""
        if row.state is not CallState.RELEASED or not (row.voice and row.incoming) or None in {call.index, row.index}:
            return
        if not (self._present or self._leaving):
            self._post(SecondCallRefused(row.number))
        self.forget()

    def forget(self) -> None:
        """There is no first call any more."""
        self._present = self._leaving = False
        self._rang = None

    def refusal(self, *, talking: bool) -> str:
        """The command to send now, once; while a call is still being set up modems take it for something else."""
        if not (self._present and talking) or self._refused:
            return ""
        self._refused = True
        return self._refuse
