"""The shielding of sound: whatever the cuts, sound stays sound and codes stay codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.dle import Code, Keys, Unshield, shield

# Bytes among which there are many DLEs and letters that would be codes.
AUDIO = st.binary(max_size=200) | st.lists(st.sampled_from([0x10, 0x1A, 0x03, 0x62, 0x80]), max_size=60).map(bytes)
LETTERS = st.integers(0, 255).filter(lambda byte: byte not in (0x10, 0x1A)).map(chr)


def heard(pieces):
    """What an Unshield makes of the pieces: sound joined between codes."""
    unshield, said = Unshield(), []
    for piece in pieces:
        for one in unshield.hear(piece):
            if said and isinstance(one, bytes) and isinstance(said[-1], bytes):
                said[-1] += one
            else:
                said.append(one)
    return said


@st.composite
def cut(draw, data):
    """The same bytes, cut anywhere."""
    where = sorted(draw(st.lists(st.integers(0, len(data)), max_size=20)))
    return [data[a:b] for a, b in zip([0, *where], [*where, len(data)], strict=True)]


@given(AUDIO, st.booleans(), st.data())
def test_any_sound_survives_any_cutting(audio, substitute, data):
    pieces = data.draw(cut(shield(audio, substitute=substitute)))
    assert heard(pieces) == ([audio] if audio else [])


@given(st.lists(AUDIO | LETTERS, max_size=12), st.data())
def test_codes_are_found_where_they_are_and_nowhere_else(talk, data):
    stream = b"".join(shield(one) if isinstance(one, bytes) else b"\x10" + one.encode("latin-1") for one in talk)
    said = heard(data.draw(cut(stream)))
    assert [one.letter for one in said if isinstance(one, Code)] == [one for one in talk if isinstance(one, str)]
    assert b"".join(one for one in said if isinstance(one, bytes)) == b"".join(
        one for one in talk if isinstance(one, bytes)
    )


def test_a_literal_dle_before_a_letter_is_no_busy_tone():
    assert heard([b"\x10\x10b"]) == [b"\x10b"]
    assert heard([b"\x10", b"\x10", b"b"]) == [b"\x10b"]
    assert heard([b"\x80\x10", b"b"]) == [b"\x80", Code("b")]


@pytest.mark.parametrize(
    ("letters", "digits"),
    [
        ("/5555~", "5"),
        ("/5~/5~", "55"),
        ("555", "5"),
        ("12", "12"),
        ("/~", ""),
        ("/#~/*~/D~", "#*D"),
        ("bRh", ""),
    ],
)
def test_a_key_is_counted_once_per_press(letters, digits):
    keys = Keys()
    heard = [keys.hear(letter, 0.07 * n) for n, letter in enumerate(letters)]
    assert "".join(digit for digit in heard if digit) == digits


def test_a_key_pressed_again_without_brackets():
    keys = Keys()
    assert [keys.hear("5", now) for now in (0.0, 0.07, 0.5, 0.57)] == ["5", None, "5", None]
