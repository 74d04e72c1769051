"""The units under a systemd that boots: booth, sync and server in one container, set up as `systemd --help` teaches it.

Only the hardware is pretended, and only one thing is added to what is printed: a drop-in that puts it there. `make soak` only.
Not shown: DeviceAllow by real devices, SocketBindDeny (Debian 12's systemd has not got it), and what a container may not be
granted where it runs: MemoryMax, TasksMax, LimitNICE.
"""

import json
import re
import shlex
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from firmware.desk import ledger
from provisioning import systemd
from tests.provisioning.containers import PYTHON, Container, debian, lacking, until

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(bool(lacking()), reason=lacking() or "a container can be booted"),
]
BIN, SERVER = "/opt/boothphone/bin", "boothphone-server"
LASTING = {"booth": "booth", "sync": "booth-sync", "server": SERVER}
ALL = {**LASTING, "retain": "boothphone-retain", "backup": "boothphone-backup"}
MODEM = f"""
[Unit]
Before=booth.service
[Service]
Type=notify
RuntimeDirectory=pretended
ExecStart={BIN}/python /opt/pretended/pretended.py modem
[Install]
WantedBy=multi-user.target
"""
BEGIN = """
import sys
if "/opt/boothphone/bin/booth" in sys.orig_argv:
    import pretended
    pretended.begin()
"""
DROP_IN = f"""
[Service]
Environment=PYTHONPATH=/opt/pretended
ExecStartPre=+{BIN}/python /opt/pretended/pretended.py released
"""
DEVICE = """
booth = "3"
language = "en"
[line]
kind = "gsm"
family = "sim7600"
port = "/run/pretended/modem-at"
audio = "/run/pretended/modem-pcm"
[handset]
kind = "emulated"
[keypad]
kind = "matrix"
rows = [5, 6, 13, 19]
columns = [12, 16, 20, 21]
[hook]
kind = "cradle"
pin = 17
[lamps]
kind = "led"
line = 22
recording = 27
sync = 4
[screen]
kind = "emulated"
[recording]
recipients = ["{recipient}"]
[campaign]
packs = []
[clock]
trust = "system"
[[agent]]
id = "07"
name = "OP07"
"""
TALKATIVE = Path("/proc/sys/kernel/printk_ratelimit")  # 0: the kernel leaves out no line, however many there are
CLONE3 = "435"  # refused everywhere, so that namespaces can be; libc does without
PERSONAL = re.compile(r"1234-?56\d\d|Mizuho|Aoba|Kawaguchi|OP07|booth1:")


