"""`make bench`, last part: one recorded call beside a telephone made of programs, and how late the booth makes a voice.

The telephone is Debian's baresip, which plays a file and records both voices by its module sndfile; then opusenc and age
do over its two files what the booth does while it talks. Booth, modem and both baresips are processes of their own, and
their calls run at the same time, so that all of them have the same neighbours. The modem's processor time is not counted
and neither is the other baresip's.
"""

import argparse
import json
import os
import queue
import select
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tty
import uuid
import wave
from array import array
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pyrage

from firmware.__main__ import HAND_OVER
from firmware.desk.rig import Rig
from firmware.opus import BITRATE, COMPLEXITY
from firmware.recorder import Recorder
from firmware.vault import Vault
from hw.contracts import FRAME, FRAME_SECONDS, RATE, SILENCE
from hw.emulated.exchange import FarEnd
from hw.emulated.handset import EmulatedHandset
from hw.gsm import GsmLine
from hw.pcm import PcmPort
from hw.talkpath import TalkPath
from tests import bench

CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
call_max_calls 1
audio_player aufile,/dev/null
audio_source aufile,{voice}
audio_alert aufile,/dev/null
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
module_path {modules}
module g711.so
module aufile.so
{recording}
module_tmp account.so
module_app menu.so
snd_path {directory}
"""
ACCOUNT = "<sip:booth@127.0.0.1:{port}>;regint=0;answermode=auto;audio_codecs=PCMU/8000/1\n"
MODULES = ("/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules")
NEEDED = {"baresip": "baresip-core", "opusenc": "opus-tools", "age": "age"}
EDGE = 2.0  # seconds of a call that are not counted: it is being set up
PATIENCE = 60.0
FIRST, STEP = 12_000, 64  # a mark's sample value, which no silence has, and what lies between it and the next one
EVERY = 10  # frames from one mark to the next, more than any delay that is looked for
GOLDEN = 0.618  # its multiples fill a frame evenly
PROMISED = 60.0  # milliseconds
TIMES = 1.5


def processor(pid):
    """Processor seconds of another process, ended threads included."""
    return time.clock_gettime(~pid << 3 | 2)  # the identity of a process's clock on Linux: clock_getcpuclockid(3)


def resident(pid):
    """Megabytes that a process has had resident at most; None when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) / 1e3
    except (OSError, IndexError):
        return None


def until(true, what):
    """Wait for a condition of another process; what it came to."""
    ends = time.monotonic() + PATIENCE
    while not (found := true()):
        if time.monotonic() > ends:
            raise TimeoutError(what)
        select.select([], [], [], 0.01)
    return found


class Telephone:
    """One baresip; `records`: it keeps both voices as files."""

    def __init__(self, directory, voice, *, records=False):
        directory.mkdir()
        self.directory, self.port = directory, free_port()
        modules = next(filter(os.path.isdir, MODULES), MODULES[0])
        recording = "module sndfile.so" if records else ""
        config = CONFIG.format(port=self.port, voice=voice, modules=modules, recording=recording, directory=directory)
        (directory / "config").write_text(config, encoding="ascii")
        (directory / "accounts").write_text(ACCOUNT.format(port=self.port), encoding="ascii")

    def start(self, *command):
        """Switch it on, and have it do `command`."""
        self._log = (self.directory / "log").open("wb")
        words = ["baresip", "-f", self.directory, *command]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self.said("baresip is ready")

    def said(self, words):
        """Wait until it has said so."""
        log = self.directory / "log"
        try:
            until(lambda: words in log.read_text(encoding="utf-8", errors="replace"), words)
        except TimeoutError:
            sys.exit(f"baresip never said “{words}”:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")

    @property
    def files(self):
        """What it has recorded."""
        return sorted(self.directory.glob("*.wav"))

    def stop(self):
        """Switch it off; its files are whole then."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        self._log.close()


def free_port():
    """One that nobody has, on this machine alone, and neither the next one, which baresip takes for TLS."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                other.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def run(*words):
    """Processor seconds and megabytes of a program that is run to its end."""
    process, most = subprocess.Popen(words, stdout=subprocess.DEVNULL), 0.0
    while (done := os.wait4(process.pid, os.WNOHANG))[0] == 0:
        most = max(most, resident(process.pid) or 0.0)  # its rusage would tell this process's size, if that is larger
        select.select([], [], [], 0.001)
    process.returncode = os.waitstatus_to_exitcode(done[1])
    if process.returncode:
        sys.exit(f"{words[0]}: exit code {process.returncode}")
    return done[2].ru_utime + done[2].ru_stime, most


