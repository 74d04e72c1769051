"""The units, judged by systemd itself. None of them runs here: for that see test_booted.py."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from firmware import __main__ as booth
from firmware import sync
from hw import talkpath
from provisioning import cli, systemd

BIN = Path(sys.executable).parent
EXPOSED = {
    "booth": 11,  # it and sync ask the kernel about its clock
    "sync": 17,
    "server": 15,
    "retain": 15,
    "backup": 15,
}  # tenths of systemd's ten: "OK" ends at 40
PROGRAMS = {"booth": "booth", "sync": "booth-sync", "server": "booth-provision"}
PARSERS = {"booth": booth.parser, "booth-sync": sync.parser, "booth-provision": cli._parser}
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


@pytest.mark.parametrize("name", EXPOSED)
def test_they_ask_for_what_the_program_can_do(name):
    program, *said = re.search("^ExecStart=(.*)$", systemd.unit(name, BIN), re.MULTILINE)[1].split()
    options = PARSERS[Path(program).name]().parse_args(said)
    assert callable(getattr(options, "do", None) or options.run)


def test_a_reload_needs_nothing_but_a_shell():
    """Debian's smallest system has no /bin/kill."""
    said = re.search("^ExecReload=(.*)$", systemd.unit("server", BIN), re.MULTILINE)[1]
    assert shlex.split(said) == ["/bin/sh", "-c", "kill -HUP $MAINPID"]


@pytest.mark.parametrize("name", ["booth", "sync"])
def test_who_dates_things_may_ask_whether_the_clock_is_right(name):
    """What is said last holds; and ProtectClock would have the last word."""
    said = re.findall("^(SystemCallFilter|ProtectClock)=(.*)$", systemd.unit(name, BIN), re.MULTILINE)
    assert [key for key, _ in said if key == "ProtectClock"] == []
    refused = max(at for at, (_, value) in enumerate(said) if value.startswith("~"))
    assert {"adjtimex", "clock_adjtime"} <= {call for _, value in said[refused + 1 :] for call in value.split()}


def test_the_sound_of_a_call_may_go_first():
    """The talk path asks for it; where it is refused it goes on without a word."""
    said = systemd.unit("booth", BIN)
    assert f"LimitNICE={talkpath.URGENCY}\n" in said
    assert re.search("^SystemCallFilter=setpriority$", said, re.MULTILINE)


@pytest.mark.parametrize("name", ["server", "retain", "backup"])
def test_nobody_else_touches_the_clock(name):
    assert "ProtectClock=yes\n" in systemd.unit(name, BIN)


def test_each_group_of_the_booth_is_there():
    """A unit with a group that is not does not start."""
    wanted = re.search("^SupplementaryGroups=(.*)$", systemd.unit("booth", BIN), re.MULTILINE)[1].split()
    made = re.findall("^g ([a-z0-9]+) -$", systemd.unit("users", BIN), re.MULTILINE)
    assert {*made, "dialout", "audio"} == set(wanted)  # those two each Debian has


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


@pytest.mark.parametrize("home", systemd.HOMES)
def test_no_unit_is_printed_whose_programs_it_could_not_see(capsys, home):
    place = home / "someone" / "boothphone" / "bin"
    assert cli.main(["systemd", "booth", "--bin", str(place)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{place} lies in a home directory" in said.err


def test_nor_one_whose_python_it_could_not_see(capsys, tmp_path):
    away = systemd.HOMES[0] / "technician" / "python3"
    (tmp_path / "python").symlink_to(away)
    assert cli.main(["systemd", "booth", "--bin", str(tmp_path)]) == 1
    assert f"{away} lies in" in capsys.readouterr().err


def test_they_are_printed(capsys):
    assert cli.main(["systemd", "server", "--bin", "/opt/boothphone/bin"]) == 0
    assert "ExecStart=/opt/boothphone/bin/booth-provision server run" in capsys.readouterr().out
