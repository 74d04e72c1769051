"""The first day of a server: its keys, its database and the first log-in."""

import argparse
import json
import secrets
import sys
import time
from contextlib import closing
from getpass import getpass

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import OperationalError

from firmware.ownership import given
from provisioning.server import parts
from provisioning.server.commands import CommandError
from provisioning.server.database import Database
from provisioning.server.pages import passwords
from provisioning.server.schema import administrator


def init(options: argparse.Namespace) -> int:
    """Make keys, database and the first administrator. Raises CommandError where there is one."""
    password = _asked_password() if options.ask_password else secrets.token_urlsafe(12)
    with given(options.data):
        parts.make(options.data)
        with closing(parts.open_database(options.data)) as database:
            made = _made_administrator(options, database, password)
    if not made:
        raise CommandError(f"{options.data} holds a server already; nothing was changed")
    if not options.announce:
        print(f"Keep a copy of {options.data / parts.RECORDINGS_KEY}: no recording opens without it.", file=sys.stderr)
    return 0


def _made_administrator(options: argparse.Namespace, database: Database, password: str) -> bool:
    """False if there is one. Raises CommandError."""
    try:
        return _first(options, database, password)
    except OperationalError as problem:
        raise CommandError(
            f"the disk does not take it, a password above counts for nothing: {problem.orig}"
        ) from problem


def _first(options: argparse.Namespace, database: Database, password: str) -> bool:
    with database.write() as connection:
        if connection.scalar(select(func.count()).select_from(administrator)):
            # An init that failed may have left it where a power cut takes it away: written once more, it stays.
            connection.execute(update(administrator).values(created=administrator.c.created))
            return False
        row = {"name": options.administrator, "password": passwords.hashed(password), "language": options.language}
        connection.execute(insert(administrator).values(row | {"created": time.time()}))
        # Before it counts: a password that counts and was never shown would lock everybody out.
        _tell_administrator(options, password)
    return True


def _tell_administrator(options: argparse.Namespace, password: str) -> None:
    if options.announce:
        print(json.dumps({"administrator": options.administrator, "password": password}), flush=True)
        return
    print(f"administrator  {options.administrator}", flush=True)
    if not options.ask_password:
        print(f"password       {password}", flush=True)
        print("The password is shown this once; it can be changed on the pages.", file=sys.stderr)


def _asked_password() -> str:
    first = getpass("password: ")
    if len(first) < passwords.SHORTEST:
        raise CommandError(f"a password has {passwords.SHORTEST} characters at least")
    if first != getpass("once more: "):
        raise CommandError("the two passwords differ")
    return first
