"""A handset without hardware."""

import threading
import time

from hw.contracts import FRAME, Handset
from hw.emulated.handset import DEPTH, EmulatedHandset
from hw.emulated.speech import Tone


def frames_until(handset, count, patience=30.0):
    """`count` frames, as they become due."""
    frames, end = [], time.monotonic() + patience
    while len(frames) < count and time.monotonic() < end:
        frame = handset.read()
        if frame is None:
            threading.Event().wait(0.002)
        else:
            frames.append(frame)
    return frames


def test_it_is_a_handset():
    handset: Handset = EmulatedHandset()
    assert handset.read() is None


def test_the_voice_comes_in_real_time_and_in_order():
    handset = EmulatedHandset(Tone(700))
    begun = time.monotonic()
    handset.open()
    assert handset.read() is None
    assert frames_until(handset, 15) == [Tone(700).frame(n) for n in range(15)]
    assert time.monotonic() - begun >= 15 * 0.02


def test_a_late_reader_gets_what_the_card_kept_and_the_rest_is_counted(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    handset = EmulatedHandset(Tone(700))
    handset.open()
    now[0] += 0.02 * (DEPTH + 10) + 0.001
    frames = []
    while (frame := handset.read()) is not None:
        frames.append(frame)
    assert frames == [Tone(700).frame(n) for n in range(10, DEPTH + 10)]
    assert handset.lost == 10


def test_the_ear_keeps_the_last_two_minutes():
    handset = EmulatedHandset()
    handset.write(b"\1" * FRAME)
    assert handset.heard == b""  # not open
    handset.open()
    for n in range(6001):
        handset.write(n.to_bytes(2, "little") * (FRAME // 2))
    assert len(handset.heard) == 6000 * FRAME
    assert handset.heard[:2] == b"\1\0"


def test_it_is_silent_when_closed():
    handset = EmulatedHandset()
    handset.open()
    handset.close()
    handset.close()
    assert handset.read() is None
