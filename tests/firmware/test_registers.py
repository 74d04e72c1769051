"""Do-not-call registers: what is taken in, what is refused, and that there is always a whole one."""

import codecs
import io
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.__main__ import main
from firmware.intake import Sorter
from firmware.numbers import NumberError, parse
from firmware.registerfile import HOPELESS, RegisterFile, RegisterFileError
from firmware.registers import RegisterError, Registers
from firmware.settings import EXAMPLE_RECIPIENT, example
from firmware.store import CardError
from tests import bench_guard

ROOT = Path(__file__).parents[2]
VICTIM = Path(__file__).with_name("register_victim.py")
RECIPIENT = str(pyrage.x25519.Identity.generate().to_public())
HOUSE = {**os.environ, "PYTHONPATH": str(ROOT)}
ASOF = 1.7e9
FIRST, SECOND, MOBILE = "+81312345601", "+81312345602", "+819012345603"
ALL = (FIRST, SECOND, MOBILE)


def unwatched(_step: str, _count: int) -> None:
    """Nobody looks."""


@pytest.fixture
def registers(tmp_path: Path):
    """The registers of a booth."""
    ours = Registers(tmp_path)
    yield ours
    ours.close()


@pytest.fixture
def take(tmp_path: Path, registers: Registers):
    """Take in a text or bytes."""

    def take_it(content: str | bytes, country: str = "JP", name: str = "tps"):
        path = tmp_path / "register.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return registers.take([path], name, country, ASOF, unwatched)

    return take_it


def held(registers: Registers, *keys: str) -> list[str]:
    return [key for key in keys if registers.listed(key, ("tps",))]


def test_a_register_is_asked_by_the_number_of_a_call(registers, take) -> None:
    taken = take("03-1234-5601\n090-1234-5603\n")
    assert (taken.rows, taken.duplicates, taken.faulty, taken.faults) == (2, 0, 0, ())
    assert [(one.name, one.asof, one.count) for one in registers.known()] == [("tps", ASOF, 2)]
    assert registers.listed(parse("０３（１２３４）５６０１").key, ("tps",)) == ("tps",)
    assert registers.listed(SECOND, ("tps",)) == ()
    assert registers.listed("110", ("tps",)) == ()  # no E.164: an emergency number is on no register


def test_no_register_at_all(registers) -> None:
    assert (registers.names(), registers.known(), registers.listed(FIRST, ("tps",))) == ((), (), ())


def test_a_number_is_looked_up_in_the_registers_that_are_named(registers, take) -> None:
    take("03-1234-5601\n")
    take("03-1234-5601\n03-1234-5602\n", name="association")
    assert registers.listed(FIRST, ("association", "tps", "absent")) == ("association", "tps")
    assert registers.listed(FIRST, ("association",)) == ("association",)
    assert [(one.name, listed) for one, listed in registers.look_up(SECOND, ("tps", "association", "absent"))] == [
        ("tps", False),
        ("association", True),
    ]


