"""Result codes: the table as a whole, what follows from each, and a file with faults."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.known import ABANDONED, TALK, FactKind, Rules
from firmware.results import OURS, Results, ResultsError, facts_of, load, of_every_product, parse
from firmware.seen import UNANSWERED, WORDS, Sight
from hw.events import Cause, Party

RESULTS = load()


def follows(code: str, due: float | None = None) -> dict[FactKind, str]:
    result = RESULTS.by_code(code)
    assert result is not None
    facts = facts_of(result, due)
    assert len(facts) == len(dict(facts)), "each kind comes at most once"
    return dict(facts)


# What the trade's table says of each code: final, contact, right party, talk, refusal (0 none, i implied, n several are
# one, e explicit), what it covers; when they come up again, how many are a refusal, after how many they come up no more.
# "?", "any" and "Y/N" are "-" here.
TABLE = """
11 SALE    Y Y Y Y  0 campaign             -        -  -
12 APPO    Y Y Y Y  0 campaign             -        -  -
13 HOT     N Y Y Y  0 -                    asked    -  -
14 WARM    N Y Y Y  0 -                    7d       -  -
15 CB      N Y - -  0 -                    asked    -  -
16 BADT    N Y Y N  0 -                    asked/28h -  2
17 NOTICE  Y Y Y Y  0 campaign             -        -  -
21 ABS     N Y N N  0 -                    4h       -  5
22 GATE    N Y N N  n -                    14d      2  -
23 NOANS   N N N N  0 -                    4h       -  -
24 VM      N N N N  0 -                    1d       -  -
25 BUSY    N N N N  0 -                    30m      -  -
26 OUTS    N N N N  0 -                    4h       -  -
27 DEAD    Y N N N  0 number               -        -  -
28 MOVED   Y N N N  0 number               -        -  -
29 FAX     Y N N N  0 number               -        -  -
30 NETERR  N N N N  0 -                    0m,30m   -  -
31 GACHA0  N Y - N  n -                    7d       3  -
32 GACHAM  N Y Y N  n -                    30d      2  -
33 REJCLI  Y N N N  i number               -        -  -
34 ANTI    Y N N N  i number               -        -  -
41 REF     Y Y Y Y  e tenant+product       -        -  -
42 REFT    Y Y N Y  e tenant+product       -        -  -
43 DNC     Y Y - -  e tenant               -        -  -
44 CLAIM   Y Y - Y  e tenant-until-closed  -        -  -
51 WRONG   Y Y N N  0 number+record        -        -  -
52 DECE    Y Y N -  0 record               -        -  -
53 NOQ     Y Y Y Y  0 campaign             -        -  -
54 DUP     Y Y - -  0 -                    -        -  -
55 EMERG   Y Y - -  0 -                    lift     -  -
61 INB     N Y - -  0 -                    -        -  -
99 SKIP    N N - -  0 -                    -        -  -
"""
SECONDS = {"m": 60, "h": 3600, "d": 86400}


def again(result):
    """When the customer comes up again, in the table's words."""
    times = [
        next(f"{time // unit}{name}" for name, unit in reversed(SECONDS.items()) if time % unit == 0 and time >= unit)
        if time
        else "0m"
        for time in (result.recall, result.later)
        if time is not None
    ]
    asked = ["asked"] if "when" in result.asks else []
    return "/".join(filter(None, [*asked, ",".join(times)])) or ("lift" if result.hold else "-")


def line_of(result):
    """A code as a line of the table; how many are a refusal is the house's figure where the code has none."""
    signs = {True: "Y", False: "N", None: "-"}
    counts = bool(dict(facts_of(result)).keys() & {FactKind.COUNTED})
    limit = result.limit or (Rules().gacha_limit if counts else "-")
    letter = "n" if counts else {"none": "0", "implied": "i", "explicit": "e"}[result.refusal]
    attributes = [signs[value] for value in (result.final, result.contact, result.right_party, result.talk)]
    rest = (letter, result.scope or "-", again(result), str(limit), str(result.most or "-"))
    return " ".join((result.key, result.code, *attributes, *rest))


@pytest.mark.parametrize(("ours", "theirs"), [*zip(RESULTS, TABLE.strip().splitlines(), strict=True)])
def test_the_table_is_the_trades(ours, theirs):
    assert line_of(ours) == " ".join(theirs.split())


def test_what_the_trades_table_leaves_to_others():
    """Busy thrice a day and unanswered as the rules have it: the guard counts those. A failure of ours is no attempt."""
    assert Rules().max_unanswered_per_day == 3
    assert [result.code for result in RESULTS if not result.attempt] == ["NETERR", "SKIP"]
    assert Rules().callback_expires == 3 * 86400


