"""booth-provision server results: an office's own codes, taken in whole or not at all."""

from contextlib import closing

import pytest

from firmware import results
from provisioning import cli
from provisioning.server import parts
from provisioning.server.booths import office_results

OURS = results.OURS.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A server's directory, made once."""
    directory = tmp_path_factory.mktemp("office") / "server"
    assert cli.main(["server", "init", "--data", str(directory)]) == 0
    return directory


@pytest.fixture
def office(made, tmp_path, capsys):
    """Types `server results FILE` with such a file; the exit code, and what was said of it."""

    def take(text):
        file = tmp_path / "codes.toml"
        file.write_text(text, encoding="utf-8")
        capsys.readouterr()
        return cli.main(["server", "results", str(file), "--data", str(made)]), capsys.readouterr().err

    return take


def told(directory):
    with closing(parts.open_database(directory)) as database, database.read() as connection:
        return office_results(connection)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('ja = "成約"', "ja = 7", "(SALE): ja must be a short text"),
        ('key = "12"', 'key = "11"', "(APPO): key '11' is taken by"),
        ('suggest = ["busy"]', 'suggest = ["engaged"]', "(BUSY): suggest must be of"),
        ('suggest = ["busy"]', 'suggest = ["dead"]', "suggest dead is taken by"),
        ("box = 9\n", "", "no result has box 9"),
        ('code = "SKIP"', 'code = "SKIP', "line"),
    ],
)
def test_one_fault_refuses_the_whole_set_and_the_old_one_stays(office, made, old, new, said):
    good = OURS.replace('ja = "成約"', 'ja = "ご契約"')
    assert office(good)[0] == 0
    broken = OURS.replace(old, new, 1)
    assert broken != OURS
    code, error = office(broken.replace('ja = "断り"', 'ja = "お断り"'))
    assert code == 1
    assert "nothing was changed" in error
    assert said in error
    assert told(made) == good


def test_every_fault_is_told_with_its_line(office):
    broken = OURS.replace('ja = "成約"', "ja = 7").replace("most = 5", "most = 0")
    said = office(broken)[1].splitlines()[1:]
    assert [line.partition("(")[2].partition(")")[0] for line in said] == ["SALE", "ABS"]
    for line in said:
        assert OURS.splitlines()[int(line.split()[1]) - 1] == "[[result]]"
