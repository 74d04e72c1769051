"""A small Debian with a systemd of its own, in a container: where units are booted. It needs root, and two packages."""

import hashlib
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.backends import Kept, directory

PATIENCE = 120.0  # seconds for whatever a machine that is busy must come to
PACKAGES = "systemd,systemd-sysv,dbus,udev,python3,python3-venv,libopus0,libportaudio2"
ENTRIES = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
CLEAN = {"PATH": "/opt/boothphone/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
ROOT = Path(__file__).parents[2]
SOURCES = ("hw", "firmware", "provisioning", "pyproject.toml", "README.md", "LICENSE")
PYTHON = f"python3.{sys.version_info.minor}"
# Devices and sockets are filtered by BPF in the second hierarchy of control groups; what is refused is told to the kernel's log.
NSPAWN = ["systemd-nspawn", "--boot", "--quiet", "--register=no", "--keep-unit", "--console=pipe", "--private-network"]
NSPAWN += ["--capability=all", "--system-call-filter=bpf", "--setenv=SYSTEMD_LOG_SECCOMP=1", "--machine=booth"]


# One that reboots ends with 133, for whoever watches over it to start it again.
WATCHED = "trap 'kill $child; wait $child; exit' TERM; while \"$@\" & child=$!; wait $child; [ $? = 133 ]; do :; done"


def lacking():
    """Why no container can be booted here; empty when one can."""
    if os.geteuid() != 0:
        return "only root can boot a container"
    programs = {
        "systemd-nspawn": "systemd-container",
        "mmdebstrap": "mmdebstrap",
        "apt-get": "apt",
        "nsenter": "util-linux",
    }
    missing = [package for program, package in programs.items() if shutil.which(program) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


def until(true, patience=PATIENCE, else_=lambda: ""):
    """Poll a condition; what it came to."""
    ends = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < ends, else_() or "it never came true"
        select.select([], [], [], 0.05)
    return found


def debian():
    """The root of a small system of this machine's own release and sources, made once and kept in the temporary folder."""
    codename = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines())["VERSION_CODENAME"]
    listed = ["apt-get", "indextargets", "--format", ENTRIES, "Created-By: Packages", "Origin: Debian"]
    entries = subprocess.run(listed, check=True, capture_output=True, text=True).stdout
    told = hashlib.sha256(f"{codename} {PACKAGES}".encode()).hexdigest()[:12]
    kept = Path(tempfile.gettempdir()) / f"booth-debian-{told}"
    if not kept.exists():
        new = Path(tempfile.mkdtemp(prefix="booth-debian-new-"))
        make = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", codename, new / "root", "-"]
        subprocess.run(make, check=True, input=entries, text=True)
        (new / "root").rename(kept)
        new.rmdir()
    return kept


def wheels(place):
    """The product as it stands here, and what it is pinned to, to be installed where there is no network."""
    source = place / "source"
    source.mkdir(parents=True)
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--wheel-dir", place / "wheels"]
    pins, sound = source / "provisioning" / "requirements", place / "sound.txt"
    sound.write_text(re.search(r"(?m)^pyaudio==(?:.*\\\n)+.*\n", (pins / "test.txt").read_text())[0])
    for file in (pins / "demo.txt", sound):
        subprocess.run([*pip, "--require-hashes", "--requirement", file], check=True)
    subprocess.run([*pip, "--no-build-isolation", source], check=True)
    return place / "wheels"


class Container:
    """A booted copy of a root, in which the product is installed as the Containerfile does it."""

    def __init__(self, root):
        place = directory("root")
        place.chmod(0o755)
        self.root = place / "root"
        subprocess.run(["cp", "--archive", "--reflink=auto", root, self.root], check=True)
        wheels(self.root / "srv" / "product")
        watched = ["env", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1", "sh", "-c", WATCHED, "sh"]
        self._kept = Kept(place, [*watched, *NSPAWN, f"--directory={self.root}"])
        self.booted()

    def booted(self, *, before=None):
        """Until systemd has started what there is to start; `before` is one that has to go first."""
        self.leader = until(lambda: self._systemd(before), else_=self._kept.log.read_text)
        until(lambda: self.says("systemctl is-system-running").strip() in {"running", "degraded"})

    def _systemd(self, before):
        """The first process inside: a child of nspawn, which two shells watch over."""
        ours = [self._kept._process.pid]
        for _ in range(3):
            ours = [child for one in ours for child in _children(one)]
        return next((one for one in ours if one != before and _name(one) == "systemd"), None)

    def run(self, script, *, check=True):
        """A shell script, as root inside."""
        enter = ["nsenter", f"--target={self.leader}", "--all", "sh", "-ec", script]
        done = subprocess.run(enter, check=False, capture_output=True, text=True, env=CLEAN, timeout=PATIENCE)
        assert done.returncode == 0 or not check, f"{script}\n{done.stdout}{done.stderr}"
        return done

    def says(self, script):
        """What it prints, whatever becomes of it."""
        return self.run(script, check=False).stdout

    def write(self, path, text):
        """A file inside."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def reboot(self):
        """All over again."""
        before = self.leader
        self.run("systemctl reboot")
        self.booted(before=before)

    def stop(self):
        """Switch it off and throw it away."""
        if Path(f"/proc/{self.leader}").exists():
            os.kill(self.leader, signal.SIGRTMIN + 4)  # power off
            until(lambda: not Path(f"/proc/{self.leader}").exists())
        self._kept.stop()


def _name(process):
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except FileNotFoundError:
        return ""


def _children(process):
    try:
        tasks = list(Path(f"/proc/{process}/task").glob("*/children"))
        return [int(child) for task in tasks for child in task.read_text().split()]
    except FileNotFoundError:
        return []