def test_whoever_lets_a_talk_end_open_is_asked_for_a_clear_answer():
    """Whom we may have spoken to and who has neither bought nor refused: "we will call again" is no answer."""
    for result in RESULTS:
        is_open = not result.final and result.contact and result.right_party is not False and result.talk is not False
        assert ("clear" in result.asks) == is_open, result.code


def test_the_nine_boxes() -> None:
    codes = ["SALE", "WARM", "CB", "ABS", "VM", "GACHAM", "REF", "WRONG", "CLAIM"]
    names = ["成約", "見込み", "再架電", "本人不在", "留守電", "ガチャ切り", "断り", "番号違い", "クレーム"]
    assert [(result.code, result.ja) for result in RESULTS.boxes()] == list(zip(codes, names, strict=True))
    assert [result.box for result in RESULTS.boxes()] == list(range(1, 10))


def test_results_are_found_by_key_and_by_code() -> None:
    assert RESULTS.by_key("41") is RESULTS.by_code("REF") is not None
    assert RESULTS.by_key("00") is None
    assert RESULTS.by_code("ref") is None


def test_what_is_final_never_comes_up_by_itself() -> None:
    assert not any(result.recall for result in RESULTS if result.final)


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("REF", {FactKind.CONTACT: "talk", FactKind.REFUSAL: ""}),
        ("REFT", {FactKind.CONTACT: "talk", FactKind.REFUSAL: ""}),
        ("CLAIM", {FactKind.CONTACT: "talk", FactKind.REFUSAL: ""}),
        ("DNC", {FactKind.CONTACT: "", FactKind.DO_NOT_CALL: ""}),
        ("REJCLI", {FactKind.REFUSAL: "implied", FactKind.FINAL: ""}),
        ("GACHA0", {FactKind.CONTACT: "", FactKind.COUNTED: ""}),
        ("GACHAM", {FactKind.CONTACT: "", FactKind.COUNTED: "2"}),
        ("GATE", {FactKind.CONTACT: "", FactKind.COUNTED: "2"}),
        ("DEAD", {FactKind.FINAL: ""}),
        ("WRONG", {FactKind.CONTACT: ""}),
        ("SALE", {FactKind.CONTACT: "talk"}),
        ("DECE", {FactKind.CONTACT: ""}),
        ("EMERG", {FactKind.CONTACT: "", FactKind.FINAL: "hold"}),
        ("NETERR", {FactKind.VOID: ""}),
        ("NOANS", {}),
        ("VM", {}),
    ],
)
def test_what_follows_from_a_result(code: str, facts: dict[FactKind, str]) -> None:
    assert follows(code) == facts


def test_a_callback_follows_where_the_customer_could_ask_for_it() -> None:
    assert FactKind.CALLBACK in follows("CB", 1.0)
    assert FactKind.CALLBACK in follows("BADT", 1.0)
    assert FactKind.CALLBACK not in follows("CB")
    for code in ("REF", "DNC", "CLAIM", "NOANS", "GACHAM", "APPO"):
        assert FactKind.CALLBACK not in follows(code, 1.0)


def test_every_explicit_refusal_bars_the_number() -> None:
    for result in RESULTS:
        kinds = {kind for kind, _ in facts_of(result)}
        barred = bool(kinds & {FactKind.REFUSAL, FactKind.DO_NOT_CALL})
        assert barred or result.refusal != "explicit"
        assert not barred or result.refusal in ("explicit", "implied")


@pytest.mark.parametrize("code", [result.code for result in RESULTS])
def test_a_clear_no_is_an_explicit_refusal_whatever_the_code(code: str) -> None:
    result = RESULTS.by_code(code)
    assert result is not None
    facts = dict(facts_of(result, 1.0, "no"))
    if result.scope == "tenant":
        assert FactKind.DO_NOT_CALL in facts
    else:
        assert facts[FactKind.REFUSAL] == ""
    assert FactKind.CALLBACK not in facts
    for answer in ("", "yes", "later", "not-asked"):
        assert facts_of(result, 1.0, answer) == facts_of(result, 1.0)


def test_a_call_that_we_dropped_says_so_unless_it_came_to_a_talk() -> None:
    for result in RESULTS:
        note = dict(facts_of(result, dropped=True)).get(FactKind.CONTACT)
        assert note == (None if not result.contact else TALK if result.talk else ABANDONED)


@pytest.mark.parametrize(
    ("code", "kind", "whole"),
    [
        ("REF", FactKind.REFUSAL, False),
        ("REFT", FactKind.REFUSAL, False),
        ("CLAIM", FactKind.REFUSAL, True),
        ("DNC", FactKind.DO_NOT_CALL, True),
        ("REJCLI", FactKind.REFUSAL, True),
        ("CLAIM", FactKind.CONTACT, False),
    ],
)
def test_the_scope_says_whether_a_refusal_is_of_one_product(code: str, kind: FactKind, *, whole: bool) -> None:
    result = RESULTS.by_code(code)
    assert result is not None
    assert of_every_product(result, kind) == whole


NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=8) | st.sampled_from([one.code for one in RESULTS])
WORDINGS = st.text(min_size=1, max_size=20) | st.sampled_from(["架電禁止", "Do not call", "Hello"])


@given(
    st.sampled_from(tuple(RESULTS)),
    st.builds(
        dict, key=st.from_regex(r"[0-9]{2}", fullmatch=True), code=NAMES, ja=WORDINGS, en=WORDINGS, kana=WORDINGS
    ),
    st.none() | st.just(1.0),
    st.sampled_from(["", "yes", "no", "later", "not-asked"]),
    st.booleans(),
)
def test_what_follows_follows_from_attributes_never_from_a_name(result, names, due, clear, dropped):
    other = replace(result, **names)
    assert facts_of(other, due, clear, dropped=dropped) == facts_of(result, due, clear, dropped=dropped)
    assert [of_every_product(other, kind) for kind in FactKind] == [of_every_product(result, kind) for kind in FactKind]


def test_a_code_called_do_not_call_suppresses_nothing_and_one_called_hello_may() -> None:
    text = OURS.read_text(encoding="utf-8").replace('code = "DNC"', 'code = "HELLO"')
    codes = parse(text.replace('code = "WARM"', 'code = "DNC"'))
    mild, grave = codes.by_code("DNC"), codes.by_code("HELLO")
    assert mild is not None
    assert grave is not None
    assert not {kind for kind, _ in facts_of(mild)} & {FactKind.REFUSAL, FactKind.DO_NOT_CALL, FactKind.COUNTED}
    assert FactKind.DO_NOT_CALL in dict(facts_of(grave))


FAR, NEAR, LINE = Party.FAR, Party.NEAR, Party.LINE


def talk(by: Party, seconds: float, *marks: str, voice: bool | None = True, cause: Cause = Cause.NORMAL) -> Sight:
    return Sight(cause, by, True, seconds, frozenset(marks), voice)


@pytest.mark.parametrize(
    ("sight", "code"),
    [
        (Sight(Cause.BUSY, LINE), "BUSY"),
        (Sight(Cause.NORMAL, FAR, True, 2.0, sure=False), "GACHA0"),
        (Sight(Cause.NORMAL, FAR, True, 20.0, sure=False), "GACHAM"),
        (Sight(Cause.NETWORK, FAR, True, 2.0), "GACHA0"),
        (Sight(Cause.NETWORK, FAR, True, 2.0, sure=False), None),
        (Sight(Cause.LOST, LINE, True, 2.0, sure=False), None),
        (Sight(Cause.NO_ANSWER, LINE), "NOANS"),
        (Sight(Cause.NORMAL, NEAR), "NOANS"),
        (Sight(Cause.DEAD_NUMBER, LINE), "DEAD"),
        (Sight(Cause.REJECTED, FAR), "REJCLI"),
        (Sight(Cause.NETWORK, LINE), "NETERR"),
        (Sight(Cause.FAILED, LINE), "NETERR"),
        (Sight(Cause.LOST, LINE), "NETERR"),
        # Half a second, two, four: with a word from the far end, without one, and where nobody can say.
        *(
            (talk(FAR, seconds, voice=voice), "GACHA0")
            for seconds in (0.0, 0.5, 2.0, 3.9)
            for voice in (True, False, None)
        ),
        (talk(FAR, 4.0), "GACHAM"),
        (talk(FAR, 4.0, voice=None), "GACHAM"),
        (talk(FAR, 4.0, voice=False), "GACHA0"),
        (talk(FAR, 29.9), "GACHAM"),
        (talk(FAR, 29.9, voice=False), "GACHA0"),
        (talk(FAR, 30.0), None),
        (talk(FAR, 30.0, voice=False), "VM"),
        (talk(NEAR, 2.0), None),
        (talk(NEAR, 2.0, voice=False), None),
        (talk(NEAR, 20.0), None),
        (talk(NEAR, 20.0, voice=None), None),
        (talk(NEAR, 20.0, voice=False), "VM"),
        (talk(LINE, 2.0, cause=Cause.LOST), None),
        (talk(LINE, 20.0, cause=Cause.LOST, voice=False), None),
        (talk(FAR, 2.0, "refusal"), "REF"),
        (talk(NEAR, 200.0, "identity", "refusal"), "REF"),
        (talk(NEAR, 200.0, "refusal", "complaint"), "CLAIM"),
        (talk(NEAR, 9.0, "refusal", voice=False), "REF"),
        (talk(FAR, 8.0, "bad-moment"), "BADT"),
        (talk(FAR, 8.0, "bad-moment", "refusal"), "REF"),
        (talk(NEAR, 90.0, "help"), None),
    ],
)
def test_suggestions(sight: Sight, code: str | None) -> None:
    suggested = RESULTS.suggest(sight)
    assert (suggested and suggested.code) == code


