"""`booth doctor` as it is typed, on machines of the test's own, with the emulated modems in their sockets."""

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import firmware
from firmware.__main__ import main
from firmware.doctoring import words
from firmware.doctoring.report import Patient, Report
from firmware.doctoring.troubles import TABLE, Trouble, missed, troubles
from firmware.settings import example
from firmware.store import Store
from hw.checkup import TOO_OLD, Checkup, Contact
from hw.emulated.analog import AnalogModem
from hw.emulated.exchange import Exchange
from hw.emulated.gsm import GsmModem
from hw.gsm import FAMILIES
from hw.interview import Interview
from hw.modems.known import KNOWN, Kind
from hw.readings import Signal
from tests.hw.sockets import Sockets

ROOM = Path(firmware.__file__).parent
CATALOGUE = ROOM / "text/ja/LC_MESSAGES"
RECIPIENT = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa"
WELL = Checkup(
    kind=Kind.GSM, family="quectel", sim="READY", status=1, signal=Signal(17), voice=True, imei="001010123456784"
)


@pytest.fixture
def sockets(tmp_path):
    """A machine with a headset and nothing else."""
    sockets = Sockets(tmp_path / "machine")
    sockets.plug("1-1.4", "0d8c:0014", cards={0: "Headset"})
    return sockets


@pytest.fixture
def modem(tmp_path):
    with Exchange() as exchange, GsmModem("quectel", exchange, tmp_path) as modem:
        yield modem


@pytest.fixture
def ec25(sockets, modem):
    """The modem in its socket."""
    sockets.plug("1-1.2", "2c7c:0125", ttys={0: "", 1: modem.pcm, 2: modem.at, 3: ""}, product="EC25")
    return modem


@pytest.fixture
def doctor(sockets, tmp_path, capsys):
    """Asks the doctor; returns the exit status and what it printed."""

    def ask(*wishes, device=tmp_path / "none.toml", lang="en"):
        machine = ["--sysfs", str(sockets.sysfs), "--dev", str(sockets.dev)]
        status = main(["--device", str(device), "doctor", *machine, "--lang", lang, *wishes])
        return status, capsys.readouterr().out

    return ask


def device_toml(tmp_path, **line):
    """A device.toml whose line is this."""
    stated = "\n".join(f'{name} = "{value}"' for name, value in line.items())
    text = re.sub(r"\[line\].*?\n\n", f'[line]\nkind = "gsm"\n{stated}\n\n', example(), count=1, flags=re.DOTALL)
    text = re.sub(r"age1\w+", RECIPIENT, text).replace("/var/lib/boothphone", str(tmp_path))
    path = tmp_path / "device.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.usefixtures("ec25")
def test_a_booth_that_is_well_says_so_in_both_languages(doctor):
    status, said = doctor()
    assert status == 0
    for told in ("[2c7c:0125]", "USB 1-1.2", "quectel", "ready", "registered, BOOTHNET", "-79 dBm", "Headset"):
        assert told in said
    assert re.search(r"pcm \S+ttyUSB1 · at \S+ttyUSB2", said)
    assert said.splitlines()[-1] == "✓ Nothing keeps the booth from calling."
    status, said = doctor(lang="ja")
    assert (status, said.splitlines()[-1]) == (0, "✓ 異常はありません。電話をかけられます。")


def test_only_the_end_of_the_imei_is_shown(doctor, ec25):
    for wishes in ((), ("--json",)):
        said = doctor(*wishes)[1]
        assert "xxxxxxxxxxx6784" in said
        assert ec25.imei not in said


def test_an_empty_machine(doctor, sockets):
    sockets.unplug("1-1.4")
    status, said = doctor()
    assert status == 1
    assert re.findall(r"^[✗·]", said, re.MULTILINE) == ["✗", "✗"]
    assert said.index("No modem found. Plug the modem") < said.index("No sound card")


