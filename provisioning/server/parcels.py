"""The parts of a message that are kept as they came: their text, and what to call one that cannot be taken."""

import msgspec

from firmware import wire


class _Named(msgspec.Struct):
    id: str


def named(raw: msgspec.Raw, place: int) -> str:
    """The id of a part, or else its place in the message."""
    try:
        part: _Named = wire.read(raw, _Named)
    except wire.WireError:
        return f"#{place}"
    return part.id


def text_of(raw: msgspec.Raw, most: int) -> str:
    r"""A part's own text. Raises WireError for one that no database takes.

    >>> text_of(msgspec.Raw(b'{"a": "\\u0000"}'), 100)
    Traceback (most recent call last):
    ...
    firmware.wire.WireError: a part with a null character
    """
    try:
        text = bytes(raw).decode("utf-8")
    except UnicodeDecodeError as problem:
        raise wire.WireError("a part that is not UTF-8") from problem
    if len(text) > most:
        raise wire.WireError(f"a part of more than {most} characters")
    if "\\u0000" in text or "\0" in text:
        raise wire.WireError("a part with a null character")
    return text