def test_every_way_in_which_nobody_answered_has_a_suggestion() -> None:
    for cause in Cause:
        assert RESULTS.suggest(Sight(cause, Party.LINE)) is not None


def test_everything_that_the_line_can_see_speaks_for_one_code() -> None:
    assert sorted(claim for result in RESULTS for claim in result.suggest) == sorted(WORDS)


def test_an_office_that_names_its_codes_anew_is_suggested_the_same() -> None:
    renamed = Results([replace(result, code=f"X{result.key}") for result in RESULTS])
    for claim in WORDS:
        ours, theirs = RESULTS.claiming(claim), renamed.claiming(claim)
        assert ours is not None
        assert theirs is not None
        assert ours.key == theirs.key


def faults(tmp_path: Path, *changes: tuple[str, str]) -> tuple[str, ...]:
    text = OURS.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "results.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ResultsError) as wrong:
        load(path)
    return wrong.value.faults


def test_all_faults_come_at_once_with_their_places(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        ('scope = "campaign"\nbox = 1', 'scop = "campaign"\nbox = 9'),
        ('kana = "アポカクトク"', 'kana = "appo"'),
        ('refusal = "implied"\nlimit = 2', 'refusal = "perhaps"\nlimit = 2'),
        ('key = "42"', 'key = "41"'),
        ('code = "CLAIM"\n', ""),
        ("recall = 1800", "recall = true"),
        ('asks = ["whom"]', 'asks = ["why"]'),
    )
    assert any("SALE" in fault and "did you mean scope?" in fault and fault.startswith("line ") for fault in found)
    assert any("APPO" in fault and "katakana" in fault for fault in found)
    assert any("GATE" in fault and "refusal must be one of" in fault for fault in found)
    assert any("REFT" in fault and "'41' is taken by" in fault for fault in found)
    assert any("code is missing" in fault for fault in found)
    assert any("BUSY" in fault and "recall must be seconds" in fault for fault in found)
    assert any("ABS" in fault and "asks must be" in fault for fault in found)
    assert any("box 9 is taken" in fault for fault in found)
    assert any("no result has box 1" in fault for fault in found)
    line = int(next(fault for fault in found if "SALE" in fault).split()[1])
    assert OURS.read_text(encoding="utf-8").splitlines()[line - 1] == "[[result]]"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('["busy"]', '["buzy"]', "suggest must be of"),
        ('["busy"]', '"busy"', "suggest must be of"),
        ('["busy"]', "[[1]]", "suggest must be of"),
        ('["busy"]', '["dead"]', "suggest dead is taken by"),
        ('["hang-up-at-once"]', '["busy"]', "busy speaks for no result with contact"),
        ('suggest = ["no-answer"]', 'suggest = ["no-answer"]\nasks = ["when"]', "no-answer is kept without asking"),
        ('suggest = ["no-answer"]', 'suggest = ["no-answer"]\nrefusal = "implied"', "no-answer is kept without asking"),
        ("most = 5", "most = 0", "most must be a count"),
        ("recall = 0\nlater", "later", "later says nothing without recall"),
        ("hold = true", "hold = 1", "hold must be true or false"),
    ],
)
def test_an_attribute_that_is_wrong_is_a_fault(tmp_path: Path, old: str, new: str, fault: str) -> None:
    found = faults(tmp_path, (old, new))
    assert any(fault in one and one.startswith("line ") for one in found), found


def test_codes_that_claim_nothing_are_good_codes_and_are_suggested_never() -> None:
    plain = OURS.read_text(encoding="utf-8").replace("\nsuggest", "\n# suggest")
    codes = parse(plain)
    assert len(tuple(codes)) == len(tuple(RESULTS))
    assert {codes.suggest(Sight(cause, Party.LINE)) for cause in Cause} == {None}
    assert {codes.claiming(claim) for claim in (*UNANSWERED, None)} == {None}


@pytest.mark.parametrize("text", ["", "result = 3", "[[result]", "[result]\nkey = '11'", "result = [{key = '11'}]"])
def test_a_file_that_is_no_table_of_results(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ResultsError):
        load(path)


def test_names_fit_the_screens() -> None:
    for result in RESULTS:
        assert len(result.ja) <= 10, result.code
        assert len(result.en) <= 18, result.code
        assert len(result.kana) <= 10, result.code


def test_a_house_may_leave_a_code_out() -> None:
    few = Results([result for result in RESULTS if result.code != "BADT"])
    assert few.suggest(talk(FAR, 8.0, "bad-moment")) is None
