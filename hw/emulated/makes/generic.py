"""A modem of which nothing is known but the standards, and one (ZTE K3565-Z) that keeps to none when it dials."""

from hw.emulated.exchange import Progress
from hw.emulated.interpreter import Handler, Interpreter, Tables
from hw.emulated.make import COMMANDS as COMMON
from hw.emulated.make import LTE, LTE_COMMANDS, Make
from hw.emulated.simcard import iccid


def _odd_news(_: Interpreter, call: Progress) -> list[str]:
    if call.state == "talking" and not call.incoming and not call.tone:
        return ["CONNECT"]
    return [f"HANGUP: {call.index}"] if call.state == "idle" else []


GENERIC_COMMANDS: dict[str, Handler] = {**LTE_COMMANDS, "+CCID": iccid("+CCID: ")}
ODD_COMMANDS: dict[str, Handler] = {**COMMON, "+ICCID": iccid("+ICCID: ")}

GENERIC = Make(
    maker="Acme",
    model="M100",
    firmware="1.0",
    tables=Tables(commands=GENERIC_COMMANDS),
    settings=LTE,
    voice="card",
)
ODD = Make(
    maker="ZTE INCORPORATED",
    model="K3565-Z",
    firmware="BD_VDFK3565ZV1.0.0B02",
    tables=Tables(commands=ODD_COMMANDS),
    news=_odd_news,
    voice="card",
    dial_answered=False,
    noise=("+ZUSIMR:2", '+ZPASR: "UMTS"'),
)
