"""The vault: sealed, durable, and whole after a kill, a cut, and on a full card."""

import json
import queue
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pyrage
import pytest

from firmware import journal
from firmware.journal import UNKNOWN, Ending, Flaw
from firmware.recorder import Recorder
from firmware.vault import Vault, VaultError
from hw.contracts import SILENCE

pytestmark = pytest.mark.slow

KEY = pyrage.x25519.Identity.generate()
CALL = UUID("00000000-0000-4000-8000-0000000000aa")

# A booth's recording in a process of its own: it says how much it has heard, and waits for its vault at each step, so
# that what is lost can only be what the design allows.
BOOTH = """
import sys, threading
from pathlib import Path
from firmware.recorder import Recorder
from firmware.vault import Vault
directory, recipient, call, frames = sys.argv[1:]
posted = []
vault = Vault(Path(directory), [recipient], posted.append)
recorder = Recorder(vault, posted.append)
recorder.start(call)
for heard in range(10, int(frames) + 1, 10):
    for _ in range(10):
        recorder.hear(bytes(320), bytes(320))
    written = threading.Event()
    vault.do(written.set)
    written.wait()
    print(heard, flush=True)
"""
FULL = (
    """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
"""
    + BOOTH
    + """
import json
sealed = recorder.stop()
print(json.dumps([[(event.full, event.why) for event in posted], sealed.segments, sealed.complete]))
print((Path(directory) / (call + ".journal")).read_bytes().hex())
"""
)


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "recordings"


@pytest.fixture
def vault(directory):
    vault = Vault(directory, [str(KEY.to_public())], queue.SimpleQueue().put)
    yield vault
    vault.close()


def opened(data, key=KEY):
    reading = journal.read(data)
    parts = [journal.unpack(pyrage.decrypt(record.blob, [key])) for record in reading.records]
    return parts, journal.verify(CALL, parts, data, reading)


def recorded(vault, frames, call=CALL):
    recorder = Recorder(vault, vault.post)
    recorder.start(str(call))
    for _ in range(frames):
        recorder.hear(SILENCE, SILENCE)
    return recorder.stop().path


def without_end(path):
    """The journal as it was before it was closed."""
    data = path.read_bytes()
    return data[: journal.read(data).records[-1].start]


def test_only_the_owner_can_read_and_only_the_key_can_open(vault, directory):
    path = recorded(vault, 250)
    assert path == directory / f"{CALL}.journal"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert CALL.bytes not in path.read_bytes()
    parts, (good, faults) = opened(path.read_bytes())
    assert (len(parts), good, faults) == (4, 3, ())
    with pytest.raises(pyrage.DecryptError):
        opened(path.read_bytes(), pyrage.x25519.Identity.generate())


def test_each_recipient_can_open_it(directory):
    keys = [pyrage.x25519.Identity.generate() for _ in range(2)]
    vault = Vault(directory, [str(key.to_public()) for key in keys], queue.SimpleQueue().put)
    data = recorded(vault, 10).read_bytes()
    vault.close()
    for key in keys:
        assert opened(data, key)[1] == (1, ())


@pytest.mark.parametrize("recipients", [[], [""], ["age1notakey"], [str(KEY)]])
def test_recipients_that_are_no_public_keys_are_refused(directory, recipients):
    with pytest.raises(VaultError, match="recipient"):
        Vault(directory, recipients, queue.SimpleQueue().put)


def test_a_journal_is_never_written_over(vault):
    before = recorded(vault, 10).read_bytes()
    posted = queue.SimpleQueue()
    recorder = Recorder(vault, posted.put)
    vault.post = posted.put
    recorder.start(str(CALL))
    sealed = recorder.stop()
    assert not sealed.complete
    assert posted.get(timeout=20).why.endswith("exists already")
    assert sealed.path.read_bytes() == before


def test_space_is_what_the_card_has_left(vault, directory):
    assert vault.space() == pytest.approx(shutil.disk_usage(directory).free, rel=0.05)


def test_recovery_cuts_a_torn_tail_at_every_byte(vault):
    path = recorded(vault, 20)
    torn = without_end(path)
    second = journal.record(b"as if sealed" * 40)
    for cut in range(len(second)):
        path.write_bytes(torn + second[:cut])
        (found,) = vault.recover()
        assert (found.segments, found.cut, found.closed) == (1, cut, True)
        parts, verdict = opened(path.read_bytes())
        assert verdict == (1, ())
        assert (parts[-1].ending, parts[-1].frames) == (Ending.RECOVERED, UNKNOWN)
        assert vault.recover() == []


