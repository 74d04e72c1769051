"""Sample scenes: every state of the booth with invented people, for the gallery and the tests."""

from dataclasses import replace

from firmware import results
from firmware.callflow import State
from firmware.calls import Badge, Call, CallList, Customer, PastCall
from firmware.numbers import Kind, Number
from firmware.redial import Decision, Fact, FactKind, Reason, Verdict
from firmware.rulepack import ITEMS
from firmware.screens.scene import (
    BlockedBody,
    Body,
    CallBody,
    Header,
    KeyingBody,
    ListBody,
    Match,
    MenuBody,
    OutOfOrderBody,
    PinBody,
    PreviewBody,
    RingingBody,
    Scene,
    SimBody,
    SoundBody,
    WrapUpBody,
)
from firmware.screens.statuswords import IMPAIRED
from firmware.screens.verdicts import verdicts
from firmware.screens.words import FAULTS, MENU
from firmware.sim import Trouble
from hw.events import Cause, Fault, Hidden, Party

NOW = 1795325520.0  # 2026-11-22 14:32 in Japan
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
S = State


RESULTS = tuple(results.load())
BY_CODE = {result.code: result for result in RESULTS}
BOXES = tuple(sorted((result for result in RESULTS if result.box), key=lambda result: result.box or 0))


def number(shown: str) -> Number:
    """A sample number as it is shown."""
    digits = shown.replace("-", "")
    return Number(digits, "+81" + digits[1:], shown, Kind.ORDINARY, sample=True)


def _customer(row: int, name: str, reading: str, shown: str, badge: Badge, **more: str) -> Customer:
    return Customer(
        row,
        1,
        row,
        name,
        reading,
        number(shown),
        identifier=more.get("identifier", ""),
        note=more.get("note", ""),
        badge=badge,
    )


MIZUHO = _customer(
    34,
    "株式会社ミズホ設備",
    "カブシキガイシャミズホセツビ",
    "03-1234-5601",
    Badge("callback", NOW - 2 * MINUTE),
    identifier="1985-04-12",
    note="ご担当は総務の方。午前中は留守のことが多い。新しい給湯器に興味があり、見積りを郵送済み。次は来週以降にお願いしたいとのこと。",
)
AOBA = _customer(35, "青葉クリニック", "アオバクリニック", "03-1234-5602", Badge("new"))
KAWAGUCHI = _customer(
    36, "川口 一郎", "カワグチ イチロウ", "090-1234-5603", Badge("gacha", NOW + 2 * HOUR), identifier="さいたま市"
)
CHUO = _customer(37, "中央青果", "チュウオウセイカ", "03-1234-5604", Badge("absent", 1))
SUMIRE = _customer(38, "すみれ保育園", "スミレホイクエン", "03-1234-5605", Badge("refused"))
LONG = _customer(
    120,
    "特定非営利活動法人ひだまり子育て支援ネットワーク協議会",
    "トクテイヒエイリカツドウホウジンヒダマリコソダテシエンネットワークキョウギカイ",
    "03-1234-5606",
    Badge("called", NOW + 50 * MINUTE),
)
TAIL = (
    _customer(116, "もみじ商店", "モミジショウテン", "03-1234-5607", Badge("noanswer", 2)),
    _customer(117, "佐久間 みどり", "サクマ ミドリ", "090-1234-5608", Badge("done")),
    _customer(118, "北風運送", "キタカゼウンソウ", "03-1234-5609", Badge("dead")),
    _customer(119, "Maple & Sons", "メープル アンド サンズ", "03-1234-5610", Badge("callback", NOW + DAY)),
    LONG,
)
LIST = CallList(1, "春の案内", sample=False, done=38, total=120)
SAMPLE_LIST = CallList(2, "見本リスト", sample=True, done=0, total=120)
ROWS = (MIZUHO, AOBA, KAWAGUCHI, CHUO, SUMIRE)

