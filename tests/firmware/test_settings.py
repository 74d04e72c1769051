"""device.toml: what is right is taken, and everything that is wrong is told at once."""

import dataclasses
import importlib
import inspect
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from firmware.pin import hash_pin
from firmware.settings import EXAMPLE_RECIPIENT, Settings, SettingsError, example, load, parse
from firmware.tables import Reader, Secret
from hw import wiring

HASHED = hash_pin("0412")
SMALL = f"""
booth = "3"
line.kind = "gsm"
handset.kind = "pyaudio"
keypad.kind = "matrix"
hook.kind = "none"
screen.kind = "ili9341"
recording.recipients = ["{EXAMPLE_RECIPIENT}"]
"""


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        parse(text)
    assert str(caught.value).splitlines() == list(caught.value.faults)
    return caught.value.faults


def places(shape: object, path: str = "") -> Iterator[str]:
    """Every setting that the dataclasses know, as the example's reader would name it."""
    for entry in dataclasses.fields(shape):
        value = getattr(shape, entry.name)
        yield f"{path}{entry.name}"
        if dataclasses.is_dataclass(value) and type(value).__name__ != "Driver":
            yield from places(value, f"{path}{entry.name}.")


def test_the_example_parses_and_shows_every_setting() -> None:
    settings = parse(example())
    assert (settings.booth, settings.language, settings.agents[0].id) == ("3", "ja", "07")
    assert dict(settings.line.settings)["port"] == "auto"
    table = tomllib.loads(example())
    table["agents"] = table["agent"]
    for place in set(places(settings)) - {"guard.sample_allowed"}:
        part: object = table
        for name in place.split("."):
            assert isinstance(part, dict)
            assert name in part, f"the example does not show {place}"
            part = part[name]


def test_the_example_names_drivers_and_settings_that_there_are() -> None:
    settings = parse(example())
    for driver, table in (
        (settings.line, wiring.LINES),
        (settings.handset, wiring.HANDSETS),
        (settings.keypad, wiring.KEYPADS),
        (settings.hook, wiring.HOOKS),
        (settings.screen, wiring.SCREENS),
    ):
        module, _, name = table[driver.kind].partition(":")
        if name == "SoundCard":
            pytest.importorskip("pyaudio")
        taken = inspect.signature(getattr(importlib.import_module(module), name)).parameters
        assert set(driver.settings) <= set(taken)
    assert settings.lamps.kind in wiring.LAMPS
    pins = [*settings.keypad.settings["rows"], *settings.keypad.settings["columns"], *settings.lamps.settings.values()]
    pins += [settings.hook.settings["pin"]]
    pins += [pin for name, pin in settings.screen.settings.items() if name.startswith("gpio")]
    assert len(pins) == len(set(pins))


def test_what_is_not_said_has_a_strict_default() -> None:
    settings = parse(SMALL)
    assert (settings.country, settings.clock.trust, settings.lamps.kind) == ("JP", "synchronised", "none")
    assert not settings.emergency.confirmed
    assert not settings.recording.emergency
    assert not settings.supervisor.pin
    assert settings.agents == settings.script.pages == ()


def test_drivers_get_plain_keyword_arguments() -> None:
    settings = parse(SMALL + 'line.family = "quectel"\nline.port = "/dev/ttyUSB2"\nline.speed = 115200\n')
    assert settings.line.kind == "gsm"
    assert dict(**settings.line.settings) == {"family": "quectel", "port": "/dev/ttyUSB2", "speed": 115200}


