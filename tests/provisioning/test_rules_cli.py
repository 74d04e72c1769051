"""booth-provision rules: packs listed, shown and checked, and the guard's word on a number explained."""

import json
import uuid
from contextlib import closing
from datetime import datetime

import pytest

from firmware import mailbox, numbers, rulepack, wire
from firmware.calls import Calls
from firmware.clock import Clock
from firmware.known import Fact, FactKind
from firmware.redial import Reason
from firmware.registers import Registers
from provisioning import cli
from provisioning.server import packs, parts
from provisioning.server.bell import Bell
from provisioning.server.facts import Facts

NUMBER = "03-1234-5601"
KEY = numbers.parse(NUMBER).key
TUESDAY, EVENING, SUNDAY = "2026-11-24 10:00", "2026-11-24 20:30", "2026-11-22 14:32"
AT = datetime.fromisoformat("2026-11-24T10:00+09:00").timestamp()
HEAD = """\
[pack]
id = "house"
version = "3"
region = "JP"
purpose = "sales"
verified = false
law = { ja = "社内規則", en = "House rules" }
"""


@pytest.fixture
def rules(capsys):
    """Types `rules …`; the exit code, what was printed, and what was complained of."""

    def typed(*arguments):
        code = cli.main(["rules", *map(str, arguments)])
        return code, *capsys.readouterr()

    return typed


@pytest.fixture
def explained(rules):
    """What is said of the number in English on a Tuesday at ten."""

    def typed(*more, at=TUESDAY, number=NUMBER, language="en"):
        return rules("explain", number, "--at", at, "--language", language, *more)

    return typed


@pytest.fixture
def house(tmp_path):
    """Writes a pack of the office's own."""

    def write(text="", name="house.toml"):
        file = tmp_path / name
        file.write_text(HEAD + text, encoding="utf-8")
        return file

    return write


# list, show, check


def test_every_shipped_pack_is_listed_with_its_law_in_both_languages(rules):
    code, out, _err = rules("list")
    assert code == 0
    for pack in rulepack.shipped().values():
        assert pack.id in out
        assert pack.pack.law.en in out
        assert pack.pack.law.ja in out
    unverified = [pack for pack in rulepack.shipped().values() if not pack.pack.verified]
    assert out.count("NOT VERIFIED") == len(unverified) > 0


@pytest.mark.parametrize("pack", sorted(rulepack.shipped()))
def test_a_pack_is_shown_as_it_is_written_and_is_in_order(rules, pack, tmp_path):
    code, out, _err = rules("show", pack)
    assert (code, rulepack.parse(out)) == (0, rulepack.shipped()[pack])
    file = tmp_path / "own.toml"
    file.write_text(out, encoding="utf-8")
    code, out, err = rules("check", file)
    assert (code, err) == (0, "")
    assert f"in order: {pack}" in out


def test_a_pack_that_there_is_not_cannot_be_shown(rules, capsys):
    with pytest.raises(SystemExit) as stopped:
        rules("show", "jp-sals")
    assert stopped.value.code == 2
    assert "jp-sales" in capsys.readouterr().err


def test_every_fault_is_told_with_its_line_and_the_other_files_are_read_all_the_same(rules, house, tmp_path):
    good = house()
    bad = house('[hours]\nsat = ["20:00-9:00"]\n[[frequency]]\nid = "x"\nwindow = "week"\n', name="bad.toml")
    torn = house("[hours\n", name="torn.toml")
    code, out, err = rules("check", good, bad, torn, tmp_path / "none.toml")
    assert code == 1
    assert out == f"{good}: in order: house 3; not verified: a booth uses it only if named in unverified, too\n"
    assert f"{bad}: line 9: hours.sat: " in err
    assert f"{bad}: line 12: frequency 1.window: " in err
    assert f"{torn}: this is no TOML" in err
    assert "none.toml" in err


def test_a_file_that_is_no_text_is_told(rules, tmp_path):
    file = tmp_path / "own.toml"
    file.write_bytes(b"\xff\xfe")
    code, _out, err = rules("check", file)
    assert code == 1
    assert str(file) in err


# explain


def test_a_number_of_which_nothing_is_known_may_be_called(explained):
    code, out, _err = explained()
    assert code == 0
    assert "03-1234-5601   10:00   Asia/Tokyo" in out
    assert "Can be called" in out
    assert "Rule: No rule stands against this call." in out
    assert out.endswith("FREE\n")


