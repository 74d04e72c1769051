"""One call on a GSM line: what lists, notices and result words say of it, and how it ended. No I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass

from hw.callrows import CallRow, CallState
from hw.events import Alerting, Answered, CallEnded, Cause, Event, Party
from hw.readings import Caller, cme

RINGING = frozenset({CallState.INCOMING, CallState.WAITING})
LOCAL = 8  # last digits of a number, which are written alike with every prefix
OURS_FOR = 2.0  # seconds after our hanging-up in which an end is our doing
FRESH = 5.0  # seconds for which a result word explains an end
EMPTY_LISTS = 2  # in a row, without any other hint, mean that the call is gone

# The result words of V.250 that end a call; NO CARRIER says nothing but that it is over.
WORDS = {
    "BUSY": Cause.BUSY,
    "NO ANSWER": Cause.NO_ANSWER,
    "NO DIALTONE": Cause.NETWORK,
    "NO DIAL TONE": Cause.NETWORK,
    "NO CARRIER": None,
}
# Numbers of TS 24.008 table 10.5.123, and from 160 on those that modems add for what went wrong on the way.
CAUSES = {
    **dict.fromkeys((1, 3, 22, 27, 28), Cause.DEAD_NUMBER),
    17: Cause.BUSY,
    **dict.fromkeys((18, 19), Cause.NO_ANSWER),
    21: Cause.REJECTED,
    **dict.fromkeys((34, 38, 41, 42, 47), Cause.NETWORK),
    **dict.fromkeys((29, 50, 55, 57, 58, 63, 65, 79, 88), Cause.FAILED),
    **dict.fromkeys(range(160, 256), Cause.NETWORK),
}
NO_SERVICE = 30
CME_OF_NETWORK = frozenset({NO_SERVICE, 31, 32})  # no service, network timeout, emergency calls only


@dataclass(slots=True, eq=False)
class Call:
    """What is known of the one call. It only ever moves forward: a stale list cannot un-answer it."""

    incoming: bool
    bare: bool = False  # its modem's lists may have no calls: notices without an id are all there is
    placed: bool = False  # the network may know of it
    caller: Caller = Caller(None)  # noqa: RUF009 - frozen
    index: int | None = None
    seen: bool = False  # in a list or a notice
    alerting: bool = False
    answered: bool = False
    word: str = ""  # the result word that was heard last,
    word_at: float = 0.0  # and when: an old one was meant for the call before
    released: bool = False  # something hints at its end
    cause: int | None = None  # the network's number for it
    empty_lists: int = 0
    hanging: bool = False
    hung_up_at: float | None = None
    gone_at: float | None = None  # when the lists had it no more
    over: bool = False  # its CallEnded is posted

    def wanted(self) -> bool:
        """Whether it goes on, as far as the booth is concerned."""
        return not (self.over or self.hanging)

    def owns(self, row: CallRow) -> bool:
        """Whether `row` speaks of this call; the first row of its direction binds it. What a row leaves open fits."""
        if not self.placed or not row.voice or row.incoming not in {None, self.incoming}:
            return False
        if self.hung_up_at is not None and row.state in RINGING and self.another(row.number):
            return False  # somebody else, who was given the same index
        return self.index is None or row.index in {None, self.index}

    def another(self, number: str | None) -> bool:
        """Whether whoever rings from `number` is not this call's caller, as far as one knows; spellings may differ."""
        ours = self.caller.number
        return not self.incoming or self.answered or bool(ours and number and ours[-LOCAL:] != number[-LOCAL:])

    def hear(self, row: CallRow) -> Event | None:
        """What is new in a row, from a notice or a list."""
        if not self.owns(row):
            return None
        if row.state is CallState.RELEASED:
            if self.seen or self.bare:  # else it may be the end of the one before it
                self.released, self.cause = True, self.cause if row.cause is None else row.cause
            return None
        if row.index is None and not self.bare:  # of which call is it? the list will tell
            return None
        self.index, self.seen = self.index if row.index is None else row.index, True
        if row.state in {CallState.ACTIVE, CallState.HELD} and not self.answered:
            self.answered = True
            return Answered()
        if row.state is CallState.ALERTING and not (self.alerting or self.answered):
            self.alerting = True
            return Alerting()
        return None

    def listed(self, rows: Sequence[CallRow], now: float) -> bool:
        """Whether a complete list shows that the call is gone."""
        if any(self.owns(row) and row.state is not CallState.RELEASED for row in rows):
            self.empty_lists, self.released = 0, False
            return False
        self.empty_lists += 1
        hinted = (self.seen or self.bare) and (self.released or self._word(now) != "")
        if self.bare and self.index is None:
            self.empty_lists = 0
        if hinted or self.empty_lists >= EMPTY_LISTS:
            self.gone_at = now
        return self.gone_at is not None

    def result(self, word: str, now: float) -> bool:
        """Take a result word; whether it is one that ends calls. NO CARRIER after BUSY adds nothing."""
        if word in WORDS:
            self.word = self._word(now) or word
            self.word_at, self.released = now, True
        return word in WORDS

    def _word(self, now: float) -> str:
        return self.word if now - self.word_at < FRESH else ""

    def ended(self, now: float, detail: str = "") -> CallEnded:
        """Why, and by whom; the answer is only given once, so ask when it is over."""
        gone = self.gone_at if self.gone_at is not None else now
        if self.hung_up_at is not None and gone - OURS_FOR <= self.hung_up_at <= gone:
            return CallEnded(Cause.NORMAL, Party.NEAR, detail)
        if self.answered:
            return self._talked(detail)
        return CallEnded(Cause.NO_ANSWER, Party.FAR, detail) if self.incoming else self._unanswered(gone, detail)

    def _talked(self, detail: str) -> CallEnded:
        """Without the network's number, a call that stops has most likely been hung up by the other side."""
        if CAUSES.get(self.cause or 0) is Cause.NETWORK:
            return CallEnded(Cause.LOST, Party.LINE, detail)
        return CallEnded(Cause.NORMAL, Party.FAR, detail, sure=self.cause is not None)

    def _unanswered(self, gone: float, detail: str) -> CallEnded:
        word = self._word(gone)
        cause = CAUSES.get(self.cause or 0) or WORDS.get(word)
        if cause:
            return CallEnded(cause, Party.LINE, detail)
        if not (self.seen or word):
            return CallEnded(Cause.FAILED, Party.LINE, detail)  # never in any list: a service code, not a call
        # It rang and nobody answered: whether it was refused or left to ring, NO CARRIER does not tell.
        return CallEnded(Cause.NO_ANSWER if self.alerting else Cause.NETWORK, Party.LINE, detail)


def refused(final: str) -> CallEnded:
    """How a dial ends that the modem answers with an error."""
    cause = Cause.NETWORK if cme(final) in CME_OF_NETWORK else Cause.FAILED
    return CallEnded(cause, Party.LINE, final or "no answer to the dial")


def refuses(final: str) -> bool:
    """Whether a modem has not even tried to connect: one that has just been plugged in may do so a moment later.

    >>> [refuses(final) for final in ("ERROR", "+CME ERROR: 3", "+CME ERROR: 30", "+CME ERROR: 31", "NO CARRIER", "")]
    [True, True, True, False, False, False]
    """
    return "ERROR" in final and cme(final) not in CME_OF_NETWORK - {NO_SERVICE}
