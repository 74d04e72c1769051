"""Bad days: whatever breaks, nothing that was acknowledged is lost, nobody is called twice, and the screen says why."""

import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from firmware.callflow import State
from firmware.redial import Reason
from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Tone
from hw.events import Cause, Fault, Party

VICTIM = Path(__file__).with_name("victim.py")
SAMPLE = Path(__file__).parents[2] / "firmware" / "desk" / "sample.ja.csv"
FIRST = "0312345601"
CUSTOMER = 1000  # Hz

pytestmark = pytest.mark.slow


def until(true, patience=30.0):
    """Poll a condition of another process."""
    ends = time.monotonic() + patience
    while not true():
        assert time.monotonic() < ends, "it never came true"
        select.select([], [], [], 0.02)


def talk(rig, booth, at):
    """Call the customer that the list shows and be answered."""
    at(booth, State.LIST, lambda scene, _view: scene.header.signal is not None)
    rig.lift()
    rig.tap("A")
    return at(booth, State.TALKING)


def wrap_up(rig, booth, at):
    """Key a result and save it."""
    at(booth, State.WRAP_UP)
    rig.tap("1")
    rig.tap("A")


def test_killed_in_mid_call(house, at):
    house.import_list(SAMPLE)
    with subprocess.Popen(
        [sys.executable, str(VICTIM), str(house.directory), str(house.identity)], stdout=subprocess.PIPE, text=True
    ) as victim:
        call = victim.stdout.readline().strip()
        began = time.monotonic()
        journal = house.directory / "recordings" / f"{call}.journal"
        until(lambda: time.monotonic() - began > 6)
        talked = time.monotonic() - began
        victim.kill()
    assert journal.exists()

    rig, booth = house.install(lists=())
    scene = at(booth, State.LIST)
    owed = scene.body.owed
    assert (owed.id, owed.cause, owed.by) == (call, Cause.LOST, Party.LINE)
    heard = house.open(call)
    assert heard.found.whole, heard.found.faults
    assert talked - 2.5 <= heard.found.seconds <= talked + 1.5
    rig.lift()
    rig.tap("A")
    at(booth, State.WRAP_UP)
    assert rig.modem.heard.count(f"ATD{FIRST};") == 0
    wrap_up(rig, booth, at)
    at(booth, State.PREVIEW)
    booth.stop()
    record = house.record(call)
    assert (record["cause"], record["result"]["code"]) == ("LOST", "SALE")


def test_modem_unplugged_while_talking_and_plugged_back(house, at):
    rig, booth = house.install()
    call = talk(rig, booth, at).body.call.id
    at(booth, State.TALKING, lambda scene, _view: scene.body.seconds > 3)
    rig.unplug()
    scene = at(booth, State.WRAP_UP)
    assert (scene.body.call.cause, scene.body.call.by) == (Cause.LOST, Party.LINE)
    rig.replace()
    rig.tap("D")
    scene = at(booth, State.OUT_OF_ORDER)
    assert scene.body.fault in {Fault.UNPLUGGED, Fault.ABSENT}
    rig.plug()
    at(booth, State.LIST, patience=30)
    assert house.open(call).found.seconds > 2.5
    rig.lift()
    rig.tap("A")  # the result is still owed: nobody can be dialled before it is keyed
    wrap_up(rig, booth, at)
    at(booth, State.PREVIEW)
    rig.tap("A")
    at(booth, State.TALKING)


def test_a_list_with_broken_rows(house, at, capsys):
    broken = house.directory / "broken.csv"
    broken.write_bytes(
        "氏名,フリガナ,電話番号\r\n"
        "山田 太郎,ヤマダ タロウ,03-1234-5610\r\n"
        "鈴木 花子,スズキ ハナコ,3.12345611E+08\r\n"
        "佐藤 次郎,サトウ ジロウ,\r\n"
        "高橋 三郎,タカハシ サブロウ,119\r\n"
        "田中 四郎,タナカ シロウ,312345612\r\n"
        "山田 太郎,ヤマダ タロウ,０３ー１２３４ー５６１０\r\n".encode("cp932")
    )
    _rig, booth = house.install(lists=(broken,))
    scene = at(booth, State.LIST)
    assert [row.number.key for row in scene.body.rows] == ["+81312345610", "+81312345612"]
    told = capsys.readouterr()
    assert told.err.count("not taken") == 4
    assert all(f"line {line}:" in told.err for line in (3, 4, 5, 7))


def test_card_full_while_recording(house, at):
    rig, booth = house.install()
    call = talk(rig, booth, at).body.call.id
    at(booth, State.TALKING, lambda scene, _view: scene.body.seconds > 4.5, patience=30)
    rig.fill_card()
    scene = at(booth, State.TALKING, lambda scene, _view: scene.header.recording == "failed", patience=30)
    lasting = scene.body.seconds
    at(booth, State.TALKING, lambda scene, _view: scene.body.seconds > lasting + 1)
    assert rig.exchange.state == "talking"
    rig.replace()
    wrap_up(rig, booth, at)
    at(booth, State.WRAP_UP, lambda scene, _view: scene.body.card_full)
    rig.empty_card()
    rig.tap("A")
    at(booth, State.PREVIEW)
    assert house.open(call).found.seconds >= 2.0
    booth.stop()
    assert house.record(call)["result"]["code"] == "SALE"


def test_time_unknown_until_it_is_keyed(house, at):
    rig, booth = house.install(before=lambda rig: rig.set_clock(1970))
    scene = at(booth, State.LIST)
    assert scene.header.now is None
    rig.lift()
    rig.tap("A")
    scene = at(booth, State.BLOCKED)
    assert scene.body.decision.reason is Reason.TIME_UNKNOWN
    assert not [line for line in rig.modem.heard if "ATD" in line]
    rig.tap("0")
    at(booth, State.PIN_ENTRY)
    rig.type(house.pin)
    rig.tap("A")
    at(booth, State.PIN_ENTRY, lambda scene, _view: scene.body.asking == "date")
    rig.type("20261122")
    rig.tap("A")
    at(booth, State.PIN_ENTRY, lambda scene, _view: scene.body.asking == "time")
    rig.type("1432")
    rig.tap("A")
    at(booth, State.LIST, lambda scene, _view: scene.header.now is not None)
    rig.tap("A")
    at(booth, State.TALKING)


def test_handset_pulled_out_and_not_there_at_all(house, at):
    """The call goes on without the agent's voice, the screen says so, and the customer is recorded all the same."""
    rig, booth = house.install()
    rig.exchange.default = FarEnd(voice=Tone(CUSTOMER))
    first = talk(rig, booth, at).body.call.id
    rig.handset.plugged = False
    at(booth, State.TALKING, lambda scene, _view: scene.body.deaf)
    rig.replace()
    wrap_up(rig, booth, at)
    at(booth, State.PREVIEW)
    rig.lift()
    rig.tap("A")
    scene = at(booth, State.TALKING, lambda scene, _view: scene.body.deaf)
    second = scene.body.call.id
    at(booth, State.TALKING, lambda scene, _view: scene.body.seconds > 3)
    rig.replace()
    at(booth, State.WRAP_UP)
    assert first != second
    heard = house.open(second)
    assert heard.found.seconds > 2.5
    assert abs(heard.customer).max() > 1000
    assert abs(heard.agent).max() < 10
