"""What the server writes down, for a person or as a line of JSON for each event. Never what people said or are called.

Messages of our own say ids and counts only. Those of the libraries below us may quote what they were working on, and so may
every exception (PostgreSQL's quote whole rows): of them only the kind and the places in the program are kept.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Literal

Style = Literal["plain", "json"]
STYLES: Final = ("plain", "json")
OURS: Final = ("provisioning", "firmware", "hw", "sync", "__main__")
_CHATTY: Final = ("alembic", "uvicorn")
_about: ContextVar[Mapping[str, str]] = ContextVar("about", default=MappingProxyType({}))


def begin(style: Style, level: int = logging.INFO) -> None:
    """From now on everything that is logged goes to the error output, in that style."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines() if style == "json" else Plain())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)


def bind(**about: str) -> None:
    """What is logged from now on in this request is about these ids, such as booth and call."""
    _about.set(MappingProxyType({**_about.get(), **about}))


def said(record: logging.LogRecord) -> str:
    """A record's message; of a library's only the words that stand in its program."""
    if record.name.partition(".")[0] in OURS:
        return record.getMessage()
    return str(record.msg).partition("\n")[0]


def kinds(problem: BaseException | None) -> Iterator[str]:
    """The kinds of an exception and of what led to it, without a word of what they say."""
    while problem is not None:
        yield f"{type(problem).__module__}.{type(problem).__qualname__}"
        problem = problem.__cause__ or problem.__context__


def places(problem: BaseException | None) -> list[str]:
    """Where in the program it came about, innermost last."""
    frames = traceback.extract_tb(problem.__traceback__) if problem is not None else []
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


class Plain(logging.Formatter):
    """For a person: `LEVEL logger: message`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and for an exception one for each place."""
        line = f"{record.levelname} {record.name}: {said(record)}"
        problem = record.exc_info[1] if record.exc_info else None
        if problem is None:
            return line
        return "\n  ".join((line, *places(problem), " < ".join(kinds(problem))))


class Lines(logging.Formatter):
    """For programs: one object in one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The event as JSON."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        event: dict[str, object] = {"time": moment, "level": record.levelname, "logger": record.name}
        event |= {"message": said(record), "process": record.process, **_about.get()}
        problem = record.exc_info[1] if record.exc_info else None
        if problem is not None:
            event |= {"error": list(kinds(problem)), "at": places(problem)}
        return json.dumps(event, ensure_ascii=False)
