"""Setbacks on the way to the server: refusals of contents, keys that change, bytes that are gone, a line with a price."""

import hashlib
import json
import uuid
from contextlib import closing
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pyrage
import pytest
from sqlalchemy import delete, select, update

from firmware import journal, mailbox, quarantine, sync, tariff, wake, wire
from firmware.journal import Closing, Ending, Segment
from firmware.opus import Encoder
from firmware.store import Store
from firmware.syncing.identity import Wallet
from firmware.syncing.link import Channel, Link
from firmware.tariff import Tariff
from hw.contracts import FRAME
from provisioning.cli import main as provision
from provisioning.server import quarantine as desk
from provisioning.server import schema
from tests.whole import test_synced_bad_days as bad_days

pytestmark = pytest.mark.slow


class Tape:
    """A recording that is still being made."""

    def __init__(self, place, call):
        self.call, self.segments = uuid.UUID(call), 0
        self.path = place.directory / "recordings" / f"{call}.journal"
        self.path.parent.mkdir(exist_ok=True)
        self._packets = tuple(Encoder().encode(bytes(FRAME)) for _ in range(20))

    def goes_on(self, segments, identity):
        """Some more of it, sealed to whom it is then."""
        for _ in range(segments):
            part = Segment(self.call, self.segments, 20 * self.segments, 0, 0, self._packets, self._packets)
            self._append(journal.pack_segment(part), identity)
            self.segments += 1

    def ends(self, identity):
        """Close it; its digest."""
        frames, digest = 20 * self.segments, hashlib.sha256(self.path.read_bytes()).digest()
        end = Closing(self.call, self.segments, Ending.CLOSED, frames, 0, frames, digest)
        self._append(journal.pack_closing(end), identity, closing=True)
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def _append(self, plain, identity, **kind):
        with self.path.open("ab") as file:
            file.write(journal.record(pyrage.encrypt(plain, [identity.to_public()]), **kind))


def here(central, call):
    """Bytes of a recording that the server has; None for nothing."""
    rows = central.rows("SELECT bytes FROM recording WHERE id = ?", call)
    return rows[0]["bytes"] if rows else None


def whole(central, until, call):
    """The server's row of a recording, once it is whole."""
    rows = until(lambda: central.rows("SELECT * FROM recording WHERE id = ? AND state = 'whole'", call))
    return rows[0]


def line_of(place):
    """A line of that booth's besides its sync's."""
    wallet = Wallet(place.directory)
    known = wallet.identity()
    return Link(Channel(known.url, known.pins), known.booth, wallet.key(), wallet.counter())


def _told(central, booth, count):
    """What a booth says it keeps back, once that is so many."""
    with central.server.parts.database.read() as connection:
        row = connection.execute(select(schema.booth).where(schema.booth.c.id == booth)).one()
    return row.reasons if row.kept_back == count else None


def noted(place, key, value):
    """What the booth writes down for sync, which it wakes then."""
    with closing(Store(place.directory / "booth.db")) as store, store.write() as db:
        mailbox.note(db, key, value)
    wake.Bell(place.directory, wake.SYNC).ring()