@pytest.mark.parametrize(
    ("language", "parts_said"),
    [
        (
            "en",
            ("Cannot be called: Outside calling hours", "Callable from tomorrow 9:00", "Source: Circular on the Act"),
        ),
        ("ja", ("発信できません: ", "明日 9:00", "特商法の通達")),
    ],
)
def test_a_packs_rule_is_explained_in_both_languages(explained, language, parts_said):
    code, out, _err = explained("--pack", "jp-sales", at=EVENING, language=language)
    assert code == 1
    for part in parts_said:
        assert part in out, part


def test_the_way_through_the_checks_is_shown(explained):
    _code, out, _err = explained("--pack", "jp-sales", at=EVENING)
    way = out.splitlines()[-1].split(" → ")
    assert way[0] == "EMERGENCY"
    assert way[-1] == "OUTSIDE_HOURS"
    assert set(way) <= set(Reason.__members__)


@pytest.mark.parametrize(
    ("at", "zone", "code"),
    [
        ("2026-11-24 19:59", "Asia/Tokyo", 0),
        ("2026-11-24 20:00", "Asia/Tokyo", 1),
        ("2026-11-24T20:00+09:00", "Asia/Tokyo", 1),
        ("2026-11-24T10:59+00:00", "Asia/Tokyo", 0),
        ("2026-11-24 11:00", "UTC", 1),
        ("2026-11-23 10:00", "Asia/Tokyo", 1),  # a holiday
    ],
)
def test_the_time_may_be_given_in_any_zone_and_is_the_callees(explained, at, zone, code):
    assert explained("--pack", "jp-sales", "--zone", zone, at=at)[0] == code


@pytest.mark.parametrize("at", ["tomorrow", "2026-13-01 10:00", "10:00", "2026-11-24 25:00"])
def test_a_time_that_is_none_is_told(explained, at):
    code, out, err = explained(at=at)
    assert (code, out) == (1, "")
    assert '--at must be like "2026-12-24 19:30"' in err


@pytest.mark.parametrize("at", [TUESDAY, "2026-11-24T10:00+09:00"])
@pytest.mark.parametrize("zone", ["Asia/Tokio", "../Tokyo", "/etc", ""])
def test_a_zone_that_is_none_is_told(explained, at, zone):
    code, out, err = explained("--zone", zone, at=at)
    assert (code, out) == (1, "")
    assert "--zone like Asia/Tokyo" in err


def test_without_a_time_it_is_now(rules):
    code, out, _err = rules("explain", NUMBER, "--language", "en")
    assert code == 0
    assert "Can be called" in out


def test_an_unknown_pack_is_told_with_the_one_that_may_be_meant(explained):
    code, out, err = explained("--pack", "jp-sals", "--pack", "nowhere.toml")
    assert (code, out) == (1, "")
    assert "jp-sals: there is no such rule pack (did you mean jp-sales?)" in err
    assert "nowhere.toml: cannot be read" in err


def test_what_is_no_number_is_told(explained):
    code, out, err = explained(number="03-12")
    assert (code, out) == (1, "")
    assert "03-12: the number is too short" in err


def test_a_draft_can_be_asked_what_it_would_say(explained, house):
    """Neither an own pack nor a shipped one needs to have been checked for that."""
    code, out, _err = explained("--pack", house("[consent]\nrequired = true\n"), "--pack", "jp-collection")
    assert code == 1
    assert "No consent to be called" in out
    assert "Source: House rules" in out


def test_numbers_without_a_country_are_the_packs(explained):
    said = explained("--pack", "de-sales", number="+81312345601")[1]
    assert "Numbers of this class are barred" in said
    assert "No consent" in explained("--pack", "de-sales", "--country", "JP")[1]


# … over a directory


def fact(kind, hours_ago=1.0, **more):
    more = {"id": str(uuid.uuid4()), "number": KEY, "at": AT - hours_ago * 3600, "agent": "OP07"} | more
    return {"kind": kind} | more


@pytest.fixture
def booth(tmp_path):
    """Makes a booth's directory in which some facts are known."""

    def made(*facts):
        data = tmp_path / "booth"
        data.mkdir(exist_ok=True)
        with closing(Calls(data / "booth.db", "b3", Clock("system"))) as books:
            for one in facts:
                books.add_fact(Fact(**one | {"booth": "2", "kind": FactKind(one["kind"])}))
        return data

    return made


