"""The archive: a folder or S3, one after the other; what is said when it cannot be used."""

import errno
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from provisioning import cli
from provisioning.server import archive
from provisioning.server.archive import KEY, PLACE, SECRET, ArchiveError, at_hand, keep, open_archive, pieces, size

SAID = "does-not-belong-in-logs"


@pytest.fixture(params=["folder", "s3"])
def store(request, tmp_path, monkeypatch):
    """An archive of each kind."""
    if request.param == "folder":
        return open_archive(tmp_path / "archive")
    swift = request.getfixturevalue("swift")
    for name, value in swift.words().items():
        monkeypatch.setenv(name, value)
    return open_archive(swift.new())


@pytest.fixture
def file(tmp_path):
    """Makes files of some bytes."""

    def make(data, name="file"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return make


def everything(store, name):
    return b"".join(pieces(store, name, range(size(store, name))))


def test_what_is_kept_comes_back_whole_and_in_parts(store, file, tmp_path):
    data = os.urandom(6_000_000)  # S3 takes it in two parts
    keep(store, "a.journal", file(data))
    assert size(store, "a.journal") == len(data)
    assert everything(store, "a.journal") == data
    for part in (range(1), range(99, 300_000), range(len(data) - 5, len(data)), range(7, 7)):
        assert b"".join(pieces(store, "a.journal", part)) == data[part.start : part.stop]
    with at_hand(store, "a.journal", tmp_path / "scratch") as path:
        assert path.read_bytes() == data
    assert not (tmp_path / "scratch").exists()


def test_what_is_kept_again_takes_the_place_of_the_former(store, file):
    keep(store, "a.opus", file(b"first", "one"))
    keep(store, "a.opus", file(b"first", "one"))
    keep(store, "a.opus", file(b"second", "two"))
    assert everything(store, "a.opus") == b"second"


def test_what_is_not_there_is_not_found(store, tmp_path):
    with pytest.raises(FileNotFoundError):
        size(store, "a.opus")
    with pytest.raises(FileNotFoundError), at_hand(store, "a.opus", tmp_path / "scratch") as path:
        path.read_bytes()
    assert not (tmp_path / "scratch").exists()


def test_a_folder_on_another_file_system_gets_a_copy(tmp_path, file, monkeypatch):
    store = open_archive(tmp_path / "archive")

    def refuse(*_):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    original = file(b"some bytes")
    keep(store, "a.journal", original)
    assert everything(store, "a.journal") == b"some bytes"
    assert not (tmp_path / "archive" / "a.journal").samefile(original)


WRONG = {
    "another kind": ("gs://recordings", {}, "must be s3://bucket/folder or a folder"),
    "no bucket": ("s3:///folder", {}, "must be s3://bucket/folder or a folder"),
    "a key in the address": (f"s3://me:{SAID}@recordings/folder", {}, "must be s3://bucket/folder or a folder"),
    "no key": (None, {KEY: "", SECRET: ""}, f"set {KEY} and {SECRET}"),
    "half a key": (None, {SECRET: ""}, f"set {SECRET}"),
    "a wrong secret": (None, {SECRET: SAID}, f"refuses the key: check {KEY}, {SECRET}"),
    "a wrong key": (None, {KEY: SAID}, f"refuses the key: check {KEY}, {SECRET}"),
    "another bucket": ("s3://elsewhere/folder", {}, f"no such bucket: make it, or correct {PLACE}"),
    "nobody there": (
        None,
        {archive.ENDPOINT: f"http://me:{SAID}@127.0.0.1:9"},
        "answers as it should at http://127.0.0.1:9:",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_what_to_do(swift, name):
    place, changed, said = WRONG[name]
    with pytest.raises(ArchiveError) as refusal:
        open_archive(place or swift.new(), swift.words() | changed)
    assert said in str(refusal.value)
    assert SAID not in str(refusal.value)


def test_a_server_says_so_in_one_line(swift, place, monkeypatch, capfd, caplog):
    assert cli.main(["server", "init", "--data", str(place)]) == 0
    for word, value in (swift.words() | {PLACE: swift.new(), SECRET: SAID}).items():
        monkeypatch.setenv(word, value)
    run = ["server", "run", "--data", str(place), "--api", "127.0.0.1:0", "--pages", "127.0.0.1:0"]
    assert cli.main(run) == 1
    told = "".join(capfd.readouterr()) + caplog.text
    assert f"refuses the key: check {KEY}, {SECRET}" in told
    assert not [word for word in (SAID, swift.SECRET, swift.KEY, "Traceback") if word in told]


class Away(BaseHTTPRequestHandler):
    """A store that has lost its mind: it takes whatever comes, and says no with all that it was told."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        """Say no."""
        said = (
            self.rfile.read(int(self.headers["Content-Length"])).decode(errors="replace") + str(self.headers)
        ).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def do_DELETE(self):
        """Say no."""
        self.do_PUT()

    def log_message(self, *_):
        """Quiet."""


def test_what_a_store_says_is_not_repeated():
    """Its answer may quote the key."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Away) as away:
        thread = threading.Thread(target=away.serve_forever)
        thread.start()
        words = {KEY: SAID, SECRET: SAID, archive.ENDPOINT: f"http://127.0.0.1:{away.server_port}"}
        with pytest.raises(ArchiveError) as refusal:
            open_archive("s3://recordings", words)
        away.shutdown()
        thread.join()
    assert SAID not in str(refusal.value)
    assert refusal.value.__suppress_context__
