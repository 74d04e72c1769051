"""Views: from what there is to show to one screen's words. Pure; `scene.header.now` is the only clock."""

from dataclasses import replace

from firmware.callflow import State
from firmware.screens import calling, guarding, keying, lists, service, wrapping
from firmware.screens.scene import (
    BlockedBody,
    CallBody,
    Header,
    KeyingBody,
    ListBody,
    MenuBody,
    OutOfOrderBody,
    PinBody,
    PreviewBody,
    RingingBody,
    Scene,
    WrapUpBody,
)
from firmware.screens.teller import Teller
from firmware.screens.view import Status, View
from firmware.screens.words import MENU, NOTICES, OUTCOMES
from firmware.text.catalogue import Text
from firmware.text.times import Times, days

__all__ = ["MENU", "NOTICES", "OUTCOMES", "view"]

OUTGOING = frozenset({State.ARMED, State.DIALLING, State.ALERTING})


def view(scene: Scene, text: Text) -> View:
    """What the screen says at this moment, in the language of `text`."""
    times = Times(text, scene.header.zone, scene.header.now)
    teller = Teller(text, times, {result.code: result for result in scene.results})
    return replace(_body(scene, teller), status=_status(scene.header, teller))


def _body(scene: Scene, teller: Teller) -> View:  # noqa: C901, PLR0911 one case for each body
    match scene.body:
        case ListBody() as body:
            return lists.listing(body, teller)
        case KeyingBody() as body:
            return keying.keying(body, teller)
        case PreviewBody() as body:
            return lists.preview(body, teller)
        case BlockedBody() as body:
            return guarding.blocked(body, teller, asked=scene.state is State.WHY)
        case CallBody() as body if scene.state in OUTGOING:
            return calling.outgoing(body, teller, scene.state)
        case CallBody() as body:
            return calling.talking(body, teller, scene.state)
        case WrapUpBody() as body:
            return wrapping.wrap_up(body, teller)
        case PinBody() as body:
            return guarding.pin(body, teller)
        case RingingBody() as body:
            return calling.ringing(body, teller, scene.state)
        case OutOfOrderBody() as body:
            return service.out_of_order(body, teller)
        case MenuBody() as body:
            return service.menu(body, teller)


def _card(header: Header, teller: Teller) -> str:
    """How long the card will last, if not long; while somebody talks the recording's own sign has its place."""
    if header.card is None or header.recording != "off":
        return ""
    return teller.text("card {days} d", days=days(header.card)) if header.card > 0 else teller.text("card full")


def _status(header: Header, teller: Teller) -> Status:
    recording = {
        "off": "",
        "on": teller.text("REC"),
        "paused": teller.text("REC paused"),
        "failed": teller.text("NO REC"),
        "asking": teller.text("REC?"),
        "barred": teller.text("NO REC"),
    }[header.recording]
    return Status(
        clock=teller.times.clock(),
        trouble=teller.text("time?") if header.now is None else _card(header, teller),
        pending=header.pending,
        synced=header.synced,
        signal=header.signal,
        recording=header.recording,
        recording_word=recording,
        agent=header.agent,
    )