class Office:
    """A booth, its sync and its server, all in one container; and the hands of an agent."""

    def __init__(self, container):
        self.container = container
        self._install()
        taught = dict(re.findall(r"^On (a booth|the server).*:\n((?:  .*\n)+)", systemd._EXAMPLES, re.MULTILINE))
        users, booth = _until_line(taught["a booth"], "systemd-sysusers")
        self._do(users)
        self._do(taught["the server"])
        self._do("booth-provision systemd backup | tee /etc/systemd/system/boothphone-backup.service")
        recipient = re.search("age1[0-9a-z]+", (self.server / "recordings.key").read_text())[0]
        container.write("/etc/boothphone/device.toml", DEVICE.format(recipient=recipient))
        token = container.says("booth-provision token new Booth --url https://localhost:8443").strip()
        self._do(booth.replace("'booth1:…'", shlex.quote(token)))
        self.import_list()

    def _install(self):
        run, write, here = self.container.run, self.container.write, Path(__file__)
        run("python3 -m venv /opt/boothphone && pip install --quiet --no-index --no-deps /srv/product/wheels/*.whl")
        write("/etc/hosts", "127.0.0.1 localhost\n")
        write("/opt/pretended/pretended.py", here.with_name("pretended.py").read_text())
        write("/opt/pretended/sitecustomize.py", BEGIN)
        write("/etc/systemd/system/booth.service.d/pretended.conf", DROP_IN)
        write("/etc/systemd/system/modem.service", MODEM)
        run("systemctl daemon-reload; systemctl enable --now modem")

    def _do(self, lines):
        """As a person who is root."""
        for line in lines.splitlines():
            self.container.run(line.replace("sudo ", ""))

    def import_list(self):
        """While the booth runs, as root: what that makes has to be the booth's."""
        sample = Path(__file__).parents[2] / "firmware" / "desk" / "sample.en.csv"
        self.container.write("/tmp/sample.csv", sample.read_text())
        self.container.run("booth import /tmp/sample.csv; systemctl restart booth")

    @property
    def server(self):
        """The server's directory."""
        return self.container.root / "var/lib/boothphone-server"

    def scene(self):
        """Where the booth is that runs now; nothing while it has shown nothing."""
        try:
            told = json.loads((self.container.root / "var/lib/boothphone/scene").read_text())
        except FileNotFoundError:
            return {}
        return told if told["life"] == self.life("booth") else {}

    def life(self, unit):
        """Each start has a name of its own."""
        return self.container.says(f"systemctl show -P InvocationID {unit}").strip()

    def at(self, *states, **known):
        """Wait until the booth is in one of `states`."""

        def there():
            scene = self.scene()
            right = scene.get("state") in states and all(scene[name] == value for name, value in known.items())
            return scene if right else None

        return until(there, else_=self._told)

    def hands(self, *orders):
        """Press keys, lift, replace."""
        pipe = Path("/proc", str(self.container.leader), "root", "run", "pretended", "hands")
        for order in orders:
            with open(pipe, "w", encoding="ascii") as hands:  # noqa: PTH123  (a pipe: waits for the booth's hand)
                hands.write(f"{order}\n")

    def talk(self, seconds=4.0):
        """Call the next customer; the call, when both have talked."""
        self.at("LIST", "PREVIEW", signal=3, owed=False)
        self.hands("A")
        self.at("ARMED")
        self.hands("lift")
        until(lambda: self.scene().get("state") == "TALKING" and self.scene()["seconds"] >= seconds, else_=self._told)
        return self.scene()["call"]

    def _told(self):
        return f"{self.scene()}\n{self.container.says('journalctl -n 40 --no-pager')}"

    def end(self):
        """Put the handset down and key a result."""
        self.hands("replace")
        self.result()

    def result(self):
        """Key it."""
        self.at("WRAP_UP")
        self.hands("1")
        self.at("WRAP_UP", chosen=True)
        self.hands("A")
        self.at("PREVIEW", "LIST")

    def arrives(self, call):
        """The call on the server, as the booth has it."""
        entry = until(lambda: ledger.entry(self.server, call), else_=self._told)
        kept = self.container.root / f"var/lib/boothphone/recordings/{call}.journal"
        assert entry.said == entry.kept == _sha256(kept)
        return entry

    def restarted(self, unit, life):
        """Wait until `unit` is up again in another life."""
        until(lambda: self.life(unit) not in {"", life}, else_=self._told)
        until(lambda: self.container.says(f"systemctl is-active {unit}").strip() == "active", else_=self._told)


def _until_line(text, last):
    """What is before the end of the line with `last`, and what is after."""
    at = text.index("\n", text.index(last)) + 1
    return text[:at], text[at:]


def _sha256(path):
    return subprocess.run(["sha256sum", path], check=True, capture_output=True, text=True).stdout.split()[0]


@pytest.fixture(scope="module")
def office():
    """Booted once."""
    root = debian()
    if not (root / "usr/bin" / PYTHON).exists():
        pytest.skip(f"the tests run on {PYTHON}, which the Debian of this machine's sources has not")
    container = Container(root)
    try:
        yield Office(container)
    finally:
        container.stop()


@contextmanager
def refusals(of):
    """What the kernel refuses meanwhile to programs of these names, by the numbers of system calls."""
    found, before, usual = [], set(_kernel_log()), TALKATIVE.read_text()
    TALKATIVE.write_text("0")
    try:
        yield found
    finally:
        TALKATIVE.write_text(usual)
    lines = [line for line in _kernel_log() if line not in before and "type=1326" in line]
    if not lines:
        pytest.skip("the kernel's log tells nothing of refused system calls here")
    calls = [re.search(r'comm="([^"]+)".* syscall=(\d+)', line).groups() for line in lines]
    found += sorted({call for call in calls if call[0] in of and call[1] != CLONE3})


def _kernel_log():
    return subprocess.run(["dmesg"], check=True, capture_output=True, text=True).stdout.splitlines()


def test_all_are_up(office):
    for unit in LASTING.values():
        assert office.container.says(f"systemctl show -P Type,ActiveState {unit}").split() == ["notify", "active"], unit
    assert office.container.says("systemctl --failed --no-legend --plain") == ""
    assert (
        office.container.says("systemctl is-enabled boothphone-retain.timer booth booth-sync").split()
        == ["enabled"] * 3
    )
    assert office.at("LIST", "PREVIEW", dated=True)


def test_a_call_reaches_the_server(office):
    call = office.talk()
    office.end()
    assert office.arrives(call).state == "whole"
    office.at("LIST", "PREVIEW", synced=True)


