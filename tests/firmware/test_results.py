"""Result codes: the table as a whole, what follows from each, and a file with faults."""

from pathlib import Path

import pytest

from firmware.known import FactKind
from firmware.results import OURS, Results, ResultsError, facts_of, load
from hw.events import Cause, Party

RESULTS = load()


def follows(code: str, due: float | None = None) -> dict[FactKind, str]:
    result = RESULTS.by_code(code)
    assert result is not None
    facts = facts_of(result, due)
    assert len(facts) == len(dict(facts)), "each kind comes at most once"
    return dict(facts)


# key code F C R T X S, as the trade's table has them ("?" and "–" in the table: None).
TABLE = """
11 SALE   Y Y Y Y none campaign
12 APPO   Y Y Y Y none campaign
13 HOT    N Y Y Y none -
14 WARM   N Y Y Y none -
15 CB     N Y - - none -
16 BADT   N Y Y N none -
17 NOTICE Y Y Y Y none -
21 ABS    N Y N N none -
22 GATE   N Y N N implied -
23 NOANS  N N N N none -
24 VM     N N N N none -
25 BUSY   N N N N none -
26 OUTS   N N N N none -
27 DEAD   Y N N N none number
28 MOVED  Y N N N none number
29 FAX    Y N N N none number
30 NETERR N N N N none -
31 GACHA0 N Y - N counted -
32 GACHAM N Y Y N counted -
33 REJCLI Y N N N implied number
34 ANTI   Y N N N implied number
41 REF    Y Y Y Y explicit tenant+product
42 REFT   Y Y N Y explicit tenant+product
43 DNC    Y Y - - explicit tenant
44 CLAIM  Y Y - Y explicit tenant-until-closed
51 WRONG  Y Y N N none number+record
52 DECE   Y Y N - none record
53 NOQ    Y Y Y Y none campaign
54 DUP    Y Y - - none -
55 EMERG  Y Y - - none -
61 INB    N Y - - none -
99 SKIP   N N - - none -
"""


def test_the_table_is_the_trades() -> None:
    signs = {True: "Y", False: "N", None: "-"}
    ours = [
        " ".join(
            [result.key, result.code]
            + [signs[value] for value in (result.final, result.contact, result.right_party, result.talk)]
            + [result.refusal, result.scope or "-"]
        )
        for result in RESULTS
    ]
    assert ours == [" ".join(line.split()) for line in TABLE.strip().splitlines()]


def test_the_nine_boxes() -> None:
    codes = ["SALE", "WARM", "CB", "ABS", "VM", "GACHAM", "REF", "WRONG", "CLAIM"]
    names = ["成約", "見込み", "再架電", "本人不在", "留守電", "ガチャ切り", "断り", "番号違い", "クレーム"]
    assert [(result.code, result.ja) for result in RESULTS.boxes()] == list(zip(codes, names, strict=True))
    assert [result.box for result in RESULTS.boxes()] == list(range(1, 10))


def test_results_are_found_by_key_and_by_code() -> None:
    assert RESULTS.by_key("41") is RESULTS.by_code("REF") is not None
    assert RESULTS.by_key("00") is None
    assert RESULTS.by_code("ref") is None


def test_recalls() -> None:
    recalls = {result.code: result.recall for result in RESULTS if result.recall is not None}
    day = 86400
    assert recalls == {
        "WARM": 7 * day,
        "BADT": day,
        "ABS": 14400,
        "GATE": 14 * day,
        "NOANS": 14400,
        "VM": day,
        "BUSY": 1800,
        "OUTS": 14400,
        "NETERR": 0,
        "GACHA0": 7 * day,
        "GACHAM": 30 * day,
    }
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


@pytest.mark.parametrize(
    ("cause", "by", "answered", "talk", "marks", "code"),
    [
        (Cause.BUSY, Party.LINE, False, 0.0, (), "BUSY"),
        (Cause.NO_ANSWER, Party.LINE, False, 0.0, (), "NOANS"),
        (Cause.NORMAL, Party.NEAR, False, 0.0, (), "NOANS"),
        (Cause.DEAD_NUMBER, Party.LINE, False, 0.0, (), "DEAD"),
        (Cause.REJECTED, Party.FAR, False, 0.0, (), "REJCLI"),
        (Cause.NETWORK, Party.LINE, False, 0.0, (), "NETERR"),
        (Cause.FAILED, Party.LINE, False, 0.0, (), "NETERR"),
        (Cause.LOST, Party.LINE, False, 0.0, (), "NETERR"),
        (Cause.NORMAL, Party.FAR, True, 0.0, (), "GACHA0"),
        (Cause.NORMAL, Party.FAR, True, 3.9, (), "GACHA0"),
        (Cause.NORMAL, Party.FAR, True, 4.0, (), "GACHAM"),
        (Cause.NORMAL, Party.FAR, True, 29.9, (), "GACHAM"),
        (Cause.NORMAL, Party.FAR, True, 30.0, (), None),
        (Cause.NORMAL, Party.NEAR, True, 2.0, (), None),
        (Cause.LOST, Party.LINE, True, 2.0, (), None),
        (Cause.NORMAL, Party.FAR, True, 2.0, ("refusal",), "REF"),
        (Cause.NORMAL, Party.NEAR, True, 200.0, ("identity", "refusal"), "REF"),
        (Cause.NORMAL, Party.NEAR, True, 200.0, ("refusal", "complaint"), "CLAIM"),
        (Cause.NORMAL, Party.FAR, True, 8.0, ("bad-moment",), "BADT"),
        (Cause.NORMAL, Party.FAR, True, 8.0, ("bad-moment", "refusal"), "REF"),
        (Cause.NORMAL, Party.NEAR, True, 90.0, ("help",), None),
    ],
)
def test_suggestions(
    *, cause: Cause, by: Party, answered: bool, talk: float, marks: tuple[str, ...], code: str | None
) -> None:
    suggested = RESULTS.suggest(cause, by, answered, talk, marks)
    assert (suggested and suggested.code) == code


def test_every_way_in_which_nobody_answered_has_a_suggestion() -> None:
    for cause in Cause:
        assert RESULTS.suggest(cause, Party.LINE, False, 0.0) is not None


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
    assert any("ABS" in fault and "asks" in fault for fault in found)
    assert any("box 9 is taken" in fault for fault in found)
    assert any("no result has box 1" in fault for fault in found)
    line = int(next(fault for fault in found if "SALE" in fault).split()[1])
    assert OURS.read_text(encoding="utf-8").splitlines()[line - 1] == "[[result]]"


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
    assert few.suggest(Cause.NORMAL, Party.FAR, True, 8.0, ("bad-moment",)) is None
