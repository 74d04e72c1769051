"""booth-provision rules …: rule packs at a desk. What there are, whether one is right, and what the guard would say."""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from firmware import mailbox, numbers, results, rulepack
from firmware.facts import facts_of_number
from firmware.known import Fact, Rules
from firmware.numbers import Number, NumberError
from firmware.redial import Callee, Decision, Listing, Verdict, decide
from firmware.registers import Registers
from firmware.rulebook import Rulebook
from firmware.rulepack import Pack, RulePackError
from firmware.screens.reasons import REASONS
from firmware.screens.teller import Teller
from firmware.store import Store
from firmware.text.catalogue import load
from firmware.text.times import Times
from firmware.zones import zones_of
from provisioning.server import packs, parts
from provisioning.server.pages import knowledge

RULES = """\
A rule pack is one place's calling rules as data (TOML). Those the program came with are named in
device.toml by their ids; an office's own by the path of its file. Of two packs the stricter holds.

examples:
  booth-provision rules list
  booth-provision rules show jp-sales > own.toml
  booth-provision rules check own.toml
  booth-provision rules explain 03-1234-5601 --at "2026-12-24 19:30" --pack jp-sales
"""
CHECK = """\
Every fault is told at once, with its line. A faulty pack is never used: a booth keeps the last good one.
Exit code 0: in order. 1: not.

examples:
  booth-provision rules check own.toml
  booth-provision rules check *.toml
"""
EXPLAIN = """\
Says what the guard would say of a number at a time: verdict, rule and source, evidence, and when it may be
called. With --data it goes by the facts of a booth's or a server's directory and by the packs that the office
has put in force on every booth, otherwise by none. Name a booth's own packs with --pack.
Exit code 0: it may be called. 1: not.

examples:
  booth-provision rules explain 03-1234-5601
  booth-provision rules explain 03-1234-5601 --at 2026-12-24T19:30+09:00 --pack jp-sales --language en
  booth-provision rules explain 03-1234-5601 --data /var/lib/boothphone --pack jp-sales
"""
BOOKS = "booth.db"
VERDICTS = {Verdict.ALLOW: "Can be called", Verdict.WARN: "Check before calling", Verdict.BLOCK: "Cannot be called"}


class ExplainError(Exception):
    """What was asked cannot be answered; the text says why."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The commands of this room."""
    top = _taught(commands.add_parser("rules", help="rule packs: list, check, explain"), RULES)
    actions = top.add_subparsers(metavar="ACTION", required=True)
    _taught(actions.add_parser("list", help="the packs that the program came with"), RULES).set_defaults(run=show_all)
    show = _taught(actions.add_parser("show", help="print one of them, to start an own one from"), RULES)
    show.add_argument("pack", metavar="ID", choices=sorted(rulepack.shipped()))
    show.set_defaults(run=show_one)
    check = _taught(actions.add_parser("check", help="read packs and list every fault with its line"), CHECK)
    check.add_argument("files", type=Path, nargs="+", metavar="FILE")
    check.set_defaults(run=check_files)
    _add_explain(actions)


