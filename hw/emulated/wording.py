"""How answers and notices are written on the line, with all the ways in which makes write them wrongly."""

import re

from hw.emulated.bugs import Bugs
from hw.emulated.calling import VALIDITY, shown
from hw.emulated.farend import Progress
from hw.emulated.interpreter import Answer
from hw.emulated.session import ERRORS, NOT_SUPPORTED, WRONG_PARAMETERS, Session

NUMERIC = {
    "OK": 0,
    "CONNECT": 1,
    "RING": 2,
    "NO CARRIER": 3,
    "ERROR": 4,
    "NO DIALTONE": 6,
    "NO DIAL TONE": 6,
    "BUSY": 7,
    "NO ANSWER": 8,
}
WORDY = {NOT_SUPPORTED: "COMMAND NOT SUPPORT", WRONG_PARAMETERS: "TOO MANY PARAMETERS"}
AFTER_COLON = re.compile(r"^([+^*][A-Z0-9]+:) ", re.MULTILINE)


def reply(answer: Answer, session: Session, bugs: Bugs) -> str:
    """An answer as it goes over the line."""
    end = "\r\n"
    lead = end if session.verbose else ""
    text = "".join(lead + end.join(block) + end for block in answer.blocks)
    notice = said(bugs.urc_in_reply, session, bugs) if bugs.urc_in_reply else ""
    final = result(word_for(answer.final, session, bugs), session)
    if bugs.no_blank and answer.blocks and not notice:
        final = final.removeprefix(end)
    return mistyped(text, bugs) + notice + mistyped(final, bugs)


def word_for(final: str | int, session: Session, bugs: Bugs) -> str:
    """The final result in words: an error as +CMEE wants it."""
    if isinstance(final, str):
        return final
    if bugs.wordy_errors and final in WORDY:
        return WORDY[final]
    verbosity = session.values["+CMEE"]
    return "ERROR" if verbosity == "0" else f"+CME ERROR: {final if verbosity == '1' else ERRORS[final]}"


def result(word: str, session: Session) -> str:
    """A result code, as V and Q want it."""
    if session.quiet or not word:
        return ""
    if session.verbose or word not in NUMERIC:
        return f"\r\n{word}\r\n"
    return f"{NUMERIC[word]}\r"


def said(line: str, session: Session, bugs: Bugs) -> str:
    """A notice: result codes obey V and Q; one that begins with CR has CR CR LF at both ends."""
    if line in NUMERIC:
        return mistyped(result(line, session), bugs)
    cr = "\r" if line.startswith("\r") else ""
    return mistyped(f"{cr}\r\n{line.removeprefix(cr)}{cr}\r\n", bugs)


def ring(call: Progress, session: Session, bugs: Bugs, *, clip: bool) -> str:
    """A ring, and who it is if the host wants to know."""
    text = said("+CRING: VOICE" if session.on("+CRC") else "RING", session, bugs)
    if clip and session.on("+CLIP"):
        name = f'"{bugs.alpha}"' if bugs.alpha else ""
        text += said(f"+CLIP: {shown(call)},,,{name},{VALIDITY[call.hidden]}", session, bugs)
    return text


def mistyped(text: str, bugs: Bugs) -> str:
    """Colons and line ends as the bugs have them."""
    if bugs.no_space:
        text = AFTER_COLON.sub(r"\1", text)
    return text.replace("\r\n", "\r\r\n") if bugs.crcrlf else text
