"""The udev rules for modems: every known one is in them, each line is one that udev takes."""

import re
import shutil
import subprocess

import pytest

from hw.modems.known import KNOWN, Kind, Role
from provisioning import cli, udev

RULES = udev.rules()
LINES = [line for line in RULES.splitlines() if line and not line.startswith("#")]
PART = re.compile(r'([A-Z_]+)(\{[^}]+\})?(==|!=|\+=|=)"([^"]*)"')
MATCHES = {"ACTION", "SUBSYSTEM", "SUBSYSTEMS", "ATTRS", "TEST"}
SETS = {"GOTO", "LABEL", "GROUP", "MODE", "TAG", "SYMLINK", "ATTR"}


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.ident)
def test_modem_manager_is_kept_from_each_known_modem(known):
    line = f'ATTRS{{idVendor}}=="{known.vid}", ATTRS{{idProduct}}=="{known.pid}", ENV{{ID_MM_DEVICE_IGNORE}}="1"'
    assert LINES.count(line) == 1


@pytest.mark.parametrize("known", [one for one in KNOWN if one.roles], ids=lambda known: known.ident)
def test_the_ports_for_commands_and_voice_have_links(known):
    here = f'ATTRS{{idProduct}}=="{known.pid}", ENV{{.BOOTHPHONE_INTERFACE}}'
    links = {
        int(line.partition(f'{here}=="')[2][:2], 16): line.partition('SYMLINK+="')[2].rstrip('"')
        for line in LINES
        if here in line
    }
    wanted = {Role.AT: "boothphone/at", Role.PCM: "boothphone/pcm"} if known.kind is not Kind.ADAPTER else {}
    assert links == {number: wanted[role] for number, role in known.roles.items() if role in wanted}


@pytest.mark.parametrize("line", LINES)
def test_each_line_is_well_formed(line):
    """`key{attribute}operator"value"`, with commas between; the operator is one that this key takes."""
    parts = line.split(", ")
    for part in parts:
        whole = PART.fullmatch(part)
        assert whole, part
        key, operator = whole[1], whole[3]
        assert key in MATCHES | SETS | {"ENV"}, part
        assert (operator in {"==", "!="}) if key in MATCHES else (key == "ENV" or operator in {"=", "+="}), part


def test_every_jump_leads_somewhere():
    jumps, labels = (set(re.findall(rf'{word}="([^"]*)"', RULES)) for word in ("GOTO", "LABEL"))
    assert jumps == labels


def test_the_ports_are_for_people_and_never_sleep():
    assert 'SUBSYSTEM=="tty", GROUP="dialout", MODE="0660", TAG+="uaccess"' in LINES
    assert LINES[-3].endswith('ATTR{power/control}="on"')


def test_the_command_prints_them(capsys):
    assert cli.main(["udev"]) == 0
    assert capsys.readouterr().out == RULES


def test_udev_itself_takes_them(tmp_path):
    udevadm = shutil.which("udevadm")
    if not udevadm or subprocess.run([udevadm, "verify", "--help"], capture_output=True, check=False).returncode:
        pytest.skip("there is no udevadm that verifies (systemd 254 and later)")
    file = tmp_path / udev.FILE
    file.write_text(RULES, encoding="utf-8")
    run = subprocess.run([udevadm, "verify", str(file)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
