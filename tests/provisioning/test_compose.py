"""The compose file, as far as it can be judged without a daemon.

It was run whole once, by hand, where no registry can be reached: our image was built by its Containerfile, but stood on
Debian's Python 3.11; PostgreSQL was Debian's 17, and Swift stood for the store behind its own command line.
"""

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
STORES = ("store", "room", "bucket")  # those that are made of the store's image
WEED = """#!/bin/sh
# As the real one: whatever happens, it ends well.
echo "$*" >>"$LAB/words"
while read -r said; do
    case $said in
    s3.bucket.list) printf '> '; cat "$LAB/buckets" ;;
    's3.bucket.create -name boothphone') printf '  boothphone\\tsize:0\\n' >>"$LAB/$MAKES" ;;
    esac
done
"""


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
    assert service["security_opt"] == ["no-new-privileges=true"]
    assert {"mem_limit", "restart"} <= service.keys()
    assert not {"privileged", "env_file", "devices", "pid"} & service.keys()


@pytest.mark.parametrize("name", LASTING)
def test_whoever_lasts_is_looked_after(name):
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout"} <= SERVICES[name]["healthcheck"].keys()
    # After a power cut a database may have minutes of work before it answers; nobody may give it up meanwhile.
    assert SERVICES[name]["healthcheck"]["start_period"] == "300s"
    assert SERVICES[name]["stop_grace_period"] in {"30s", "60s"}
    assert SERVICES[name]["logging"]["options"].keys() == {"max-size", "max-file"}


def test_the_database_is_healthy_only_when_it_stays():
    """While the image makes a new database, PostgreSQL listens on its socket alone, and ends again."""
    assert "--host=127.0.0.1" in SERVICES["database"]["healthcheck"]["test"]


def test_nothing_of_the_stores_image_gets_into_its_volume_and_no_volume_is_left_behind():
    """The image has a folder in /data that is root's, and says that /data is to be a volume."""
    for name in ("store", "room"):
        (volume,) = SERVICES[name]["volumes"]
        assert volume == {"type": "volume", "source": "store", "target": "/data", "volume": {"nocopy": True}}
    assert "/data" in SERVICES["bucket"]["tmpfs"]
    assert {name for name, one in SERVICES.items() if "seaweedfs" in one["image"]} == set(STORES)


def test_what_the_server_needs_for_a_while_lies_on_a_disk():
    """`server check` lists a million files there, and `server restore --look-only` copies the whole database."""
    assert SERVICES["server"]["environment"] == {"TMPDIR": "/var/tmp"}
    assert "spare:/var/tmp" in SERVICES["server"]["volumes"]
    assert {"server", "spare", "database", "store"} == COMPOSE["volumes"].keys()


def test_the_store_works_on_a_small_disk_and_logs_to_docker_alone():
    command = SERVICES["store"]["command"]
    assert command[:2] == ["-logtostderr=true", "server"]
    assert "-master.volumeSizeLimitMB=1024" in command


@pytest.fixture
def bucket(tmp_path):
    """Run what makes the bucket, with our `weed` that keeps what it makes where `makes` says."""

    def run(makes, there=""):
        for name, text in {"weed": WEED, "sleep": "#!/bin/sh\n"}.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        (tmp_path / "buckets").write_text(there)
        words = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LAB": str(tmp_path), "MAKES": makes}
        done = subprocess.run(SERVICES["bucket"]["entrypoint"], check=False, env=words)
        return done.returncode, (tmp_path / "words").read_text().splitlines()

    return run


def test_the_bucket_is_made_once(bucket):
    assert bucket("buckets") == (0, ["shell -master=store:9333"] * 3)
    assert bucket("buckets", there="  boothphone\tsize:8\tchunk:1\n")[1] == ["shell -master=store:9333"] * 4


def test_a_bucket_that_cannot_be_made_keeps_the_server_from_starting(bucket):
    status, words = bucket("nowhere", there="  boothphones\tsize:0\n")
    assert (status, len(words)) == (1, 18)
    assert SERVICES["server"]["depends_on"]["bucket"] == {"condition": "service_completed_successfully"}


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
    kept_out = {"secrets/", "secrets.part/", "backups/", ".env"}
    assert kept_out <= set((ROOM / ".gitignore").read_text().split())
    sent = (ROOM / "Containerfile.dockerignore").read_text().split()
    assert {f"provisioning/compose/{one}" for one in ("secrets*", "backups", ".env")} <= set(sent)


def test_the_server_understands_its_secrets(made):
    said = words(made / "secrets" / "server.env")
    url = environment.database_url(Path("/nowhere"), said)
    assert (url.host, url.database, url.username) == ("database", "boothphone", "booth")
    assert url.password == (made / "secrets" / "database.password").read_text()
    assert said[archive.PLACE] == "s3://boothphone"
    assert {archive.ENDPOINT, archive.KEY, archive.SECRET} <= said.keys()


@pytest.fixture
def entry(tmp_path):
    """Run the image's booth-provision with this secret file; what it said."""
    data = tmp_path / "server"
    assert cli.main(["server", "init", "--data", str(data), "--announce"]) == 0

    def run(secret, *before):
        program = Path(sys.executable).with_name("booth-provision")
        there = {"PATH": os.environ["PATH"], "BOOTH_PROGRAM": str(program), "BOOTH_SECRETS": str(secret)}
        command = [*before, ROOM / "entry.sh", "server", "quota", "--data", data]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=there)
        assert done.returncode == 1
        return done.stderr

    return run


def test_the_entry_hands_them_on(entry, tmp_path):
    secret = tmp_path / "server.env"
    secret.write_text("BOOTH_DATABASE_URL=mysql://me:word@db/booths\n")
    said = entry(secret)
    assert "mysql" in said
    assert "word" not in said.replace("passwords", "")


def test_secrets_that_may_not_be_read_begin_no_second_server_on_files(entry, tmp_path):
    secret = tmp_path / "server.env"
    secret.touch(0)
    nobody = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []  # root without what root may
    assert "may not read" in entry(secret, *nobody)


def test_whoever_is_let_in_by_docker_exec_has_them_too():
    """`docker exec` passes by an image's entry: what it finds first under the program's name must be the same."""
    said = (ROOM / "Containerfile").read_text()
    assert "COPY provisioning/compose/entry.sh /usr/local/bin/booth-provision\n" in said
    assert "ENV PATH=$PATH:/opt/boothphone/bin " in said
    assert 'ENTRYPOINT ["booth-provision"]' in said
    assert os.access(ROOM / "entry.sh", os.X_OK)
    assert ":-/opt/boothphone/bin/booth-provision}" in (ROOM / "entry.sh").read_text()


def test_the_image_is_built_of_pinned_packages_and_runs_as_nobody_in_particular():
    said = (ROOM / "Containerfile").read_text()
    assert said.count("FROM python:3.12-slim-bookworm") == 2
    assert said.count("pip install") == said.count("--require-hashes") + said.count("--no-deps --no-build-isolation")
    assert said.index("USER 10001:10001") < said.index("ENTRYPOINT")
    for source in re.findall(r"^COPY (?!--from)(.*) \S+$", said, re.MULTILINE):
        for one in source.split():
            assert (ROOM.parent.parent / one).exists(), one