def test_recovery_torn_in_its_own_closing_record(vault):
    path = recorded(vault, 20)
    whole = path.read_bytes()
    for cut in range(len(without_end(path)) + 1, len(whole), 7):
        path.write_bytes(whole[:cut])
        assert [found.segments for found in vault.recover()] == [1]
        assert opened(path.read_bytes())[1] == (1, ())


def test_recovery_leaves_closed_journals_and_strangers_alone(vault, directory):
    path = recorded(vault, 20)
    before = path.read_bytes()
    (directory / "notes.journal").write_bytes(b"not ours")
    assert vault.recover() == []
    assert path.read_bytes() == before
    assert (directory / "notes.journal").read_bytes() == b"not ours"


def test_recovery_of_a_call_that_had_just_begun(vault):
    path = vault.path(CALL)
    path.write_bytes(b"")
    (found,) = vault.recover()
    assert (found.segments, found.cut, found.closed) == (0, 0, True)
    assert opened(path.read_bytes())[1] == (0, ())


def test_recovery_does_not_throw_away_what_lies_behind_damage(vault):
    path = recorded(vault, 350)
    torn = bytearray(without_end(path))
    torn[journal.read(bytes(torn)).records[0].end + 100] ^= 1
    path.write_bytes(torn)
    vault.recover()
    data = path.read_bytes()
    assert data.startswith(torn)
    parts, (good, faults) = opened(data)
    assert (len(parts), good) == (1, 1)
    assert Flaw.DAMAGED in [fault.flaw for fault in faults]
    assert journal.read(data).tail == len(data)


@pytest.mark.slow
@pytest.mark.parametrize("when", [30, 100, 110, 410, 990])
def test_a_killed_booth_loses_two_seconds_at_most(vault, directory, when):
    command = [sys.executable, "-c", BOOTH, directory, str(KEY.to_public()), str(CALL), "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as booth:
        for line in booth.stdout:
            if int(line) >= when:
                booth.kill()
                break
        heard = max([when, *map(int, booth.stdout.read().split("\n")[:-1])])
    (found,) = vault.recover()
    parts, (good, faults) = opened((directory / f"{CALL}.journal").read_bytes())
    kept = sum(len(part.agent) for part in parts[:-1])
    assert faults == ()
    assert good == found.segments
    assert heard - 100 <= kept <= heard + 10


@pytest.mark.slow
def test_a_file_that_may_not_grow_keeps_what_it_has(tmp_path):
    command = [sys.executable, "-c", FULL, tmp_path / "r", str(KEY.to_public()), str(CALL), "3000"]
    check_full(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60))


@pytest.mark.slow
def test_a_full_card_keeps_what_it_has(tmp_path):
    card = tmp_path / "card"
    card.mkdir()
    mount = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=40k tmpfs "$0" && exec "$@"', card]
    if subprocess.run([*mount, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets us mount nothing, not even in a namespace of our own")
    script = FULL.replace("40_000, 40_000", "-1, -1")
    command = [*mount, sys.executable, "-c", script, card / "r", str(KEY.to_public()), str(CALL), "3000"]
    check_full(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60))


def check_full(run):
    """The call went on to its end, said once that it was no longer recorded, and what was written is whole."""
    *heard, figures, data = run.stdout.split("\n")[:-1]
    posted, segments, complete = json.loads(figures)
    assert heard[-1] == "3000"
    assert len(posted) == 1
    assert posted[0][0] is True
    assert posted[0][1] in {"No space left on device", "File too large"}
    assert not complete
    parts, (good, faults) = opened(bytes.fromhex(data))
    assert good == segments >= 4
    assert {fault.flaw for fault in faults} <= {Flaw.OPEN}  # a closing record may or may not have found room
    assert not faults or parts[-1].index == segments - 1


def test_nothing_of_the_vault_is_readable_in_the_clear(vault, directory):
    marker = bytes(range(1, 161)) * 2
    recorder = Recorder(vault, vault.post)
    recorder.start(str(uuid4()))
    recorder.hear(marker, marker)
    recorder.stop()
    for path in Path(directory).rglob("*"):
        assert path.suffix == ".journal"
        assert marker[:16] not in path.read_bytes()
