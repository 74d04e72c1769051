"""Who calls, as a modem tells it between the first ring and the second."""

from datetime import datetime

from hw.emulated.analogoptions import AnalogCircumstances
from hw.emulated.farend import Hidden

REASONS: dict[Hidden, str] = {"": "P", "withheld": "P", "unavailable": "O", "payphone": "C"}


def caller_lines(number: str | None, hidden: Hidden, around: AnalogCircumstances, now: datetime) -> list[str]:
    """The block of +VCID=1, a line each; none when the network tells nothing."""
    if around.caller_id == "none":
        return []
    reason = around.hidden_as or REASONS[hidden]
    block = [("DATE", f"{now:%m%d}"), ("TIME", f"{now:%H%M}")]
    if around.caller_id == "whole":
        block.append(("NMBR", number or reason))
        if around.caller_name:
            block.append(("NAME", around.caller_name if number else reason))
    equals = " = " if around.caller_id_spaces else "="
    return [f"{name}{equals}{value}" for name, value in block]


def caller_message(number: str | None, hidden: Hidden, around: AnalogCircumstances, now: datetime) -> list[str]:
    """The message of +VCID=2: the same as the exchange sends it, in hexadecimal (multiple data message format)."""
    if around.caller_id == "none":
        return []
    reason = around.hidden_as or REASONS[hidden]
    body = bytes((1, 8)) + f"{now:%m%d%H%M}".encode()
    if around.caller_id == "whole":
        body += bytes((2, len(number))) + number.encode() if number else bytes((4, 1)) + reason.encode()
    whole = bytes((0x80, len(body))) + body
    return [f"MESG = {(whole + bytes((-sum(whole) & 0xFF,))).hex().upper()}"]
