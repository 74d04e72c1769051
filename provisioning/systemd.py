"""`booth-provision systemd`: the units under which systemd runs booth, sync and server, each in a sandbox of its own."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

UNITS: Final = Path(__file__).parent / "units"
FILES: Final[Mapping[str, str]] = {
    "booth": "booth.service",
    "sync": "sync.service",
    "server": "server.service",
    "retain": "retain.service",
    "retain-timer": "retain.timer",
    "backup": "backup.service",
    "backup-timer": "backup.timer",
    "users": "users.conf",
}
_SANDBOX: Final = "sandbox.conf"
HOMES: Final = (Path("/home"), Path("/root"), Path("/run/user"))  # as ProtectHome=yes has it
_EXAMPLES: Final = """\
The programs must lie outside of home directories, which no unit sees: in /opt/boothphone, for example.

On a booth:
  booth-provision systemd users | sudo install -D -m 644 /dev/stdin /etc/sysusers.d/boothphone.conf
  sudo systemd-sysusers
  booth-provision systemd booth | sudo tee /etc/systemd/system/booth.service
  booth-provision systemd sync | sudo tee /etc/systemd/system/booth-sync.service
  sudo chgrp boothphone /etc/boothphone/device.toml && sudo chmod 640 /etc/boothphone/device.toml
  sudo booth-sync enrol 'booth1:…'
  sudo systemctl enable --now booth booth-sync

On the server, with users as above:
  booth-provision systemd server | sudo tee /etc/systemd/system/boothphone-server.service
  booth-provision systemd retain | sudo tee /etc/systemd/system/boothphone-retain.service
  booth-provision systemd retain-timer | sudo tee /etc/systemd/system/boothphone-retain.timer
  sudo booth-provision server init
  sudo systemctl enable --now boothphone-server boothphone-retain.timer
and `backup`, `backup-timer` likewise; that timer stays off until a place for backups is mounted.
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command line of `booth-provision systemd`."""
    parser = commands.add_parser(
        "systemd",
        help="print a unit for systemd",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("unit", choices=FILES, metavar="UNIT", help=", ".join(FILES))
    parser.add_argument("--bin", type=Path, default=_here(), metavar="DIR", help="where the programs are (%(default)s)")
    parser.set_defaults(run=show)


def show(options: argparse.Namespace) -> int:
    """`systemd UNIT`."""
    if hidden := _hidden(options.bin):
        sys.stderr.write(f"booth-provision: {hidden} lies in a home directory, which no unit sees; see --help\n")
        return 1
    sys.stdout.write(unit(options.unit, options.bin))
    return 0


def unit(name: str, programs: Path) -> str:
    """The whole file."""
    sandbox = (UNITS / _SANDBOX).read_text(encoding="utf-8")
    text = (UNITS / FILES[name]).read_text(encoding="utf-8")
    return text.replace("{bin}", str(programs)).replace("{sandbox}", sandbox)


def _hidden(programs: Path) -> Path | None:
    """What no unit could run, of the programs and the Python that they lead to."""
    needed = (programs.absolute(), (programs / "python").resolve())
    return next((path for path in needed for home in HOMES if path.is_relative_to(home)), None)


def _here() -> Path:
    """Beside the Python that runs this: not where a link to it leads."""
    return Path(sys.executable).parent
