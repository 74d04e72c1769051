"""The SIM's PIN: what the booth gives by itself, what a person may key, and what is never lost by either."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.callflow import State
from firmware.pin import is_hash
from firmware.sim import FULL, LEAST, SimPin, is_sim_pin
from firmware.store import CardError
from hw.events import (
    Answered,
    CallEnded,
    Cause,
    Fault,
    KeyHeld,
    KeyPressed,
    KeyReleased,
    LineLost,
    LineReady,
    SimLocked,
)

ICCID, OTHER = "8981100000000000001", "8981100000000000002"
PIN, WRONG = "4711", "2580"
CHEAP = 2  # of a hash: what is tried here is the policy


class Booth:
    """A booth's card and its boots, with the SIM that is in its modem."""

    def __init__(self, stored=PIN, *, tells=True):
        self.stored, self.tells, self.kept, self.full = stored, tells, None, False
        self.true, self.tries, self.iccid, self.open = PIN, FULL, ICCID, False
        self.boots, self.wrongs = 0, []  # wrongs: (boot, PIN, ICCID, by whom, tries before)
        self.start()

    def start(self, *, anew=True):
        """The program starts; `anew`: with the machine, so that the SIM is locked again."""
        self.boots += anew
        self.open = self.open and not anew
        self.card = SimPin(self.stored, f"boot {self.boots}", self.kept, self.keep, cost=CHEAP)

    def keep(self, note):
        if self.full:
            raise CardError("no room")
        self.kept = note

    def tell(self):
        """What the modem says when it is asked."""
        if self.open:
            return self.card.opened()
        self.card.locked(SimLocked(self.iccid, self.tries if self.tells else None, puk=self.tries == 0))
        return False

    def turn(self):
        """The modem is asked; the booth may give its PIN: whether it did."""
        self.tell()
        pin = self.card.due()
        if pin is not None:
            self.take(pin, "booth")
        return pin is not None

    def take(self, pin, by):
        if self.tries == 0:
            return
        if pin == self.true:
            self.tries, self.open = FULL, True
        else:
            self.wrongs.append((self.boots, pin, self.iccid, by, self.tries))
            self.tries -= 1

    def key(self, pin):
        """Somebody keys a PIN: whether it was given."""
        if not self.card.key(pin):
            return False
        self.take(pin, "person")
        return True


def test_the_stored_pin_is_given_once_and_what_it_did_is_known():
    booth = Booth()
    assert booth.turn()
    assert booth.card.trouble == "checking"
    assert not booth.card.keyable
    assert booth.tell() is False  # opened, but not by a person
    assert (booth.card.lock, booth.card.trouble) == (None, "")


def test_a_wrong_stored_pin_costs_one_try_in_the_life_of_the_card():
    booth = Booth(WRONG)
    assert [booth.turn() for _ in range(3)] == [True, False, False]
    assert (booth.card.trouble, booth.card.left, booth.card.keyable) == ("stored-wrong", 2, True)
    for anew in (False, True, True):
        booth.start(anew=anew)
        assert not booth.turn()
        assert booth.card.trouble == "stored-wrong"
    assert booth.tries == 2


def test_a_pin_that_was_wrong_for_one_sim_is_tried_with_another():
    booth = Booth(WRONG)
    booth.turn()
    booth.start()
    booth.iccid, booth.true, booth.tries = OTHER, WRONG, FULL
    assert booth.turn()
    assert booth.open


def test_a_sim_whose_name_the_modem_does_not_tell_counts_as_every_sim():
    booth = Booth(WRONG)
    booth.iccid = ""
    booth.turn()
    booth.tell()
    booth.start()
    booth.iccid, booth.tries = ICCID, FULL
    assert not booth.turn()


@pytest.mark.parametrize(("left", "given"), [(3, True), (2, True), (1, False), (0, False)])
def test_the_last_try_is_not_the_booths(left, given):
    booth = Booth()
    booth.tries = left
    assert booth.turn() is given
    booth = Booth("")
    booth.tries = left
    booth.tell()
    assert booth.card.keyable is given
    assert booth.key(PIN) is given
    assert booth.card.trouble == {3: "checking", 2: "checking", 1: "few", 0: "puk"}[left]


