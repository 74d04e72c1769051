"""The call of the moment: line, talk path, recording, and the marks that the agent sets while talking."""

import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic

from firmware import quality
from firmware.calls import Call, Calls
from firmware.facts import PastCall
from firmware.gate import Target
from firmware.hardware import Hardware
from firmware.keytones import NAME as KEY_TONES
from firmware.keytones import KeyTonesHeard
from firmware.marks import COMPLAINT, Marks
from firmware.numbers import Kind
from firmware.outcomes import Complained, Reconciled
from firmware.recorder import Recorder
from firmware.redial import Decision
from firmware.rulebook import Consent, InForce
from firmware.screens.scene import CallBody, Rec
from firmware.store import CardError
from firmware.vault import Sealed
from hw.contracts import Audio, Post
from hw.errors import AudioError
from hw.events import AudioFailed, CallEnded, Cause, Event, LineLost, Party
from hw.sounds import TICK
from hw.talkpath import Nowhere, TalkPath

LOUDEST = 10
_UNRECORDED = frozenset({"asking", "barred"})
SOON = 30.0  # seconds before a promise runs out at which the agent hears a first tick
SECOND_SHOWN = 20.0  # seconds for which the screen tells of somebody who called meanwhile


@dataclass(frozen=True, slots=True)
class _End:
    """How a call ended, until the card has taken it."""

    call: str
    cause: Cause
    by: Party
    sure: bool = True
    talk: float = 0.0
    sealed: Sealed | None = None