HISTORY = (
    PastCall(NOW - DAY + 38 * MINUTE, "2", "OP07", "GACHAM", talk=6.0),
    PastCall(NOW - 7 * DAY, "1", "OP03", "CB", whom="self", talk=151.0, due=NOW + 19.5 * HOUR),
    PastCall(NOW - 10 * DAY, "3", "OP03", "ABS", whom="reception", talk=22.0),
    PastCall(NOW - 400 * DAY, "3", "OP12", None, talk=0.0),
)
SCRIPT = (
    "「お忙しいところ恐れ入ります。みなと設備の佐藤と申します。」",
    "「新しくご利用いただけるサービスのご案内です。3分ほどお時間を頂戴できますでしょうか。いつお切りいただいても結構です。」",
    "「現在お使いの給湯器は何年ほどお使いでしょうか。」",
    "「詳しい資料をお送りしてもよろしいでしょうか。」",
    "「お忙しいところ、ありがとうございました。失礼いたします。」",
)

FREE = Decision(Verdict.ALLOW, Reason.FREE)
_CALLED = Fact(
    "f1", FactKind.ATTEMPT, MIZUHO.number.key, NOW - 3 * MINUTE, "2", "OP07", result="CB", due=NOW + 19.5 * HOUR
)
_REFUSED = Fact("f2", FactKind.REFUSAL, SUMIRE.number.key, NOW - 5 * DAY, "2", "OP07", result="REF")
_OLDER = Fact("f3", FactKind.ATTEMPT, SUMIRE.number.key, NOW - 40 * DAY, "1", "OP03", result="ABS")
RECENT = Decision(Verdict.BLOCK, Reason.CALLED_RECENTLY, until=NOW + 57 * MINUTE, overridable=True, evidence=(_CALLED,))
_CLAIM = Fact("claim", FactKind.CLAIM, MIZUHO.number.key, NOW, "3", "", due=NOW + 2 * MINUTE)
CLAIMED = Decision(Verdict.BLOCK, Reason.CLAIMED, until=NOW + 2 * MINUTE, evidence=(_CLAIM,))
REFUSED = Decision(Verdict.BLOCK, Reason.REFUSED, never=True, evidence=(_REFUSED, _OLDER))
OFF_LIST = Decision(Verdict.WARN, Reason.OFF_LIST)
TOLL_FREE = Decision(Verdict.WARN, Reason.TOLL_FREE)


def decision(reason: Reason) -> Decision:
    """A block for `reason` with evidence, as a test of all reasons wants it."""
    return Decision(Verdict.BLOCK, reason, until=NOW + HOUR, evidence=(_CALLED,))


CALL = Call("c1", MIZUHO.number, MIZUHO)
TALK = Call("c1", MIZUHO.number, MIZUHO, answered=True, talk=151.0, cause=Cause.NORMAL, by=Party.FAR)
STRANGER = Call("c2", number("03-1234-5699"), None)
_119 = Number("119", "119", "119", Kind.EMERGENCY)
PAYPHONE = Call("c4", Number("", "", "", Kind.INVALID), None, incoming=True, hidden=Hidden.PAYPHONE)
EMERGENCY = Call("c3", _119, None, emergency=True)

HEADER = Header(NOW, pending=0, synced=True, signal=3, agent="OP07")
WAITING = replace(HEADER, pending=2, synced=False)
RECORDING = replace(HEADER, recording="on")
LOST = Header(None, signal=None, synced=False)


def _scene(state: State, body: Body, header: Header = HEADER) -> Scene:
    return Scene(state, header, body, RESULTS)


_TALKING = CallBody(
    CALL, 134.0, "Quectel EG25-G", 3, (True, True, False), (), script=SCRIPT, page=1, history=HISTORY[1:]
)
_WRAP = WrapUpBody(TALK, 8.0, BOXES, BY_CODE["CB"])
_MENU = MenuBody("", tuple(MENU))
_STATUS: tuple[tuple[str, str | float], ...] = (
    ("sync", "3"),
    ("card", "21480 MB"),
    ("card-full-in", "120"),
    ("modem", "Quectel EG25-G"),
    ("sim", "ready"),
    ("network", "MINATO MOBILE"),
    ("clock", "network"),
    ("agent", "OP07"),
    ("version", "26.11.0"),
)

