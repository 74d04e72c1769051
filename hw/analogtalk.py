"""The line in the modem's hand: taken, dialled on, streaming, put down. Scripts for the port, and an ear on the stream."""

from collections.abc import Generator, Iterator

from hw.at import Reply
from hw.atport import Ask, Clock, Pause, Say, Script
from hw.cadence import COUNTRIES, Cadence, Sound
from hw.contracts import FRAME, Post
from hw.dle import Keys
from hw.dtmf import PITCHES
from hw.errors import UnexpectedReply
from hw.events import AudioFailed, LineDegraded
from hw.modems.analog import GENERIC
from hw.v253 import done
from hw.voiceport import Halt, VoicePort
from hw.voicesetup import Setup, Voice
from hw.voicesound import VoiceSound

NO_DUPLEX = "the modem has no full duplex: talk on the handset at its own jack"
DUPLEX, RECORD = "^", "!"  # the codes that end the two kinds of stream


class Talk:
    """Runs on the worker's thread, as its phone does."""

    def __init__(self, setup: Setup, port: VoicePort, sound: VoiceSound, post: Post, now: Clock) -> None:
        self._country = COUNTRIES[setup.country]
        self._port, self._sound, self._post, self._now = port, sound, post, now
        self.voice = Voice(setup.model or GENERIC, "")
        self._jack = setup.jack
        self._degraded = False
        self.doubtful = False  # the modem refused what it had agreed to: who it is must be found out anew
        self._halt = DUPLEX
        self._unheard = bytearray()
        self.ear, self.keys = Cadence(self._country), Keys()
        self.taken_at = self.put_down_at = float("-inf")

    @property
    def records(self) -> bool:
        """Whether sound flows from the line only."""
        return self._port.streaming and self._halt == RECORD

    @property
    def frozen(self) -> bool:
        """Whether a stream has stopped of which nobody asked the end."""
        return self._port.streaming and self._now() - self._port.heard_at >= self.voice.model.pace.mute

    def hear(self, data: bytes) -> Iterator[Sound]:
        """What our own ear makes of the stream."""
        self._unheard += self._sound.heard(data)
        whole = len(self._unheard) // FRAME * FRAME
        frames, self._unheard = bytes(self._unheard[:whole]), self._unheard[whole:]
        said = self._sound.said
        for at in range(0, whole, FRAME):
            if sound := self.ear.hear(frames[at : at + FRAME], said):
                yield sound

    def seize(self) -> Script:
        """Take the line in voice mode, with the sound as we want it."""
        model = self.voice.model
        relay = model.listen if self._jack else model.talk
        self._listen_anew()  # what was heard last was another call
        agreed = ("AT+FCLASS=8", self.voice.choose)
        for command in (*agreed, *model.settings, *relay) if self.voice.coding else ():
            reply = yield Ask(command, model.pace.reply)
            if command in agreed and reply.final == "ERROR":  # one letter may have been lost on the way
                reply = yield Ask(command, model.pace.reply)
                self.doubtful |= reply.final == "ERROR"
        self.taken_at = self._now()

    def dial(self, number: str) -> Generator[Ask | Say | Pause, Reply, tuple[bool, str]]:
        """Whether the modem itself judged of the answer, and its word."""
        model, judged, final = self.voice.model, False, ""
        for form in model.dials:
            judged = not form.endswith(";")
            reply = yield Ask(form.format(number=number), model.pace.judged if judged else model.pace.dial)
            final = reply.final
            if final != "ERROR":
                break
        return judged, final

    def stream(self) -> Script:
        """Let the sound flow: both ways if the modem can, else to us alone."""
        self._listen_anew()
        if self.voice.coding is None:
            self._post(AudioFailed(self.voice.why))
        elif not self._jack and (yield from self._both_ways()):
            return
        elif not (yield from self._open("AT+VRX", RECORD)):
            self.doubtful = True
            self._post(AudioFailed("AT+VRX: the modem gives no sound"))

    def press(self, digits: str) -> Script:
        """Tones by command, which must interrupt the record."""
        model = self.voice.model
        yield Halt(self._halt, model.pace.halt)
        for digit in digits:
            low, high = PITCHES[digit]
            yield Ask(model.tone.format(digit=digit, low=low, high=high), model.pace.reply)
        yield from self._open("AT+VRX", RECORD)

    def release(self) -> Script:
        """End the stream and put the line down. Raises UnexpectedReply where the modem will not."""
        patience = self.voice.model.pace
        if self._port.streaming:
            yield Halt(self._halt, patience.halt)
        self._sound.end()
        self._port.strayed = False
        yield Ask("AT+VLS=0", patience.reply)
        # One refusal may be of a letter that was lost on the way, or another command's.
        refused = (yield from self._put_down()) and (yield from self._put_down())
        self._port.strayed |= bool(refused)
        self.put_down_at = self._now()
        if "ATH" in refused:  # the next number would be dialled into this talk
            raise UnexpectedReply("the modem does not put the line down")

    def _put_down(self) -> Generator[Ask | Say | Pause, Reply, tuple[str, ...]]:
        """What the modem refused of it."""
        refused: tuple[str, ...] = ()
        for command in ("ATH", "AT+FCLASS=0"):
            reply = yield Ask(command, self.voice.model.pace.reply)
            if reply.final == "ERROR":
                refused = (*refused, command)
        return refused

    def probe(self) -> Generator[Ask | Say | Pause, Reply, bool]:
        """Whether there is a dial tone: to take the line and dial nothing waits for it."""
        patience = self.voice.model.pace
        reply = yield Ask("ATDT;", patience.dial)
        yield Ask("ATH", patience.reply)
        self.put_down_at = self._now()
        return done(reply)

    def _listen_anew(self) -> None:
        self.ear, self.keys = Cadence(self._country), Keys()
        self._unheard.clear()

    def _open(self, command: str, halt: str) -> Generator[Ask | Say | Pause, Reply, bool]:
        self._halt = halt  # at once: whoever hangs up before the CONNECT comes must end it as well
        reply = yield Ask(command, self.voice.model.pace.reply)
        if not reply.final.startswith("CONNECT") or self.voice.coding is None:
            return False
        self._sound.begin(self.voice.coding, self._now(), duplex=halt == DUPLEX)
        return True

    def _both_ways(self) -> Generator[Ask | Say | Pause, Reply, bool]:
        """Full duplex; one refusal may be for a line that was not quite taken, two are for good, and then we only listen."""
        model = self.voice.model
        if (yield from self._open("AT+VTR", DUPLEX)):
            return True
        for command in model.talk:
            yield Ask(command, model.pace.reply)
        if (yield from self._open("AT+VTR", DUPLEX)):
            return True
        if not self._degraded:
            self._post(LineDegraded(NO_DUPLEX))
        self._degraded = True
        for command in model.listen:
            yield Ask(command, model.pace.reply)
        return False
