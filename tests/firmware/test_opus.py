"""libopus through ctypes."""

import ctypes
from math import tau

import numpy as np
import pytest

from firmware import opus
from firmware.opus import PRE_SKIP, Decoder, Encoder, OpusError
from hw.contracts import FRAME, RATE, SILENCE


def tone(hertz, frames):
    samples = (8000 * np.sin(tau * hertz * np.arange(frames * FRAME // 2) / RATE)).astype("<i2").tobytes()
    return [samples[at : at + FRAME] for at in range(0, len(samples), FRAME)]


def test_a_tone_survives_at_the_delay_that_we_state():
    encoder, decoder = Encoder(), Decoder()
    said = tone(440, 100)
    heard = b"".join(decoder.decode(encoder.encode(frame)) for frame in said)
    meant = np.frombuffer(b"".join(said), "<i2").astype(float)
    got = np.frombuffer(heard, "<i2").astype(float)[PRE_SKIP // 6 :]
    away = got[4000:] - meant[4000 : len(got)]
    assert 10 * np.log10(np.mean(meant**2) / np.mean(away**2)) > 10


def test_packets_hold_one_frame_and_keep_to_the_bitrate():
    noise = np.random.default_rng(1).normal(0, 6000, (250, FRAME // 2)).astype("<i2")
    encoder = Encoder()
    packets = [encoder.encode(frame.tobytes()) for frame in noise]
    assert all(packet[0] & 3 == 0 for packet in packets)
    assert sum(map(len, packets)) * 8 / 5 < 1.15 * opus.BITRATE


def test_silence_costs_little():
    encoder = Encoder()
    assert sum(len(encoder.encode(SILENCE)) for _ in range(250)) * 8 / 5 < opus.BITRATE / 2


def test_a_wrong_frame_and_a_wrong_packet_are_refused():
    with pytest.raises(OpusError, match="320 bytes, not 319"):
        Encoder().encode(bytes(319))
    with pytest.raises(OpusError, match="libopus"):
        Decoder().decode(b"\xff\xff\xff")


def test_without_libopus_the_advice_is_plain(monkeypatch):
    def missing(name):
        raise OSError(f"{name}: cannot open shared object file")

    opus.library.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", missing)
    with pytest.raises(OpusError, match="install the Debian package libopus0"):
        Encoder()
