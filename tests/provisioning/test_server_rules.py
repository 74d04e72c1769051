"""booth-provision server rules: what holds on every booth, put in force whole or not at all."""

import json
from contextlib import closing

import pytest

from firmware import rulepack, wire
from provisioning import cli
from provisioning.server import notes, parts
from provisioning.server.booths import office_rules


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A server's directory, made once."""
    directory = tmp_path_factory.mktemp("office") / "server"
    assert cli.main(["server", "init", "--data", str(directory)]) == 0
    return directory


@pytest.fixture
def office(made, capsys):
    """Types `server rules …`; the exit code, and what was printed. No pack is in force at the beginning."""
    capsys.readouterr()

    def rules(*arguments):
        code = cli.main(["server", "rules", *map(str, arguments), "--data", str(made)])
        return code, *capsys.readouterr()

    assert rules("--none", "--yes")[0] == 0
    return rules


@pytest.fixture
def told(made):
    """What a booth would be told, whatever it has."""

    def text():
        with closing(parts.open_database(made)) as database, database.read() as connection:
            return office_rules(connection)

    return text


@pytest.fixture
def house(tmp_path):
    """Writes a pack of the office's own."""

    def write(text='[hours]\nmon_fri = ["10:00-17:00"]\n', *, identity="house", verified="true", name="house.toml"):
        head = f'[pack]\nid = "{identity}"\nversion = "3"\nregion = "JP"\npurpose = "sales"\nverified = {verified}\n'
        file = tmp_path / name
        file.write_text(f'{head}law = {{ ja = "社内規則", en = "House rules" }}\n{text}', encoding="utf-8")
        return file

    return write


def ids(text):
    return [pack.id for pack in rulepack.parse_all(text)]


def test_at_first_no_pack_holds_on_every_booth(office, told):
    code, out, _err = office()
    assert (code, told()) == (0, rulepack.NONE)
    assert out.startswith("No rule pack holds on every booth")


def test_packs_are_put_in_force_and_named_with_their_law_in_both_languages(office, told, house):
    code, out, err = office("jp-sales", house())
    assert (code, ids(told())) == (0, ["jp-sales", "house"])
    assert "within a minute" in err
    for part in (
        "2026.1",
        "checked 2026-01-01",
        "特定商取引法16条・17条",
        "arts. 16 and 17",
        "社内規則",
        "House rules",
    ):
        assert part in out, part
    assert office() == (0, out, "")


def test_a_booth_is_told_the_very_text_that_was_checked(office, told, house):
    file = house("# said by 佐藤\n")
    office("jp-sales", file)
    assert json.loads(told()) == [rulepack.text_of("jp-sales"), file.read_text(encoding="utf-8")]


def test_new_packs_take_the_place_of_all_that_held(office, told):
    office("jp-sales", "fr-sales")
    code, _out, err = office("jp-sales")
    assert (code, ids(told())) == (0, ["jp-sales"])
    assert "No longer in force: fr-sales" in err


def test_every_fault_is_told_with_file_and_line_and_one_changes_nothing(office, told, house):
    office("jp-sales")
    before = told()
    first = house('[hours]\nmon_fri = ["9-20"]\n[redial]\nmin_gap_any = "soon"\n', name="first.toml")
    second = house("[redial\n", name="second.toml")
    code, out, err = office("de-sales", first, second, "jp-sals", "nowhere.toml")
    assert (code, out, told()) == (1, "", before)
    for part in (
        "nothing was changed",
        f"{first}: line 9: hours.mon_fri: must be a list of hours",
        f"{first}: line 11: redial.min_gap_any: must be a span",
        f"{second}: this is no TOML",
        "jp-sals: there is no such rule pack (did you mean jp-sales?)",
        "nowhere.toml: cannot be read",
    ):
        assert part in err, part


def test_a_pack_that_nobody_has_checked_wants_to_be_named_once_more(office, told, house):
    draft = house(verified="false", identity="draft")
    code, _out, err = office("uk-sales", draft, "--unverified", "draft")
    assert (code, told()) == (1, rulepack.NONE)
    assert "uk-sales: its rules have not been checked" in err
    assert "--unverified uk-sales" in err
    assert "draft: " not in err
    code, out, _err = office("uk-sales", draft, "--unverified", "draft", "--unverified", "uk-sales")
    assert (code, ids(told())) == (0, ["uk-sales", "draft"])
    assert out.count("NOT VERIFIED") == 2


def test_two_packs_of_one_name_are_a_slip(office, told, house):
    code, _out, err = office("jp-sales", house(identity="jp-sales"))
    assert (code, told()) == (1, rulepack.NONE)
    assert "house.toml: another of these packs is called jp-sales, too" in err


def test_taking_all_away_is_asked_back(office, told):
    office("jp-sales")
    before = told()
    code, _out, err = office("--none")
    assert (code, told()) == (1, before)
    assert "loosens the guard" in err
    assert "--none --yes" in err
    code, out, err = office("--none", "--yes")
    assert (code, told()) == (0, rulepack.NONE)
    assert "No longer in force: jp-sales" in err
    assert out.startswith("No rule pack holds")
    assert office("jp-sales", "--none", "--yes")[0] == 1  # which of the two?


def test_what_a_newer_server_has_put_is_told_and_can_be_replaced(office, told, made):
    with closing(parts.open_database(made)) as database, database.write() as connection:
        notes.put(database, connection, notes.RULES, '["[pack]\\nid = 7\\n"]')
    code, _out, err = office()
    assert code == 1
    assert "another version of this program" in err
    assert office("jp-sales")[0] == 0
    assert ids(told()) == ["jp-sales"]


def test_a_directory_without_a_server_is_refused(tmp_path, capsys):
    assert cli.main(["server", "rules", "jp-sales", "--data", str(tmp_path)]) == 1
    assert "server init" in capsys.readouterr().err


def test_the_help_teaches(capsys):
    with pytest.raises(SystemExit):
        cli.main(["server", "rules", "--help"])
    said = capsys.readouterr().out
    for part in (
        "booth-provision rules list",
        "server rules jp-sales house.toml",
        "--unverified uk-sales",
        "--none --yes",
    ):
        assert part in said


def test_a_booth_is_told_only_what_it_has_not(booth, server):
    one, where = booth(), ["--data", str(server.parts.directory)]

    def word(has):
        status = wire.Status(
            software="26.11.0", pending_calls=0, pending_recordings=0, oldest=None, free_bytes=9, rules=has
        )
        return one.post(wire.STATUS, status, wire.Wanted).rules

    nothing = wire.tag_of(rulepack.NONE)
    assert word(nothing) == ""
    assert cli.main(["server", "rules", "jp-sales", *where]) == 0
    text = word(nothing)
    assert ids(text) == ["jp-sales"]
    assert word(wire.tag_of(text)) == ""
    assert word("") == ""  # an older booth, which says nothing of rules
    assert cli.main(["server", "rules", "--none", "--yes", *where]) == 0
    assert word(wire.tag_of(text)) == rulepack.NONE