PLAIN = "0312345601\n0312345602\n09012345603\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.rstrip(),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace("\n", "\n\n  \n"),
        PLAIN + PLAIN,
        "電話番号\n" + PLAIN,
        "Number\n" + PLAIN,
        "312345601\n312345602\n9012345603\n",
        "+81312345601\n+81312345602\n+819012345603\n",
        "+81 (3) 1234-5601\n+81-3-1234-5602\n+81 90 1234 5603\n",
        " 03 1234 5601 \n(03)1234-5602\n090-1234-5603\n",
        "０３－１２３４－５６０１\n０３（１２３４）５６０２\n０９０１２３４５６０３\n",
        "03.1234.5601\n\t0312345602\n電話：090-1234-5603\n",
        "0312345601,a\n0312345602,b\n09012345603,c\n",
        "0312345601,\n0312345602,\n09012345603,\n",
        '"0312345601"\n"0312345602"\n"09012345603"\n',
        'id,"name",tel\n1,"a, b",03-1234-5601\n2,c,0312345602\n3,"d""e",090-1234-5603\n',
        "name\ttel\nx\t0312345601\ny\t0312345602\nz\t09012345603\n",
        "x;0312345601\ny;0312345602\nz;09012345603\n",
        "fax,phone\n0312345699,0312345601\n0312345698,0312345602\n0312345697,09012345603\n",
        "03,12345601\n03,12345602\n090,12345603\n",
        codecs.BOM_UTF8 + PLAIN.encode(),
        codecs.BOM_UTF16_LE + PLAIN.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + ("番号\r\n" + PLAIN).encode("utf-16-be"),
        "氏名,電話\n川口,０３－１２３４－５６０１\n表,０３－１２３４－５６０２\n能,０９０－１２３４－５６０３\n".encode(
            "cp932"
        ),
    ],
)
def test_every_way_of_writing_is_read(registers, take, content) -> None:
    taken = take(content)
    assert held(registers, *ALL) == list(ALL)
    assert (taken.register.count, taken.faulty) == (3, 0)


@pytest.mark.parametrize(
    ("country", "code", "national"),
    [
        ("US", "1", "201"),
        ("CA", "1", "416"),
        ("GB", "44", "20"),
        ("FR", "33", "1"),
        ("DE", "49", "30"),
        ("AU", "61", "2"),
    ],
)
def test_other_countries(registers, take, country: str, code: str, national: str) -> None:
    rest = "23456789012"[: {"DE": 10, "GB": 10, "US": 10, "CA": 10}.get(country, 9) - len(national)]
    zero = "" if code == "1" else "0"
    lines = (
        f"{zero}{national}{rest}",
        f"{zero}{national} {rest}",
        f"+{code}{national}{rest}",
        f"({zero}{national}) {rest}",
    )
    assert take("\n".join(lines), country).register.count == 1
    assert held(registers, f"+{code}{national}{rest}")


def test_an_area_code_in_a_column_of_its_own(registers, take) -> None:
    """The form in which the American registry is handed out."""
    area, rest = "201", "2345678"
    assert take(f"{area},{rest}\n{area},{int(rest) + 1}\n", "US").rows == 2
    assert held(registers, f"+1{area}{rest}")


def test_a_country_of_which_no_plain_form_is_known(registers, take) -> None:
    number = "0" + "2" + "3456" + "7890"  # Rome: the zero belongs to it
    take(f"{number}\n", "IT")
    assert held(registers, f"+39{number}")


def test_several_files_are_one_register(registers, tmp_path: Path) -> None:
    for name, text in (("a", "03-1234-5601\n03-1234-5602\n"), ("b", "Tel\n03-1234-5602\nx,y\n090-1234-5603\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    taken = registers.take([tmp_path / "a", tmp_path / "b"], "tps", "JP", ASOF, unwatched)
    assert (taken.rows, taken.duplicates, taken.faulty) == (4, 1, 1)
    assert [(fault.file, fault.line) for fault in taken.faults] == [("b", 3)]


def test_faulty_lines_are_told_and_never_shown(take) -> None:
    taken = take(PLAIN * 20 + "0312345601 x9z\n" * 15 + "31\n" * 15)
    assert (taken.rows, taken.faulty, len(taken.faults)) == (60, 30, 20)
    first, last = taken.faults[0], taken.faults[-1]
    assert (first.line, first.reason) == (61, "there are letters in the number")
    assert (last.line, last.reason) == (80, "the number is too short") or last.reason == "the area code is missing"
    assert "0312345601" not in str(taken.faults)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "no line is a telephone number"),
        ("\n \n", "no line is a telephone number"),
        ("110\n119\n", "no line is a telephone number"),
        ("Number\n", "no line is a telephone number"),
        (PLAIN + "1\n2\n3\n4\n", "4 of 7 lines are no telephone numbers"),
        ("nobody\n" * (HOPELESS + 1000), "hold no telephone number"),
        ("1" * 600_000, "this is no list of numbers"),
        (PLAIN + "1" * 600_000, "this is no list of numbers"),
        (b"PK\x03\x04rest", "unpack it"),
        (b"\x1f\x8brest", "unpack it"),
        (b"\0\1\2", "is no text file"),
    ],
)
def test_what_is_no_register_changes_nothing(registers, take, content, told: str) -> None:
    take("03-1234-5601\n")
    with pytest.raises(RegisterFileError, match=told):
        take(content)
    assert held(registers, *ALL) == [FIRST]


