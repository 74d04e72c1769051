"""Every modem that can be emulated is examined: it is recognised, nothing in it is changed, and nothing goes unseen."""

import re

import pytest

from hw.checkup import Checkup, Contact, examine
from hw.emulated.analog import AnalogModem
from hw.emulated.analogmodels import MODELS as ANALOG
from hw.emulated.gsm import GsmModem
from hw.emulated.makes import MAKES
from hw.gsm import FAMILIES
from hw.interview import Interview
from hw.modems.analog import MODELS
from hw.modems.known import KNOWN, Kind

SETTING = re.compile(r"AT.*[+^][A-Z]+=(?!\?)|ATD|ATA|ATH|AT&W|ATZ")
ASKING = {'AT+QCFG="ims"', 'AT+CSIM=10,"0020000100"', 'AT+QPINC="SC"'}


def set_by(heard):
    return [line for line in heard if SETTING.match(line) and line not in ASKING]


@pytest.mark.parametrize("make", MAKES)
def test_a_gsm_modem_says_who_it_is_and_how_it_feels(make, exchange, tmp_path):
    with GsmModem(make, exchange, tmp_path) as modem:
        found = examine(modem.at)
        assert (found.contact, found.kind, found.imei) == (Contact.ANSWERS, Kind.GSM, modem.imei)
        assert found.family == {"quectel-uac": "quectel"}.get(make, make)
        assert (found.sim, found.status, found.operator) == ("READY", 1, "BOOTHNET")
        assert found.signal.rssi == modem.signal
        assert found.voice is not False
        assert set_by(modem.heard) == []


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("lock", ["SIM PIN", "SIM PUK", "NOT INSERTED"])
def test_what_the_sim_wants_is_read_and_not_tried(make, lock, exchange, tmp_path):
    with GsmModem(make, exchange, tmp_path, sim=lock) as modem:
        with Interview(modem.at) as booth:
            booth.ask("AT+CMEE=1")
        modem.heard.clear()
        found = examine(modem.at, (make,), more=True)
        assert found.sim == lock
        assert found.tries == (3 if lock == "SIM PIN" else found.tries)
        assert (modem.tries, set_by(modem.heard)) == (3, [])


@pytest.mark.parametrize("model", ANALOG)
def test_an_analog_modem_says_who_it_is(model, exchange, tmp_path):
    alike = {"zoom3095": "conexant", "startech": "conexant"}  # by what they say; their USB numbers tell them apart
    with AnalogModem(model, exchange, tmp_path) as modem:
        found = examine(modem.port, more=True)
        assert (found.contact, found.kind, found.voice) == (Contact.ANSWERS, Kind.ANALOG, True)
        assert found.family == alike.get(model, model)
        assert found.flaw is None
        assert set_by(modem.heard) == []


def test_an_old_usr_is_known_for_its_fault(exchange, tmp_path):
    with AnalogModem("usr5637", exchange, tmp_path, firmware="1.2.15") as modem:
        found = examine(modem.port, ("usr5637",))
        assert found.flaw
        assert (found.flaw.voiceless, found.firmware) == (True, "1.2.15")


def test_a_sim_that_is_slow_to_wake_is_waited_for(exchange, tmp_path):
    with GsmModem("quectel", exchange, tmp_path, sim_busy_for=0.5) as modem:
        with Interview(modem.at) as booth:
            booth.ask("AT+CMEE=1")
        assert examine(modem.at).sim == "READY"


@pytest.mark.parametrize(
    ("trouble", "contact"), [({"silent": True}, Contact.SILENT), ({"garble": 0.9}, Contact.GARBLED)]
)
def test_a_modem_that_cannot_be_understood_says_nothing_but_that(trouble, contact, exchange, tmp_path):
    with GsmModem("quectel", exchange, tmp_path, **trouble) as modem:
        assert examine(modem.at, ("quectel",)) == Checkup(contact=contact, family="quectel")


def test_a_port_that_is_not_there_is_absent(tmp_path):
    assert examine(str(tmp_path / "ttyUSB0")).contact is Contact.ABSENT


def test_every_family_in_the_table_of_known_modems_has_a_driver():
    named = {family for one in KNOWN for family in (*one.families, *filter(None, [one.carded]))}
    assert named <= FAMILIES.keys() | MODELS.keys()