@pytest.fixture
def server(tmp_path):
    """Makes a server's directory in which some facts are known."""

    def made(*facts):
        data = tmp_path / "server"
        parts.make(data)
        with closing(parts.open_database(data)) as database:
            log = Facts(database, Bell())
            log.prepare()
            for one in facts:
                log.add(wire.Fact(**one | {"booth": "2"}))
        return data

    return made


@pytest.fixture(params=["booth", "server"])
def place(request):
    """Either of the two."""
    return request.getfixturevalue(request.param)


def test_facts_decide_and_are_the_evidence(explained, place):
    code, out, _err = explained("--data", place(fact("refusal", result="REF")))
    assert code == 1
    for part in (
        "Cannot be called: This customer refused 1 h ago",
        "Not callable until lifted on the server",
        "Source: Act on Specified Commercial Transactions (Japan), art. 17",
        "  9:00 Booth 2 OP07 Refusal",
    ):
        assert part in out, part


def test_facts_of_other_numbers_do_not(explained, place):
    code, out, _err = explained("--data", place(fact("refusal")), number="03-1234-5602")
    assert code == 0
    assert "Can be called" in out


def test_counted_rules_count_the_facts(explained, place):
    data = place(*(fact("attempt", hours_ago=30 * day, call=str(uuid.uuid4())) for day in range(1, 4)))
    code, out, _err = explained("--data", data, "--attempts", "3")
    assert code == 1
    assert out.endswith("CAMPAIGN_FULL\n")
    assert explained("--data", data, "--attempts", "4")[0] == 0


def test_a_refusal_of_another_product_leaves_this_one_alone(explained, place):
    data = place(fact("refusal", product="gas", result="REF"))
    assert explained("--data", data, "--pack", "jp-sales", "--product", "water")[0] == 0
    assert explained("--data", data, "--pack", "jp-sales", "--product", "gas")[0] == 1


def test_the_servers_packs_hold_there_too(explained, server):
    data = server()
    with closing(parts.open_database(data)) as database, database.write() as connection:
        packs.put(database, connection, packs.texts(["jp-sales"]))
    assert explained("--data", data)[0] == 0
    code, out, _err = explained("--data", data, at=EVENING)
    assert code == 1
    assert "Outside calling hours" in out


def test_what_the_office_has_told_a_booth_holds_there_too(explained, booth):
    data = booth()
    with closing(Calls(data / "booth.db", "b3", Clock("system"))) as books, books.store.write() as db:
        mailbox.note(db, mailbox.RULES, json.dumps([rulepack.text_of("jp-sales")]))
    assert explained("--data", data, at=EVENING)[0] == 1


def test_a_booths_registers_are_asked(explained, booth, house, tmp_path):
    data, pack = booth(), house('[register]\nnames = ["tps"]\n')
    code, out, _err = explained("--data", data, "--pack", pack)
    assert code == 1
    assert "missing or too old" in out
    listed = tmp_path / "tps.txt"
    listed.write_text("03-1234-5602\n", encoding="utf-8")
    with closing(Registers(data)) as registers:
        registers.take([listed], "tps", "JP", AT - 3600, lambda _step, _count: None)
    assert explained("--data", data, "--pack", pack)[0] == 0
    code, out, _err = explained("--data", data, "--pack", pack, number="03-1234-5602")
    assert code == 1
    assert "On a do-not-call register" in out


def test_a_register_that_cannot_be_asked_is_told(explained, booth, house):
    data, pack = booth(), house('[register]\nnames = ["tps"]\n')
    (data / "registers").mkdir()
    (data / "registers" / "tps.db").write_bytes(b"no register")
    code, out, err = explained("--data", data, "--pack", pack)
    assert code == 1
    assert "tps" in out + err


def test_any_other_directory_is_refused(explained, tmp_path):
    code, out, err = explained("--data", tmp_path)
    assert (code, out) == (1, "")
    assert "neither a booth's nor a server's directory" in err


@pytest.mark.parametrize("command", [[], ["list"], ["show"], ["check"], ["explain"]])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["rules", *command, "--help"])
    assert stopped.value.code == 0
    assert "example" in capsys.readouterr().out