def test_what_the_server_keeps_refusing_is_kept_back_and_comes_when_it_may(central, branch, until, card, capsys):
    place, other = branch("one"), branch("other")
    made = bad_days.busy_days(place, 5, segments=3)
    bad = next(iter(made))
    for one in (place, other):
        central.enrol(one.directory)
    theirs = line_of(other)  # as if the other booth had had this call's name
    taken = theirs.ask("POST", wire.CALLS, json.dumps({"version": 1, "calls": [place.record(bad)]}).encode())
    assert taken.status == 200
    started = theirs.ask("PATCH", f"{wire.RECORDINGS}/{bad}", b"", {wire.OFFSET: "0", wire.COMPLETE: "?0"})
    assert started.status == 204
    theirs.channel.close()
    with closing(Store(place.directory / "booth.db")) as store, store.write() as db:
        for kind, version in (("call", 1), ("recording", 0)):  # the third refusal is the last
            db.execute(
                "INSERT INTO kept_back (kind, ref, version, strikes, reason, boot, due) VALUES (?, ?, ?, 2, '', '', 0)",
                (kind, bad, version),
            )
    central.sync(place.directory)
    rest = {call: digest for call, digest in made.items() if call != bad}
    until(lambda: bad_days.arrived(central)[1] == rest)
    until(lambda: card(place.directory, "SELECT count(*) AS some FROM kept_back WHERE held = 1")[0]["some"] == 2)
    mine = Wallet(place.directory).identity().booth
    told = until(lambda: _told(central, mine, 2))
    assert {one["kind"]: one["reason"] for one in told} == {
        "call": "another booth has told of this call",
        "recording": "this recording is another booth's",
    }
    assert (place.directory / "recordings" / f"{bad}.journal").exists()
    status = ["status", "--data", str(place.directory)]
    until(lambda: sync.main(status) == 1 and "Kept back:     recording " in (said := capsys.readouterr().out) and said)
    assert sync.main(["retry", "unheard of", "--data", str(place.directory)]) == 1
    assert "nothing of that name" in capsys.readouterr().err

    with central.server.parts.database.write() as connection:
        desk.retry(connection, mine, 1_700_000_000.0)
    noted(place, mailbox.FAULTS, json.dumps(["line:UNPLUGGED"]))  # it has something to tell, and hears of the wish
    until(lambda: card(place.directory, "SELECT value FROM note WHERE key = ?", quarantine.RETRIED))
    until(lambda: card(place.directory, "SELECT count(*) AS some FROM kept_back WHERE held = 1")[0]["some"] == 2)

    with central.server.parts.database.write() as connection:
        connection.execute(update(schema.call).where(schema.call.c.id == bad).values(booth=mine))
        connection.execute(delete(schema.recording).where(schema.recording.c.id == bad))
    noted(place, mailbox.SOFTWARE, "27.1.0")  # a program that may agree with the server
    noted(place, mailbox.FAULTS, json.dumps([]))
    until(lambda: bad_days.arrived(central)[1] == made)
    until(lambda: card(place.directory, "SELECT count(*) AS some FROM kept_back")[0]["some"] == 0)
    until(lambda: _told(central, mine, 0) is not None)
    assert _told(central, mine, 0) == []
    until(lambda: sync.main(status) == 0)


