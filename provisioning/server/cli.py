"""booth-provision server … and token …: the commands for the one who looks after the server."""

import argparse
import json
import sys
import time
from pathlib import Path

from firmware import results
from firmware.ownership import given
from firmware.results import ResultsError
from firmware.rulepack import RulePackError
from firmware.watchdog import Watchdog
from provisioning.server import founding, notes, openapi, packs, tls, tokens
from provisioning.server.bell import Bell
from provisioning.server.booths import office_results
from provisioning.server.commands import Actions, CommandError, action, day, must_be, opened, taught
from provisioning.server.database import Database
from provisioning.server.facts import Facts
from provisioning.server.keeping import cli as keeping
from provisioning.server.operations import cli as operations
from provisioning.server.operations import logs
from provisioning.server.pages.gate import HERE
from provisioning.server.tokens import Standing
from provisioning.server.workers import Workers

MOST_PROCESSES = 64

SERVER = """\
A server is one command and one directory. In the directory are the database, the recordings
and the keys: keep a copy of all of it, and of recordings.key above all. Without that key no
recording can ever be opened. `backup` does that while the server runs.

examples:
  booth-provision server init                  make the directory, the keys and the first log-in
  booth-provision server run --api 0.0.0.0:8443 --pages 127.0.0.1:8080
  booth-provision token new "Booth 1"          what a technician carries to a new booth
  booth-provision server backup /mnt/backup    everything, onto another disk
"""
INIT = """\
Prints the name and password of the first administrator, once. Nothing that is there already
is changed.

examples:
  booth-provision server init
  booth-provision server init --data /srv/booths --administrator sato --ask-password
"""
RUN = """\
Two listeners. The booth API (TLS, its own key; booths know the key by its pin) must be
reachable from the booths. The pages are plain http: leave them on 127.0.0.1, or put a proxy
with a certificate before them and name the proxy's host with --name.

Several processes share one database: in the directory, or the PostgreSQL database that
BOOTH_DATABASE_URL names (then also servers on other machines may share it: give them a copy of
the directory's keys). SIGHUP begins anew with no gap, for a new version or a new key.

GET /healthz on the pages says whether database and archive answer. --metrics adds a listener with
/metrics for Prometheus: leave it on 127.0.0.1, for it asks nobody for a password.

examples:
  booth-provision server run
  booth-provision server run --api 0.0.0.0:8443 --url https://booths.example:8443
  booth-provision server run --pages 127.0.0.1:8080 --name calls.example
  BOOTH_DATABASE_URL=postgresql://booth:…@db.example/boothphone booth-provision server run --processes 4
"""
RESULTS = """\
Prints the result codes in use, as a file to edit; or takes such a file in. All faults are told
with their lines, and a faulty file changes nothing. Booths have the new codes within a minute,
between two calls; start the server again to have their names on its pages. What a refusal
forbids stays forbidden, whatever its code is called later.

examples:
  booth-provision server results > codes.toml
  booth-provision server results codes.toml
  booth-provision server results --ours
"""
RESTORED = """\
After the directory was put back from a copy of its files: the booths begin anew and offer again
all that they have, so that what the copy lacks comes back. It is safe to do it twice. Whoever uses
`server backup` needs `server restore`, which does this by itself.

example:
  booth-provision server restored --data /srv/booths
"""
NEW_KEY = """\
When the booth API's key was lost or stolen: the backup key takes its place, and a new backup
is made. Booths that have been enrolled know the backup's pin already. Tokens that were given
out before and not used yet know it too. Restart the server afterwards.

example:
  booth-provision server new-key
"""
OPENAPI = """\
Prints the booth API as an OpenAPI 3.1 document in JSON: what booths and server say to each
other, and every answer that there can be.

example:
  booth-provision server openapi > booth-api.json
"""
ENROLMENT = """\
A token enrols one booth, once, within a week. On the booth:
  booth-sync enrol 'booth1:…'

examples:
  booth-provision token new "Booth 3"
  booth-provision token list
  booth-provision token revoke 7
"""


