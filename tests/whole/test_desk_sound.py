"""A person hears and speaks the call in a real browser; its microphone hears a beep of 400 Hz twice a second."""

import math

import numpy as np
import pytest
from playwright.sync_api import expect

from firmware.callflow import State
from firmware.desk import card
from firmware.desk.page import Page
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth
from firmware.desk.web import PAGES, serving
from firmware.desk.words import texts
from hw.contracts import RATE
from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Tone

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=30_000)

AGENT, CUSTOMER, BEEP = 1000, 600, (370, 400, 430)  # Hz; the beep is a burst, and so a band


class Desk:
    """A booth whose agent and customer are tones, and windows at its page."""

    def __init__(self, chromium, running, address):
        self.running, self.rig, self.address = running, running.rig, address
        self._chromium, self._contexts = chromium, []

    def window(self, language="en", **options):
        context = self._chromium.new_context(**options)
        self._contexts.append(context)
        page = context.new_page()
        page.goto(f"{self.address}&lang={language}")
        return page

    def call(self, window):
        """The first customer answers."""
        self.running.wait_for("line", lambda scene, _view: scene.header.signal is not None)
        window.keyboard.press("Enter")
        self.running.wait_for("armed", lambda scene, _view: scene.state is State.ARMED)
        window.keyboard.press("h")
        self.running.wait_for("talking", lambda scene, _view: scene.state is State.TALKING)

    def hears(self, until, true):
        """Until what the customer has heard fulfils `true`; what that was, as samples."""
        return until(lambda: (heard := self.samples()).size >= RATE and true(heard) and [heard])[0]

    def samples(self):
        return np.frombuffer(self.rig.exchange.heard, "<i2").astype(float)

    def close(self):
        for context in self._contexts:
            context.close()


@pytest.fixture
def desk(chromium, tmp_path):
    with Rig(tmp_path, language="en") as rig:
        rig.handset.voice = Tone(AGENT)
        with (
            RunningBooth(rig, card.prepared(rig).settings) as running,
            serving(Page(running), language="en") as address,
        ):
            rig.exchange.default = FarEnd(answers_after=0.5, voice=Tone(CUSTOMER))
            made = Desk(chromium, running, address)
            yield made
            made.close()


def said(window, state):
    expect(window.locator("#sound-state")).to_have_text(texts("en")[f"sound-{state}"])


def test_a_person_hears_and_speaks_the_call(desk, level, until):
    window = desk.window(permissions=["microphone"])
    complaints = []
    window.on("console", lambda message: complaints.append(message.text))
    window.get_by_role("button", name="Hear and speak").click()
    said(window, "on")
    window.wait_for_function("() => sound.report.sent > 50")
    desk.call(window)
    heard = desk.hears(until, lambda heard: heard.size > 3 * RATE and max(level(heard, hz) for hz in BEEP) > -50)
    assert level(heard, AGENT) < -60
    window.wait_for_function("() => sound.report.played > 100 && sound.report.heard > -30")
    assert window.evaluate("find('#heard').value") > -30
    window.wait_for_function("() => find('#said').value > -40")
    assert complaints == []


def test_who_has_no_microphone_is_told_and_hears_all_the_same(desk, level, until):
    window = desk.window()  # with no permission, and nobody there to ask
    window.get_by_role("button", name="Hear and speak").click()
    said(window, "deaf")
    expect(window.locator("#sound-mute")).to_be_disabled()
    desk.call(window)
    window.wait_for_function("() => sound.report.played > 50 && sound.report.heard > -30")
    desk.hears(until, lambda heard: level(heard, AGENT) > -40)
    assert window.evaluate("sound.report.sent") == 0


def test_the_microphone_can_be_switched_off(desk, level, until):
    window = desk.window(permissions=["microphone"])
    window.get_by_role("button", name="Hear and speak").click()
    said(window, "on")
    window.get_by_role("button", name="Mute", exact=True).click()
    said(window, "muted")
    desk.call(window)
    silent = desk.hears(until, lambda heard: heard.size > 2 * RATE)
    assert np.abs(silent).max() < 10
    window.get_by_role("button", name="Mute", exact=True).click()
    said(window, "on")
    desk.hears(until, lambda heard: max(level(heard[-RATE:], hz) for hz in BEEP) > -50)


