"""One whole call with no human: the hands are a script, and everything from the pins and the pty onwards is real."""

import hashlib
import json
import math
import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TextIO
from uuid import UUID

import pyrage

from firmware import journal, opus
from firmware.callflow import State
from firmware.calls import Calls
from firmware.desk import ledger
from firmware.desk.ledger import Entry
from firmware.desk.office import Office
from firmware.desk.rig import Rig
from firmware.desk.running import BoothDied, RunningBooth
from firmware.journal import Segment
from firmware.screens.scene import Body, CallBody, ListBody, PreviewBody, Scene, WrapUpBody
from firmware.vault import SUFFIX
from hw.contracts import FRAME_SECONDS
from hw.emulated.exchange import FarEnd

TALK = 5.0  # seconds
PATIENCE = 5.0  # seconds for each step, the talk besides
LATEST = 15.0  # seconds from the result until the server has the call; it takes one or two
LOOK = 0.02  # seconds between two looks at the server's disk
FAR_END = FarEnd(answers_after=1.0)
TOLERANCE = 0.15  # seconds between the talk as the record has it and as it lies in the recording
RUNG = (State.ALERTING, State.TALKING)  # a modem that tells nothing by itself is asked every two seconds only
AUDIBLE = -50.0  # dB under full scale, above which somebody speaks


class StepFailed(RuntimeError):
    """The call did not go as it should; the text says where."""


@dataclass(frozen=True, slots=True)
class Ears:
    """A recording, opened: seconds from the answer mark, and how loud each ear is (dB under full scale)."""

    seconds: float
    agent: float
    customer: float


class Once:
    """The script. Each step is told to `out` with the seconds since the start."""

    def __init__(self, running: RunningBooth, out: TextIO = sys.stdout) -> None:
        self._running, self._rig, self._out = running, running.rig, out
        self._began = monotonic()

    def call(self) -> str:
        """From the list to the next customer; the call's id. Raises StepFailed."""
        rig = self._rig
        rig.exchange.default = FAR_END
        first = self._until("list shown, line ready", self._ready, _names_list)
        rig.tap("A")
        self._state("A: armed, lift the handset", State.ARMED)
        rig.lift()
        self._state("handset lifted: dialling", State.DIALLING, State.ALERTING)
        self._dialled(first)
        self._until("the far end's telephone rings", lambda scene: scene.state in RUNG, _too_late)
        self._state("answered, recording", State.TALKING)
        self._until(f"talked for {TALK:g} s", lambda scene: _talked(scene.body), patience=TALK + PATIENCE)
        rig.replace()
        ended = self._state("handset down: wrap-up", State.WRAP_UP).body
        rig.tap("1")
        self._until("1: result chosen", lambda scene: isinstance(scene.body, WrapUpBody) and _chosen(scene.body))
        rig.tap("A")
        self._until("A: saved, next customer shown", lambda scene: _is_next(scene.body, ended), _names_customer)
        if not isinstance(ended, WrapUpBody):
            raise StepFailed("wrap-up is about no call")
        return ended.call.id

    def synced(self, office: Office, call_id: str) -> Entry:
        """The call as it lies on the server, with its recording. To be asked as soon as the result is saved."""
        saved = monotonic()
        while (entry := ledger.entry(office.server, call_id)) is None:
            if office.ended or monotonic() - saved > LATEST:
                raise StepFailed(office.ended or f"the server has not all of the call {LATEST:g} s after its result")
            sleep(LOOK)
        self.tell(f"on the server, record and recording: {entry.after:.2f} s after the result")
        self._until("the booth says synced", lambda scene: scene.header.synced and not scene.header.pending)
        return entry

    def tell(self, what: str) -> None:
        """One line of the report."""
        self._out.write(f"{monotonic() - self._began:6.2f} s  {what}\n")
        self._out.flush()

    def _ready(self, scene: Scene) -> bool:
        """A radio line has a signal; any other takes the number as soon as it can."""
        heard = scene.header.signal is not None or not self._rig.kind.has_sim
        return isinstance(scene.body, ListBody) and bool(scene.body.rows) and heard

    def _state(self, what: str, *states: State) -> Scene:
        return self._until(what, lambda scene: scene.state in states)

    def _until(
        self,
        what: str,
        seen: Callable[[Scene], bool],
        more: Callable[[Scene], str] = lambda _scene: "",
        patience: float = PATIENCE,
    ) -> Scene:
        try:
            scene = self._running.wait_for(what, lambda scene, _view: seen(scene), patience)
        except (TimeoutError, BoothDied) as problem:
            raise StepFailed(str(problem)) from problem
        self.tell(what + more(scene))
        return scene

    def _dialled(self, first: Scene) -> None:
        number = first.body.rows[first.body.chosen].number.dialled if isinstance(first.body, ListBody) else ""
        command = self._rig.kind.dials.format(number=number)
        try:
            self._rig.modem.wait_for(command)
        except AssertionError as problem:
            raise StepFailed(str(problem)) from problem
        self.tell(f"on the modem's wire: {command}")


