"""A split network and one customer: what could not be prevented is told to the supervisor, and nothing else is."""

import re
import time

import httpx
import pytest
from sqlalchemy import insert

from firmware.callflow import State
from firmware.redial import Reason
from hw.emulated.exchange import FarEnd
from provisioning.server.pages import sessions
from provisioning.server.schema import administrator

FIRST = "0312345601"
NOBODY = "Nobody was called twice"

pytestmark = pytest.mark.slow


@pytest.fixture
def page(central):
    """What a supervisor reads on the page of conflicts."""
    with central.server.parts.database.write() as connection:
        row = {"name": "SV", "password": "", "language": "en", "created": 0.0}
        connection.execute(insert(administrator).values(row))
        token = sessions.begin(connection, 1, time.time())

    def read():
        cookies = {sessions.COOKIE: token}
        answer = httpx.get(f"{central.server.pages_url}/conflicts", cookies=cookies, trust_env=False)
        assert answer.status_code == 200
        return answer.text

    return read


@pytest.fixture
def booths(central, branch, at):
    """Two booths in touch with the server, with the same list."""
    made = []
    for name in ("1", "2"):
        place = branch(name)
        central.enrol(place.directory, central.token(name))
        central.sync(place.directory)
        rig, booth = place.install()
        rig.exchange.book[FIRST] = FarEnd(answers_after=0.3)
        made.append((rig, booth))
    for _rig, booth in made:
        at(booth, State.LIST, lambda scene, _view: scene.body.rows and scene.header.synced)
    return made


@pytest.fixture
def call(at):
    """Call the first customer, and key a result; the call's id."""

    def made(rig, booth, key="1"):
        rig.lift()
        rig.tap("A")
        scene = at(booth, State.TALKING)
        rig.replace()
        at(booth, State.WRAP_UP)
        rig.tap(key)
        at(booth, State.WRAP_UP, lambda scene, _view: scene.body.chosen is not None)
        rig.tap("A")
        at(booth, State.PREVIEW)
        return scene.body.call.id

    return made


def test_two_booths_that_were_cut_off_called_one_customer(central, booths, page, call, until):
    assert NOBODY in page()
    central.down()
    (one, first), (other, second) = booths
    earlier = call(one, first, key="7")
    later = call(other, second)
    central.up()
    until(lambda: len(central.rows("SELECT id FROM call")) == 2)
    told = page()
    assert re.findall(r"/calls/([0-9a-f-]{36})", told) == [earlier, later]
    for words in ("Not looked at yet: 1", "This customer refused", "out of reach of the server", "Booth 1", "Booth 2"):
        assert words in told, words


def test_after_work_in_touch_with_the_server_there_is_none(central, booths, page, call, at, until):  # noqa: PLR0917  (fixtures)
    (one, first), (other, second) = booths
    call(one, first)
    other.lift()
    other.tap("A")
    scene = at(second, State.BLOCKED)
    assert scene.body.decision.reason in {Reason.CALLED_RECENTLY, Reason.CLAIMED}
    until(lambda: len(central.rows("SELECT id FROM call WHERE claim = 'granted'")) == 1)
    assert NOBODY in page()
