"""`booth`: the booth phone itself. The only composer: device.toml → hardware → Booth."""

import argparse
import logging
import queue
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic

from firmware import doctor, listfile, registrar, results, rulepack, sim
from firmware.booth import Booth
from firmware.browsing import Browsing
from firmware.calls import Call, Calls
from firmware.claims import Claims
from firmware.clock import Clock
from firmware.conversation import Conversation
from firmware.display import Display, paper
from firmware.forecast import Forecast
from firmware.gate import Gate, Target
from firmware.hardware import Hardware
from firmware.keying import Keying
from firmware.liaison import Liaison, bell_of
from firmware.listfile import ListFileError
from firmware.memo import Memo
from firmware.menu import Menu
from firmware.ownership import given
from firmware.parts import Condition, Parts
from firmware.pin import Tries
from firmware.pinpad import PinPad
from firmware.recorder import Recorder
from firmware.redial import Decision
from firmware.registerfile import RegisterFileError
from firmware.registers import Registers
from firmware.results import Results
from firmware.retention import Retention, Terms
from firmware.rulebook import InForce, Rulebook
from firmware.settings import Settings, SettingsError, example, load
from firmware.sim import SimPin
from firmware.soundtest import SoundTest
from firmware.store import CardError
from firmware.upkeep import Upkeep
from firmware.vault import Vault
from firmware.wrapup import WrapUp
from hw import wiring
from hw.contracts import Post
from hw.errors import HardwareError
from hw.events import Event

DEVICE = Path("/etc/boothphone/device.toml")
TRIES = "pin-tries"
MEGABYTE = 1_000_000
HAND_OVER = 0.0005
"""Seconds after which a busy thread lets another one run. With Python's own 5 ms, a picture being drawn made a dial wait
for 30 to 60 ms; with this, for 2."""
log = logging.getLogger("booth")


def compose(
    settings: Settings, hardware: Hardware, *, clock: Clock | None = None, sample_allowed: bool = False
) -> Booth:
    """A booth of these devices, ready to run().

    `sample_allowed`: the line is an emulated one, so that the numbers of the sample list may be dialled; no setting can
    say so.
    """
    inbox: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    clock = clock or Clock(settings.clock.trust)
    bell = bell_of(settings.data)
    ring = bell.ring if bell else _nobody
    recording = settings.recording
    place, reserve = settings.data / "recordings", recording.reserve_mb * MEGABYTE
    vault = Vault(place, recording.recipients, inbox.put, ring, reserve=reserve)
    law = in_force(settings, sample_allowed=sample_allowed)
    calls = books(settings, clock, ring, law)
    recover(vault, calls)
    sys.setswitchinterval(HAND_OVER)
    parts = furnish(settings, hardware, vault, calls, inbox.put, clock=clock)
    return Booth(parts, inbox, Display(paper(hardware.screen)))


def _nobody() -> None:
    """No server knows this booth: nobody wants to be woken."""


def in_force(settings: Settings, *, sample_allowed: bool = False) -> InForce:
    """The rules that device.toml names; the office may add to them."""
    campaign, house = settings.campaign, replace(settings.guard, sample_allowed=sample_allowed)
    packs = rulepack.chosen(campaign.packs, campaign.unverified)
    return InForce(Rulebook(house, packs, campaign.product, campaign.attempts))