def _add_explain(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    explain = _taught(actions.add_parser("explain", help="what the guard would say of a number"), EXPLAIN)
    explain.add_argument("number", metavar="NUMBER", help="as it is dialled, or +CC…")
    explain.add_argument("--at", default="", metavar="TIME", help='such as "2026-12-24 19:30" in --zone (now)')
    explain.add_argument(
        "--pack", action="append", default=[], metavar="PACK", help="an id, or a file; may be repeated"
    )
    explain.add_argument("--product", default="", help="what is offered")
    explain.add_argument("--attempts", type=int, default=0, help="the campaign's cap (none)")
    explain.add_argument("--data", type=Path, metavar="DIR", help="a booth's or a server's directory")
    explain.add_argument("--country", default="", help="whose numbers have no country code (the pack's, or JP)")
    explain.add_argument("--zone", default="Asia/Tokyo", help="of --at and of what is printed (%(default)s)")
    explain.add_argument("--language", choices=("ja", "en"), default="ja", help="(%(default)s)")
    explain.set_defaults(run=explain_number)


def _taught(parser: argparse.ArgumentParser, text: str) -> argparse.ArgumentParser:
    parser.epilog, parser.formatter_class = text, argparse.RawDescriptionHelpFormatter
    return parser


def show_all(_options: argparse.Namespace) -> int:
    """`rules list`."""
    for pack in rulepack.shipped().values():
        head = pack.pack
        state = f"checked {head.checked}" if head.verified else "NOT VERIFIED: off unless named as unverified"
        print(f"{pack.id:<15}{head.region}  {head.purpose:<8}{head.law.en}\n{'':<15}{head.law.ja} ({state})")
    return 0


def show_one(options: argparse.Namespace) -> int:
    """`rules show ID`."""
    print(rulepack.text_of(options.pack), end="")
    return 0


def check_files(options: argparse.Namespace) -> int:
    """`rules check FILE`."""
    faulty = 0
    for file in options.files:
        try:
            pack = rulepack.parse(file.read_text(encoding="utf-8"))
        except (RulePackError, OSError, UnicodeDecodeError) as problem:
            faults = problem.faults if isinstance(problem, RulePackError) else (str(problem),)
            print("\n".join(f"{file}: {fault}" for fault in faults), file=sys.stderr)
            faulty += 1
            continue
        note = "" if pack.pack.verified else "; not verified: a booth uses it only if named in unverified, too"
        print(f"{file}: in order: {pack.id} {pack.pack.version}{note}")
    return 1 if faulty else 0


def explain_number(options: argparse.Namespace) -> int:
    """`rules explain NUMBER`."""
    chosen = _packs(options.pack, options.data)
    number = _number(options.number, options.country or (chosen[0].pack.region if chosen else "JP"))
    now = moment(options.at, options.zone)
    book = Rulebook(Rules(sample_allowed=True), chosen, options.product, options.attempts)
    callee = Callee(zones_of(number.key, options.zone), registers=_listings(options.data, number.key, book))
    said = decide(number, known(options.data, number.key), book, now, callee=callee)
    text = load(options.language)
    teller = Teller(text, Times(text, options.zone, now), {result.code: result for result in results.load()})
    print("\n".join(told(number, said, teller, callee)))
    return 1 if said.verdict is Verdict.BLOCK else 0


def told(number: Number, said: Decision, teller: Teller, callee: Callee) -> Sequence[str]:
    """The decision in words, a line each: the same words as on the booth's screen."""
    return [
        f"{number.shown}   {teller.times.moment(teller.times.now)}   {', '.join(callee.zones[:3])}",
        f"{teller.text(VERDICTS[said.verdict])}: {teller.why(said)}",
        *filter(None, (teller.until(said),)),
        teller.text("Rule: {rule}", rule=teller.text(REASONS[said.reason].rule)),
        teller.text("Source: {source}", source=teller.source(said)),
        *(f"  {teller.evidence(fact)} {teller.outcome(fact)}" for fact in said.evidence),
        " → ".join(reason.name for reason in said.considered),
    ]


def moment(text: str, zone: str) -> float:
    """The time in UTC seconds; now if none is given. Raises ExplainError."""
    try:
        there = ZoneInfo(zone)
        here = datetime.fromisoformat(text) if text else datetime.fromtimestamp(time.time(), there)
        return (here if here.tzinfo else here.replace(tzinfo=there)).timestamp()
    except (ZoneInfoNotFoundError, OSError, ValueError) as problem:
        raise ExplainError(f'--at must be like "2026-12-24 19:30", --zone like Asia/Tokyo: {problem}') from problem


def known(data: Path | None, key: str) -> Sequence[Fact]:
    """The facts of a number in a booth's or a server's directory. Raises ExplainError."""
    if data is None:
        return ()
    if _is_server(data):
        with closing(parts.open_database(data)) as database, database.read() as connection:
            return knowledge.of_number(connection, key).facts
    with closing(Store(data / BOOKS)) as store:
        return facts_of_number(store, key)


def _is_server(data: Path) -> bool:
    """Whether it is a server's directory or a booth's. Raises ExplainError if it is neither."""
    if not (data / parts.DATABASE).exists() and not (data / BOOKS).exists():
        raise ExplainError(f"{data} is neither a booth's nor a server's directory")
    return (data / parts.DATABASE).exists()


def _listings(data: Path | None, key: str, book: Rulebook) -> dict[str, Listing]:
    if data is None or not book.registers:
        return {}
    with closing(Registers(data)) as registers:
        return {one.name: Listing(one.asof, listed) for one, listed in registers.look_up(key, book.registers)}


def _packs(names: Sequence[str], data: Path | None) -> tuple[Pack, ...]:
    """Those named and the office's, as on a booth; asking what an unverified one says harms nobody."""
    found: list[Pack] = []
    faults: list[str] = []
    for name in names:
        try:
            found.append(packs.read(name)[0])
        except RulePackError as problem:
            faults += problem.faults
    if faults:
        raise ExplainError("\n".join(faults))
    return rulepack.joined(found, () if data is None else _office(data))


def _office(data: Path) -> tuple[Pack, ...]:
    """The packs that hold on every booth, as far as this directory knows."""
    try:
        if _is_server(data):
            with closing(parts.open_database(data)) as database, database.read() as connection:
                return packs.in_force(connection)
        with closing(Store(data / BOOKS)) as store:
            return rulepack.parse_all(mailbox.recalled(store, mailbox.RULES) or rulepack.NONE)
    except RulePackError as problem:
        raise ExplainError(f"the office's packs cannot be read by this version: {problem}") from problem


def _number(text: str, country: str) -> Number:
    try:
        return numbers.parse(text, country)
    except NumberError as problem:
        raise ExplainError(f"{text}: {problem}") from problem
