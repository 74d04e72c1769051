"""SIMCom SIM7600 and A7670 (LTE, PCM on a USB port), SIM800 and SIM900 (2G, analog audio)."""

from dataclasses import replace

from hw import callrows
from hw.modems.family import Family, Flaw, Sound, Step, greeting

SIM7600 = Family(
    name="sim7600",
    greeting=greeting(
        Step("AT+CSCLK=0"),  # no sleep
        Step("AT+CEREG=2"),
        Step("AT+CLCC=1"),
        Step("AT+DDET=1"),
        Step("AT+CPCMFRM=0"),  # 8 kHz; 16 gain nothing on a narrow-band call
        Step("AT+CPCMREG=0"),
        Step("AT+COUTGAIN=8"),  # with all gains at 0 the sound is ruined
        Step("AT+CMICGAIN=3"),
    ),
    call_news={"VOICE CALL": callrows.voice_call},
    sound=Sound(
        before=("AT+CPCMREG=0",),
        start="AT+CPCMREG=1",
        when="active",  # refused before
        after=0.1,  # and refused for so long after (ModemManager waits it, too)
        tries=24,  # some rigs have needed twelve seconds
        again=0.5,
        stop=("AT+CPCMREG=0",),
        cure="AT+CRESET",  # nothing less clears it: not CFUN, not a re-bind of the USB driver
        asked="AT+CPCMREG=?",
    ),
    tone_heard="+RXDTMF",
    tries=("AT+SPIC", "AT+CPINR", 'AT+CSIM=10,"0020000100"'),
    iccid=("AT+CICCID", "AT+CCID"),
    reset="AT+CRESET",
)

A7670 = replace(
    SIM7600,
    name="a7670",
    flaws=(Flaw(r"B01(?!\d)", "firmware B01 drops every VoLTE call; B07 does not"),),
)

SIM800 = Family(
    name="sim800",
    greeting=(
        Step("AT", patience=1.0),  # the modem finds its speed by the first word, and may lose it
        *greeting(
            Step("AT+IPR=115200"),
            Step("ATX4"),  # else BUSY is told as NO CARRIER
            Step("AT+MORING=1"),
            Step("AT+CLCC=1"),
            Step("AT+DDET=1"),
            Step("AT+CLTS=1"),
        ),
    ),
    call_news={"MO RING": callrows.mo_ring, "MO CONNECTED": callrows.mo_connected},
    sound=Sound(via="card"),
    warnings=dict.fromkeys(
        ("UNDER-VOLTAGE WARNNING", "UNDER-VOLTAGE POWER DOWN", "OVER-VOLTAGE WARNNING", "OVER-VOLTAGE POWER DOWN"),
        "the modem's supply voltage is out of bounds: it needs a stronger power supply",
    ),
    tone_heard="+DTMF",
    tries=("AT+SPIC", 'AT+CSIM=10,"0020000100"'),
    iccid=("AT+CCID", "AT+ICCID"),
    registrations=("AT+CREG?",),
)
