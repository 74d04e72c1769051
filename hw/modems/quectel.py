"""Quectel EC20, EC21, EC25, EG25, EG91, EG95: LTE voice with PCM on what is otherwise the GPS port."""

from hw import readings
from hw.modems.family import Family, Step

QUECTEL = Family(
    name="quectel",
    greeting=(
        Step("ATE0", fatal=True, patience=1.0),  # the first word: a modem that lives answers it at once
        Step("ATV1"),
        Step("AT+CMEE=1", fatal=True),
        Step("AT+CGMI"),
        Step("AT+CGMM"),
        Step("AT+CGMR"),
        Step("AT+CGSN"),
        Step("AT+COPS=3,0"),  # only the format of the name; =0,0 would start a new search
        Step("AT+CREG=2"),
        Step("AT+CEREG=2"),
        Step("AT+CLIP=1"),
        Step("AT+CRC=1"),
        Step("AT+CVHU=0"),
        Step("AT+COLP=0"),  # with 1, the OK of ATD comes only when answered
        Step('AT+QINDCFG="ccinfo",1,0', otherwise="AT^DSCI=1"),  # EP06 has only the second; never both
        Step('AT+QGPSCFG="outport","none"'),  # GPS and PCM share the port
        Step("AT+QAUDMOD=3"),
        Step("AT+QTONEDET=1"),
        Step("AT+CTZU=1"),
        Step("AT+CTZR=1"),
        Step("AT+CCWA=0,0,1", patience=10.0),  # asks the network; a booth has one line
    ),
    call_news={"+QIND": readings.ccinfo, "^DSCI": readings.dsci},
    voice="AT+QPCMV?",
    sound_on=("AT+QPCMV=0", "AT+QPCMV=1,0"),  # 0 first: left on by a call before, it would not start again
    sound_off=("AT+QPCMV=0",),
    flow="+QPCMV",
    tone_heard="+QTONEDET",
    tones=('AT+QVTS="{digit}"', 'AT+VTS="{digit}"'),
    clocks=("AT+QLTS=2", "AT+CCLK?"),  # =2 is local time with its zone; without it, which zone is meant varies
)