_IMPAIRED = (("gaps", "0/3"), ("impaired", ""), ("", next(iter(IMPAIRED))))
_SERVER: tuple[tuple[str, str | float], ...] = (
    ("server", "server-down"),
    ("contact", NOW - 2 * DAY),
    ("recordings", "4"),
    ("pending-since", NOW - 2 * DAY + HOUR),
)
_KEPT_BACK: tuple[tuple[str, str | float], ...] = (
    ("server", "refused"),
    ("contact", NOW - MINUTE),
    ("recordings", "0"),
    ("kept-back", "23"),
)

SIMS: tuple[tuple[Trouble, int | None, bool], ...] = (
    ("", 3, True),
    ("checking", 3, False),
    ("wrong", 2, True),
    ("stored-wrong", None, True),
    ("few", 1, False),
    ("puk", 0, False),
)
"""Locked SIM cards: what is wrong, tries left, whether a PIN may be keyed."""

LISTS: dict[str, Scene] = {
    "list": _scene(S.LIST, ListBody(LIST, ROWS, 0, 33), WAITING),
    "list-middle": _scene(S.LIST, ListBody(LIST, ROWS, 2, 33)),
    "list-end": _scene(S.LIST, ListBody(SAMPLE_LIST, TAIL, 4, 115)),
    "list-saved": _scene(S.LIST, ListBody(LIST, ROWS, 1, 33, notice="saved"), WAITING),
    "list-warning": _scene(S.LIST, ListBody(LIST, ROWS, 1, 33, notice="armed-timeout")),
    "list-owed": _scene(S.LIST, ListBody(LIST, ROWS, 0, 33, owed=TALK)),
    "list-card-soon": _scene(S.LIST, ListBody(LIST, ROWS, 1, 33, notice="card-soon"), replace(HEADER, card=5.2)),
    "list-card-last": _scene(S.LIST, ListBody(LIST, ROWS, 1, 33, notice="card-soon"), replace(HEADER, card=0.4)),
    "list-card-full": _scene(S.LIST, ListBody(LIST, ROWS, 1, 33, notice="card-full"), replace(HEADER, card=0.0)),
    "list-none": _scene(S.LIST, ListBody(None)),
    "list-empty": _scene(S.LIST, ListBody(LIST)),
    "list-none-notice": _scene(S.LIST, ListBody(None, notice="unlogged")),
    "list-no-time": _scene(S.LIST, ListBody(LIST, ROWS, 0, 33), LOST),
    "keying-start": _scene(S.KEYING, KeyingBody("", "")),
    "keying": _scene(S.KEYING, KeyingBody("03123456", "03-1234-56", (MIZUHO, AOBA, CHUO), Match("customer", MIZUHO))),
    "keying-one": _scene(S.KEYING, KeyingBody("0312345601", "03-1234-5601", (MIZUHO,), Match("customer", MIZUHO))),
    "keying-previous": _scene(S.KEYING, KeyingBody("0312345602", "03-1234-5602", (AOBA,), Match("previous", AOBA))),
    "keying-near": _scene(S.KEYING, KeyingBody("0312345611", "03-1234-5611", (), Match("near", MIZUHO, 8))),
    "keying-off-list": _scene(S.KEYING, KeyingBody("0312345699", "03-1234-5699", (), Match("off-list"))),
    "keying-warning": _scene(
        S.KEYING, KeyingBody("0312345699", "03-1234-5699", (), Match("off-list"), warning=OFF_LIST)
    ),
    "keying-wrong": _scene(S.KEYING, KeyingBody("0312346", "03-1234-6", (), Match("wrong", MIZUHO, 6))),
    "keying-wrong-others": _scene(S.KEYING, KeyingBody("090", "090", (KAWAGUCHI,), Match("wrong", MIZUHO, 1))),
    "keying-other": _scene(S.KEYING, KeyingBody("0312345602", "03-1234-5602", (AOBA,), Match("other", AOBA, 9))),
    "keying-question": _scene(
        S.KEYING, KeyingBody("0312345611", "03-1234-5611", (), Match("near", MIZUHO, 8), warning=OFF_LIST)
    ),
    "keying-toll-free": _scene(
        S.KEYING,
        KeyingBody("0312345601", "03-1234-5601", (MIZUHO,), Match("customer", MIZUHO), warning=TOLL_FREE),
    ),
    "keying-long": _scene(S.KEYING, KeyingBody("18603123456991234567", "186 03123456991234567", (), Match("off-list"))),
    "emergency-start": _scene(S.KEYING, KeyingBody("", "", emergency=True)),
    "emergency": _scene(S.KEYING, KeyingBody("119", "119", emergency=True, emergency_number=True), LOST),
    "emergency-confirmed": _scene(S.KEYING, KeyingBody("184110", "184 110", emergency_number=True, confirmed=True)),
    "preview": _scene(S.PREVIEW, PreviewBody(MIZUHO, HISTORY, FREE, SCRIPT)),
    "preview-same-name": _scene(S.PREVIEW, PreviewBody(KAWAGUCHI, HISTORY, RECENT, SCRIPT, same_name=2)),
    "preview-warned": _scene(S.PREVIEW, PreviewBody(LONG, (), TOLL_FREE, SCRIPT, same_name=1, warned=True)),
    "preview-history": _scene(S.PREVIEW, PreviewBody(MIZUHO, HISTORY, FREE, SCRIPT, 2)),
    "preview-opening": _scene(S.PREVIEW, PreviewBody(MIZUHO, HISTORY, FREE, SCRIPT, 3, opening=ITEMS)),
    "preview-script": _scene(S.PREVIEW, PreviewBody(MIZUHO, HISTORY, FREE, SCRIPT, 3, 2)),
    "preview-notes": _scene(S.PREVIEW, PreviewBody(replace(MIZUHO, others=(CHUO.number,)), HISTORY, FREE, SCRIPT, 4)),
}
GUARD: dict[str, Scene] = {
    "blocked": _scene(S.BLOCKED, BlockedBody(MIZUHO.number, MIZUHO, RECENT)),
    "blocked-full": _scene(S.BLOCKED, BlockedBody(MIZUHO.number, MIZUHO, RECENT, full=True, scroll=3)),
    "blocked-claimed": _scene(S.BLOCKED, BlockedBody(MIZUHO.number, MIZUHO, CLAIMED)),
    "blocked-refused": _scene(S.BLOCKED, BlockedBody(SUMIRE.number, SUMIRE, REFUSED)),
    "blocked-refused-full": _scene(S.BLOCKED, BlockedBody(SUMIRE.number, SUMIRE, REFUSED, full=True, scroll=9)),
    "blocked-time": _scene(
        S.BLOCKED, BlockedBody(AOBA.number, AOBA, Decision(Verdict.BLOCK, Reason.TIME_UNKNOWN)), LOST
    ),
    "blocked-long": _scene(S.BLOCKED, BlockedBody(LONG.number, LONG, RECENT)),
    **{
        f"verdict-{name}": _scene(S.BLOCKED, BlockedBody(MIZUHO.number, MIZUHO, said, full=True))
        for name, said in verdicts(MIZUHO.number.key, NOW).items()
    },
    "why-free": _scene(S.WHY, BlockedBody(AOBA.number, AOBA, FREE, full=True)),
    "why-off-list": _scene(S.WHY, BlockedBody(STRANGER.number, None, OFF_LIST)),
    "pin": _scene(S.PIN_ENTRY, PinBody("supervisor", "override", 3, 5)),
    "pin-agent": _scene(S.PIN_ENTRY, PinBody("agent", "log-in", 0, 5, asking="agent", keyed="07")),
    "pin-wrong": _scene(S.PIN_ENTRY, PinBody("agent", "log-in", 0, 2, wrong=True)),
    "pin-date-wrong": _scene(S.PIN_ENTRY, PinBody("supervisor", "clock", 0, 5, asking="date", wrong=True), LOST),
    "pin-locked": _scene(S.PIN_ENTRY, PinBody("supervisor", "supervisor", 0, 0, locked=90.0)),
    "pin-reason": _scene(S.PIN_ENTRY, PinBody("supervisor", "override", 0, 5, asking="reason", keyed="3")),
    "pin-date": _scene(S.PIN_ENTRY, PinBody("supervisor", "clock", 0, 5, asking="date", keyed="2026112"), LOST),
    "pin-sim": _scene(S.PIN_ENTRY, PinBody("sim", "sim", 4, 3), LOST),
    "pin-sim-short": _scene(S.PIN_ENTRY, PinBody("sim", "sim", 0, None, wrong=True), LOST),
    "pin-sim-few": _scene(S.PIN_ENTRY, PinBody("sim", "sim", 0, 1, trouble="few"), LOST),
    "pin-time": _scene(S.PIN_ENTRY, PinBody("supervisor", "clock", 0, 5, asking="time", keyed="143"), LOST),
}
CALLS: dict[str, Scene] = {
    "talking-asking": _scene(
        S.TALKING,
        replace(_TALKING, seconds=12.0, asking=True, opening=ITEMS, page=0, promise=None),
        replace(HEADER, recording="asking"),
    ),
    "armed": _scene(S.ARMED, CallBody(CALL, 2.0, "Quectel EG25-G", history=HISTORY)),
    "dialling": _scene(S.DIALLING, CallBody(CALL, 1.0, "Quectel EG25-G", history=HISTORY)),
    "alerting": _scene(S.ALERTING, CallBody(STRANGER, 12.0, "Quectel EG25-G", volume=7)),
    "dialling-119": _scene(S.DIALLING, CallBody(EMERGENCY, 1.0)),
    "talking": _scene(S.TALKING, _TALKING, RECORDING),
    "talking-start": _scene(
        S.TALKING, replace(_TALKING, seconds=4.0, promise=None, ticks=(False, False, False), page=0), RECORDING
    ),
    "talking-late": _scene(
        S.TALKING,
        replace(_TALKING, seconds=196.0, marks=("identity", "refusal")),
        replace(RECORDING, pending=3, synced=False),
    ),
    "talking-muted": _scene(
        S.TALKING, replace(_TALKING, seconds=163.0, muted=True, held=True), replace(HEADER, recording="paused")
    ),
    "talking-tones": _scene(S.TALKING, replace(_TALKING, tone_mode=True, tones="12#"), RECORDING),
    "talking-no-record": _scene(
        S.TALKING, replace(_TALKING, branches=("はい", "いいえ")), replace(HEADER, recording="failed", card=0.0)
    ),
    "talking-stranger": _scene(S.TALKING, CallBody(replace(STRANGER, answered=True), 61.0), RECORDING),
    "talking-payphone": _scene(S.TALKING, CallBody(replace(PAYPHONE, answered=True), 61.0), RECORDING),
    "talking-estimated": _scene(S.TALKING, replace(_TALKING, call=replace(CALL, estimated=True)), RECORDING),
    "talking-impaired": _scene(S.TALKING, replace(_TALKING, impaired=True, muted=True), RECORDING),
    "talking-second": _scene(S.TALKING, replace(_TALKING, second=Call("c5", KAWAGUCHI.number, KAWAGUCHI)), RECORDING),
    "talking-second-payphone": _scene(S.TALKING, replace(_TALKING, second=PAYPHONE, muted=True), RECORDING),
    "alerting-second": _scene(
        S.ALERTING, CallBody(CALL, 9.0, "Quectel EG25-G", history=HISTORY, second=Call("c6", STRANGER.number, None))
    ),
    "talking-119": _scene(S.TALKING, CallBody(replace(EMERGENCY, answered=True), 61.0)),
    "complaint": _scene(S.COMPLAINT, replace(_TALKING, marks=("complaint", "help")), RECORDING),
    "complaint-end": _scene(S.END_ASKED, replace(_TALKING, marks=("complaint",), confirm_end=True), RECORDING),
    "complaint-hook": _scene(S.HOOK_HELD, replace(_TALKING, marks=("complaint",), held=True), RECORDING),
    "ringing": _scene(S.RINGING_IN, RingingBody(KAWAGUCHI.number, KAWAGUCHI, HISTORY[:2])),
    "answering": _scene(S.ANSWERING, RingingBody(KAWAGUCHI.number, KAWAGUCHI, HISTORY[:2])),
    "ringing-same-name": _scene(S.RINGING_IN, RingingBody(KAWAGUCHI.number, KAWAGUCHI, HISTORY, 2)),
    "ringing-unknown": _scene(S.RINGING_IN, RingingBody(STRANGER.number, None)),
    **{
        f"ringing-{hidden.name.lower() if hidden else 'untold'}": _scene(
            S.RINGING_IN, RingingBody(None, None, hidden=hidden)
        )
        for hidden in (*Hidden, None)
    },
    "ringing-client": _scene(S.RINGING_IN, RingingBody(STRANGER.number, None, greeting="「みなと設備でございます」")),
}
WRAPPING: dict[str, Scene] = {
    "wrap-up": _scene(S.WRAP_UP, _WRAP, WAITING),
    "wrap-up-chosen": _scene(S.WRAP_UP, replace(_WRAP, chosen=BY_CODE["REF"], whom="self")),
    "wrap-up-busy": _scene(
        S.WRAP_UP, replace(_WRAP, call=replace(CALL, cause=Cause.BUSY, by=Party.LINE), suggested=BY_CODE["BUSY"])
    ),
    "wrap-up-unsure": _scene(S.WRAP_UP, replace(_WRAP, call=replace(TALK, sure=False, estimated=True))),
    "wrap-up-payphone": _scene(
        S.WRAP_UP, replace(_WRAP, call=replace(PAYPHONE, answered=True, talk=61.0, cause=Cause.NORMAL, by=Party.NEAR))
    ),
    "wrap-up-memo": _scene(S.WRAP_UP, replace(_WRAP, memo=True)),
    "wrap-up-other": _scene(S.WRAP_UP, replace(_WRAP, chosen=BY_CODE["DNC"])),
    "wrap-up-0": _scene(S.WRAP_UP, replace(_WRAP, keyed="0")),
    "wrap-up-04": _scene(S.WRAP_UP, replace(_WRAP, keyed="04")),
    "wrap-up-02": _scene(S.WRAP_UP, replace(_WRAP, keyed="02")),
    "wrap-up-08": _scene(S.WRAP_UP, replace(_WRAP, keyed="08")),
    "wrap-up-card-full": _scene(S.WRAP_UP, replace(_WRAP, card_full=True, chosen=BY_CODE["SALE"])),
    "wrap-up-when": _scene(S.WRAP_UP, replace(_WRAP, chosen=BY_CODE["CB"], asking="when")),
    "wrap-up-due": _scene(
        S.WRAP_UP, replace(_WRAP, chosen=BY_CODE["CB"], asking="when", due=NOW + 19.5 * HOUR, decision=FREE)
    ),
    "wrap-up-due-blocked": _scene(
        S.WRAP_UP, replace(_WRAP, chosen=BY_CODE["CB"], asking="when", due=NOW + HOUR / 2, decision=RECENT)
    ),
    "wrap-up-date": _scene(S.WRAP_UP, replace(_WRAP, chosen=BY_CODE["CB"], asking="date", keyed="112")),
    "wrap-up-time": _scene(S.WRAP_UP, replace(_WRAP, chosen=BY_CODE["CB"], asking="time", keyed="10", due=NOW + DAY)),
    "wrap-up-whom": _scene(S.WRAP_UP, replace(_WRAP, chosen=BY_CODE["ABS"], asking="whom", whom="family")),
    "wrap-up-timeless": _scene(S.WRAP_UP, replace(_WRAP, chosen=BY_CODE["BADT"], asking="when", timeless=True)),
    "wrap-up-silence": _scene(S.WRAP_UP, replace(_WRAP, call=replace(TALK, by=Party.NEAR), suggested=BY_CODE["VM"])),
    "wrap-up-no": _scene(
        S.WRAP_UP, replace(_WRAP, chosen=BY_CODE["WARM"], suggested=BY_CODE["REF"], clear="no", refused=True)
    ),
    "wrap-up-no-other": _scene(
        S.WRAP_UP, replace(_WRAP, chosen=BY_CODE["HOT"], suggested=BY_CODE["REF"], clear="no", refused=True)
    ),
    "wrap-up-clear": _scene(S.WRAP_UP, replace(_WRAP, chosen=BY_CODE["HOT"], asking="clear")),
}
SERVICE: dict[str, Scene] = {
    **{
        f"fault-{fault.name.lower().replace('_', '-')}": _scene(
            S.OUT_OF_ORDER, OutOfOrderBody(fault, "/dev/ttyUSB2", NOW - 4 * MINUTE, 8.0)
        )
        for fault in FAULTS
    },
    **{
        f"fault-sim-{trouble or 'pin'}": _scene(
            S.OUT_OF_ORDER,
            OutOfOrderBody(Fault.SIM_LOCKED, "", NOW - 4 * MINUTE, 0.0, sim=SimBody(trouble, tries, keyable)),
        )
        for trouble, tries, keyable in SIMS
    },
    "fault-no-time": _scene(S.OUT_OF_ORDER, OutOfOrderBody(Fault.NO_SIM, "", None, 0.0), LOST),
    "menu": _scene(S.MENU, _MENU),
    "menu-outcome": _scene(S.MENU, replace(_MENU, chosen=8, outcome="no-supervisor-pin")),
    "menu-breaks": _scene(
        S.MENU, MenuBody("breaks", ("lunch", "rest", "meeting", "training", "other"), 1, outcome="on-break")
    ),
    "menu-status": _scene(S.MENU, MenuBody("status", (), status=_STATUS)),
    "menu-status-impaired": _scene(S.MENU, MenuBody("status", (), 9, status=_STATUS + _IMPAIRED)),
    "menu-status-server": _scene(S.MENU, MenuBody("status", (), status=_STATUS[:1] + _SERVER + _STATUS[1:])),
    "menu-status-kept-back": _scene(
        S.MENU, MenuBody("status", (), status=_STATUS[:1] + _KEPT_BACK + _STATUS[1:]), WAITING
    ),
    "menu-volume": _scene(S.MENU, MenuBody("volume", ("louder", "softer"), volume=7)),
    "menu-language": _scene(S.MENU, MenuBody("language", ("ja", "en"), 0)),
    "menu-audio": _scene(S.MENU, MenuBody("audio", (), outcome="audio-speak", sound=SoundBody(9.0, 20.0, -24.0))),
    "menu-audio-end": _scene(S.MENU, MenuBody("audio", (), outcome="audio-quiet")),
    "menu-lists": _scene(S.MENU, MenuBody("lists", (LIST.name, "夏のご挨拶", "Autumn follow-up"), 1)),
    "menu-usb": _scene(S.MENU, MenuBody("usb", ("haru.csv", "natsu_2026_final.csv"), 0, outcome="import-failed")),
    "menu-usb-none": _scene(S.MENU, MenuBody("usb", ())),
}
SCENES: dict[str, Scene] = LISTS | GUARD | CALLS | WRAPPING | SERVICE