def test_half_of_the_lines_may_be_faulty(take) -> None:
    assert take(PLAIN + "1\n2\n3\n").faulty == 3


def test_a_register_of_tomorrow_is_refused(registers, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(PLAIN, encoding="utf-8")
    with pytest.raises(RegisterFileError, match="lies in the future"):
        registers.take([tmp_path / "file"], "tps", "JP", time.time() + 3 * 86400, unwatched)


@pytest.mark.parametrize("name", ["", "../tps", "TPS", "a b", "x" * 33, "-x"])
def test_a_name_is_no_path(take, name: str) -> None:
    with pytest.raises(RegisterError, match="no possible name"):
        take(PLAIN, name=name)


@pytest.mark.parametrize("piece", range(40, 80, 3))
def test_a_file_may_be_cut_anywhere(tmp_path: Path, piece: int) -> None:
    path = tmp_path / "file"
    path.write_text(
        "Tel\r\n" + ("0312345601\r\n+81 3 1234 5602\r\n\r\nnone\r\n０９０１２３４５６０３\r\n" * 7), encoding="utf-8"
    )
    file = RegisterFile(path, "JP", piece)
    numbers = [number for some in file.pieces() for number in some]
    assert numbers == [int(key[1:]) for key in ALL] * 7
    assert (file.good, file.faulty, [fault.line for fault in file.faults]) == (21, 7, [5 + 5 * n for n in range(7)])


@settings(max_examples=100, deadline=None)
@given(numbers=st.lists(st.integers(1, 10**15), max_size=3000), run=st.integers(1, 900))
def test_numbers_in_any_order_come_out_in_order_and_once(tmp_path_factory, numbers, run) -> None:
    sorter = Sorter(tmp_path_factory.getbasetemp(), run)
    for at in range(0, len(numbers), 7):
        sorter.add(numbers[at : at + 7])
    assert [number for some in sorter.ordered() for number in some] == sorted(set(numbers))
    assert sorter.runs <= len(numbers) // run + 1
    sorter.close()


def test_one_number_a_million_times(tmp_path: Path) -> None:
    sorter = Sorter(tmp_path, 10)
    for _ in range(1000):
        sorter.add(range(5))
        sorter.add(range(100, 120))
    assert [number for some in sorter.ordered() for number in some] == [*range(5), *range(100, 120)]
    sorter.close()


digits = st.text("0123456789", min_size=7, max_size=11)


def spelt(before: str, number: str, mark: str, at: int, *, wide: bool) -> str:
    """A number as somebody may write it."""
    plain = before + number[:at] + mark + number[at:]
    return plain.translate({ord("0") + n: ord("０") + n for n in range(10)}) if wide else plain


written = st.builds(
    spelt,
    st.sampled_from(["", "0", "+81", "+44", "+1", "+", "00", "1", "184", "+33", "0x", "０"]),
    digits,
    st.sampled_from(["", "", "-", " ", "(", ") ", ".", "/", "+", "内線"]),
    st.integers(0, 6),
    wide=st.sampled_from([False, False, False, True]),
)


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(written, max_size=40), country=st.sampled_from(["JP", "US", "GB", "DE", "FR", "AU", "CA", "IT"]))
def test_a_register_lists_what_the_booth_would_dial(tmp_path_factory, lines: list[str], country: str) -> None:
    keys, faulty = set(), 0
    for line in lines:
        try:
            key = parse(line, country).key
        except NumberError:
            key = ""
        if key.startswith("+"):
            keys.add(key)
        else:
            faulty += 1
    sample = {"JP": "+81312345601"}.get(country, "+81312345602")
    directory = tmp_path_factory.mktemp("generated")
    (directory / "file").write_text("\n".join([sample, *lines]), encoding="utf-8")
    registers = Registers(directory)
    if 2 * faulty > len(lines) + 1:
        with pytest.raises(RegisterFileError):
            registers.take([directory / "file"], "tps", country, ASOF, unwatched)
        return
    taken = registers.take([directory / "file"], "tps", country, ASOF, unwatched, run=5)
    keys.add(sample)
    assert (taken.faulty, taken.register.count) == (faulty, len(keys))
    assert held(registers, *sorted(keys)) == sorted(keys)
    assert held(registers, *(f"+{int(key[1:]) + 1}" for key in keys if f"+{int(key[1:]) + 1}" not in keys)) == []
    registers.check("tps")
    registers.close()