@pytest.mark.parametrize("how", ["restart", "kill -s KILL", "kill -s KILL --kill-who=main"])
@pytest.mark.parametrize("unit", ["booth-sync", SERVER])
def test_in_the_middle_of_a_call_they_begin_anew(office, unit, how):
    call, life = office.talk(), office.life(unit)
    office.container.run(f"systemctl {how} {unit}")
    office.restarted(unit, life)
    office.end()
    assert office.arrives(call).state == "whole"


def test_the_server_begins_anew_with_no_gap(office):
    before = office.container.says(f"cat /sys/fs/cgroup/system.slice/{SERVER}.service/cgroup.procs").split()
    restarts = office.container.says(f"systemctl show -P NRestarts {SERVER}")
    call = office.talk()
    office.container.run(f"systemctl reload {SERVER}")
    office.end()
    assert office.arrives(call).state == "whole"

    def changed():
        now = office.container.says(f"cat /sys/fs/cgroup/system.slice/{SERVER}.service/cgroup.procs").split()
        return len(now) == len(before) and len(set(now) & set(before)) == 1

    until(changed)
    assert office.container.says(f"systemctl show -P NRestarts {SERVER}") == restarts


@pytest.mark.parametrize("how", ["restart", "kill -s KILL"])
def test_a_call_in_which_the_booth_ends_is_kept(office, how):
    call, life = office.talk(seconds=7.0), office.life("booth")
    office.container.run(f"systemctl {how} booth")
    office.restarted("booth", life)
    office.at("LIST", "PREVIEW", owed=True)
    office.hands("A")
    office.result()
    entry = office.arrives(call)
    assert entry.record["result"]["code"] == "SALE"
    assert entry.state == "whole"


def test_one_that_hangs_is_killed_and_started(office):
    for unit in LASTING.values():
        life = office.life(unit)
        began = time.monotonic()
        office.container.run(f"systemctl kill -s STOP --kill-who=main {unit}")
        office.restarted(unit, life)
        print(f"{unit}: up again {time.monotonic() - began:.0f} s after it stood still")
    office.at("LIST", "PREVIEW", signal=3)


def test_what_the_timers_start_comes_to_its_end(office):
    office.container.run("systemctl start boothphone-retain; rm -rf /var/backups/boothphone")
    assert office.container.run("systemctl start boothphone-backup", check=False).returncode != 0
    assert "/var/backups/boothphone" in office.container.says("journalctl -u boothphone-backup -o cat")
    office.container.run(f"install -d -m 0700 -o {SERVER} /var/backups/boothphone; systemctl start boothphone-backup")
    for unit in ("boothphone-retain", "boothphone-backup"):
        assert office.container.says(f"systemctl show -P Result {unit}").strip() == "success"
    office.container.run(f"setpriv --reuid={SERVER} --regid={SERVER} --clear-groups booth-provision server check")


def test_nothing_that_they_do_is_refused(office):
    with refusals({"booth", "booth-sync", "booth-provision", "python3", "sh"}) as found:
        office.container.run(f"systemctl restart booth booth-sync {SERVER}; systemctl reload {SERVER}")
        call = office.talk()
        office.end()
        office.arrives(call)
        office.container.run("systemctl start boothphone-retain; systemctl restart booth-sync")
        office.at("LIST", "PREVIEW", synced=True)
    assert found == []


TRIES = """
import ctypes, json, mmap, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def called(name, *given):
    if getattr(libc, name)(*given) == -1:
        raise OSError(ctypes.get_errno(), name)
tries = {
    "homes": lambda: os.listdir("/root"),
    "settings of the system": lambda: open("/etc/tried", "w"),
    "programs": lambda: open("/opt/boothphone/tried", "w"),
    "the server's secrets": lambda: open("/etc/boothphone/server.env"),
    "device.toml": lambda: open("/etc/boothphone/device.toml"),
    "the booth's data": lambda: open("/var/lib/boothphone/tried", "w"),
    "the server's data": lambda: open("/var/lib/boothphone-server/tried", "w"),
    "the network": lambda: socket.create_connection(("127.0.0.1", 8443), 5),
    "raw packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "the modem": lambda: os.close(os.open("/run/pretended/modem-pcm", os.O_RDWR | os.O_NOCTTY)),
    "sound": lambda: __import__("pyaudio").PyAudio().terminate(),
    "disks": lambda: open("/srv/disk", "rb"),
    "code in memory": lambda: mmap.mmap(-1, 4096, prot=7),
    "namespaces": lambda: called("unshare", 0x10000000),
    "root": lambda: os.setuid(0),
    "the clock": lambda: called("settimeofday", bytes(16), None),
    "asking the clock": lambda: called("adjtimex", ctypes.create_string_buffer(512)),
    "other processes": lambda: os.stat("/proc/1/stat"),
    "a place to write": lambda: open("/tmp/tried", "w"),
}
def may(tried):
    try:
        tried()
    except OSError:
        return False
    return True
print(json.dumps([name for name, tried in tries.items() if may(tried)]))
"""
ANYBODY = {"a place to write", "sound"}  # its library, which finds a card or none
MAY = {
    "booth": {"device.toml", "the booth's data", "the modem", "asking the clock"},
    "sync": {"device.toml", "the booth's data", "the network", "asking the clock"},
    "server": {"the server's data", "the network"},
    "retain": {"the server's data", "the network"},
    "backup": {"the server's data", "the network"},
}