def _too_late(scene: Scene) -> str:
    return ": answered before the modem had told" if scene.state is State.TALKING else ""


def _talked(body: Body) -> bool:
    return isinstance(body, CallBody) and body.call.answered and body.seconds >= TALK


def _chosen(body: WrapUpBody) -> bool:
    return body.chosen is not None and body.asking == "result"


def _is_next(body: Body, ended: Body) -> bool:
    last = ended.call.customer if isinstance(ended, WrapUpBody) else None
    return isinstance(body, PreviewBody) and last is not None and body.customer.id != last.id


def _names_list(scene: Scene) -> str:
    body = scene.body
    return f": {body.list.name}, {body.list.total} customers" if isinstance(body, ListBody) and body.list else ""


def _names_customer(scene: Scene) -> str:
    return f": No. {scene.body.customer.row}" if isinstance(scene.body, PreviewBody) else ""


def run_once(rig: Rig, running: RunningBooth, out: TextIO = sys.stdout, office: Office | None = None) -> int:
    """The whole call and its proof; 0 when everything was as it should be. The booth is stopped by it."""
    once = Once(running, out)
    try:
        call_id = once.call()
        entry = once.synced(office, call_id) if office else None
        running.stop()
        record = _record(running, call_id)
        journal_file = running.settings.data / "recordings" / f"{call_id}{SUFFIX}"
        ears = opened(journal_file, rig.identity)
        once.tell(f"recording: {ears.seconds:.2f} s, agent {ears.agent:.0f} dB, customer {ears.customer:.0f} dB")
        if entry:
            _compare_ends(record, journal_file, entry)
            once.tell(f"the same on the server: the record, and the recording's SHA-256 {entry.kept[:16]}…")
        out.write(json.dumps(entry.record if entry else record, ensure_ascii=False, indent=2) + "\n")
        _compare(record, ears)
    except StepFailed as failure:
        once.tell(f"FAILED: {failure}")
        return 1
    once.tell("everything as it should be" + (": synced" if entry else ""))
    return 0


def _record(running: RunningBooth, call_id: str) -> dict[str, Any]:
    calls = Calls(running.settings.data / "booth.db", running.settings.booth, running.rig.clock())
    try:
        return calls.record(call_id)
    finally:
        calls.close()


def opened(path: Path, identity: pyrage.x25519.Identity) -> Ears:
    """Decrypt, check and decode a call's journal. Raises StepFailed when anything is wrong with it."""
    data = path.read_bytes()
    reading = journal.read(data)
    parts = [journal.unpack(pyrage.decrypt(record.blob, [identity])) for record in reading.records]
    segments = [part for part in parts if isinstance(part, Segment)]
    _, faults = journal.verify(UUID(path.stem), parts, data, reading)
    if faults or not segments:
        raise StepFailed("recording: " + "; ".join(fault.detail for fault in faults or ()))
    answer = segments[0].answer
    agent = _decoded([packet for part in segments for packet in part.agent][answer:])
    customer = _decoded([packet for part in segments for packet in part.customer][answer:])
    frames = sum(len(part.agent) for part in segments) - answer
    return Ears(frames * FRAME_SECONDS, _loudness(agent), _loudness(customer))


def _decoded(packets: list[bytes]) -> bytes:
    decoder = opus.Decoder()
    return b"".join(map(decoder.decode, packets))


def _loudness(pcm: bytes) -> float:
    samples = array("h", pcm)
    power = sum(sample * sample for sample in samples) / max(1, len(samples))
    return 10 * math.log10(max(power, 1e-3) / 32768**2)


def _compare(record: dict[str, object], ears: Ears) -> None:
    talk = record["talk"]
    if not isinstance(talk, float) or abs(talk - ears.seconds) > TOLERANCE:
        raise StepFailed(f"the record says {talk} s of talk, the recording has {ears.seconds:.2f} s")
    if min(ears.agent, ears.customer) < AUDIBLE:
        raise StepFailed("one ear of the recording is silent")


def _compare_ends(record: dict[str, Any], journal_file: Path, entry: Entry) -> None:
    """Booth and server have the same. Raises StepFailed."""
    if entry.record != record:
        names = (name for name in record if record[name] != entry.record.get(name))
        raise StepFailed(f"the record is another one on the server: {', '.join(names)}")
    if {entry.said, entry.kept} != {hashlib.sha256(journal_file.read_bytes()).hexdigest()}:
        raise StepFailed("the recording is another one on the server: its SHA-256 differs")
    if entry.state != "whole":
        raise StepFailed(f"the server could not open the recording: {entry.state}")