@pytest.mark.parametrize(
    ("circumstances", "told"),
    [
        ({"sim": "SIM PIN"}, 'The SIM card wants its PIN (tries left: 3). Write its PIN as pin = "…"'),
        ({"sim": "SIM PUK"}, "The SIM card wants its PUK. The PIN was wrong too often."),
        ({"sim": "SIM PIN", "tries": 1}, "Too few tries for the SIM's PIN. "),
        ({"sim": "NOT INSERTED"}, "No SIM card, or one that cannot be read. Take it out"),
        ({"registered": False}, "No network. Check the aerial"),
        ({"voice": False}, "The modem has no voice. "),
        ({"silent": True}, "The modem does not answer. Unplug the modem"),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_what_is_wrong_and_what_to_do_stand_in_one_line(doctor, ec25, circumstances, told):
    for name, value in circumstances.items():
        setattr(ec25, name, value)
    status, said = doctor()
    assert status == 1
    assert said.splitlines()[-1].startswith(f"✗ {told}")
    assert not any(re.match(r"AT\+CPIN=|ATD|AT\+CLCK", line) for line in ec25.heard), "it only asks"


def test_a_modem_that_names_its_errors_tells_no_sim_from_a_bad_one(doctor, ec25):
    ec25.sim = "NOT INSERTED"
    with Interview(ec25.at) as booth:
        booth.ask("AT+CMEE=1")
    assert doctor()[1].splitlines()[-1].startswith("✗ No SIM card. Put the SIM card in")


def test_a_weak_signal_is_a_hint(doctor, ec25):
    ec25.signal = 4
    status, said = doctor()
    assert (status, said.splitlines()[-1]) == (
        0,
        "· The signal is weak (-105 dBm). Move the modem or its aerial nearer to a window.",
    )


def test_a_modem_that_the_booth_has_is_left_alone(doctor, ec25):
    with Interview(ec25.at):
        heard = len(ec25.heard)
        status, said = doctor()
        assert len(ec25.heard) == heard
    assert status == 0
    assert re.search(r"· \S+ttyUSB2 is in use by the booth\. The booth's screen", said)


def test_a_modem_says_nothing_but_what_it_is_asked_without_harm(doctor, ec25, tmp_path):
    doctor("--transcript", str(tmp_path / "said.txt"))
    setting = re.compile(r"AT[+^][A-Z]+=(?!\?)")
    assert [line for line in ec25.heard if setting.match(line) and line != 'AT+QCFG="ims"'] == []
    assert {line for line in ec25.heard if re.fullmatch(r"AT[A-Z]\d*", line)} == {"ATE0", "ATI", "ATI3", "ATI7"}


def test_a_transcript_has_every_line_and_no_number(doctor, ec25, tmp_path):
    ec25.model = "Unheard-of 9"
    file = tmp_path / "said.txt"
    doctor("--port", ec25.at, "--transcript", str(file))
    said = file.read_text(encoding="utf-8")
    assert f"# {ec25.at}, 2c7c:0125 Quectel EC20, EC25 or EG25-G\n> ATE0\n< OK\n> ATI\n" in said
    assert "> AT+CGSN\n< xxxxxxxxxxxxxxx\n< OK\n" in said
    assert "> AT+FCLASS=?\n< ERROR\n" in said
    spoken = [line for line in said.splitlines() if line.startswith(("<", ">"))]
    assert [line for line in spoken if re.search(r"\d{5,}", line)] == []
    assert [line[2:] for line in spoken if line.startswith(">")] == ec25.heard


def test_json_is_for_programs(doctor, ec25):
    ec25.sim = "SIM PIN"
    status, said = doctor("--json", lang="ja")
    told = json.loads(said)
    assert (status, told["ok"], told["troubles"][0]["code"]) == (1, False, "pin")
    assert told["verdict"].startswith("SIMカードのPINが必要です")
    (one,) = told["modems"]
    assert (one["usb"], one["sim"], one["tries"], one["family"]) == ("1-1.2", "SIM PIN", 3, "quectel")
    assert one["ports"]["at"].endswith("ttyUSB2")


def test_one_port_can_be_asked_by_the_command_itself(modem):
    run = subprocess.run(
        [sys.executable, "-m", "firmware", "--device", "/nowhere", "doctor", "--port", modem.at, "--lang", "en"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "Quectel, EC25, EC25EUXGAR08A05M1" in run.stdout
    assert run.stdout.endswith("✓ Nothing keeps the booth from calling.\n")


def test_a_port_that_is_not_there(doctor):
    status, said = doctor("--port", "/dev/ttyUSB77")
    assert (status, "✗ There is no /dev/ttyUSB77. " in said) == (1, True)


def test_a_stick_in_disguise_is_told_apart(doctor, sockets):
    sockets.plug("1-1.2", "12d1:1446", plain=[0])
    status, said = doctor()
    assert status == 1
    assert re.search(r"✗ Huawei stick .* still shows itself as a CD-ROM\. Install usb-modeswitch", said)


def test_device_toml_says_which_modem_counts(doctor, ec25, sockets, tmp_path):
    (tmp_path / "other").mkdir()
    with Exchange() as exchange, GsmModem("quectel", exchange, tmp_path / "other", imei="001010987654321") as other:
        other.sim = "NOT INSERTED"
        sockets.plug("1-1.3", "2c7c:0125", ttys={1: other.pcm, 2: other.at})
        status, said = doctor()
        assert (status, "✗ 1-1.3: No SIM card" in said) == (1, True)
        for line in ({"port": ec25.at}, {"port": "auto", "usb": "1-1.2"}, {"port": "auto", "imei": "6784"}):
            status, said = doctor(device=device_toml(tmp_path, **line))
            assert (status, "· 1-1.3: No SIM card" in said) == (0, True), line
        status, said = doctor(device=device_toml(tmp_path, port="auto"))
        assert status == 1
        assert '✗ 2 modems are plugged in and device.toml does not say which one to use. Write usb = "1-1.2"' in said


def test_an_analog_modem_is_no_choice_for_a_gsm_line(doctor, ec25, sockets, tmp_path):
    (tmp_path / "other").mkdir()
    with Exchange() as exchange, AnalogModem("conexant", exchange, tmp_path / "other") as other:
        sockets.plug("1-1.3", "0572:1329", ttys={0: other.port})
        status, said = doctor(device=device_toml(tmp_path, port="auto"))
        assert (status, said.splitlines()[-1]) == (0, "✓ Nothing keeps the booth from calling.")
        assert "Conexant HUC56S" in said
        ec25.silent = True
        assert doctor(device=device_toml(tmp_path, port="auto"))[0] == 1


def test_the_port_of_device_toml_is_asked_wherever_it_is(doctor, modem, tmp_path):
    status, said = doctor(device=device_toml(tmp_path, port=modem.at))
    assert (status, "Quectel EC25" in said) == (0, True)


@pytest.mark.usefixtures("ec25")
def test_a_faulty_device_toml_is_a_trouble_of_its_own(doctor, tmp_path):
    (tmp_path / "device.toml").write_text("[lin]", encoding="utf-8")
    status, said = doctor(device=tmp_path / "device.toml")
    assert status == 1
    assert "✗ device.toml is not in order: lin: there is no such setting (did you mean line?). Correct it" in said


def test_what_the_booth_counted_is_shown(doctor, ec25, tmp_path):
    device = device_toml(tmp_path, port=ec25.at)
    with sqlite3.connect(tmp_path / "booth.db") as db:
        db.execute("CREATE TABLE note (key TEXT, value TEXT)")
        db.execute('INSERT INTO note VALUES (\'sound\', \'{"underruns": 12, "ear": {"overflows": 3}}\')')
    db.close()
    status, said = doctor(device=device)
    assert status == 0
    assert "underruns 12, ear overflows 3" in said
    assert "· The sound of the last calls had gaps (15)." in said


@pytest.mark.parametrize(
    ("language", "said"), [("en", "will not have some of"), ("ja", "受け取らないものがあります（2件）")]
)
def test_what_the_server_will_not_have_is_told_with_its_reason(doctor, ec25, tmp_path, language, said):
    with closing(Store(tmp_path / "booth.db")) as store, store.write() as db:
        for kind in ("call", "recording"):
            db.execute(
                "INSERT INTO kept_back (kind, ref, version, strikes, reason, held, boot, due)"
                " VALUES (?, 'x', 1, 3, 'of another booth', 1, '', 0)",
                (kind,),
            )
    status, report = doctor(device=device_toml(tmp_path, port=ec25.at), lang=language)
    assert status == 0
    assert said in report
    assert "of another booth" in report
    assert "booth-sync retry --all" in report


# The rules, without a modem.


def codes(checkup, **about):
    return [trouble.code for trouble in troubles(Report((Patient(None, "/dev/x", checkup, **about),)))]


def changed(**what):
    known = {name: getattr(WELL, name) for name in Checkup.__dataclass_fields__}
    return Checkup(**{**known, **what})


@pytest.mark.parametrize(
    ("checkup", "expected"),
    [
        (WELL, []),
        (changed(status=3), ["denied"]),
        (changed(volte=False), ["volte-off"]),
        (changed(sim="ERROR", status=None), ["sim-unread"]),
        (changed(sim="PH-SIM PIN", tries=None), ["pin"]),
        (changed(contact=Contact.FORBIDDEN), ["forbidden"]),
        (changed(contact=Contact.GARBLED), ["garbled"]),
        (changed(voice=False, signal=Signal(2)), ["no-voice", "weak"]),
        (changed(family="huawei", flaw=FAMILIES["huawei"].flaws[0]), ["voiceless"]),
        (changed(family="a7670", flaw=FAMILIES["a7670"].flaws[0]), ["flaw"]),
        (Checkup(kind=Kind.ANALOG, family="v253", voice=True), ["stranger"]),
        (Checkup(), ["stranger"]),
    ],
)
def test_each_trouble_has_its_sign(checkup, expected):
    assert codes(checkup) == expected
    assert all(trouble.hint for trouble in troubles(Report((Patient(None, "/dev/x", checkup, ours=False),))))


def test_gaps_are_found_however_deep():
    assert missed({"calls": [{"underruns": 2, "frames": 900}, {"dropped": 3}], "overflows": 1}) == 6
    assert missed("nothing") == 0


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("code", TABLE)
def test_each_verdict_can_be_told(language, code):
    say = words.load(language)
    places = ("name", "port", "count", "path", "tries", "flaw", "dbm", "note", "what")
    trouble = Trouble(code, dict.fromkeys(places, "7"))
    assert trouble.said(say)
    assert trouble.advice(say)
    assert "{" not in trouble.said(say) + trouble.advice(say)
    assert language == "en" or re.search(r"[ぁ-ん]|^7$", trouble.advice(say))


# The catalogue.


def catalogue():
    with (CATALOGUE / "doctor.po").open("rb") as file:
        return read_po(file)


def wanted():
    found = extract_from_dir(
        str(ROOM), [("doctoring/**.py", "python"), ("doctor.py", "python")], keywords={"say": None, "phrase": None}
    )
    advice = {flaw.advice for family in FAMILIES.values() for flaw in family.flaws} | {TOO_OLD.advice}
    return {message for _, _, message, _, _ in found} | advice | {known.note for known in KNOWN if known.note}


def test_every_word_of_the_doctor_is_translated_and_no_other():
    messages = {message.id: message.string for message in catalogue() if message.id}
    assert set(messages) == wanted()
    assert [one for one, said in messages.items() if not said] == []
    places = {one: {name for _, name, _, _ in Formatter().parse(one) if name} for one in messages}
    said = {one: {name for _, name, _, _ in Formatter().parse(messages[one]) if name} for one in messages}
    assert places == said


def test_the_compiled_catalogue_is_the_one_that_can_be_read():
    compiled = BytesIO()
    write_mo(compiled, catalogue())
    assert (CATALOGUE / "doctor.mo").read_bytes() == compiled.getvalue(), "run `make text`"
