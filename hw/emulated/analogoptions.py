"""Everything that can be different about an analog modem and its line: the one place where its bugs are described."""

from dataclasses import dataclass, field
from typing import Literal

from hw.emulated.cable import Cable
from hw.emulated.speech import Voice

Clearing = Literal["busy", "dial tone", "loop break", "silence"]
Guess = Literal["ring-back", "early", "never"]
CallerId = Literal["whole", "incomplete", "none"]


@dataclass(kw_only=True, eq=False, repr=False)
class AnalogCircumstances:
    """What a test or the desk may change, at any time, by assignment; at the start by keyword.

    The cable: `cable` is what all bytes go through (see Cable), `garble` is that cable's. `silent`: the modem hears and
    says nothing. `slow`: seconds before each answer. `cuts`: what the modem writes is cut after every DLE, the rest comes 2 ms later.

    The line: `line`: False has no exchange at the other end of the wire. `country`: jp, us or eu: the tones.
    `tone_dialling`: False is an old exchange that knows pulses only. `ring_every`: seconds, else the country's.
    `clearing`: what the caller hears after the far end hung up: the busy tone, dial tone at once, a break of the loop
    and then dial tone, or nothing. `busy_for`: seconds of busy tone until dial tone comes. `polarity`: the exchange
    reverses it at answer and at the end. `announces`: a number that does not exist gets the special information tone.
    `echo_db`: how far under what is said it comes back from the line (hybrid), None: not at all.
    `clock_ppm`: how much too fast the modem's clock is.

    Dialling: `answer_word`: VCON or OK, what ATD says when it takes the call for answered. `guess`: ring-back (when it
    has ceased for +VRA, as the standard says), early (in the first pause of the ring-back: wrong) or never.
    `no_dial_tone`: the spelling of that result.

    The relay: `firmware`: a USR5637 before 1.2.23 answers +VLS=1 with OK and stays on-hook. `misses_off_hook`: how many
    of the next attempts to answer do nothing: RING goes on. `self_confirms`: DLE H follows +VLS=1.
    `records_on`: +VLS states in which +VRX hears the line; in others it records silence. Empty: all.

    Streams: `vtr`: False has no duplex. `stop_dles`: 3 wants 10 10 10 and the code to end a stream, and takes 10 and
    the code for nothing. `traps`: literal 10 62 in the audio, sent as 10 10 62, which is no busy tone.
    `budget`: bytes a second for both directions together; what is over it is lost as underruns (0: no limit).
    `can_ends`: DLE CAN ends +VTX; False only empties its buffer. `stream_word`: what follows the end of a stream.
    `silence_ends`: the silence that +VSD looks for ends +VRX and +VTR. `silence_code`: s, or q on some.

    Events: `rings_as_event`: in voice mode a ring is DLE R, not RING.

    +VTS: `vts_digits`: understands bare digits. `vts_pairs`: understands [f1,f2,10 ms]. `vts_zero_pairs`: also with a
    zero for one of them.

    Caller id: `caller_id`: whole, incomplete (DATE and TIME, then nothing) or none. `caller_id_spaces`: around `=`.
    `caller_name`: a NAME line where the network gives one. `hidden_as`: for a number that is not shown, else P
    (withheld), O (unavailable) or C (payphone).

    The phone on the modem's own jack: `phone_voice` is what its user says; `phone_codes` come when it is lifted and when
    it is put down: Hh, or Pp on some, and a Conexant tells nothing before -STE.
    """

    cable: Cable = field(default_factory=Cable)
    silent: bool = False
    slow: float = 0.0
    cuts: bool = False

    line: bool = True
    country: str = "jp"
    tone_dialling: bool = True
    ring_every: float | None = None
    clearing: Clearing = "busy"
    busy_for: float = 30.0
    polarity: bool = False
    announces: bool = True
    echo_db: float | None = None
    clock_ppm: float = 0.0

    answer_word: str = "OK"
    guess: Guess = "ring-back"
    no_dial_tone: str = "NO DIALTONE"

    firmware: str = "1.2.23"
    misses_off_hook: int = 0
    self_confirms: bool = False
    records_on: tuple[int, ...] = ()

    vtr: bool = True
    stop_dles: int = 1
    traps: bool = False
    budget: int = 0
    can_ends: bool = True
    stream_word: str = "OK"
    silence_ends: bool = False
    silence_code: str = "s"

    rings_as_event: bool = False

    vts_digits: bool = True
    vts_pairs: bool = True
    vts_zero_pairs: bool = False

    caller_id: CallerId = "whole"
    caller_id_spaces: bool = True
    caller_name: str = ""
    hidden_as: str = ""

    phone_voice: Voice | None = None
    phone_codes: str = "Hh"

    @property
    def garble(self) -> float:
        """The cable's: probability that a byte is damaged."""
        return self.cable.garble

    @garble.setter
    def garble(self, probability: float) -> None:
        self.cable.garble = probability