def speech(file, seconds):
    """A voice as a file."""
    voice = bench.Prepared()
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        for n in range(round(seconds / FRAME_SECONDS)):
            out.writeframes(voice.frame(n))


# The three processes.


def be_modem(directory):
    """The network and the modem: somebody who answers and speaks, until standard input ends."""
    with Rig(directory) as rig:
        rig.exchange.default = FarEnd(voice=bench.Prepared())
        print(json.dumps([rig.modem.at, rig.modem.pcm]), flush=True)
        sys.stdin.read()


def be_booth(directory, at, audio, seconds):
    """The booth with its database, guard, screen and keys; its modem is somebody else's process."""
    rig = Rig(directory)
    rig.modem.unplug()
    rig.hardware = replace(rig.hardware, line=GsmLine(at, audio))
    booth = bench.Bench(directory, rig)
    try:
        shares = booth.a_call(seconds)
        print(json.dumps({"threads": shares, "memory": resident(os.getpid())}), flush=True)
    finally:
        booth.close()


class Child:
    """This program again, as something else."""

    def __init__(self, role, *words):
        command = [sys.executable, "-m", "tests.bench_voice", "--be", role, *map(str, words)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self):
        """The line it says."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else sys.exit(f"{self.process.args[4]} has died")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if exc[0]:
            self.process.terminate()
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


def calls(directory, seconds):
    """Both calls at once: what the booth tells of itself; baresip's share of a core in percent, megabytes and files."""
    speech(voice := directory / "voice.wav", seconds + 30)
    ours, theirs = Telephone(directory / "a", voice, records=True), Telephone(directory / "b", voice)
    with (
        Child("modem", directory / "network") as modem,
        Child("booth", directory / "booth", *modem.tell(), seconds) as booth,
    ):
        with ExitStack() as stack:
            theirs.start()
            stack.callback(theirs.stop)
            ours.start("-e", f"/dial sip:booth@127.0.0.1:{theirs.port}")
            stack.callback(ours.stop)
            ours.said("Call established")
            select.select([], [], [], EDGE)
            pid = ours.process.pid
            before, began = processor(pid), time.monotonic()
            select.select([], [], [], seconds)
            share = 100 * (processor(pid) - before) / (time.monotonic() - began)
            memory = resident(pid)
        return booth.tell(), share, memory, ours.files


def afterwards(files):
    """What opusenc and age take over the files: the share of a core of each had it run beside the call, and the megabytes."""
    recipient, shares, most = str(pyrage.x25519.Identity.generate().to_public()), {"opusenc": 0.0, "age": 0.0}, 0.0
    for file in files:
        packed, sealed = file.with_suffix(".opus"), file.with_suffix(".age")
        options = ("--quiet", "--speech", "--bitrate", f"{BITRATE / 1000:g}", "--comp", str(COMPLEXITY))
        for program, words in {
            "opusenc": ("opusenc", *options, file, packed),
            "age": ("age", "--recipient", recipient, "--output", sealed, packed),
        }.items():
            spent, memory = run(*words)
            shares[program] += 100 * spent / length(file)
            most = max(most, memory)
    return shares, most


def length(file):
    """Seconds."""
    with wave.open(str(file)) as sound:
        return sound.getnframes() / sound.getframerate()


# The delay.