def test_a_new_register_is_seen_at_the_next_question(registers, take) -> None:
    take("03-1234-5601\n")
    assert held(registers, *ALL) == [FIRST]
    take("03-1234-5602\n")
    assert held(registers, *ALL) == [SECOND]


def broken(path: Path, how: str) -> None:
    data = path.read_bytes()
    page = 4096
    path.write_bytes(
        {
            "empty": b"",
            "cut in its first page": data[:1000],
            "cut by a page": data[:-page],
            "cut by a byte": data[:-1],
            "overwritten": b"x" * len(data),
            "zeroed behind its head": data[:page] + bytes(len(data) - page),
            "longer": data + b"x",
        }[how]
    )


@pytest.mark.parametrize(
    "how",
    [
        "empty",
        "cut in its first page",
        "cut by a page",
        "cut by a byte",
        "overwritten",
        "zeroed behind its head",
        "longer",
    ],
)
def test_a_broken_register_is_never_not_listed(registers, take, tmp_path: Path, how: str) -> None:
    take(PLAIN)
    broken(tmp_path / "registers" / "tps.db", how)
    with pytest.raises(RegisterError, match=r"the register tps .*booth register take") as told:
        registers.listed(SECOND, ("tps",))
    assert isinstance(told.value, CardError)
    assert told.value.name == "tps"
    with pytest.raises(RegisterError):
        registers.known()
    take(PLAIN)
    assert held(registers, *ALL) == list(ALL)


def numbered(path: Path, count: int, *, seed: int = 1) -> Path:
    """A file of so many numbers in random order. No number of Tokyo begins with 0: nobody has these."""
    numbers = list(range(count))
    random.Random(seed).shuffle(numbers)
    path.write_text("".join(f"030{number:07d}\n" for number in numbers), encoding="ascii")
    return path


def test_a_page_that_went_bad_is_noticed(registers, tmp_path: Path) -> None:
    registers.take([numbered(tmp_path / "file", 20_000)], "tps", "JP", ASOF, unwatched)
    path = tmp_path / "registers" / "tps.db"
    data = bytearray(path.read_bytes())
    data[-4096:] = bytes(4096)
    path.write_bytes(data)
    assert registers.known()
    with pytest.raises(RegisterError):
        registers.listed("+81300019999", ("tps",))
    with pytest.raises(RegisterError):
        registers.check("tps")


def test_a_changed_number_is_found_by_the_check(registers, take, tmp_path: Path) -> None:
    take(PLAIN)
    path = tmp_path / "registers" / "tps.db"
    with sqlite3.connect(path) as db:
        db.execute("UPDATE number SET number = number + 1 WHERE number = ?", (int(SECOND[1:]),))
    db.close()
    with pytest.raises(RegisterError, match="does not hold what was taken in"):
        registers.check("tps")