def test_all_faults_at_once_with_place_and_advice() -> None:
    wrong = f"""
        booth = 3
        langauge = "ja"
        language = "jp"
        country = "jp"
        zone = "Asia/Tokio"
        area_code = "O3"
        handset = "pyaudio"
        keypad = {{ kind = "matrix", colunms = [1] }}
        hook = {{}}
        lamps = {{ kind = "gpio", line = {{ pin = 3 }} }}
        screen = {{ kind = 1 }}
        recording = {{ recipients = ["{EXAMPLE_RECIPIENT}", "{EXAMPLE_RECIPIENT[:-1]}x"], emergency = "no" }}
        clock = {{ trust = "sytem" }}
        supervisor = {{ pin = "041273" }}
        agent = [{{ id = "07" }}, {{ id = 7, name = "鈴木" }}]
        script = {{ pages = ["one", 2] }}
    """
    assert faults(wrong) == (
        "langauge: there is no such setting (did you mean language?)",
        "booth: must be text in quotes",
        """language: must be "ja" or "en", not 'jp'""",
        """country: no such country: 'jp'; write two capital letters, such as "JP" or "GB\"""",
        'area_code: must be the digits of the area code, such as "03"',
        """zone: no such time zone: 'Asia/Tokio'; they are named like "Asia/Tokyo\"""",
        "line: is missing: say which driver serves it: kind = …",
        "handset: must be a table, written [handset]",
        "keypad.colunms: there is no such setting (did you mean columns?)",
        "hook.kind: is missing: which driver serves it",
        "lamps.line: must be text, a number, true, false or a list of such",
        "screen.kind: must be text in quotes",
        "recording.recipients: key 2 is no public key (age1…): copy it again, one letter is wrong or missing",
        "recording.emergency: must be true or false",
        """clock.trust: must be "synchronised" or "system", not 'sytem'""",
        "supervisor.pin: must be a PIN's hash (scrypt$…), never the PIN itself; `booth-provision pin` makes one",
        "agent 1.name: is missing: the name that the records show",
        "agent 2.id: must be text in quotes",
        'script.pages: must be a list of texts: ["…", "…"]',
    )


@pytest.mark.parametrize(
    ("addition", "fault"),
    [
        ('agent = [{id="7", name="a"}, {id="7", name="b"}]', 'agent: the id "7" is given to more than one'),
        ('agent = {id="7", name="a"}', "agent: must be written [[agent]], once for each"),
        ('agent = [{id="7a", name="a"}]', 'agent 1.id: must be 1 to 4 digits in quotes, such as "07": it is keyed to'),
        ("guard = 3", "guard: must be a table, written [guard]"),
        ("guard.min_gap = 1", "guard.min_gap: there is no such setting (did you mean min_gap_any?)"),
        ("guard.min_gap_any = '1 h'", "guard.min_gap_any: must be a number, without quotes"),
        ("guard.min_gap_any = nan", "guard.min_gap_any: must be a number, without quotes"),
        ("guard.max_per_day = 1.5", "guard.max_per_day: must be a whole number, without quotes"),
        ("guard.gacha_limit = -1", "guard: gacha_limit must not be negative"),
        ("guard.sample_allowed = true", "guard: sample_allowed is no setting"),
        ("data = true", "data: must be a path in quotes"),
        ("zone = ''", "zone: no such time zone"),
        ("zone = '/etc/passwd'", "zone: no such time zone"),
        ("emergency.confirmed = 1", "emergency.confirmed: must be true or false"),
    ],
)
def test_single_faults(addition: str, fault: str) -> None:
    (found,) = faults(SMALL + addition)
    assert found.startswith(fault)


def test_a_booth_whose_recordings_nobody_could_open_is_refused(tmp_path: Path) -> None:
    (found,) = faults(SMALL.replace(f'"{EXAMPLE_RECIPIENT}"', ""))
    assert "at least one public key" in found
    file = tmp_path / "device.toml"
    file.write_text(example(), encoding="utf-8")
    with pytest.raises(SettingsError, match="still the example's"):
        load(file)


def test_a_file_that_cannot_be_read_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load(tmp_path / "device.toml")
    (tmp_path / "sjis.toml").write_bytes("booth = '受付'".encode("shift_jis"))
    with pytest.raises(SettingsError, match="not UTF-8"):
        load(tmp_path / "sjis.toml")
    (fault,) = faults('booth = "3\n')
    assert "is no TOML" in fault
    assert "line 1" in fault