def add_to(commands: "Actions[argparse.ArgumentParser]") -> None:
    """The commands of this room."""
    server = taught(commands.add_parser("server", help="the central server: make it, run it"), SERVER)
    actions = server.add_subparsers(metavar="ACTION", required=True)
    new = action(actions, "init", "make keys, database and the first administrator", INIT)
    new.add_argument("--administrator", default="admin", metavar="NAME", help="whose log-in is made (%(default)s)")
    new.add_argument("--ask-password", action="store_true", help="ask for the password; otherwise one is made")
    new.add_argument("--language", choices=("ja", "en"), default="ja", help="of the pages (%(default)s)")
    new.add_argument("--announce", action="store_true", help="print one line of JSON, for programs")
    new.set_defaults(run=founding.init)
    _add_run(actions)
    action(actions, "restored", "after restoring a backup: have the booths begin anew", RESTORED).set_defaults(
        run=restored
    )
    codes = action(actions, "results", "the office's own result codes", RESULTS)
    codes.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="the codes; without it those in use are printed"
    )
    codes.add_argument("--ours", action="store_true", help="go back to the codes that the program came with")
    codes.set_defaults(run=office_codes)
    _add_rules(actions)
    operations.add_to(actions)
    keeping.add_to(actions)
    action(actions, "new-key", "put the backup key in the place of the lost one", NEW_KEY).set_defaults(run=new_key)
    taught(actions.add_parser("openapi", help="describe the booth API, for programs"), OPENAPI).set_defaults(
        run=describe
    )

    token = taught(commands.add_parser("token", help="what enrols a new booth"), ENROLMENT)
    actions = token.add_subparsers(metavar="ACTION", required=True)
    make = action(actions, "new", "make a token and print it, once", ENROLMENT)
    make.add_argument("name", metavar="NAME", help="what the booth is to be called")
    make.add_argument("--url", default="", help="of the booth API as booths reach it (as the server last ran)")
    make.add_argument("--days", type=float, default=7.0, help="how long it may wait to be used (%(default)s)")
    make.set_defaults(run=new_token)
    action(actions, "list", "all tokens and what became of them", ENROLMENT).set_defaults(run=list_tokens)
    back = action(actions, "revoke", "take a token back that nobody has used", ENROLMENT)
    back.add_argument("id", type=int, metavar="ID", help="as in `token list`")
    back.set_defaults(run=revoke_token)


def _add_run(actions: "Actions[argparse.ArgumentParser]") -> None:
    run = action(actions, "run", "serve booths and pages until SIGTERM", RUN)
    run.add_argument("--api", type=place, default=("0.0.0.0", 8443), metavar="HOST:PORT", help="(0.0.0.0:8443)")  # noqa: S104
    run.add_argument("--pages", type=place, default=("127.0.0.1", 8080), metavar="HOST:PORT", help="(127.0.0.1:8080)")
    run.add_argument("--url", default="", help="of the booth API as booths reach it (as this machine is called)")
    run.add_argument("--name", action="append", default=[], metavar="HOST", help="another name of the pages' host")
    run.add_argument("--zone", default="Asia/Tokyo", help="of the times on the pages (%(default)s)")
    run.add_argument("--processes", type=processes, default=1, metavar="N", help="that serve, each on a processor (1)")
    run.add_argument(
        "--metrics", type=place, metavar="HOST:PORT", help="where Prometheus may ask, 127.0.0.1:9109 (nowhere)"
    )
    run.add_argument("--name-booths", action="store_true", help="name each booth in /metrics")
    run.add_argument("--log", choices=logs.STYLES, default="plain", help="json: a line of JSON for each event (plain)")
    run.add_argument("--announce", action="store_true", help="print the addresses as one line of JSON, for programs")
    run.set_defaults(run=serve)


def _add_rules(actions: "Actions[argparse.ArgumentParser]") -> None:
    rules = action(actions, "rules", "the rule packs that hold on every booth", packs.HELP)
    rules.add_argument(
        "packs", nargs="*", metavar="PACK", help="an id, or a file (….toml); without any those in force are printed"
    )
    rules.add_argument(
        "--unverified",
        action="append",
        default=[],
        metavar="ID",
        help="use this pack although its rules have not been checked; may be repeated",
    )
    rules.add_argument("--none", action="store_true", help="no pack for all booths any more; wants --yes")
    rules.add_argument("--yes", action="store_true", help="with --none: it is meant")
    rules.set_defaults(run=office_packs)