def test_a_modem_that_cannot_say_what_is_left_is_counted_for():
    booth = Booth(WRONG, tells=False)
    assert booth.turn()
    booth.tell()
    assert booth.key("0000")
    booth.tell()
    assert (booth.card.trouble, booth.key(PIN)) == ("few", False)
    booth.start()  # nor does it forget that
    booth.tell()
    assert not booth.key(PIN)
    assert booth.tries == 1


def test_a_crash_before_the_answer_costs_no_second_try():
    booth = Booth(WRONG)
    booth.tell()
    assert booth.card.due() == WRONG  # and now the power is cut, or the program ends
    booth.take(WRONG, "booth")
    booth.start(anew=False)
    assert not booth.turn()
    booth.start()
    assert not booth.turn()
    assert booth.tries == 2


def test_a_crash_before_the_pin_reached_the_sim_is_made_good_at_the_next_boot():
    booth = Booth()
    booth.tell()
    booth.card.due()
    booth.start(anew=False)
    assert not booth.turn()  # once per boot
    booth.start()
    assert booth.turn()  # all tries are there, so it cannot have been wrong
    assert booth.open


def test_what_cannot_be_noted_is_not_given():
    booth = Booth()
    booth.full = True
    assert not booth.turn()
    assert booth.card.keyable
    booth.full = False
    assert booth.key(PIN)
    assert booth.tell() is True


def test_a_right_pin_is_given_again_after_the_modem_lost_power_and_no_longer():
    booth = Booth("")
    booth.tell()
    assert booth.key(PIN)
    assert booth.tell() is True
    for _ in range(3):
        booth.card.gone()
        booth.open = False
        assert booth.turn()
        assert booth.tell() is False
    booth.card.gone()
    booth.open, booth.true = False, "1111"  # somebody has changed it elsewhere
    assert booth.turn()
    assert [booth.turn() for _ in range(3)] == [False] * 3
    assert (booth.tries, booth.card.trouble) == (2, "wrong")
    booth.start()
    assert not booth.turn()  # a keyed PIN is forgotten at power-off
    assert PIN not in str(booth.kept)


def test_a_right_pin_is_not_given_to_another_sim():
    booth = Booth("")
    booth.tell()
    booth.key(PIN)
    booth.tell()
    booth.card.gone()
    booth.open, booth.iccid, booth.true = False, OTHER, "1111"
    assert not booth.turn()


def test_a_pin_that_the_modem_lost_was_not_wrong():
    booth = Booth()
    booth.tell()
    booth.card.due()
    booth.card.gone()
    booth.tell()
    assert (booth.card.trouble, booth.card.keyable) == ("", True)


def test_what_was_wrong_and_is_right_now_counts_again():
    booth = Booth(WRONG)
    booth.turn()
    booth.tell()
    booth.true = WRONG  # changed with a telephone
    assert booth.key(WRONG)
    booth.tell()
    booth.start()
    assert booth.turn()
    assert booth.open


@pytest.mark.parametrize(
    ("stored", "acts"),
    [
        ("", ["turn", "key right", "turn", "changed", "unplug", "turn", "telephone", "turn"]),
        (WRONG, ["turn", "telephone", "key right", "turn", "swap", "turn"]),
        (WRONG, ["turn", "swap", "key other", "turn"]),
        (WRONG, ["turn", "swap", "key right", "turn", "changed", "unplug", "turn"]),
        (WRONG, ["turn", "turn", "restart", "swap", "turn"]),
    ],
    ids=["given again", "another PIN was right", "another PIN was wrong", "another SIM's was right", "another program"],
)
def test_a_try_whose_end_nobody_saw_is_the_only_one_of_its_boot(stored, acts):
    booth = Booth(stored)
    for what in acts:
        if what == "changed":
            booth.true = "1111"
        else:
            act(booth, what)
    assert [(by, before) for *_, by, before in booth.wrongs if by == "booth"] == [("booth", FULL)]