class Marks:
    """A voice that is silent but for a frame now and then that can be told from every other one.

    `left` and `came` are the moments at which each mark was there to be fetched, and was there to be heard.
    """

    def __init__(self):
        self.left, self.came = {}, {}

    def frame(self, n, moment):
        """The n-th 20 ms, which leave at `moment`."""
        if n % EVERY:
            return SILENCE
        self.left[n // EVERY] = moment
        return array("h", [FIRST + STEP * (n // EVERY)]).tobytes() * (FRAME // 2)

    def hear(self, data, moment):
        """What has come out; a resampler may have bent a few samples of a mark, but not all of them."""
        loudest = max(struct.unpack(f"<{len(data) // 2}h", data[: len(data) // 2 * 2]), default=0)
        if loudest >= FIRST - STEP // 2:
            self.came.setdefault(round((loudest - FIRST) / STEP), moment)

    @property
    def delays(self):
        """Seconds of each mark that arrived."""
        return [self.came[mark] - left for mark, left in self.left.items() if mark in self.came]

    @property
    def missing(self):
        """How many never came, of those between the first and the last that did: the path drops what is stale."""
        return len(range(min(self.came), max(self.came) + 1)) - len(self.came) if self.came else 0


class MarkedHandset(EmulatedHandset):
    """A handset whose agent says marks, and which notes when the customer's come to the ear."""

    def __init__(self, said, heard):
        super().__init__(self)
        self._said, self._heard = said, heard

    def open(self):
        """Begin; the first frame is complete one frame time later."""
        super().open()
        self._began = time.monotonic()

    def frame(self, n):
        """The n-th 20 ms; they were due when they were over, however late they are fetched."""
        return self._said.frame(n, self._began + (n + 1) * FRAME_SECONDS)

    def write(self, frame):
        """To the ear."""
        self._heard.hear(frame, time.monotonic())


class MarkedModem:
    """The far end of the modem's audio port: a frame each 20 ms, and the moment at which each frame of ours came."""

    def __init__(self, said, heard):
        self._ours, theirs = os.openpty()
        tty.setraw(theirs)
        self.path, self._theirs = os.ttyname(theirs), theirs
        self._said, self._heard, self._over = said, heard, threading.Event()
        self._threads = [threading.Thread(target=one) for one in (self._say, self._hear)]

    def start(self):
        """Begin to speak."""
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Fall silent, and let go."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        os.close(self._ours)
        os.close(self._theirs)

    def _say(self):
        due, n = time.monotonic() + FRAME_SECONDS, 0
        while not self._over.wait(max(0.0, due - time.monotonic())):
            os.write(self._ours, self._said.frame(n, time.monotonic()))
            due, n = due + FRAME_SECONDS, n + 1

    def _hear(self):
        while not self._over.is_set():
            if select.select([self._ours], [], [], 0.05)[0]:
                self._heard.hear(os.read(self._ours, 4096), time.monotonic())


def through_the_booth(directory, seconds, starts):
    """Seconds that each mark took, to the agent and to the customer, over so many starts of the talk path.

    Where the two ends' frames fall between the path's own differs from one start to the next, and with it the delay.
    Told besides: how many of the path's ticks this machine has made late, of how many, and how many marks were lost.
    """
    news, late, ticks, missing = queue.SimpleQueue(), 0, 0, 0
    vault = Vault(directory / "recordings", [str(pyrage.x25519.Identity.generate().to_public())], news.put)
    recorder, to_agent, to_customer = Recorder(vault, news.put), [], []
    for start in range(starts):
        agent, customer = Marks(), Marks()
        handset, modem = MarkedHandset(agent, customer), MarkedModem(customer, agent)
        port = PcmPort(modem.path, 921_600)
        port.open()
        handset.open()
        select.select([], [], [], FRAME_SECONDS * (start * GOLDEN % 1))
        modem.start()
        select.select([], [], [], FRAME_SECONDS * (start * GOLDEN**2 % 1))
        path = TalkPath(handset, port, recorder)
        path.start()
        recorder.start(str(uuid.uuid4()))
        select.select([], [], [], seconds)
        path.stop()
        late, ticks = late + path.counts.late, ticks + path.counts.frames
        recorder.stop()
        modem.stop()
        port.close()
        handset.close()
        missing += agent.missing + customer.missing
        to_agent += customer.delays
        to_customer += agent.delays
    vault.close()
    return to_agent, to_customer, f"{late} of {ticks} ticks late, {missing} marks lost both ways"


def through_two_fifos(frames):
    """Seconds from a frame's being written into one pipe to its being read from the next, with one thread between."""
    (out, first), (last, second) = os.pipe(), os.pipe()
    took = []

    def pass_on():
        while frame := os.read(out, FRAME):
            os.write(second, frame)

    relay = threading.Thread(target=pass_on)
    relay.start()
    for _ in range(frames):
        began = time.monotonic()
        os.write(first, SILENCE)
        os.read(last, FRAME)
        took.append(time.monotonic() - began)
        select.select([], [], [], FRAME_SECONDS)
    os.close(first)
    relay.join()
    for one in (out, last, second):
        os.close(one)
    return took


# The report.


def tell_delay(what, seconds, target="", more="nothing else runs"):
    """One line of the report."""
    ordered = sorted(1000 * one for one in seconds)
    median, most = statistics.median(ordered), ordered[int(0.95 * len(ordered))]
    print(
        f"{what:<52} median {median:7.2f} ms   p95 {most:7.2f} ms   {target}({len(ordered)} marks, {more})", flush=True
    )


def tell_calls(directory, seconds):
    """What one recorded call costs, beside the programs."""
    stolen = bench.stolen()
    booth, share, memory, files = calls(directory, seconds)
    shares, most = afterwards(files)
    stolen, total, programs = bench.stolen() - stolen, sum(booth["threads"].values()), share + sum(shares.values())
    print(f"one recorded call of {seconds:g} s, in percent of a core; {stolen / 100:.1f} s stolen by the host's others")
    print(f"  the booth, all of its process: {total:.2f} %, {total / programs:.2f}x the programs (target ≤ {TIMES}x)")
    print(f"    by thread: {json.dumps({name: round(one, 2) for name, one in sorted(booth['threads'].items())})}")
    told = " + ".join(f"{name} {one:.2f}" for name, one in {"baresip": share, **shares}.items())
    print(f"  the programs: {told} = {programs:.2f} %")
    bare = bench.encoders(seconds, bench.Prepared().frame)
    others = programs - shares["opusenc"] + bare
    print(f"  two bare libopus encoders instead of opusenc: {bare:.2f} %; then it is {total / others:.2f}x")
    print(
        f"resident memory at most: booth {booth['memory']:.0f} MB, baresip {memory:.0f} MB and then opusenc or age {most:.0f} MB:"
        f" {booth['memory'] / (memory + most):.2f}x",
        flush=True,
    )


def tell_delays(directory, options):
    """How late a voice is."""
    sys.setswitchinterval(HAND_OVER)
    to_agent, to_customer, late = through_the_booth(directory, options.marked, options.starts)
    target = f"target ≤ {PROMISED:.0f} ms "
    tell_delay("customer → ear, modem's port to handset", to_agent, target, late)
    tell_delay("agent → line, handset to modem's port", to_customer, target, late)
    tell_delay("  the same through two FIFOs", through_two_fifos(200))


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--talk", type=float, default=60.0, help="seconds of recorded call to measure")
    parser.add_argument("--marked", type=float, default=3.0, help="seconds of talk for each start of the talk path")
    parser.add_argument("--starts", type=int, default=12, help="starts of the talk path")
    parser.add_argument("--be", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be:
        role, directory, *words = options.be
        Path(directory).mkdir(exist_ok=True)
        return be_modem(Path(directory)) if role == "modem" else be_booth(Path(directory), *words[:2], float(words[2]))
    with tempfile.TemporaryDirectory() as name:
        tell_delays(Path(name), options)
        missing = [package for program, package in NEEDED.items() if shutil.which(program) is None]
        if missing:
            print(f"one recorded call beside other programs: not measured: apt-get install {' '.join(missing)}")
        else:
            tell_calls(Path(name), options.talk)
    return None


if __name__ == "__main__":
    main()
