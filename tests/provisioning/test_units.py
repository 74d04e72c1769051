"""The units, judged by systemd itself. No systemd runs here: that a booth works in its sandbox is shown only in part."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning import cli, systemd

BIN = Path(sys.executable).parent
EXPOSED = {
    "booth": 10,
    "sync": 15,
    "server": 15,
    "retain": 15,
    "backup": 15,
}  # tenths of systemd's ten: "OK" ends at 40
PROGRAMS = {"booth": "booth", "sync": "booth-sync", "server": "booth-provision"}
MDWE = """
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All units as they lie in /etc/systemd/system."""
    made = tmp_path_factory.mktemp("units")
    for name, file in systemd.FILES.items():
        place = made / (f"boothphone-{file}" if name.startswith(("retain", "backup")) else file)
        place.write_text(systemd.unit(name, BIN))
    return made


def test_systemd_has_nothing_to_say_about_them(folder):
    units = sorted([*folder.glob("*.service"), *folder.glob("*.timer")])
    assert len(units) == len(systemd.FILES) - 1
    done = subprocess.run(["systemd-analyze", "verify", *units], check=False, capture_output=True, text=True)
    assert (
        done.returncode,
        [line for line in done.stderr.splitlines() if str(folder) in line or "boothphone" in line],
    ) == (0, [])


@pytest.mark.parametrize("name", EXPOSED)
def test_they_are_exposed_to_next_to_nothing(folder, name):
    (place,) = folder.glob(f"*{name}.service")
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSED[name]}", place]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={"LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, done.stdout[-600:]


@pytest.mark.parametrize("name", EXPOSED)
def test_each_is_held_to_its_room(name):
    said = dict(re.findall(r"^(\w+)=(.*)$", systemd.unit(name, BIN), re.MULTILINE))
    for key, value in {
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "UMask": "0077",
        "CapabilityBoundingSet": "",
    }.items():
        assert said[key] == value
    assert said["User"] in {"boothphone", "boothphone-server"}
    assert "MemoryMax" in said
    if said["Type"] == "notify":
        assert said["Restart"] == "always"
        assert int(said["WatchdogSec"]) > 0
    assert Path(said["ExecStart"].split()[0]).is_file()


@pytest.mark.parametrize("name", ["server", "retain", "backup"])
def test_they_ask_for_what_the_program_can_do(name):
    said = re.search("^ExecStart=(.*)$", systemd.unit(name, BIN), re.MULTILINE)[1].split()
    assert cli._parser().parse_args(said[1:]).run is not None


def test_the_booth_opens_no_way_to_a_network_and_the_others_no_device():
    booth = systemd.unit("booth", BIN)
    assert "RestrictAddressFamilies=AF_UNIX\n" in booth
    assert "IPAddressDeny=any\n" in booth
    assert "PrivateNetwork=yes\n" in booth
    assert "DevicePolicy=closed\n" in booth
    for name in ("sync", "server", "retain", "backup"):
        assert "PrivateDevices=yes\n" in systemd.unit(name, BIN)
        assert "DeviceAllow" not in systemd.unit(name, BIN)


@pytest.mark.parametrize("name", ["booth", "sync"])
def test_who_dates_things_may_read_which_boot_this_is(name):
    """/proc/sys/kernel/random/boot_id: with ProcSubset=pid there is none."""
    assert "ProcSubset=pid" not in systemd.unit(name, BIN)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_programs_need_no_memory_that_is_written_and_executed(name):
    command = [sys.executable, "-c", MDWE, BIN / PROGRAMS[name], "--help"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_they_are_printed(capsys):
    assert cli.main(["systemd", "server", "--bin", "/opt/boothphone/bin"]) == 0
    assert "ExecStart=/opt/boothphone/bin/booth-provision server run" in capsys.readouterr().out
