"""Modems are found by their USB numbers in a sysfs of the test's own; what answers are the emulated ones."""

import os

import pytest

from hw.emulated.exchange import Exchange
from hw.emulated.gsm import GsmModem
from hw.errors import WiringError
from hw.finding import Finder, Place, find
from hw.interview import Interview, PortForbiddenError, PortInUseError
from hw.modems.known import KNOWN, Kind, Role
from hw.usb import devices
from tests.hw.sockets import Sockets

EC25 = "2c7c:0125"
SIM7600 = "1e0e:9001"
NOBODY = 65534


@pytest.fixture
def sockets(tmp_path):
    return Sockets(tmp_path / "machine")


@pytest.fixture
def second(tmp_path):
    """Another EC25, on a line of its own."""
    (tmp_path / "second").mkdir()
    with Exchange() as exchange, GsmModem("quectel", exchange, tmp_path / "second", imei="001010987654321") as modem:
        yield modem


def ec25(sockets, modem, path="1-1.2", **more):
    """An EC25 whose ports lead to `modem`."""
    return sockets.plug(path, EC25, ttys={0: "", 1: modem.pcm, 2: modem.at, 3: ""}, plain=[4], product="EC25", **more)


def finder(sockets, **wanted):
    return Finder(sysfs=sockets.sysfs, dev=sockets.dev, **wanted)


def test_usb_devices_are_read_with_their_ports_and_cards(sockets):
    sockets.plug("1-1", "2109:3431", product="USB2.0 Hub")
    sockets.plug("1-1.10", "0d8c:0014", cards={0: "Device"}, manufacturer="C-Media")
    ttys = sockets.plug("1-1.2", "2C7C:0125", ttys={2: "", 0: ""}, cards={5: "Android"}, serial="1234")
    hub, modem, card = devices(sockets.sysfs)
    assert [hub.product, card.maker, modem.serial] == ["USB2.0 Hub", "C-Media", "1234"]
    assert modem.ident == EC25, "kernels write small letters, people do not"
    assert [interface.number for interface in modem.interfaces] == [0, 2, 5]
    assert [interface.driver for interface in modem.interfaces] == ["option", "option", "snd-usb-audio"]
    assert modem.ttys == (ttys[0], ttys[2])
    assert [one.name for one in (*modem.cards, *card.cards)] == ["Android", "Device"]
    assert "1234" not in repr(modem), "a serial number may be the IMEI"


def test_a_machine_without_usb_has_no_devices(tmp_path):
    assert devices(tmp_path) == ()
    assert find(tmp_path, tmp_path) == []


def test_acm_ports_are_found_where_cdc_acm_puts_them(sockets):
    sockets.plug("1-1", "0baf:0303", plain=[0, 1])
    tty = sockets.sysfs / "bus/usb/devices/1-1/1-1:1.0/tty/ttyACM0"
    tty.mkdir(parents=True)
    (found,) = find(sockets.sysfs, sockets.dev)
    assert (found.kind, found.at, found.families) == (Kind.ANALOG, str(sockets.dev / "ttyACM0"), ("usr5637",))


@pytest.mark.parametrize("known", [one for one in KNOWN if one.roles], ids=lambda known: known.ident)
def test_each_port_of_a_known_modem_has_its_role_whatever_its_number(sockets, known):
    sockets.plug("1-1", "2c7c:0121", ttys=dict.fromkeys(range(3), ""))  # takes the first numbers
    ttys = sockets.plug("1-2", known.ident, ttys=dict.fromkeys(reversed(range(6)), ""))
    found = find(sockets.sysfs, sockets.dev)[1]
    assert found.ports == {role: str(sockets.dev / ttys[number]) for number, role in known.roles.items()}
    assert set(found.others) == {str(sockets.dev / tty) for number, tty in ttys.items() if number not in known.roles}


def test_no_two_rows_are_for_the_same_device():
    assert len({one.ident for one in KNOWN}) == len(KNOWN)


def test_a_huawei_of_which_only_the_number_is_known_has_its_usual_ports(sockets):
    ttys = sockets.plug("1-1", "12d1:1511", ttys={1: "", 3: "", 6: ""})
    (found,) = find(sockets.sysfs, sockets.dev)
    assert (found.ports[Role.PCM], found.at) == tuple(str(sockets.dev / ttys[number]) for number in (3, 6))


def test_the_only_modem_is_taken_without_asking_it(sockets, modem):
    modem.silent = True
    ttys = ec25(sockets, modem)
    sockets.plug("1-1.4", "0d8c:0014", cards={0: "Device"})
    assert finder(sockets)() == Place(str(sockets.dev / ttys[2]), str(sockets.dev / ttys[1]), "quectel")