def books(settings: Settings, clock: Clock, ring: Callable[[], object], law: InForce) -> Calls:
    """The booth's database; on a card that cannot be used, an empty one that takes nothing: emergency calls alone."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        return Calls(settings.data / "booth.db", settings.booth, clock, law, ring)
    except (HardwareError, OSError) as problem:
        log.warning("only emergency calls can be made: %s", problem)
        calls = Calls(":memory:", settings.booth, clock, law)
        calls.store.freeze()
        return calls


def recover(vault: Vault, calls: Calls) -> None:
    """After a crash or power cut: open journals are closed, calls that still lasted are lost and owe their result.

    What a full card does not take is tried again at the next start: it must not keep the booth from starting.
    """
    try:
        calls.close_lost()
        for found in vault.recover():
            log.warning("call %s: recording recovered, %d segments", found.call, found.segments)
        # Also those that were closed in time, when the crash came before the books knew of them.
        for call in filter(calls.lacks_recording, vault.calls()):
            found = vault.look(call)
            calls.recorded(found.call, {"file": found.path.name, "segments": found.segments, "complete": False})
    except (CardError, OSError) as problem:
        log.warning("not all was recovered: %s", problem)


def furnish(settings: Settings, hardware: Hardware, vault: Vault, calls: Calls, post: Post, *, clock: Clock) -> Parts:
    """The rooms of one booth."""
    law, claims = calls.law, Claims(calls.store, clock, settings.data)
    gate = Gate(calls, clock, law, claims, Registers(settings.data), zone=settings.zone)
    codes, recorder = results.load(), Recorder(vault, post)

    def foresee(call: Call, moment: float) -> Decision:
        return gate.foresee(Target(call.number, call.customer), moment)

    browsing = Browsing(calls, gate, clock, settings.script.pages, law)
    emergency, card = settings.emergency, _sim(settings, calls, clock)
    return Parts(
        settings=settings,
        hardware=hardware,
        clock=clock,
        calls=calls,
        results=codes,
        vault=vault,
        gate=gate,
        browsing=browsing,
        keying=Keying(calls, settings.country, settings.area_code, confirmed=emergency.confirmed),
        conversation=Conversation(
            hardware, recorder, calls, post, law=law, record_emergency=settings.recording.emergency
        ),
        wrapup=WrapUp(codes, settings.zone, clock.now, foresee),
        pinpad=PinPad(
            settings.supervisor.pin, settings.agents, settings.zone, _tries(settings, calls), monotonic, sim=card
        ),
        menu=Menu(calls, settings.country, settings.area_code),
        memo=Memo(hardware.handset, recorder, calls),
        soundtest=SoundTest(hardware.handset),
        law=law,
        sim=card,
        upkeep=upkeep_of(settings, calls, clock, vault, codes),
        liaison=Liaison(settings, calls, clock, browsing, law=law, codes=codes, vault=vault, post=post),
        condition=Condition(calls.recall("language") or settings.language, agent=_agent(settings, calls)),
    )


def upkeep_of(settings: Settings, calls: Calls, clock: Clock, vault: Vault, codes: Results) -> Upkeep:
    """What deletes copies that are no longer needed, and foresees when the card is full."""
    terms = Terms(settings.recording.keep_days, settings.recording.free_mb * MEGABYTE)
    retention = Retention(calls.store, clock, vault, codes, terms)
    return Upkeep(retention, Forecast(calls.store, clock, vault, retention))


def _tries(settings: Settings, calls: Calls) -> dict[str, Tries]:
    """Each person's own, "" for the supervisor: whoever knows one PIN must not clear the count of another's."""

    def counted(whose: str) -> Tries:
        note = f"{TRIES} {whose}".strip()

        def keep(count: str) -> None:
            with suppress(CardError):  # then it counts until the next start
                calls.remember(note, count, durable=True)

        return Tries(calls.recall(note), keep, monotonic())

    return {whose: counted(whose) for whose in ("", *(agent.id for agent in settings.agents))}


def _sim(settings: Settings, calls: Calls, clock: Clock) -> SimPin:
    def keep(note: str) -> None:
        calls.remember(sim.NOTE, note, durable=True)

    return SimPin(settings.line.secrets.get("pin", ""), clock.stamp().boot, calls.recall(sim.NOTE), keep)


def _agent(settings: Settings, calls: Calls) -> str:
    """Who is logged in after a restart: who was before, or the only agent of a booth that asks for no PIN."""
    known = [agent.id for agent in settings.agents]
    before = calls.recall("agent")
    if before is None and len(known) == 1 and not settings.agents[0].pin:
        return known[0]
    return before if before in known else ""


def hardware_of(settings: Settings) -> Hardware:
    """The devices that device.toml names. Raises WiringError."""
    lamps = settings.lamps
    return Hardware(
        line=wiring.open_line(settings.line.kind, **settings.line.settings),
        handset=wiring.open_handset(settings.handset.kind, **settings.handset.settings),
        keypad=wiring.open_keypad(settings.keypad.kind, **settings.keypad.settings),
        hook=wiring.open_hook(settings.hook.kind, **settings.hook.settings),
        screen=wiring.open_screen(settings.screen.kind, **settings.screen.settings),
        lamps={name: wiring.open_lamp(lamps.kind, pin=pin) for name, pin in lamps.settings.items()},
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM."""
    settings = load(args.device)
    booth = compose(settings, hardware_of(settings))
    signal.signal(signal.SIGTERM, lambda _number, _frame: booth.stop())
    signal.signal(signal.SIGINT, lambda _number, _frame: booth.stop())
    booth.run()
    return 0