@pytest.mark.parametrize("digits", ["", "041", "123456789", "04a2", "０４１２", "0412 "])
def test_what_cannot_be_a_pin_costs_no_try(digits):
    booth = Booth("")
    booth.tell()
    assert not is_sim_pin(digits)
    assert not booth.key(digits)
    assert booth.card.trouble == ""


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"failed":7}', '{"trying":"boot 1"}'])
def test_a_note_that_cannot_be_read_is_taken_for_the_worst(kept):
    card = SimPin(PIN, "boot 1", kept or None, lambda _: None, cost=CHEAP)
    card.locked(SimLocked(ICCID, 2))
    assert (card.due() is None) is bool(kept)
    assert card.keyable is bool(kept)


def test_no_pin_is_written_down():
    notes = []
    card = SimPin(WRONG, "boot 1", None, notes.append, cost=CHEAP)
    card.locked(SimLocked(ICCID, 3))
    card.due()
    card.locked(SimLocked(ICCID, 2))
    assert card.key("135790")
    card.locked(SimLocked(ICCID, 1))
    assert notes
    for note in notes:
        assert WRONG not in note
        assert "135790" not in note
    hashed = [part for part in notes[-1].split('"') if part.startswith("scrypt")]
    assert len(hashed) == 2
    assert all(map(is_hash, hashed))


ACTS = st.sampled_from(
    [
        *("turn", "turn", "turn", "key right", "key wrong", "key other", "boot", "restart", "unplug"),
        *("crash", "power cut", "full", "room", "swap", "telephone"),
    ]
)


def act(booth, what):
    match what.split():
        case ["turn"]:
            booth.turn()
        case ["key", which]:
            booth.tell()
            booth.key({"right": booth.true, "wrong": WRONG, "other": "0000"}[which])
        case ["boot"] | ["restart"]:
            booth.start(anew=what == "boot")
        case ["unplug"]:
            booth.card.gone()
            booth.open = False
        case ["crash"] | ["power", "cut"]:  # while a PIN may be on its way
            booth.turn()
            booth.start(anew=what != "crash")
        case ["full"] | ["room"]:
            booth.full = what == "full"
        case ["swap"]:
            booth.card.gone()
            booth.iccid, booth.tries, booth.open = (OTHER if booth.iccid == ICCID else ICCID), FULL, False
        case ["telephone"]:
            booth.card.gone()
            booth.tries, booth.open = FULL, False


def live(stored, acts, changed):
    booth = Booth(stored)
    for place, what in enumerate(acts):
        act(booth, what)
        if changed and place == len(acts) // 2:
            booth.true = "1111"
    by_booth = [wrong for wrong in booth.wrongs if wrong[3] == "booth"]
    assert len({boot for boot, *_ in by_booth}) == len(by_booth)
    assert all(before >= LEAST for *_, before in booth.wrongs)
    assert booth.tries >= 1
    if not {"full", "swap", "telephone"} & set(acts):
        assert len({pin for _, pin, *_ in by_booth}) == len(by_booth)


LIVES = {"stored": st.sampled_from([PIN, WRONG, ""]), "acts": st.lists(ACTS, max_size=30), "changed": st.booleans()}


@settings(max_examples=400, deadline=None)
@given(**LIVES)
def test_whatever_happens_the_booth_loses_one_try_in_a_boot_and_never_the_last(stored, acts, changed):
    live(stored, acts, changed)


@pytest.mark.soak
@settings(max_examples=50_000, deadline=None)
@given(**LIVES)
def test_in_fifty_thousand_lives_of_a_booth_no_sim_is_lost(stored, acts, changed):
    live(stored, acts, changed)


# In the booth itself.

LOCKED, SOON = LineLost(Fault.SIM_LOCKED), LineReady("EC25")
HELD = [KeyPressed("D"), KeyHeld("D"), KeyReleased("D")]