def test_after_a_replug_it_is_found_under_its_new_numbers(sockets, modem):
    ec25(sockets, modem)
    where = finder(sockets)
    before = where()
    sockets.unplug("1-1.2")
    with pytest.raises(WiringError, match="no modem is plugged in"):
        where()
    ec25(sockets, modem)
    after = where()
    assert before.port != after.port
    with Interview(after.port) as again:
        assert again.ask("AT+CGMI").lines == ("Quectel",)


def test_a_modem_with_its_own_card_speaks_through_that(sockets, modem):
    ec25(sockets, modem, cards={5: "Android"})
    place = finder(sockets)()
    assert (place.audio, place.family) == ("(hw:1,", "quectel-uac")
    assert finder(sockets, family="quectel")().audio.endswith("ttyUSB1"), "unless the port is asked for"
    assert finder(sockets, audio="Headset")().audio == "Headset"


def test_of_several_modems_one_must_be_named(sockets, modem, second):
    ec25(sockets, modem)
    ttys = ec25(sockets, second, "1-1.3")
    with pytest.raises(WiringError, match=r'write usb = "1-1\.2" for .*; usb = "1-1\.3" for'):
        finder(sockets)()
    theirs = str(sockets.dev / ttys[2])
    assert finder(sockets, usb="1-1.3")().port == theirs
    assert finder(sockets, imei="001010987654321")().port == theirs
    assert finder(sockets, imei="4321")().port == theirs
    with pytest.raises(WiringError, match="ends in 9999 is plugged in; there is Quectel"):
        finder(sockets, imei="9999")()
    with pytest.raises(WiringError, match="last four"):
        finder(sockets, imei="1")


def test_an_imei_in_use_is_no_match_and_no_error(sockets, modem):
    ttys = ec25(sockets, modem)
    with Interview(str(sockets.dev / ttys[2])), pytest.raises(WiringError, match="no modem whose IMEI"):
        finder(sockets, imei="6784")()


def test_a_socket_does_not_mean_its_neighbour(sockets, modem):
    ec25(sockets, modem, "1-1.21")
    with pytest.raises(WiringError, match=r"no modem is plugged in in USB socket 1-1\.2$"):
        finder(sockets, usb="1-1.2")()
    assert finder(sockets, usb="1-1")().family == "quectel"


def test_which_simcom_it_is_it_says_itself(sockets, modem):
    sockets.plug("1-1", SIM7600, ttys={2: modem.at, 4: modem.pcm})
    assert finder(sockets)().family == "sim7600", "it says neither, so the likelier one"
    modem.model = "A7670E"
    assert finder(sockets)().family == "a7670"
    modem.silent = True
    assert finder(sockets)().family == "sim7600"


def test_behind_a_serial_adapter_anything_may_answer(sockets, modem):
    modem.model = "SIM800C"
    ttys = sockets.plug("1-1", "1a86:7523", ttys={0: modem.at})
    assert finder(sockets)() == Place(str(sockets.dev / ttys[0]), "", "sim800")
    modem.silent = True
    with pytest.raises(WiringError, match="CH340 serial adapter in 1-1, which is none or does not answer"):
        finder(sockets)()


def test_a_stick_that_is_still_a_cd_rom_is_told_apart(sockets):
    sockets.plug("1-1", "12d1:1446", plain=[0])
    with pytest.raises(WiringError, match="usb-modeswitch"):
        finder(sockets)()


def test_a_modem_that_no_driver_has_taken_is_told_apart(sockets):
    sockets.plug("1-1", EC25, plain=[0, 1, 2, 3])
    with pytest.raises(WiringError, match="no driver"):
        finder(sockets)()


def test_a_voice_port_that_comes_later_is_waited_for(sockets, modem):
    sockets.plug("1-1", SIM7600, ttys={2: modem.at})
    with pytest.raises(WiringError, match="may still come"):
        finder(sockets)()


def test_an_analog_modem_is_no_gsm_modem(sockets):
    sockets.plug("1-1", "0572:1329", ttys={0: ""})
    with pytest.raises(WiringError, match="HUC56S"):
        finder(sockets)()
    assert finder(sockets, kind=Kind.ANALOG)().family == "conexant"


def test_a_port_in_use_says_so(modem):
    with Interview(modem.at), pytest.raises(PortInUseError), Interview(modem.at):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not")
def test_a_port_that_this_user_may_not_open_says_so(modem):
    os.seteuid(NOBODY)
    try:
        with pytest.raises(PortForbiddenError), Interview(modem.at):
            pass
    finally:
        os.seteuid(0)
