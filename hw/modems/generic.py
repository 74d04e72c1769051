"""Modems of which only the standard is known (3GPP TS 27.007), and those that are odd about dialling."""

from dataclasses import replace

from hw import callrows
from hw.modems.family import Family, Pace, Sound, Step, greeting

GENERIC = Family(
    name="generic",
    greeting=greeting(Step("AT+CEREG=2"), Step("AT+CLCC=1")),
    call_news={},
    sound=Sound(via="card"),
    pace=Pace(poll=0.15),  # the list is all there is: who answers and hangs up is seen so late
)

ODD = replace(
    GENERIC,
    name="odd",
    greeting=greeting(),
    call_news={"CONNECT": callrows.mo_connected, "HANGUP": callrows.hangup},
    dial_is_answered=False,
)
"""ZTE K3565-Z and its kin: ATD is answered with nothing, then CONNECT and at the end HANGUP."""