def unlocks(played):
    return [asked.removeprefix("unlock ") for asked in played.wire.asked if asked.startswith("unlock")]


@pytest.fixture
def with_pin(stage):
    stage.line = f'pin = "{PIN}"'
    return stage


def test_a_booth_gives_the_pin_of_device_toml_and_says_so(with_pin):
    played = with_pin.play(LOCKED, SimLocked(ICCID, 3))
    assert unlocks(played) == [PIN]
    assert (played.state, played.last.body.sim.trouble) == (State.OUT_OF_ORDER, "checking")
    played = with_pin.play("A", LOCKED, SimLocked(ICCID, 3))  # the same boot: it may have been wrong
    assert unlocks(played) == []


def test_a_wrong_one_is_told_with_what_is_left_and_can_be_keyed(with_pin):
    played = with_pin.play(LOCKED, SimLocked(ICCID, 3), SimLocked(ICCID, 2))
    assert unlocks(played) == [PIN]
    body = played.last.body.sim
    assert (body.trouble, body.tries, body.keyable) == ("stored-wrong", 2, True)
    played = with_pin.play(LOCKED, SimLocked(ICCID, 2), "A", "1", "2", "3", "4")
    assert (played.state, played.last.body.dots, played.last.body.keyed) == (State.PIN_ENTRY, 4, "")
    played = with_pin.play(LOCKED, SimLocked(ICCID, 2), "A1234A")
    assert (unlocks(played), played.state) == (["1234"], State.OUT_OF_ORDER)
    played = with_pin.play(LOCKED, SimLocked(ICCID, 2), "A1234A", SimLocked(ICCID, 1), "A")
    assert (unlocks(played), played.last.body.sim.trouble) == (["1234"], "few")


def test_a_keyed_pin_opens_the_line_and_is_nowhere_on_the_card(stage):
    played = stage.play(LOCKED, SimLocked(ICCID, 3), "A975310A", SOON)
    assert (unlocks(played), played.state, played.last.body.notice) == (["975310"], State.LIST, "sim-opened")
    for file in stage.directory.glob("booth.db*"):
        assert b"975310" not in file.read_bytes()


def test_three_digits_cost_no_try(stage):
    played = stage.play(LOCKED, SimLocked(ICCID, 3), "A123A")
    assert (unlocks(played), played.state, played.last.body.wrong) == ([], State.PIN_ENTRY, True)


@pytest.mark.parametrize("lock", [SimLocked(ICCID, 1), SimLocked(ICCID, 0, puk=True), SimLocked(ICCID, None, puk=True)])
def test_where_no_pin_may_be_given_a_opens_the_line_again(with_pin, lock):
    played = with_pin.play(LOCKED, lock, "A")
    assert (played.state, unlocks(played)) == (State.OUT_OF_ORDER, [])
    assert played.wire.asked[-3:] == ["open", "close", "open"] or "open" in played.wire.asked[1:]


@pytest.mark.parametrize("before", ["", "A", "A12", "A1234A"])
def test_help_can_be_called_from_a_locked_sim_and_from_its_pin(stage, before):
    played = stage.play(LOCKED, SimLocked(ICCID, 3), before, HELD, "119A", Answered())
    assert (played.wire.dials, played.state) == (["119"], State.TALKING)
    played = stage.play(LOCKED, SimLocked(ICCID, 3), "119A", Answered())
    assert played.wire.dials == ["119"]


def test_no_pin_is_given_while_somebody_calls_for_help(with_pin):
    played = with_pin.play(LOCKED, HELD, "119A", Answered(), SimLocked(ICCID, 3))
    assert unlocks(played) == []
    played = with_pin.play(LOCKED, HELD, "119A", Answered(), SimLocked(ICCID, 3), CallEnded(Cause.NORMAL))
    assert unlocks(played) == [PIN]


def test_a_sim_that_opens_while_its_pin_is_keyed_takes_none(stage):
    played = stage.play(LOCKED, SimLocked(ICCID, 3), "A12", SOON, "34A")
    assert (unlocks(played), played.state) == ([], State.LIST)
