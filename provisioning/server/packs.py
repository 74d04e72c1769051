"""The office's rule packs: what every booth goes by besides its own."""

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection

from firmware import rulepack
from firmware.rulepack import Pack, RulePackError
from provisioning.server import notes
from provisioning.server.booths import office_rules
from provisioning.server.database import Database

HELP = """\
Prints the rule packs that hold on every booth, or puts others in their place: ids of packs that
the program came with, or files. They hold besides a booth's own; of two packs the stricter one
decides, and one with the id of a booth's own takes its place. All are checked first: every fault
is told with file and line, and one faulty pack changes nothing. Booths obey within a minute, or
with their next contact, and go on obeying while the server is out of reach.

examples:
  booth-provision server rules
  booth-provision rules list                   the packs to choose from
  booth-provision server rules jp-sales
  booth-provision server rules jp-sales house.toml
  booth-provision server rules uk-sales --unverified uk-sales
  booth-provision server rules --none --yes
"""
NOTHING = "No rule pack holds on every booth: each goes by the house's window and by its own packs."
LOOSER = """\
--none loosens the guard. On a booth without packs of its own nobody would then heed calling hours,
holidays, consent, do-not-call registers, or how often the law lets one call. What holds on: refusals,
"do not call", and the house's window between two calls. If that is meant: --none --yes"""


def in_force(connection: Connection) -> tuple[Pack, ...]:
    """The packs that hold on every booth. Raises RulePackError for what another version of this program has put."""
    return rulepack.parse_all(office_rules(connection))


def texts(names: Sequence[str], unverified: Collection[str] = ()) -> Sequence[str]:
    """The packs of these names as they are written: shipped ones by id, an office's own by a file's path (….toml).

    One that is not verified must stand in `unverified` too. Raises RulePackError with every fault of all of them.
    """
    found: dict[str, str] = {}
    faults: list[str] = []
    for name in names:
        try:
            pack, text = read(name)
        except RulePackError as error:
            faults += error.faults
            continue
        faults += [f"{name}: {fault}" for fault in _reservations(pack, found, unverified)]
        found[pack.id] = text
    if faults:
        raise RulePackError(faults)
    return tuple(found.values())


def read(name: str) -> tuple[Pack, str]:
    """One pack and its text, verified or not. Raises RulePackError with every fault, the name before each."""
    if not name.endswith(".toml"):
        (pack,) = rulepack.chosen([name], [name])  # whether it is verified is asked later, in this command's words
        return pack, rulepack.text_of(name)
    try:
        text = Path(name).read_text(encoding="utf-8")
        return rulepack.parse(text), text
    except RulePackError as error:
        raise RulePackError([f"{name}: {fault}" for fault in error.faults]) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise RulePackError([f"{name}: cannot be read: {problem}"]) from None


def put(database: Database, connection: Connection, wanted: Sequence[str]) -> Sequence[str]:
    """These texts hold from now on, in the place of those that held; the ids of packs that hold no longer."""
    before = _ids(connection)
    notes.put(database, connection, notes.RULES, json.dumps(wanted, ensure_ascii=False) if wanted else "")
    after = _ids(connection)
    return [one for one in before if one not in after]


def _ids(connection: Connection) -> Sequence[str]:
    """Of the packs in force; none of what another version of this program has put."""
    try:
        return [pack.id for pack in in_force(connection)]
    except RulePackError:
        return []


def told(pack: Pack) -> str:
    """A pack in three lines: which, by what law, in both languages."""
    head = pack.pack
    state = f"checked {head.checked}".strip() if head.verified else "NOT VERIFIED"
    return f"{pack.id:<15}{head.version}  {head.region}  {head.purpose:<8}{state}\n{'':<15}{head.law.en}\n{'':<15}{head.law.ja}"


def _reservations(pack: Pack, others: Collection[str], unverified: Collection[str]) -> Iterator[str]:
    """What speaks against a pack that is in order by itself."""
    if pack.id in others:
        yield f"another of these packs is called {pack.id}, too"
    if not pack.pack.verified and pack.id not in unverified:
        yield f"its rules have not been checked against their sources; to use it all the same: --unverified {pack.id}"
