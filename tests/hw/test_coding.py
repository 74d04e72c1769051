"""Samples as modems write them: nothing is lost but what 8 bits cannot hold."""

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.coding import LINEAR, SIGNED, ULAW, UNSIGNED
from hw.emulated.speech import Speech

EIGHT = [UNSIGNED, SIGNED, ULAW]
CODINGS = [*EIGHT, LINEAR]
PCM = st.lists(st.integers(-32768, 32767), max_size=200).map(lambda samples: array("h", samples).tobytes())


@pytest.mark.parametrize("coding", EIGHT, ids=lambda coding: coding.name)
def test_what_was_decoded_is_encoded_as_it_was(coding):
    every = bytes(byte for byte in range(256) if not (coding is ULAW and byte == 0x7F))  # its second nought
    assert coding.encode(coding.decode(every)) == every


@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.name)
@given(pcm=PCM)
def test_the_error_is_small_and_the_sign_is_kept(coding, pcm):
    was, now = array("h", pcm), array("h", coding.decode(coding.encode(pcm)))
    assert len(now) == len(was)
    for before, after in zip(was, now, strict=True):
        limit = {ULAW: abs(before) / 16 + 140, LINEAR: 0}.get(coding, 256)
        assert abs(before - after) <= limit


@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.name)
def test_silence_is_silence(coding):
    assert coding.decode(coding.silence * 4) == bytes(8)
    assert coding.encode(bytes(8)) == coding.silence * 4


def test_mu_law_is_g711s():
    """Corners of the standard's table 2b, scaled from its 14 bits to our 16."""
    told = {0xFF: 0, 0xFE: 8, 0xF0: 120, 0xEF: 132, 0x80: 32124, 0x00: -32124, 0x8F: 16764, 0x7E: -8}
    for byte, sample in told.items():
        assert array("h", ULAW.decode(bytes([byte])))[0] == sample


@pytest.mark.parametrize(("coding", "decibels"), [(UNSIGNED, 24), (ULAW, 34)])
def test_speech_stays_clear(coding, decibels):
    pcm = b"".join(Speech(1).frame(n) for n in range(100))
    pairs = list(zip(array("h", pcm), array("h", coding.decode(coding.encode(pcm))), strict=True))
    noise = sum((one - other) ** 2 for one, other in pairs)
    assert 10 * math.log10(sum(one * one for one, _ in pairs) / noise) > decibels


def test_8_bits_carry_no_hum():
    """A rounded sample is wrong by nought on average, a cut one by half a step."""
    pcm = array("h", range(-20000, 20000, 7)).tobytes()
    pairs = zip(array("h", pcm), array("h", UNSIGNED.decode(UNSIGNED.encode(pcm))), strict=True)
    assert abs(sum(other - one for one, other in pairs)) / (len(pcm) // 2) < 4