def test_keys_that_change_in_the_middle_of_a_recording(central, branch, until):
    """The backup key takes over, the recordings' key is renewed, and bytes are gone that were here before."""
    place = branch("one")
    central.enrol(place.directory)
    tape = Tape(place, str(uuid.uuid4()))
    tape.goes_on(12, central.identity)
    central.sync(place.directory)
    until(lambda: here(central, str(tape.call)) == tape.path.stat().st_size)
    pins = Wallet(place.directory).identity().pins

    central.down()
    assert provision(["server", "new-key", "--data", str(central.directory)]) == 0
    fresh, kept = pyrage.x25519.Identity.generate(), central.directory / "recordings.key"
    kept.write_text(f"# made today\n{fresh}\n{kept.read_text(encoding='ascii')}", encoding="ascii")
    part = central.directory / "incoming" / f"{tape.call}.part"
    with part.open("r+b") as file:
        file.truncate(part.stat().st_size // 2)
    tape.goes_on(12, central.identity)  # the booth has not heard yet
    central.up()
    until(lambda: set(Wallet(place.directory).identity().pins) != set(pins))
    tape.goes_on(12, fresh)
    digest = tape.ends(fresh)
    wake.Bell(place.directory, wake.SYNC).ring()
    row = whole(central, until, str(tape.call))
    assert (row["sha256"], row["problem"]) == (digest, "")
    assert row["seconds"] == pytest.approx(36 * 20 * 0.02)


def test_a_server_that_has_more_than_a_card_which_lied_takes_the_cards(central, branch, until):
    place = branch("one")
    central.enrol(place.directory)
    tape = Tape(place, str(uuid.uuid4()))
    tape.goes_on(12, central.identity)
    daemon = central.sync(place.directory)
    until(lambda: here(central, str(tape.call)) == tape.path.stat().st_size)
    daemon.kill()
    daemon.wait()
    left = journal.read(tape.path.read_bytes()).records[8].end  # a power cut, and the last three segments are gone
    with tape.path.open("r+b") as file:
        file.truncate(left)
    tape.segments = 9
    digest = tape.ends(central.identity)
    central.sync(place.directory)
    assert whole(central, until, str(tape.call))["sha256"] == digest


def test_a_booth_that_was_revoked_comes_back_as_itself(central, branch, until, card):
    place = branch("one")
    made = bad_days.busy_days(place, 2, segments=2)
    central.enrol(place.directory)
    daemon = central.sync(place.directory)
    until(lambda: bad_days.arrived(central)[1] == made)
    before = Wallet(place.directory).identity()
    central.server.parts.booths.revoke(before.booth)
    made |= bad_days.busy_days(place, 1, segments=2)
    until(lambda: '"revoked"' in bad_days.report(card, place))
    daemon.terminate()
    daemon.wait(10)
    assert sync.main(["enrol", "booth1:https://127.0.0.1:9:p:s", "--data", str(place.directory), "--again"]) == 1
    assert Wallet(place.directory).identity() == before  # a token that is none changes nothing
    assert sync.main(["enrol", central.token(), "--data", str(place.directory), "--again"]) == 0
    assert Wallet(place.directory).identity().booth == before.booth
    central.sync(place.directory)
    until(lambda: bad_days.arrived(central)[1] == made)
    assert len(central.rows("SELECT id FROM booth")) == 1
    assert card(place.directory, "SELECT * FROM kept_back") == []


def test_while_sync_runs_a_booth_is_not_enrolled_anew(central, branch, until, capsys):
    """It would go on with the old server, and what that took would count for the new one."""
    place, token = branch("one"), central.token()
    central.enrol(place.directory)
    daemon = central.sync(place.directory)
    until(lambda: central.rows("SELECT id FROM booth WHERE seen IS NOT NULL"))
    assert sync.main(["enrol", token, "--data", str(place.directory), "--again"]) == 1
    assert "stop it first" in capsys.readouterr().err
    daemon.terminate()
    daemon.wait(10)
    assert sync.main(["enrol", token, "--data", str(place.directory), "--again"]) == 0  # the token is not spent


def test_another_booth_does_not_come_back_as_this_one(central, branch):
    """Whoever has a token but not the key is a booth of its own."""
    place, other = branch("one"), branch("other")
    for one in (place, other):
        central.enrol(one.directory)
    wallet, mine = Wallet(other.directory), Wallet(place.directory).identity()
    wallet.keep(mine)
    assert sync.main(["enrol", central.token(), "--data", str(other.directory), "--again"]) == 0
    assert wallet.identity().booth != mine.booth
    assert len(central.rows("SELECT id FROM booth")) == 3


def test_recordings_obey_the_lines_hours_and_its_limit_and_calls_do_not(central, branch, until, capsys):
    place = branch("one")
    central.enrol(place.directory)
    now = datetime.now(ZoneInfo("Asia/Tokyo"))
    span = f"{now + timedelta(hours=2):%H:%M}-{now + timedelta(hours=3):%H:%M}"
    noted(place, mailbox.TARIFF, tariff.written(Tariff(hours=span)))
    made = bad_days.busy_days(place, 2, segments=100)
    central.sync(place.directory)
    until(lambda: bad_days.arrived(central)[0] == set(made))
    status = ["status", "--data", str(place.directory)]
    until(lambda: sync.main(status) == 0 and "when the line's hours begin" in capsys.readouterr().out)
    assert central.rows("SELECT 1 FROM recording") == []

    noted(place, mailbox.TARIFF, tariff.written(Tariff(limit=8)))  # a piece in nine seconds, of some thirty in all
    until(lambda: central.rows("SELECT 1 FROM recording WHERE bytes > 0"))
    made |= bad_days.busy_days(place, 1)
    until(lambda: bad_days.arrived(central)[0] == set(made))
    assert central.rows("SELECT 1 FROM recording WHERE state <> 'partial'") == []

    noted(place, mailbox.TARIFF, tariff.written(Tariff()))
    wanted = {call: digest for call, digest in made.items() if digest}
    until(lambda: bad_days.arrived(central)[1] == wanted)