@pytest.mark.parametrize("tables", [(), ("CREATE TABLE number (number INTEGER PRIMARY KEY)",)])
def test_another_programs_file_is_no_register(registers, tmp_path: Path, tables) -> None:
    (tmp_path / "registers").mkdir()
    with sqlite3.connect(tmp_path / "registers" / "tps.db") as db:
        for table in (*tables, "CREATE TABLE other (x)"):
            db.execute(table)
    db.close()
    with pytest.raises(RegisterError, match="is no register of ours"):
        registers.listed(FIRST, ("tps",))


def test_a_register_that_may_not_be_read(registers, tmp_path: Path) -> None:
    (tmp_path / "registers" / "tps.db").mkdir(parents=True)
    with pytest.raises(RegisterError, match="tps cannot be read"):
        registers.listed(FIRST, ("tps",))


def victim(*words: object) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(VICTIM), *map(str, words)]
    return subprocess.run(program, cwd=ROOT, env=HOUSE, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_killed_at_any_step_it_leaves_the_old_register(registers, take, tmp_path: Path) -> None:
    take("090-1234-5603\n")
    file = numbered(tmp_path / "file", 60_000)
    for step in (1, 2, 3, 4, 5, 6):
        done = victim(tmp_path, file, "--run", 10_000, "--die-at", step)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert held(registers, MOBILE, "+81300000001") == [MOBILE]
    assert [path.name for path in (tmp_path / "registers").iterdir() if ".part" in path.name]
    told = json.loads(victim(tmp_path, file, "--run", 10_000).stdout)
    assert told["count"] == 60_000
    assert held(registers, MOBILE, "+81300000001") == ["+81300000001"]
    registers.check("tps")
    assert [path.name for path in (tmp_path / "registers").iterdir()] == ["tps.db"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for count in (100_000, 300_000):
        told = json.loads(victim(tmp_path, numbered(tmp_path / "file", count), "--run", 20_000).stdout)
        assert told["count"] == count
        peaks.append(told["peak"])
    assert peaks[1] - peaks[0] < 4_000_000  # 200 000 numbers more in a list would be 7 MB


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_ten_million_numbers_need_no_more_memory_than_half_a_million(tmp_path: Path) -> None:
    peaks = []
    for count in (500_000, 10_000_000):
        path = tmp_path / "file"
        with path.open("w", encoding="ascii") as file:
            file.writelines(f"030{number * 7_654_321 % 10_000_000:07d}\n" for number in range(count))
        told = json.loads(victim(tmp_path, path).stdout)
        assert told["count"] == count
        peaks.append(told["peak"] / 1e6)
    print(f"peak memory: 500 000 numbers {peaks[0]:.0f} MB, 10 000 000 {peaks[1]:.0f} MB")
    assert peaks[1] < 100
    assert peaks[1] - peaks[0] < 15


def test_two_takes_at_once_do_not_mix(registers, take, tmp_path: Path) -> None:
    take("03-1234-5601\n")
    other, file = Registers(tmp_path), tmp_path / "other"
    file.write_text(PLAIN, encoding="ascii")

    def meanwhile(_step: str, _count: int) -> None:
        with pytest.raises(CardError, match="another"):
            other.take([file], "tps", "JP", ASOF, unwatched)

    registers.take([file], "association", "JP", ASOF, meanwhile)
    assert registers.names() == ("association", "tps")
    assert held(registers, *ALL) == [FIRST]


def test_a_card_without_room_keeps_the_old_register(registers, take, tmp_path: Path) -> None:
    take("03-1234-5601\n")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "from firmware.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    device, file = device_file(tmp_path), numbered(tmp_path / "file", 20_000)
    words = ["--device", str(device), "register", "take", str(file), "--name", "tps"]
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "tps could not be written, nothing was changed" in done.stderr
    assert held(registers, *ALL) == [FIRST]
    assert [path.name for path in (tmp_path / "registers").iterdir()] == ["tps.db"]


def device_file(directory: Path) -> Path:
    """A device.toml that is in order, its data here."""
    text = example().replace("/var/lib/boothphone", str(directory)).replace(EXAMPLE_RECIPIENT, RECIPIENT)
    path = directory / "device.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def booth(tmp_path: Path, capsys):
    """The command `booth register`; gives its exit code, what it said and what it complained of."""
    device = device_file(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        code = main(["--device", str(device), "register", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_command_takes_lists_removes_and_restores(booth, tmp_path: Path, monkeypatch, registers) -> None:
    file = tmp_path / "file"
    file.write_text("Tel\n" + PLAIN + PLAIN + "y1\n", encoding="utf-8")
    code, said, complained = booth("take", file, "--name", "tps", "--asof", "2026-11-02")
    assert (code, complained) == (0, "file line 8: there are letters in the number: not taken\n")
    assert said == "tps: 3 numbers, as of 2026-11-02 (UTC)\n6 lines taken, 3 of them twice or more, 1 lines not\n"
    assert booth("list") == (0, "tps: 3 numbers, as of 2026-11-02 (UTC)\n", "")
    code, said, _ = booth("list", "--check")
    assert (code, "every number is as it was taken in" in said) == (0, True)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert booth("remove", "tps")[:2] == (1, f"{ASKED}nothing was changed\n")
    assert held(registers, FIRST)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert booth("remove", "tps")[0] == 0
    assert (held(registers, FIRST), registers.names()) == ([], ())
    assert booth("list")[1] == "no register is on this booth; `booth register take` takes one in\n"
    assert booth("restore", "tps") == (0, "tps: 3 numbers, as of 2026-11-02 (UTC)\n", "")
    assert held(registers, FIRST)
    assert booth("remove", "tps", "--yes")[0] == 0


ASKED = "Calls will no longer be checked against tps. Remove it? [y/N] "


def test_without_a_date_the_register_is_as_old_as_its_file(booth, tmp_path: Path, registers) -> None:
    for name in ("old", "new"):
        (tmp_path / name).write_text(PLAIN, encoding="utf-8")
    os.utime(tmp_path / "old", (ASOF, ASOF))
    assert booth("take", tmp_path / "new", tmp_path / "old", "--name", "tps")[0] == 0
    assert registers.register("tps").asof == ASOF


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("remove", "tps", "--yes"), "the register tps is not on this booth"),
        (("restore", "tps"), "was not put aside"),
        (("take", "absent", "--name", "tps"), "absent"),
        (("take", "device.toml", "--name", "tps"), "no line is a telephone number"),
    ],
)
def test_the_command_says_what_is_wrong(booth, tmp_path: Path, monkeypatch, words, told: str) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, complained = booth(*words)
    assert (code, complained.startswith("booth: "), told in complained) == (1, True, True)


def test_only_a_removed_register_is_restored(booth, take) -> None:
    take(PLAIN)
    assert "only what was removed can be restored" in booth("restore", "tps")[2]


def test_a_broken_register_is_listed_as_broken(booth, take, tmp_path: Path) -> None:
    take(PLAIN)
    take(PLAIN, name="association")
    broken(tmp_path / "registers" / "tps.db", "cut by a byte")
    code, said, complained = booth("list")
    assert (code, said.startswith("association: 3 numbers"), "tps has been cut short" in complained) == (1, True, True)


def test_a_date_that_is_none(booth) -> None:
    with pytest.raises(SystemExit):
        booth("take", "file", "--name", "tps", "--asof", "2.11.2026")


def test_no_number_reaches_the_log(take, caplog) -> None:
    caplog.set_level("DEBUG")
    take(PLAIN + "0312345601x\n")
    assert "1234" not in caplog.text


def test_the_bench_measures_a_small_register_too(tmp_path: Path) -> None:
    """The figures of ten million are `make bench`; here the same work is done in small, and must be right."""
    found = bench_guard.register_report(tmp_path, 20_000)
    assert found["size"] < 16 * 20_000
    assert len(found["warm"][0]) == 20_000
