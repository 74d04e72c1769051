"""The menu: every key of every page, empty pages, and sticks with anything on them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.menu import ITEMS, MOST_FILES, TOP, Menu, Wish
from firmware.outcomes import Left
from firmware.screens import words

PAIRS = (("sync", "1"), ("card", "2 MB"))


@pytest.fixture
def books(stage):
    made = stage.books()
    yield made
    made.close()


@pytest.fixture
def stick(tmp_path):
    made = tmp_path / "media" / "STICK"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def menu(books, stick):
    return Menu(books, "JP", "03", media=(stick.parent,))


def page(menu, digit):
    menu.open()
    menu.key(digit)
    return menu


def test_the_items_are_the_keys_and_have_words():
    assert tuple(words.MENU) == TOP
    assert set(ITEMS["breaks"]) == set(words.BREAKS)
    assert set(ITEMS["volume"]) == set(words.VOLUMES)
    assert set(ITEMS["language"]) == set(words.LANGUAGES)


def test_a_digit_and_the_arrows_choose_the_same(menu):
    for place, item in enumerate(TOP, 1):
        menu.open()
        menu.move(place - 1)
        by_arrow = (menu.choose(), menu.page)
        menu.open()
        assert (menu.key(str(place)), menu.page) == by_arrow
        assert by_arrow == (Wish(item), "") or menu.page == item


def test_back_leads_to_the_top_and_out(menu):
    page(menu, "3")
    assert menu.back() is None
    assert menu.page == ""
    assert isinstance(menu.back(), Left)


def test_a_list_is_imported_from_the_stick(menu, stick, stage, books):
    (stick / "list.csv").write_bytes(stage.SAMPLE.read_bytes())
    page(menu, "8")
    wish = menu.choose()
    assert (wish.what, menu.outcome) == ("list", "imported")
    assert [entry.id for entry in books.lists()] == [int(wish.value)]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"name;none\n1;2\n"])
def test_a_file_that_is_no_list_says_so(menu, stick, content, books):
    (stick / "list.csv").write_bytes(content)
    page(menu, "8").choose()
    assert menu.outcome == "import-failed"
    assert books.lists() == ()


def test_a_stick_that_was_pulled_out_says_so(menu, stick):
    file = stick / "list.csv"
    file.write_text("x")
    page(menu, "8")
    file.unlink()
    menu.choose()
    assert menu.outcome == "import-failed"


def test_a_deep_and_crowded_stick_is_not_walked_to_its_end(menu, stick):
    deep = stick / "a" / "b" / "c" / "d"
    deep.mkdir(parents=True)
    (deep / "deep.csv").write_text("x")
    for number in range(MOST_FILES + 5):
        (stick / f"{number:02}.csv").write_text("x")
    items = page(menu, "8").body(lambda: PAIRS, 5).items
    assert len(items) == MOST_FILES
    assert "deep.csv" not in items


def test_a_file_on_a_users_stick_is_found_once(menu, stick):
    folder = stick / "folder"
    folder.mkdir()
    (folder / "list.csv").write_text("x")
    assert page(menu, "8").body(lambda: PAIRS, 5).items == ("list.csv",)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*"0123456789", "A", "B", "C", "D"]), max_size=30))
def test_no_keys_break_the_menu(menu, keys):
    menu.open()
    for key in keys:
        {"A": menu.choose, "B": lambda: menu.move(-1), "C": lambda: menu.move(1), "D": menu.back}.get(
            key, lambda key=key: menu.key(key)
        )()
        body = menu.body(lambda: PAIRS, 5)
        assert 0 <= body.chosen < max(1, len(body.items), len(body.status))
        assert body.outcome == "" or body.outcome in words.OUTCOMES
