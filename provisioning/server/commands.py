"""What all commands of the server's room have in common."""

import argparse
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from provisioning.server import parts
from provisioning.server.database import Database

DATA = Path("/var/lib/boothphone-server")
Actions = argparse._SubParsersAction  # noqa: SLF001  (argparse has no public name for it)


class CommandError(Exception):
    """What was asked for cannot be done; the text says why."""


def action(
    actions: "Actions[argparse.ArgumentParser]", name: str, text: str, more: str, *, data: Path = DATA
) -> argparse.ArgumentParser:
    """A command that works in the server's directory; `more` is what its --help teaches."""
    parser = taught(actions.add_parser(name, help=text), more)
    parser.add_argument("--data", type=Path, default=data, metavar="DIR", help="the server's directory (%(default)s)")
    return parser


def taught(parser: argparse.ArgumentParser, text: str) -> argparse.ArgumentParser:
    """The parser, with an explanation and examples at its end."""
    parser.epilog, parser.formatter_class = text, argparse.RawDescriptionHelpFormatter
    return parser


def opened(directory: Path) -> closing[Database]:
    """The database of the server that is there. Raises CommandError when there is none."""
    must_be(directory)
    return closing(parts.open_database(directory))


def must_be(directory: Path) -> None:
    """Raises CommandError where no server was made."""
    if not (directory / parts.RECORDINGS_KEY).exists():
        raise CommandError(f"{directory} holds no server: run `booth-provision server init` first")


def day(when: float) -> str:
    """A moment as a console says it.

    >>> day(0.0)
    '1970-01-01 00:00 UTC'
    """
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M UTC")