def place(text: str) -> tuple[str, int]:
    """HOST:PORT.

    >>> place("[::1]:8443"), place("127.0.0.1:0")
    (('::1', 8443), ('127.0.0.1', 0))
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


def processes(text: str) -> int:
    """How many processes serve.

    >>> processes("4")
    4
    """
    if not (text.isdecimal() and 0 < int(text) <= MOST_PROCESSES):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to {MOST_PROCESSES}")
    return int(text)


def serve(options: argparse.Namespace) -> int:
    """`server run`."""
    logs.begin(options.log)
    hosts = {*HERE, *options.name}
    (host, api_port), (pages_host, pages_port) = options.api, options.pages
    must_be(options.data)
    workers = Workers(
        options.data,
        processes=options.processes,
        host=host,
        api_port=api_port,
        pages_host=pages_host,
        pages_port=pages_port,
        url=options.url,
        hosts=hosts,
        zone=options.zone,
        measures=options.metrics,
        names=options.name_booths,
        log_style=options.log,
    )
    watchdog = Watchdog()
    workers.start()
    if options.announce:
        told = {"api": workers.api_url, "pages": workers.pages_url, "pin": workers.pin}
        print(json.dumps(told | ({"metrics": workers.metrics_url} if options.metrics else {})), flush=True)
    watchdog.ready()
    workers.attend(watchdog)
    watchdog.stopping()
    workers.stop()
    watchdog.close()
    return 0


def restored(options: argparse.Namespace) -> int:
    """`server restored`."""
    with opened(options.data) as database:
        Facts(database, Bell()).begin_epoch()
    print("The booths will begin anew with their next contact.")
    return 0


def new_key(options: argparse.Namespace) -> int:
    """`server new-key`."""
    must_be(options.data)
    with given(options.data):
        tls.change(options.data)
    print(f"pin            {tls.pins(options.data)[0]}")
    print("Restart the server, so that it shows the new key.", file=sys.stderr)
    return 0


def describe(_: argparse.Namespace) -> int:
    """`server openapi`."""
    print(json.dumps(openapi.document(), indent=2))
    return 0


def new_token(options: argparse.Namespace) -> int:
    """`token new`."""
    with opened(options.data) as database, database.write() as connection:
        url = options.url or notes.get(connection, notes.URL)
        if not url:
            raise CommandError("where do booths reach the server? It has not run yet: say it with --url https://…:8443")
        secret = tokens.new(connection, options.name, time.time(), options.days * 86400.0)
    print(tokens.text(secret, url, tls.pins(options.data)))
    print(f"For one booth, within {options.days:g} days; it is shown this once.", file=sys.stderr)
    return 0


def list_tokens(options: argparse.Namespace) -> int:
    """`token list`."""
    with opened(options.data) as database, database.read() as connection:
        every = tokens.every(connection, time.time())
    for token in every:
        until = f", until {day(token.expires)}" if token.standing is Standing.OPEN else ""
        print(f"{token.id:>4}  {token.name}  made {day(token.created)}, {token.standing.value}{until}")
    return 0


def revoke_token(options: argparse.Namespace) -> int:
    """`token revoke`."""
    with opened(options.data) as database, database.write() as connection:
        done = tokens.revoke(connection, options.id, time.time())
    if not done:
        raise CommandError(f"there is no open token {options.id}; a booth that has used one is revoked on the pages")
    return 0


def office_codes(options: argparse.Namespace) -> int:
    """`server results`."""
    with opened(options.data) as database:
        if options.file is None and not options.ours:
            with database.read() as connection:
                print(office_results(connection), end="")
            return 0
        try:
            text = (results.OURS if options.ours else options.file).read_text(encoding="utf-8")
            count = len(tuple(results.parse(text)))
        except (ResultsError, OSError, UnicodeDecodeError) as problem:
            raise CommandError(f"{options.file}: nothing was changed\n{problem}") from problem
        with database.write() as connection:
            notes.put(database, connection, notes.RESULTS, "" if options.ours else text)
    print(f"{count} result codes; booths have them within a minute. Start the server again for its pages.")
    return 0


def office_packs(options: argparse.Namespace) -> int:
    """`server rules`."""
    if options.none and options.packs:
        raise CommandError("either packs or --none")
    with opened(options.data) as database:
        if options.none or options.packs:
            _put_packs(database, options)
        print(_packs_told(database))
    return 0


def _packs_told(database: Database) -> str:
    try:
        with database.read() as connection:
            return "\n".join(map(packs.told, packs.in_force(connection))) or packs.NOTHING
    except RulePackError as problem:
        raise CommandError(f"the packs in force are of another version of this program: {problem}") from problem


def _put_packs(database: Database, options: argparse.Namespace) -> None:
    if options.none and not options.yes:
        raise CommandError(f"nothing was changed\n{packs.LOOSER}")
    try:
        wanted = packs.texts(options.packs, options.unverified)
    except RulePackError as problem:
        raise CommandError(f"nothing was changed\n{problem}") from problem
    with database.write() as connection:
        gone = packs.put(database, connection, wanted)
    print("Booths obey within a minute, or with their next contact.", file=sys.stderr)
    if gone:
        print(f"No longer in force: {', '.join(gone)}", file=sys.stderr)