@pytest.mark.parametrize("name", ALL)
def test_each_may_do_its_own_and_no_more(office, name):
    office.container.write("/opt/pretended/tries.py", TRIES)
    office.container.run(
        "test -e /srv/disk || mknod -m 666 /srv/disk b 254 0; install -m 600 /dev/null /etc/boothphone/server.env;"
        "install -d -m 700 /var/backups/boothphone; systemctl stop booth"
    )
    printed = systemd.unit(name, Path(BIN))
    kept = [line for line in printed.splitlines() if not re.match("Type|ExecReload|Restart|Watchdog|StartLimit", line)]
    unit = re.sub("(?m)^ExecStart=.*", f"Type=oneshot\nExecStart={BIN}/python /opt/pretended/tries.py", "\n".join(kept))
    office.container.write("/etc/systemd/system/tries.service", unit)
    office.container.run("systemctl daemon-reload; systemctl start tries; journalctl --sync")
    said = office.container.says("journalctl -o cat -u tries")
    office.container.run("systemctl start booth")
    assert set(json.loads(re.findall(r"^\[.*\]$", said, re.MULTILINE)[-1])) == MAY[name] | ANYBODY


def test_files_are_their_owners_alone(office):
    strange = office.container.says(
        "find /var/lib/boothphone ! -user boothphone; find /var/lib/boothphone-server ! -user boothphone-server"
    )
    assert strange == ""
    listed = office.container.says(
        "stat -c '%a %U' /var/lib/boothphone /var/lib/boothphone-server /etc/boothphone/device.toml"
    )
    assert listed.splitlines() == ["700 boothphone", f"700 {SERVER}", "640 root"]


def test_the_journal_names_nobody(office):
    call = office.talk()
    office.end()
    office.arrives(call)
    wanted = " ".join(f"-u {unit}" for unit in ALL.values())
    entries = [json.loads(line) for line in office.container.says(f"journalctl -o json {wanted}").splitlines()]
    said = [one for one in entries if one.get("_COMM") != "systemd"]
    assert len(said) > 5
    assert [one["MESSAGE"] for one in said if PERSONAL.search(one["MESSAGE"])] == []
    text = "\n".join(one["MESSAGE"] for one in said)
    assert "Traceback" not in text, text[text.index("Traceback") - 500 :][:3000]
    of_server = [one for one in said if one.get("_SYSTEMD_UNIT") == f"{SERVER}.service" and one["_COMM"] != "sh"]
    assert {json.loads(one["MESSAGE"])["level"] for one in of_server} <= {"INFO", "WARNING", "ERROR"}


def test_how_much_they_use_and_show(office):
    for unit in LASTING.values():
        script = f"cat /sys/fs/cgroup/system.slice/{unit}.service/cgroup.procs"
        sizes = [_most(office, process) for process in office.container.says(script).split()]
        limit = int(office.container.says(f"systemctl show -P MemoryMax {unit}"))
        print(f"{unit}: {sum(sizes) / 1e6:.0f} MB of {limit / 1e6:.0f}")
        assert sum(sizes) < limit
    for unit in ALL.values():
        print(office.container.says(f"systemd-analyze security --no-pager {unit} | tail -1").strip("→ \n"))


def _most(office, process):
    """Bytes that a process had in memory at most; what it shares counts fully."""
    status = office.container.says(f"cat /proc/{process}/status")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024


def test_after_a_reboot_all_is_as_before(office):
    office.at("LIST", "PREVIEW", synced=True)
    office.container.reboot()
    office.at("LIST", "PREVIEW", signal=3)
    call = office.talk()
    office.end()
    assert office.arrives(call).state == "whole"