def test_a_second_window_takes_over(desk, level, until):
    first, second = desk.window(permissions=["microphone"]), desk.window("ja", permissions=["microphone"])
    first.get_by_role("button", name="Hear and speak").click()
    said(first, "on")
    second.get_by_role("button", name="音声をつなぐ").click()
    expect(second.locator("#sound-state")).to_have_text(texts("ja")["sound-on"])
    said(first, "taken")
    expect(first.get_by_role("button", name="Hear and speak")).to_be_visible()
    desk.call(second)
    second.wait_for_function("() => sound.report.played > 50")
    second.get_by_role("button", name="音声を切る").click()
    desk.hears(until, lambda heard: level(heard[-RATE // 2 :], AGENT) > -40)  # the made-up agent goes on


def test_a_window_whose_desk_is_gone_says_so(desk):
    window = desk.window(permissions=["microphone"])
    window.get_by_role("button", name="Hear and speak").click()
    said(window, "on")
    window.evaluate("sound.socket.dispatchEvent(new CloseEvent('close', {code: 1006}))")
    said(window, "lost")
    expect(window.get_by_role("button", name="Hear and speak")).to_be_visible()


# The worklet's own parts, in the browser that will run them.

STAGE = "class AudioWorkletProcessor {}\nconst registerProcessor = () => {};\n"


@pytest.fixture(scope="module")
def worklet(chromium):
    """Runs a function body among the parts of the worklet; what it returns."""
    page = chromium.new_page()
    source = STAGE + (PAGES / "worklet.js").read_text(encoding="utf-8")
    yield lambda body, about=None: page.evaluate(f"(about) => {{ {source}\n{body} }}", about)
    page.close()


def decibels(samples, hertz, rate):
    """How loud one tone is, and all the rest, in dB of full scale."""
    moments = np.arange(len(samples)) / rate
    window = np.blackman(len(samples))
    part = 2 * np.sum(samples * window * np.exp(-2j * math.pi * hertz * moments)) / np.sum(window)
    rest = samples - np.real(part * np.exp(2j * math.pi * hertz * moments))
    return 20 * math.log10(abs(part)), 20 * math.log10(max(np.sqrt(np.mean((rest * window) ** 2)), 1e-9))


UP = """
const up = new Resampler(8000, about.rate);
let n = 0;
const next = () => 0.5 * Math.sin((2 * Math.PI * about.hz * n++) / 8000);
return Array.from({length: about.rate}, () => up.pull(next));
"""
DOWN = """
const down = new Resampler(about.rate, 8000);
const given = [];
for (let n = 0; n < about.rate; n++) {
  down.feed(0.5 * Math.sin((2 * Math.PI * about.hz * n) / about.rate), (sample) => given.push(sample));
}
return given;
"""


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("hertz", [300, 3200])
def test_a_voice_is_carried_to_any_rate_and_back(worklet, rate, hertz):
    for body, result in ((UP, rate), (DOWN, RATE)):
        given = np.array(worklet(body, {"rate": rate, "hz": hertz}))
        assert abs(len(given) - result) <= 1
        loud, rest = decibels(given[result // 10 :], hertz, result)
        assert loud == pytest.approx(20 * math.log10(0.5), abs=0.5)
        assert rest < -60


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("hertz", [4400, 9000])
def test_what_a_telephone_does_not_carry_is_not_folded_into_it(worklet, rate, hertz):
    given = np.array(worklet(DOWN, {"rate": rate, "hz": hertz}))[RATE // 10 :]
    assert 20 * math.log10(max(np.abs(given).max(), 1e-9)) < -60


PLAYED = """
const jitter = new Jitter();
let told = 0;
const frame = () => Int16Array.from({length: FRAME}, () => 16384 * Math.sin((2 * Math.PI * 110 * told++) / RATE));
const heard = [];
for (const [frames, samples] of about) {
  for (let n = 0; n < frames; n++) jitter.put(frame());
  for (let n = 0; n < samples; n++) heard.push(jitter.next());
}
return [heard, jitter.count, jitter.counts];
"""
STEADY = [[3, 160], *[[1, 160]] * 20]


def played(worklet, doings):
    heard, held, counts = worklet(PLAYED, doings)
    return np.array(heard), held, counts


def steps(heard):
    """The largest step from sample to sample, and the largest of the tone itself; a frame of it ends anywhere but at 0."""
    return np.abs(np.diff(heard)).max(), 0.5 * 2 * math.pi * 110 / RATE


def test_frames_are_played_evenly(worklet):
    heard, held, counts = played(worklet, STEADY)
    assert (held, counts["underruns"], counts["dropped"]) == (320, 0, 0)
    largest, own = steps(heard)
    assert largest <= own * 1.05


@pytest.mark.parametrize("late", [[[0, 1000]], [[0, 900], [3, 300]], [[0, 701], [12, 160]]])
def test_a_pause_or_a_flood_makes_no_click(worklet, late):
    heard, held, counts = played(worklet, [*STEADY, *late, *STEADY[1:]])
    assert counts["underruns"] >= 1
    assert held <= 1600
    largest, own = steps(heard)
    assert largest <= own * 3  # a click would be a step of 0.3 to 1, and more than seven times as much


def test_an_ear_is_never_more_than_200_ms_behind(worklet):
    heard, held, counts = played(worklet, [*STEADY, [30, 160], *STEADY[1:]])
    assert held <= 1600
    assert counts["dropped"] > 10
    largest, own = steps(heard)
    assert largest <= own * 3


DRIFT = """
const jitter = new Jitter();
let [least, most] = [CAP, 0];
let [owed, wanted] = [3, 0];
for (let block = 0; block < about.blocks; block++) {
  for (owed += (128 / 48000) * 50 * about.clock; owed >= 1; owed -= 1) jitter.put(new Int16Array(FRAME));
  for (wanted += (128 / 6) * jitter.speed(); wanted >= 1; wanted -= 1) jitter.next();
  if (block > 100) [least, most] = [Math.min(least, jitter.count), Math.max(most, jitter.count)];
}
return [least, most, jitter.counts];
"""


@pytest.mark.parametrize("clock", [1 - 200e-6, 1 + 200e-6])
def test_a_clock_that_is_not_ours_never_empties_the_ear(worklet, clock):
    blocks = round(600 * 48000 / 128)  # ten minutes
    least, most, counts = worklet(DRIFT, {"blocks": blocks, "clock": clock})
    assert (counts["underruns"], counts["dropped"]) == (0, 0)
    assert least > 160
    assert most < 800