class Conversation:
    """One call at a time, from the dial to its end. It asks nobody whether it may: gate.py has been asked."""

    def __init__(
        self,
        hardware: Hardware,
        recorder: Recorder,
        calls: Calls,
        post: Post,
        *,
        law: InForce,
        record_emergency: bool,
    ) -> None:
        self._line, self._handset, self._recorder, self._calls = hardware.line, hardware.handset, recorder, calls
        self._post, self._law, self._record_emergency = post, law, record_emergency
        self._path = TalkPath(hardware.handset, hardware.line.audio, recorder)
        self._path.volume = int(calls.recall("volume") or 5)
        self._deaf = False  # the handset or the line carries no sound; what is heard is recorded all the same
        self._call: Call | None = None
        self._began = self._answered_at = 0.0
        self._over_at: float | None = None  # when the talk ended: to close its recording may take the card seconds
        self._marks, self._tones, self._tone_mode = Marks(), "", False
        self._recording: Rec = "off"
        self._ticks: list[float] = []  # moments at which the agent is to hear a tick, the next one last
        self._sealed: Sealed | None = None
        self._history: tuple[PastCall, ...] = ()
        self._second: tuple[Call, float] | None = None  # who called meanwhile, and when
        self._unwritten: list[_End] = []  # ends that the card has not taken yet, oldest first

    @property
    def call(self) -> Call | None:
        """The call that is going on."""
        return self._call

    @property
    def dialled(self) -> bool:
        """Whether a call is going on that we have dialled."""
        return self._call is not None and not self._call.incoming

    @property
    def recording(self) -> Rec:
        """What the header says of the recording."""
        return "paused" if self._recording == "on" and self._marks.paused else self._recording

    def place(self, target: Target, decision: Decision, agent: str, reason: str = "") -> None:
        """Dial. The attempt is on disk before the modem hears of it, except that nothing delays an emergency call.

        Raises CardError, and does not dial, when the attempt cannot be written down.
        """
        emergency = target.number.kind is Kind.EMERGENCY
        call = Call(str(uuid.uuid4()), target.number, target.customer, emergency=emergency)
        if emergency:
            self._line.dial(call.number.dialled)
            self._note_begin(call, decision, agent, "emergency")
        else:
            self._calls.begin(call, decision, agent, reason)
            self._line.dial(self._law.book.dialled(call.number))
        self._begin(call)

    def take(self, call: Call, decision: Decision, agent: str) -> None:
        """Answer an incoming call. Raises CardError, and does not answer, when it cannot be written down."""
        self._calls.begin(call, decision, agent, "incoming")
        self._line.answer()
        self._begin(call)

    def answered(self, *, estimated: bool = False) -> None:
        """The answer mark: from here the talk counts and the recording runs. `estimated`: the line has guessed it."""
        call = self._going
        self._answered_at = monotonic()
        self._path.listen()
        self._recording = self._start_recording(call)
        self._call = replace(call, answered=True, estimated=estimated)
        try:
            self._calls.answered(call.id, estimated=estimated)
            if self._recording == "asking":
                self._calls.mark(call.id, "pause", 0.0)
        except CardError:
            self._recording = "failed"

    def _start_recording(self, call: Call) -> Rec:
        """Record as far as the rules in force let it, and what the header says of it."""
        match self._consent(call):
            case "notice":
                self._recorder.start(call.id, self._path.owed)
                return "on"
            case "all-party":
                self._recorder.ask(self._path.owed)
                return "asking"
        self._recorder.discard()
        return "off" if call.emergency else "barred"

    def _consent(self, call: Call) -> Consent:
        """On what terms this call is recorded; an emergency follows the booth's setting alone."""
        if call.emergency:
            return "notice" if self._record_emergency else "off"
        return self._law.book.recording

    def _agree(self) -> None:
        """The agent has marked that all agree to be recorded."""
        self._recorder.agree(self._going.id, self._path.owed)
        self._recording = "on"
        self._note("recording-agreed")
        self._note("resume")

    def miss(self, call: Call, agent: str, cause: Cause, by: Party) -> None:
        """Write down a call that came in and that nobody took: no result is owed for it."""
        self._note_begin(call, None, agent, "incoming")
        self._unwritten.append(_End(call.id, cause, by))
        self._try_to_write()

    def miss_second(self, call: Call, agent: str) -> None:
        """The same for somebody who called while the line was busy with another; the screen tells for a while."""
        self.miss(call, agent, Cause.BUSY, Party.LINE)
        self._second = (call, monotonic())

    def recording_failed(self) -> None:
        """The card takes no more; the call goes on and the screen says so."""
        self._recording = "failed" if self._call else "off"

    def note_key_tones(self, heard: KeyTonesHeard) -> None:
        """Where the far end pressed keys: it may have been a card number."""
        with suppress(CardError):
            self._calls.mark(heard.call, f"{KEY_TONES} {heard.seconds:.2f}", heard.start)

    def sound_failed(self) -> None:
        """One of the two cannot be heard; the call goes on and the screen says so."""
        self._deaf = self._call is not None

    def keep_recording(self) -> None:
        """Close the journal; returns when it is on disk."""
        self._over_at = monotonic()
        self._path.stop()
        self._sealed = self._recorder.stop() if self._recording not in {"off", "barred"} else None
        self._recording = "off"

    def end(self, event: Event) -> Call:
        """Close the call in the books. `event` is what ended it: CallEnded, LineLost, or the agent's own act."""
        call = self._going
        self._path.stop()
        self._handset.close()
        self._recorder.discard()
        quality.note_sound(self._calls, self._path.counts)
        cause, by, sure = _ending(event)
        talk = (self._over_at or monotonic()) - self._answered_at if call.answered else 0.0
        self._unwritten.append(_End(call.id, cause, by, sure, talk, self._sealed))
        self._call, self._sealed = None, None
        self._try_to_write()
        voice = self._path.voice if call.answered else None
        return replace(call, cause=cause, by=by, sure=sure, talk=talk, voice=voice)

    def write_ends(self) -> None:
        """Write down the ends that the card has not taken yet. Raises CardError while it still will not."""
        while self._unwritten:
            end = self._unwritten[0]
            kept = _summary(end.sealed) if end.sealed else None
            self._calls.ended(end.call, end.cause, end.by, end.talk, kept, sure=end.sure)
            del self._unwritten[0]

    def _try_to_write(self) -> None:
        try:
            self.write_ends()
        except CardError:
            pass  # tried again in every quiet moment and when a result is saved; the header shows the card's state

    def press(self, key: str) -> Complained | Reconciled | None:
        """One of the twelve keys: a tone to the far end in tone mode, else a mark."""
        if self._tone_mode:
            self._line.send_tones(key)
            self._tones = (self._tones + key)[-16:]
            self._note("tone")  # that one was sent, never which: it may be part of a card number
            return None
        if key == "*" and self._recording in _UNRECORDED:
            if self._recording == "asking":
                self._agree()
            return None  # where nothing is recorded, there is nothing to pause
        before, self._marks = self._marks, self._marks.press(key)
        self._note(self._marks.name_of(key))
        self._heed(before)
        if (COMPLAINT in before.named) == (COMPLAINT in self._marks.named):
            return None
        return Complained() if COMPLAINT in self._marks.named else Reconciled()

    def toggle_tone_mode(self) -> None:
        """Let the twelve keys send tones, or marks again."""
        self._tone_mode, self._tones = not self._tone_mode, ""

    def toggle_mute(self) -> None:
        """The customer no longer hears the agent, or does again."""
        self._path.muted = not self._path.muted

    def hold(self, *, on: bool | None = None) -> None:
        """Silence both ways, or talk on; None: the other of the two."""
        self._path.held = not self._path.held if on is None else on

    def louder(self, by: int) -> int:
        """Change the volume of the agent's ear and remember it."""
        self._path.volume = min(max(self._path.volume + by, 0), LOUDEST)
        self._calls.remember("volume", str(self._path.volume))
        return self._path.volume

    @property
    def volume(self) -> int:
        """0 to 10."""
        return self._path.volume

    @property
    def marks(self) -> Marks:
        """The marks of the present call, or of the last one."""
        return self._marks

    def tick(self) -> None:
        """To be called about once a second: sounds what is due in the agent's ear, and minds the handset."""
        if self._call is not None and not self._deaf and not self._handset.alive:
            self._lose_handset("the handset was pulled out")
        while self._ticks and monotonic() >= self._ticks[-1]:
            self._ticks.pop()
            self._path.ear(TICK)

    def body(self, script: tuple[str, ...], page: int, *, line: str, asked: bool, impaired: bool) -> CallBody:
        """What the screen shows while a call is going on."""
        call = self._going
        since = self._answered_at if call.answered else self._began
        return CallBody(
            call=replace(call, talk=monotonic() - self._answered_at if call.answered else 0.0),
            seconds=monotonic() - since,
            line=line,
            promise=self._marks.promise,
            ticks=self._marks.ticks,
            marks=tuple(sorted(self._marks.named)),
            muted=self._path.muted,
            held=self._path.held,
            deaf=self._deaf,
            impaired=impaired,
            tone_mode=self._tone_mode,
            tones=self._tones,
            volume=self._path.volume,
            confirm_end=asked,
            script=script,
            page=page,
            history=self._history,
            second=self._second[0] if self._second and monotonic() - self._second[1] < SECOND_SHOWN else None,
            asking=self._recording == "asking",
            opening=() if call.emergency or call.incoming else self._law.book.opening,
        )

    @property
    def _going(self) -> Call:
        if self._call is None:
            raise LookupError("no call is going on")
        return self._call

    def _begin(self, call: Call) -> None:
        self._call, self._began, self._sealed, self._second = call, monotonic(), None, None
        self._over_at = None
        self._history = self._past(call)
        self._marks, self._tones, self._tone_mode, self._ticks = Marks(), "", False, []
        if self._consent(call) == "notice":
            self._recorder.listen()
        self._path = self._new_path()
        self._path.start()

    def _new_path(self) -> TalkPath:
        """From the handset to the line; from nowhere, if there is no handset: the call goes on and is recorded."""
        ear: Audio = self._handset
        self._deaf = False
        try:
            self._handset.open()
        except AudioError as problem:
            self._lose_handset(str(problem))
            ear = Nowhere()
        path = TalkPath(ear, self._line.audio, self._recorder)
        path.volume = self._path.volume
        return path

    def _lose_handset(self, why: str) -> None:
        self._deaf = True
        self._post(AudioFailed(why))

    def _past(self, call: Call) -> tuple[PastCall, ...]:
        if not call.number.key:
            return ()  # whoever shows no number has no history
        try:
            return self._calls.history(call.number.key)[1:]  # without the call that has just begun
        except CardError:
            return ()

    def _note_begin(self, call: Call, decision: Decision | None, agent: str, reason: str) -> None:
        try:
            self._calls.begin(call, decision, agent, reason)
        except CardError:
            pass  # it is on the wire or over already, and that is what counts

    def _heed(self, before: Marks) -> None:
        """Do what a mark asks for beyond being noted."""
        if self._marks.paused != before.paused:
            (self._recorder.pause if self._marks.paused else self._recorder.resume)()
        if self._marks.promise != before.promise:
            end = self._answered_at + 60.0 * (self._marks.promise or 0)
            self._ticks = [end, end - SOON] if self._marks.promise else []

    def _note(self, mark: str) -> None:
        try:
            self._calls.mark(self._going.id, mark, monotonic() - self._answered_at)
        except CardError:
            self._recording = "failed"


def _summary(sealed: Sealed) -> dict[str, object]:
    """What the books keep of a recording."""
    return {
        "file": sealed.path.name,
        "segments": sealed.segments,
        "frames": sealed.frames,
        "talk": round(sealed.talk_seconds, 2),
        "sha256": sealed.sha256,
        "complete": sealed.complete,
        "gaps": [list(gap) for gap in sealed.gaps],
    }


def _ending(event: Event) -> tuple[Cause, Party, bool]:
    match event:
        case CallEnded(cause, by, _, sure):
            return cause, by, sure
        case LineLost():
            return Cause.LOST, Party.LINE, True
    return Cause.NORMAL, Party.NEAR, True
