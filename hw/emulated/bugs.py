"""The bugs and traps of real modems, one switch for each."""

from dataclasses import dataclass
from typing import Literal

Row = Literal["whole", "no number", "empty number", "empty name", "empty name and validity"]
Wedge = Literal["", "commands", "all", "dead"]


@dataclass(kw_only=True, eq=False)
class Bugs:
    """What a modem does that no standard asks for. All are off unless its make has them; all can be changed at any time.

    How it writes:
    no_blank            two replies without a blank line between them
    crcrlf              lines end with CR CR LF
    no_space            no space after the colon: `+CREG:0,1`
    glued_cnum          the answer to +CNUM begins with `ERROR+CNUM:`
    cpin_no_ok          +CPIN? has no final result (Wavecom)
    urc_in_reply        this notice comes between every command and its final result
    wordy_errors        `COMMAND NOT SUPPORT` and `TOO MANY PARAMETERS` instead of ERROR (Huawei)
    clcc_row            how +CLCC ends: without a number, with an empty one, `,""` or `,"",,0` after the type
    alpha               the caller's name from the SIM's telephone book, in +CLIP and +CLCC; may be `OK SHOP`

    How it answers commands:
    lacks               names of commands that this firmware does not know, as `+CHUP`
    withholds           the answer to a command that begins so stays in a buffer until the next command comes
    wedged              "commands": none is answered any more, notices go on; "all": not a word. AT+CFUN=1,1 (or
                        AT+CRESET, of SIMCom's) or a new plug cures both; "dead": only a new plug
    wedges_on           a command that begins so has it wedged ("commands")
    qhup_wedges         so does AT+QHUP, after its OK (EP06)
    chld_wedges         so does AT+CHLD=1x before the far end is alerted (Huawei)
    ath_ignored         ATH says OK and leaves a voice call alone
    dial_ok_after       seconds until the OK of ATD, while notices go on; any character aborts the call
    early_urc           call notices come before the OK of the command that caused them: ATD, ATA, AT+CHUP, AT+CHLD
    slow_on             only commands that begin so are slow, as AT+CCWA that asks the network
    autobaud            deaf to the first line: it finds the speed by it (SIM800)
    tone_gap            seconds; a tone sooner after the one before is said to be sent and swallowed
    unserved            final result of ATD without a network

    SIM and network:
    sim_busy_for        seconds after plug() in which the SIM is not ready yet
    sim_busy_says       what +CPIN? says meanwhile: 10, 13, 14, 515 (as +CME ERROR) or a state, as `NOT READY`
    sim_data_late       seconds after READY in which +CIMI and +CNUM still fail
    calls_fail_for      seconds after plug() in which ATD fails

    Calls:
    late_clip           the first RING has no +CLIP
    ring_every          seconds from one RING to the next
    ring_late           seconds that a call rings in +CLCC before the first RING
    data_call           +CLCC also lists a data call, as when the modem is online
    ccwa_anyway         a second caller waits although +CCWA was turned off, and is told
    rings_second        a waiting caller brings RING and +CLIP as well
    held_kills_voice    of two calls one ends, and the other is dumb (Huawei)
    volte_drops         every call ends before the far end hears of it (A7670 firmware B01)
    ccinfo              False knows only ^DSCI (EP06)
    clcc_urc            False: AT+CLCC=1 is not known (SIMCom)
    vague_end           VOICE CALL: END has no seconds (SIMCom)
    curc_off            notices with ^ are off until AT^CURC=1 (Huawei)
    no_conf             ^CONF never comes (Huawei)
    cend                ^CEND without its 4th field, or with an empty one (Huawei); "whole" has one if the network
                        answered
    cend_status         the 3rd field of every ^CEND, as 255; -1: 29 when ended here, else 25
    cend_twice          BUSY or NO CARRIER come beside ^CEND (Huawei)
    early_chup_no_cend  no ^CEND for a call cancelled before the far end is alerted (Huawei)
    mute_firmware       says it has voice, yet no ^CONN ever comes and nothing is heard (Huawei firmware 21)

    Sound:
    forgets_pcm         +QPCMV is 0 after a call (Quectel)
    pcm_late            seconds after plug() until the voice port appears, too
    pcm_settle          seconds after the answer in which AT+CPCMREG=1 is still refused (SIMCom)
    wears_out           after one call with sound the next AT+CPCMREG=1 fails once, then the sound is "choppy", or there
                        is "no downlink" or "no uplink", until AT+CRESET or a new plug (SIM7600)
    nmea                GPS sentences among the voice until +QGPSCFG="outport","none" (Quectel)

    reset_for           seconds that the ports are gone after AT+CFUN=1,1 or AT+CRESET (20 to 30 in real life)
    """

    no_blank: bool = False
    crcrlf: bool = False
    no_space: bool = False
    glued_cnum: bool = False
    cpin_no_ok: bool = False
    urc_in_reply: str = ""
    wordy_errors: bool = False
    clcc_row: Row = "whole"
    alpha: str = ""

    lacks: tuple[str, ...] = ()
    withholds: str = ""
    wedged: Wedge = ""
    wedges_on: str = ""
    qhup_wedges: bool = False
    chld_wedges: bool = False
    ath_ignored: bool = False
    dial_ok_after: float = 0.0
    early_urc: bool = False
    slow_on: str = ""
    autobaud: bool = False
    tone_gap: float = 0.0
    unserved: str = "NO CARRIER"

    sim_busy_for: float = 0.0
    sim_busy_says: int | str = 14
    sim_data_late: float = 0.0
    calls_fail_for: float = 0.0

    late_clip: bool = False
    ring_every: float = 5.0
    ring_late: float = 0.0
    data_call: bool = False
    ccwa_anyway: bool = False
    rings_second: bool = False
    held_kills_voice: bool = False
    volte_drops: bool = False
    ccinfo: bool = True
    clcc_urc: bool = True
    vague_end: bool = False
    curc_off: bool = False
    no_conf: bool = False
    cend: Literal["whole", "short", "empty cause"] = "whole"
    cend_status: int = -1
    cend_twice: bool = False
    early_chup_no_cend: bool = False
    mute_firmware: bool = False

    forgets_pcm: bool = False
    pcm_late: float = 0.0
    pcm_settle: float = 0.1
    wears_out: Literal["", "choppy", "no downlink", "no uplink"] = ""
    nmea: bool = False

    reset_for: float = 0.3
