"""Huawei voice sticks: E1550, E1552, E169, E173, E1750, E3131, K3520, K3715, K3765 and their kin (3G)."""

from hw import callrows, readings
from hw.at import Reply
from hw.errors import UnexpectedReply
from hw.modems.family import Family, Flaw, Pace, Sound, Step, greeting


def has_voice(reply: Reply) -> bool:
    """`^CVOICE: 0,…` has voice, `^CVOICE: 1` has not, ERROR neither."""
    try:
        return reply.ok and bool(reply.lines) and readings.fields(reply.lines[0], "^CVOICE")[0] == "0"
    except UnexpectedReply:
        return False


HUAWEI = Family(
    name="huawei",
    greeting=greeting(
        Step("AT^CURC=1"),  # the notices with ^ are off on some firmwares
        Step("AT+CSSN=1,1"),
        Step("AT^DDTMFCFG=0,1"),
    ),
    call_news={"^ORIG": callrows.orig, "^CONF": callrows.conf, "^CONN": callrows.conn, "^CEND": callrows.cend},
    sound=Sound(
        start="AT^DDSETEX=2",  # on the AT port, after the OK of ATD or ATA; it stops by itself with the call
        when="placed",
        rate=115200,
        asked="AT^CVOICE?",
        has_voice=has_voice,
    ),
    tone_heard="^DDTMF",
    tones=("AT^DTMF={index},{digit}", "AT+VTS={digit}"),  # one digit each: of two, the second is lost
    tries=("AT^CPIN?", 'AT+CSIM=10,"0020000100"'),
    iccid=("AT^ICCID?", "AT+CCID"),
    health_news=("^SIMST", "^SRVST"),
    flaws=(Flaw(r"^\+?(CGMR: ?)?21\.", "firmware 21 has no usable voice, whatever it says; 11 has", voiceless=True),),
    registrations=("AT+CREG?",),
    placed=("AT+CLVL=1", "AT+CLVL=5"),  # the volume takes effect only when it changes
    hang_up=("AT+CHUP",),  # AT+CHLD=1x during the set-up makes it deaf, ATH leaves the call
    refuse_second="",  # ending one of two calls takes the other one's voice
    pace=Pace(tone=0.2),
)
