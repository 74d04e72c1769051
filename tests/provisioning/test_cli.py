"""booth-provision as it is typed: key new, pin, and help that teaches."""

import os
import pty
import stat
import subprocess
import sys

import pyrage
import pytest

from firmware import pin
from provisioning import cli, keys

COMMAND = [sys.executable, "-m", "provisioning.cli"]


def test_a_key_pair_is_made_once(tmp_path, capsys):
    file = tmp_path / "office.key"
    assert cli.main(["key", "new", str(file)]) == 0
    public = capsys.readouterr().out.strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (identity,) = keys.load(file)
    assert str(identity.to_public()) == public
    assert pyrage.decrypt(pyrage.encrypt(b"x", [pyrage.x25519.Recipient.from_str(public)]), [identity]) == b"x"

    before = file.read_bytes()
    assert cli.main(["key", "new", str(file)]) == 1
    assert "never overwritten" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_key_files_that_are_none_are_refused_plainly(tmp_path, capsys):
    assert cli.main(["key", "new", str(tmp_path / "no" / "such")]) == 1
    assert "No such file" in capsys.readouterr().err
    journal = tmp_path / "x.journal"
    journal.write_bytes(b"x")
    for content, told in (
        (b"# only a comment\n", "no key"),
        (b"age1public", "no age key"),
        (b"\xff\xfe", "cannot be read"),
    ):
        (tmp_path / "bad.key").write_bytes(content)
        assert cli.main(["play", str(journal), "--key", str(tmp_path / "bad.key")]) == 1
        assert told in capsys.readouterr().err


def typed(*lines):
    """What `booth-provision pin` says on a terminal on which these lines are typed, and its exit code."""
    ours, theirs = pty.openpty()
    # setsid --ctty gives it a terminal of its own: getpass asks there and nowhere else.
    run = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *COMMAND, "pin"], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True
    )
    os.close(theirs)
    seen = b""
    for prompt, line in zip((b"PIN: ", b"Once more: "), lines, strict=False):
        while not seen.endswith(prompt):
            seen += os.read(ours, 100)
        os.write(ours, line.encode() + b"\n")
    out = run.communicate(timeout=20)[0]
    while True:
        try:
            more = os.read(ours, 1000)
        except OSError:  # its last user has gone
            break
        seen += more
    os.close(ours)
    return run.returncode, out.strip(), seen.decode()


@pytest.mark.slow
def test_a_pin_is_asked_twice_hidden_and_hashed():
    code, out, seen = typed("280414", "280414")
    assert code == 0
    assert pin.verify("280414", out)
    assert not pin.verify("280415", out)
    assert "280414" not in out + seen


@pytest.mark.slow
@pytest.mark.parametrize(("lines", "told"), [(("280414", "280415"), "differ"), (("12", "12"), "4 to 10 digits")])
def test_a_pin_that_will_not_do_is_refused(lines, told):
    code, out, seen = typed(*lines)
    assert (code, out) == (1, "")
    assert told in seen


@pytest.mark.parametrize("command", [[], ["key"], ["key", "new"], ["play"], ["pin"]])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([*command, "--help"])
    assert stopped.value.code == 0
    assert "example" in capsys.readouterr().out


def test_it_runs_as_a_module_and_names_what_is_missing():
    run = subprocess.run(COMMAND, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "COMMAND" in run.stderr