def check(args: argparse.Namespace) -> int:
    """Read device.toml and say what is wrong with it."""
    settings = load(args.device)
    print(f"{args.device}: in order; booth {settings.booth}, line {settings.line.kind}, screen {settings.screen.kind}")
    return 0


def import_list(args: argparse.Namespace) -> int:
    """Read a call list into the booth's database."""
    settings = load(args.device)
    read = listfile.read(args.file, settings.country, settings.area_code)
    for row in read.rejected:
        print(f"line {row.line}: {row.reason}: not taken", file=sys.stderr)
    if not read.entries:
        print("no row could be taken; nothing was changed", file=sys.stderr)
        return 1
    settings.data.mkdir(parents=True, exist_ok=True)
    with given(settings.data):
        calls = Calls(settings.data / "booth.db", settings.booth, Clock(settings.clock.trust))
        calls.add_list(args.name or args.file.stem, read.entries, sample=read.sample)
        calls.close()
    print(f"{len(read.entries)} customers taken, {len(read.rejected)} rows not")
    return 0


def show_example(_args: argparse.Namespace) -> int:
    """Print a commented device.toml to start from."""
    print(example())
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="booth",
        description="The booth phone: a call list, a redial guard and onboard recording on one box.",
        epilog="To try it on a PC without any hardware, use booth-desk (or: make demo).",
    )
    top.add_argument("--device", type=Path, default=DEVICE, metavar="FILE", help=f"settings (default {DEVICE})")
    top.add_argument("--verbose", action="store_true", help="log more; never names, numbers or PINs")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("run", help="be the booth, until SIGTERM").set_defaults(do=run)
    commands.add_parser("check", help="read device.toml and list all its faults").set_defaults(do=check)
    commands.add_parser("example", help="print a commented device.toml").set_defaults(do=show_example)
    importing = commands.add_parser(
        "import",
        help="read a call list (CSV) into the booth",
        description="Reads a call list: CSV in UTF-8, UTF-16 or Shift-JIS, with columns for name (氏名) and phone"
        " (電話番号), and if you like reading (フリガナ), phone 2, identifier (生年月日) and note (備考)."
        " Rows that cannot be called are listed with the reason; the others are taken.",
    )
    importing.add_argument("file", type=Path, help="the CSV file")
    importing.add_argument("--name", help="the list's name on the screen (default: the file's)")
    importing.set_defaults(do=import_list)
    registrar.add(commands)
    doctor.add(commands)
    return top


def main(argv: list[str] | None = None) -> int:
    """`booth`."""
    args = parser().parse_args(argv)
    logging.basicConfig(level=logging.DEBUG if args.verbose else logging.INFO, format="%(name)s: %(message)s")
    try:
        code: int = args.do(args)
    except (SettingsError, ListFileError, RegisterFileError, HardwareError, OSError) as problem:
        print(f"booth: {problem}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
