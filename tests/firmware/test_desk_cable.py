"""The cable between a desk's booth and its server, and the leash of the desk's children."""

import os
import signal
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from firmware.desk.cable import HERE, Cable


@pytest.fixture
def far_end():
    """Says everything back, once the other side has said all: what a server is here. Yields its port."""
    ear = socket.create_server((HERE, 0))
    threading.Thread(target=serve, args=(ear,), daemon=True).start()
    yield ear.getsockname()[1]
    ear.shutdown(socket.SHUT_RDWR)
    ear.close()


def serve(ear):
    while True:
        try:
            line, _ = ear.accept()
        except OSError:
            return
        threading.Thread(target=echo, args=(line,), daemon=True).start()


def echo(line):
    with line:
        try:
            while piece := line.recv(65536):
                line.sendall(piece)
        except OSError:
            return


@pytest.fixture
def cable(far_end):
    made = Cable(far_end)
    yield made
    made.close()


def connected(cable):
    return socket.create_connection((HERE, urlsplit(cable.url).port), timeout=5)


def said_back(line, data):
    """What came back of `data`, sent while it comes."""
    sending = threading.Thread(target=line.sendall, args=(data,))
    sending.start()
    heard = b""
    while len(heard) < len(data) and (piece := line.recv(65536)):
        heard += piece
    sending.join()
    return heard


def test_everything_goes_through(cable):
    data = bytes(range(256)) * 4096
    with connected(cable) as one, connected(cable) as other:
        assert said_back(one, data) == data
        assert said_back(other, b"other") == b"other"


def test_an_end_is_passed_on(cable):
    with connected(cable) as line:
        line.sendall(b"last words")
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100, socket.MSG_WAITALL) == b"last words"


def test_a_cut_breaks_what_stands_and_what_comes(cable):
    with connected(cable) as line:
        assert said_back(line, b"before") == b"before"
        cable.cut()
        assert cable.is_cut
        with pytest.raises(ConnectionResetError):
            line.recv(1)
    with connected(cable) as line:
        line.sendall(b"is anybody there?")
        with pytest.raises(ConnectionResetError):
            line.recv(1)
    cable.mend()
    with connected(cable) as line:
        assert said_back(line, b"after") == b"after"


def test_nobody_at_the_far_end_is_an_end_too():
    with socket.socket() as closed:
        closed.bind((HERE, 0))  # taken, and nobody listens
        cable = Cable(closed.getsockname()[1])
        with pytest.raises(ConnectionResetError), connected(cable) as line:  # it may come as soon as we are connected
            line.recv(1)
        cable.close()


def test_a_cable_leaves_no_thread():
    before = set(threading.enumerate())
    cable = Cable(1)
    cable.cut()
    cable.close()
    assert set(threading.enumerate()) <= before


def test_a_leashed_program_ends_when_nobody_holds_it(tmp_path):
    """The kernel closes the pipe of a desk that is killed; here it is closed by hand."""
    (tmp_path / "patient.py").write_text("import threading\nmain = lambda words: threading.Event().wait()\n")
    command = [sys.executable, "-m", "firmware.desk.leash", "patient"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(tmp_path)}) as program:
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(0.3)
        program.stdin.close()
        assert program.wait(10) == -signal.SIGTERM
