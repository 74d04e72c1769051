"""What the booth takes a call for, from what really crossed the line."""

import pytest

from firmware.callflow import State
from hw.emulated.exchange import FarEnd

FIRST = "0312345601"
LONG = 4.2  # seconds: more than a hang-up at pick-up


def likely(house, at, far_end, *, stay):
    """The code that is lit after a call to `far_end`; `stay`: we hang up, after a while."""
    rig, booth = house.install()
    rig.exchange.book[FIRST] = far_end
    at(booth, State.LIST, lambda scene, _view: scene.body.rows)
    rig.type(FIRST)
    at(booth, State.KEYING, lambda scene, _view: scene.body.digits == FIRST)
    rig.lift()
    rig.tap("A")
    if stay:
        at(booth, State.TALKING, lambda scene, _view: scene.body.seconds >= LONG, patience=30)
        rig.replace()
    scene = at(booth, State.WRAP_UP, patience=30)
    return scene.body.suggested and scene.body.suggested.code


@pytest.mark.slow
@pytest.mark.parametrize(
    ("far_end", "stay", "code"),
    [
        (FarEnd(then="hangs up wordlessly", ends_after=60.0), True, "VM"),
        (FarEnd(then="speaks"), True, None),
        (FarEnd(then="hangs up wordlessly", ends_after=0.5), False, "GACHA0"),
        (FarEnd(then="hangs up mid-pitch", ends_after=LONG), False, "GACHAM"),
        (FarEnd(then="hangs up wordlessly", ends_after=LONG), False, "GACHA0"),
    ],
)
def test_what_was_heard_speaks_for_a_result(house, at, far_end, stay, code):
    assert likely(house, at, far_end, stay=stay) == code
