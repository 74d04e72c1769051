"""Holes that crashes at every point have found, each by itself: what was half there when the program started again."""

import ssl
import uuid
from pathlib import Path

import pyrage
import pytest

from firmware import numbers
from firmware.__main__ import recover
from firmware.calls import Call, Calls
from firmware.clock import Clock
from firmware.recorder import Recorder
from firmware.syncing.identity import Wallet
from firmware.vault import Vault
from hw.contracts import FRAME
from provisioning import intact
from provisioning.server import parts, tls
from provisioning.server.uploads import Uploads


def test_a_recording_that_was_closed_just_before_the_crash_is_in_the_books(tmp_path):
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    vault = Vault(tmp_path / "recordings", [recipient], lambda _event: None)
    calls = Calls(tmp_path / "booth.db", "b3", Clock("system"))
    call = Call(str(uuid.uuid4()), numbers.parse("0312345601"), None)
    calls.begin(call, None, "07", "off-list")
    calls.answered(call.id)
    recorder = Recorder(vault, lambda _event: None)
    recorder.start(call.id)
    recorder.hear(bytes(FRAME), bytes(FRAME))
    recorder.stop()
    recover(vault, calls)  # the crash came before calls.ended()
    assert calls.record(call.id)["recording"] == {"file": f"{call.id}.journal", "segments": 1, "complete": False}
    calls.close()
    vault.close()


def test_a_half_written_file_is_no_file(tmp_path, monkeypatch):
    def torn(_file):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", torn)
        with pytest.raises(OSError, match="No space"):
            intact.create(tmp_path / "key", b"secret")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "key.part").write_bytes(b"sec")  # of one who was killed
    intact.create(tmp_path / "key", b"secret")
    with pytest.raises(FileExistsError):
        intact.create(tmp_path / "key", b"another")
    intact.replace(tmp_path / "key", b"third")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("key", b"third")]
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("certificate", [b"", b"-----BEGIN CERTIFICATE-----\n", None])
def test_a_server_whose_certificate_does_not_fit_its_key_makes_another(tmp_path, certificate):
    parts.make(tmp_path)
    pins = tls.pins(tmp_path)
    if certificate is None:  # killed between a change of keys and the certificate that goes with it
        (tmp_path / tls.BACKUP).replace(tmp_path / tls.KEY)
    else:
        (tmp_path / tls.CERTIFICATE).write_bytes(certificate)
    parts.make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / tls.CERTIFICATE, tmp_path / tls.KEY)
    assert tls.pins(tmp_path)[0] == pins[certificate is None]


def test_bytes_that_the_disk_refused_are_sent_again(tmp_path, monkeypatch):
    uploads, name = Uploads(tmp_path / "incoming"), uuid.uuid4()
    uploads.append(name, 0, b"first")

    def failing(_file):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr("os.fdatasync", failing)
        with pytest.raises(OSError, match="Input/output"):
            uploads.append(name, 5, b"second")
    assert uploads.offset(name) == 5


def test_bytes_that_a_crash_left_are_on_the_disk_before_the_end_is_acknowledged(tmp_path, monkeypatch):
    uploads, name, waited = Uploads(tmp_path / "incoming"), uuid.uuid4(), []
    uploads.part(name).write_bytes(b"written, and nobody waited")
    for one in ("fdatasync", "fsync"):
        monkeypatch.setattr(
            f"os.{one}", lambda file, one=one: waited.append((one, str(Path(f"/proc/self/fd/{file}").readlink())))
        )
    uploads.append(name, 26, b"")
    assert waited == [("fdatasync", str(uploads.part(name))), ("fsync", str(tmp_path / "incoming"))]


def test_the_name_of_a_recording_that_a_crash_left_is_sure_before_anybody_is_told_of_it(tmp_path, monkeypatch):
    vault = Vault(tmp_path / "recordings", [str(pyrage.x25519.Identity.generate().to_public())], lambda _event: None)
    vault.path(uuid.uuid4()).write_bytes(b"")
    waited = []
    monkeypatch.setattr("os.fsync", lambda file: waited.append(str(Path(f"/proc/self/fd/{file}").readlink())))
    assert [found.segments for found in vault.recover()] == [0]
    assert waited == [str(tmp_path / "recordings")]
    vault.close()


def test_the_key_that_a_token_is_spent_on_is_on_the_card_with_its_folder(tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr("os.fsync", lambda file: waited.append(str(Path(f"/proc/self/fd/{file}").readlink())))
    for _ in range(2):  # the second is after a crash in the first
        waited.clear()
        Wallet(tmp_path).key()
        assert waited[-2:] == [str(tmp_path / "sync"), str(tmp_path)]
