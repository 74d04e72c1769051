"""A modem that says exactly what a test wants, in any order, on real pseudo-terminals."""

import os
import queue
import select
import threading
import time
import tty

from hw.modems.family import Pace

QUICK = Pace(
    reply=0.4,
    dial=2.0,
    answer=1.0,
    sound=0.3,
    poll=0.1,
    recheck=0.03,
    idle=0.3,
    ping=0.3,
    check=0.1,
    refresh=30,
    sim=0.5,
    tone=0.02,
)
WELL = {
    "AT+CGMM": ("EC25", "OK"),
    "AT+CPIN?": ("+CPIN: READY", "OK"),
    "AT+CREG?": ("+CREG: 2,1", "OK"),
    "AT+CEREG?": ("+CEREG: 2,0", "OK"),
    "AT+QPCMV?": ("+QPCMV: 0,0", "OK"),
    "AT+CSQ": ("+CSQ: 17,99", "OK"),
    "AT+COPS?": ('+COPS: 0,0,"TEST",7', "OK"),
    "AT+QLTS=2": ('+QLTS: "2026/11/22,14:01:02+36,0"', "OK"),
    "AT+CLCC": ("OK",),
}


class Tty:
    """One end of a pseudo-terminal that can be hung up."""

    def __init__(self):
        self.ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.path = os.ttyname(self._theirs)

    def close(self):
        if self.ours >= 0:
            os.close(self._theirs)
            os.close(self.ours)
            self.ours = -1


class Scripted:
    """Answers from a table that a test may change at any time; None as an answer means silence."""

    def __init__(self):
        self.answers = dict(WELL)
        self.lags = 0.0  # seconds by which the last byte of what it says is late
        self._late = []
        self.gone_after = ""  # the command after which no list has a call any more
        self.heard = []
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._at, self._pcm = Tty(), Tty()
        self.at, self.pcm = self._at.path, self._pcm.path
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.unplug()

    def unplug(self):
        self._stop.set()
        self._thread.join()
        for timer in self._late:
            timer.join()
        self._at.close()
        self._pcm.close()

    def unplug_sound(self):
        self._pcm.close()

    def say(self, *lines):
        data = "".join(f"\r\n{line}\r\n" for line in lines).encode()
        os.write(self._at.ours, data[:-1] if self.lags else data)
        if self.lags:
            self._late.append(threading.Timer(self.lags, self.raw, [data[-1:]]))
            self._late[-1].start()

    def raw(self, data):
        os.write(self._at.ours, data)

    def wait_for(self, prefix, times=1, patience=30.0):
        with self._news:
            enough = lambda: sum(command.startswith(prefix) for command in self.heard) >= times  # noqa: E731
            assert self._news.wait_for(enough, patience), (prefix, self.heard)

    def hear_more(self, count, unless, patience=30.0):
        """Wait for so many commands more; a line that is lost sends none."""
        end = time.monotonic() + patience
        with self._news:
            enough = len(self.heard) + count
            while len(self.heard) < enough and not unless():
                assert time.monotonic() < end, self.heard
                self._news.wait(0.02)

    def count(self, prefix):
        with self._news:
            return sum(command.startswith(prefix) for command in self.heard)

    def sound(self, data):
        os.write(self._pcm.ours, data)

    def sound_heard(self, size, patience=30.0):
        data, end = b"", time.monotonic() + patience
        while len(data) < size and time.monotonic() < end:
            if select.select([self._pcm.ours], [], [], 0.02)[0]:
                data += os.read(self._pcm.ours, size - len(data))
        return data

    def _serve(self):
        unread = b""
        while not self._stop.is_set():
            if select.select([self._at.ours], [], [], 0.01)[0]:
                *commands, unread = (unread + os.read(self._at.ours, 1024)).split(b"\r")
                for command in commands:
                    self._answer(command.decode())

    def _answer(self, command):
        if command == self.gone_after:
            self.answers["AT+CLCC"] = ("OK",)
        keys = [key for key in self.answers if command.startswith(key)]
        answer = self.answers[max(keys, key=len)] if keys else ("OK",)
        with self._news:
            self.heard.append(command)
            self._news.notify_all()
        if command and answer:
            self.say(*answer)


class Inbox:
    """What the line posted."""

    def __init__(self):
        self._events = queue.SimpleQueue()
        self.post = self._events.put

    def next(self, patience=30.0):
        return self._events.get(timeout=patience)

    def until(self, kind, patience=30.0):
        """The next event of one kind; what comes before it is passed over."""
        end = time.monotonic() + patience
        while not isinstance(event := self.next(max(0.01, end - time.monotonic())), kind):
            pass
        return event

    def empty(self, patience=0.15):
        """Whether nothing comes for so long."""
        try:
            return self._events.get(timeout=patience) is None
        except queue.Empty:
            return True