def test_secrets_are_masked_and_still_usable() -> None:
    settings = parse(SMALL + f'supervisor.pin = "{HASHED}"\nagent = [{{id="1", name="a", pin="{HASHED}"}}]')
    assert settings.supervisor.pin == HASHED
    assert HASHED not in repr(settings)
    assert repr(settings).count("Secret(…)") == 2
    assert repr(Secret()) == "Secret()"


def test_a_wrong_pin_is_not_repeated_in_the_fault() -> None:
    (found,) = faults(SMALL + 'supervisor.pin = "041273"')
    assert "0412" not in found


words = st.sampled_from(["kind", "pin", "id", "name", "trust", "pages", "recipients", "", "x", "7", "age1"])
plain = st.recursive(
    st.booleans() | st.integers() | st.floats() | words | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
NAMES = [entry.name for entry in dataclasses.fields(Settings)] + ["agent", "nonsense"]


@bounds(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(NAMES), plain, max_size=4))
def test_whatever_a_file_says_only_faults_come_out(table: dict[str, object]) -> None:
    reader = Reader()
    made = reader.read(table, Settings)
    assert (made is None) == bool(reader.faults)


def test_a_booth_obeys_japans_rules_unless_it_is_told_otherwise() -> None:
    assert parse(SMALL).campaign.packs == ("jp-sales",)
    assert parse(SMALL + "campaign.packs = []\n").campaign.packs == ()
    assert faults(SMALL + 'country = "GB"\n') == (
        "campaign.packs: name the rule packs of GB (there are uk-sales), or [] for none",
    )
    assert faults(SMALL + 'country = "BR"\n') == (
        "campaign.packs: name the rule packs of BR (none is shipped, so write one of your own), or [] for none",
    )
    assert parse(SMALL + 'country = "GB"\ncampaign.packs = []\n').country == "GB"


@pytest.mark.parametrize(
    ("campaign", "fault"),
    [
        ('packs = ["jp-sale"]', "campaign: jp-sale: there is no such rule pack (did you mean jp-sales?)"),
        (
            'packs = ["uk-sales"]',
            "campaign: uk-sales: its rules have not been checked; to use it all the same: unverified",
        ),
        ('packs = ["/none.toml"]', "campaign: /none.toml: cannot be read"),
        ("attempts = -1", "campaign: attempts must not be negative"),
        ('packs = "jp-sales"', "campaign.packs: must be a list of texts"),
    ],
)
def test_a_rule_pack_that_cannot_be_used_is_said_at_start(campaign: str, fault: str) -> None:
    assert faults(f"{SMALL}[campaign]\n{campaign}\n")[0].startswith(fault)


def test_an_unverified_pack_is_used_when_it_is_named_twice() -> None:
    settings = parse(SMALL + '[campaign]\npacks = ["uk-sales"]\nunverified = ["uk-sales"]\n')
    assert settings.campaign.packs == ("uk-sales",)


def test_the_pin_of_the_sim_is_no_business_of_the_driver_and_is_never_shown() -> None:
    settings = parse(SMALL + 'line.pin = "0412"\n')
    assert dict(settings.line.settings) == {}
    assert settings.line.secrets["pin"] == "0412"
    assert "0412" not in repr(settings)
    assert parse(SMALL).line.secrets == {}


@pytest.mark.parametrize("pin", ['"041"', '"123456789"', '"04 12"', '"０４１２"', '""', "4127", "true", '["4127"]'])
def test_a_sim_pin_that_cannot_be_one_is_a_fault_that_does_not_repeat_it(pin: str) -> None:
    (fault,) = faults(f"{SMALL}line.pin = {pin}\n")
    assert fault.startswith("line.pin: must be")
    assert pin == '""' or pin.strip('"[]') not in fault
