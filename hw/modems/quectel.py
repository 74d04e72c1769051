"""Quectel EC20, EC21, EC25, EG25, EG91, EG95: LTE voice with PCM on what is otherwise the GPS port, or as a sound card."""

from dataclasses import replace

from hw import callrows
from hw.modems.family import Family, Sound, Step, greeting

NEWS_OF_CALLS = Step('AT+QINDCFG="ccinfo",1,0', otherwise="AT^DSCI=1")  # EP06 has only the second; never both
TONE_NEWS, SIM_NEWS = Step("AT+QTONEDET=1"), Step("AT+QSIMSTAT=1")

QUECTEL = Family(
    name="quectel",
    greeting=greeting(
        Step("AT+CEREG=2"),
        NEWS_OF_CALLS,
        Step('AT+QGPSCFG="outport","none"'),  # GPS and PCM share the port
        Step("AT+QAUDMOD=3"),
        TONE_NEWS,
        SIM_NEWS,
    ),
    call_news={"+QIND": callrows.ccinfo, "^DSCI": callrows.dsci},
    sound=Sound(
        before=("AT+QPCMV=0",),  # left on by a call before, it would not start again
        start="AT+QPCMV=1,0",
        stop=("AT+QPCMV=0",),
        flow="+QPCMV",
        asked="AT+QPCMV?",
    ),
    tone_heard="+QTONEDET",
    tones=('AT+QVTS="{digit}"', 'AT+VTS="{digit}"'),
    clocks=("AT+QLTS=2", "AT+CCLK?"),  # =2 is local time with its zone; without it, which zone is meant varies
    tries=('AT+QPINC="SC"', 'AT+CSIM=10,"0020000100"'),
    iccid=("AT+QCCID",),
    health_news=("+QSIMSTAT",),
)

QUECTEL_UAC = replace(
    QUECTEL,
    name="quectel-uac",
    greeting=greeting(Step("AT+CEREG=2"), NEWS_OF_CALLS, TONE_NEWS, SIM_NEWS),
    sound=Sound(via="card", before=("AT+QPCMV=0",), start="AT+QPCMV=1,2", stop=("AT+QPCMV=0",), asked="AT+QPCMV?"),
)
"""The same with the USB configuration that has a sound card, which ALSA calls Android."""
