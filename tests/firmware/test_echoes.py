"""What the line says of old calls is told from what it says of new ones."""

from hypothesis import given
from hypothesis import strategies as st

from firmware.echoes import Echoes
from hw.events import Alerting, Answered, CallEnded, Cause, IncomingCall, LineReady, SignalChanged, ToneHeard

ENDED = CallEnded(Cause.NORMAL)
SAID = (Alerting(), Answered(), ToneHeard("1"), ENDED)


def test_what_is_no_call_is_no_echo():
    echoes = Echoes()
    echoes.expect()
    assert not echoes.swallows(LineReady("EC25"), dialled=True)
    assert not echoes.swallows(SignalChanged(2), dialled=True)


def test_a_forgotten_end_is_nobodys():
    echoes = Echoes()
    echoes.expect()
    echoes.forget()
    assert not echoes.swallows(ENDED, dialled=True)


@given(
    calls=st.lists(
        st.tuples(st.booleans(), st.booleans(), st.lists(st.sampled_from(SAID[:3]), max_size=3)), min_size=1, max_size=8
    )
)
def test_however_late_the_line_is_each_call_gets_its_own_story(calls):
    """The line tells call after call; the booth has hung up all but the last of them before it hears a word."""
    *over, (_, _, last) = calls
    echoes, heard = Echoes(), []
    for _ in over:
        echoes.expect()
    for rang, number_late, story in over:
        ring = [IncomingCall(None)] * rang + [IncomingCall("0312345601")] * (rang and number_late)
        heard += [event for event in (*ring, *story, ENDED) if not echoes.swallows(event, dialled=True)]
    assert heard == []
    assert [event for event in (*last, ENDED) if not echoes.swallows(event, dialled=True)] == [*last, ENDED]


@given(late=st.booleans())
def test_whoever_rang_before_our_dial_is_put_off_before_it_is_told(late):
    echoes = Echoes()
    rings = [IncomingCall(None)] + [IncomingCall("0312345601")] * late
    assert all(echoes.swallows(event, dialled=True) for event in (*rings, ENDED))
    assert not echoes.swallows(Answered(), dialled=True)
    assert not echoes.swallows(IncomingCall(None), dialled=False)
