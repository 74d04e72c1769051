"""The compose file, as far as it can be judged without a daemon: it has never met one here."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from provisioning import cli
from provisioning.server import archive, environment

ROOM = Path(cli.__file__).parent / "compose"
TEXT = (ROOM / "compose.yaml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
LASTING = ("server", "database", "store")


@pytest.fixture
def made(tmp_path):
    """A copy of the folder, with secrets made."""
    place = tmp_path / "compose"
    shutil.copytree(ROOM, place)
    subprocess.run([place / "secrets.sh"], check=True, capture_output=True)
    return place


def words(file):
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_may_do_next_to_nothing(name):
    service = SERVICES[name]
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+[\w.-]*", service["image"])
    assert service["user"].startswith("0:") is (name == "room")
    assert service.get("cap_add", []) == (["CHOWN"] if name == "room" else [])
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "restart"} <= service.keys()
    assert not {"privileged", "env_file", "devices", "pid"} & service.keys()


@pytest.mark.parametrize("name", LASTING)
def test_whoever_lasts_is_looked_after(name):
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "start_period"} <= SERVICES[name]["healthcheck"].keys()


def test_only_the_server_is_reached_from_outside_and_its_pages_only_from_here():
    assert SERVICES["server"]["ports"] == ["8443:8443", "127.0.0.1:8080:8080"]
    assert not [name for name, one in SERVICES.items() if "ports" in one and name != "server"]
    assert not [name for name, one in SERVICES.items() if "outside" in one.get("networks", []) and name != "server"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_its_command_is_one_that_the_program_takes():
    command = [re.sub(r"\$\{[^}]*\}", "host.example", str(one)) for one in SERVICES["server"]["command"]]
    options = cli._parser().parse_args(command)
    assert (options.api, options.pages, options.url) == (
        ("0.0.0.0", 8443),
        ("0.0.0.0", 8080),
        "https://host.example:8443",
    )


def test_secrets_are_random_made_once_and_in_no_file_of_ours(made):
    files = {one: made / told["file"] for one, told in COMPOSE["secrets"].items()}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files.values())
    assert {one for service in SERVICES.values() for one in service.get("secrets", [])} == files.keys()
    said = words(files["server.env"])
    secrets = (files["database.password"].read_text(), said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"])
    assert len(set(secrets)) == 3
    assert all(re.fullmatch("[0-9a-f]{48}", secret) for secret in secrets)
    assert not [one for one in secrets if one in TEXT]
    store = yaml.safe_load(files["store.json"].read_text())["identities"][0]["credentials"]
    assert store == [{"accessKey": secrets[1], "secretKey": secrets[2]}]
    again = subprocess.run([made / "secrets.sh"], check=False, capture_output=True, text=True)
    assert again.returncode == 1
    assert "already" in again.stderr
    assert words(files["server.env"]) == said
    assert {"secrets/", "backups/"} <= set((ROOM / ".gitignore").read_text().split())


def test_the_server_understands_its_secrets(made):
    said = words(made / "secrets" / "server.env")
    url = environment.database_url(Path("/nowhere"), said)
    assert (url.host, url.database, url.username) == ("database", "boothphone", "booth")
    assert url.password == (made / "secrets" / "database.password").read_text()
    assert said[archive.PLACE] == "s3://boothphone"
    assert {archive.ENDPOINT, archive.KEY, archive.SECRET} <= said.keys()


def test_the_entry_hands_them_on(tmp_path):
    secret = tmp_path / "server.env"
    secret.write_text("BOOTH_DATABASE_URL=mysql://me:word@db/booths\n")
    data = tmp_path / "server"
    assert cli.main(["server", "init", "--data", str(data), "--announce"]) == 0
    there = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "BOOTH_SECRETS": str(secret)}
    command = ["/bin/sh", ROOM / "entry.sh", "server", "quota", "--data", data]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=there)
    assert done.returncode == 1
    assert "mysql" in done.stderr
    assert "word" not in done.stderr.replace("passwords", "")


def test_the_image_is_built_of_pinned_packages_and_runs_as_nobody_in_particular():
    said = (ROOM / "Containerfile").read_text()
    assert said.count("FROM python:3.12-slim-bookworm") == 2
    assert "--require-hashes" in said
    assert said.index("USER 10001:10001") < said.index("ENTRYPOINT")
    for source in re.findall(r"^COPY (?!--from)(.*) \S+$", said, re.MULTILINE):
        for one in source.split():
            assert (ROOM.parent.parent / one).exists(), one
