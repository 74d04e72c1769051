"""A real browser at the desk page: calls made with keyboard, mouse and fingers, in both languages.

Every picture taken lies in the test's directory; its path is printed (pytest -s).
"""

import pytest
from playwright.sync_api import expect

from firmware.callflow import State
from firmware.desk import card
from firmware.desk.page import Page
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth
from firmware.desk.web import serving
from firmware.desk.words import TEXTS, texts

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=30_000)  # a slow machine is a machine

DESKTOP = {"viewport": {"width": 1180, "height": 900}}
PHONE = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 3, "is_mobile": True, "has_touch": True}


class Visit:
    """One window on one running booth."""

    def __init__(self, window, running, address, directory):
        self.window, self.running, self.rig = window, running, running.rig
        self._directory = directory
        self.complaints = []
        window.on("console", lambda message: self.complaints.append(message.text))
        window.on("pageerror", lambda error: self.complaints.append(str(error)))
        window.goto(address)
        self.wait_for(State.LIST, lambda scene: scene.header.signal is not None)
        expect(window.locator('[data-lamp="line"]')).to_have_attribute("data-glow", "on")

    def wait_for(self, state, also=lambda _scene: True, patience=30.0):
        return self.running.wait_for(state.name, lambda scene, _view: scene.state is state and also(scene), patience)

    def photograph(self, name, *, whole=False):
        """A picture of the page once it shows the booth's newest text."""
        title = self.running.view.title.split()[0]
        expect(self.window.locator("#mirror")).to_contain_text(title)
        self.window.wait_for_function("() => drawn.then(() => true)")
        path = self._directory / f"{name}.png"
        self.window.screenshot(path=path, full_page=whole)
        print(path)


@pytest.fixture
def visit(chromium, tmp_path):
    """Opens the page of a booth of its own, in a language and a sort of browser."""
    opened = []

    def go(language="ja", page_language="", **options):
        rig = Rig(tmp_path / "card", language=language)
        opened.append(rig.close)
        ready = card.prepared(rig, language)
        running = RunningBooth(rig, ready.settings)
        opened.append(running.stop)
        serves = serving(Page(running, ready.callers), language=language)
        address = serves.__enter__()
        opened.append(lambda: serves.__exit__(None, None, None))
        context = chromium.new_context(**(options or DESKTOP))
        opened.append(context.close)
        query = f"&lang={page_language}" if page_language else ""
        return Visit(context.new_page(), running, address + query, tmp_path)

    yield go
    while opened:
        opened.pop()()


@pytest.mark.parametrize(
    ("language", "scheme", "name"), [("ja", "light", "株式会社ミズホ設備"), ("en", "dark", "Mizuho Setsubi Ltd")]
)
def test_a_call_is_made_and_its_result_keyed(visit, language, scheme, name):
    desk = visit(language, color_scheme=scheme, **DESKTOP)
    window, said = desk.window, texts(language)
    desk.photograph(f"{language}-list")
    for digit in "0312345601":
        window.keyboard.press(digit)
    desk.wait_for(State.KEYING, lambda scene: scene.body.digits == "0312345601")
    expect(window.locator("#mirror")).to_contain_text(name)
    desk.photograph(f"{language}-keyed")
    window.keyboard.press("Enter")
    desk.wait_for(State.ARMED)
    window.get_by_role("button", name=said["lift"]).click()
    desk.wait_for(State.TALKING)
    desk.rig.modem.wait_for("ATD0312345601;")
    expect(window.locator("#far")).to_have_text(f"03-1234-5601 · {said['far-talking']}")
    expect(window.locator('[data-lamp="recording"]')).to_have_attribute("data-glow", "on")
    window.locator('[data-key="3"]').click()
    desk.wait_for(State.TALKING, lambda scene: scene.body.promise == 3)
    desk.photograph(f"{language}-talking")
    window.keyboard.press("h")
    desk.wait_for(State.WRAP_UP)
    desk.photograph(f"{language}-wrap-up")
    window.locator('[data-key="1"]').click()
    desk.wait_for(State.WRAP_UP, lambda scene: scene.body.chosen is not None)
    window.locator('[data-key="A"]').click()
    preview = desk.wait_for(State.PREVIEW).body
    assert preview.customer.row == 2
    desk.photograph(f"{language}-next")
    assert desk.complaints == []


def test_every_key_of_the_keyboard_is_a_key(visit):
    desk = visit()
    window = desk.window
    for key in ("0", "9", "*", "#", "5"):
        window.keyboard.press(key)
    desk.wait_for(State.KEYING, lambda scene: scene.body.digits == "09*#5")
    window.keyboard.press("ArrowUp")
    desk.wait_for(State.KEYING, lambda scene: scene.body.digits == "09*#")
    window.keyboard.press("+")
    desk.wait_for(State.KEYING, lambda scene: scene.body.digits == "09*")
    window.keyboard.press("Backspace")
    desk.wait_for(State.LIST)
    window.keyboard.press("ArrowDown")
    desk.wait_for(State.LIST, lambda scene: scene.body.chosen == 1)
    window.keyboard.press("-")
    desk.wait_for(State.LIST, lambda scene: scene.body.chosen == 2)
    window.keyboard.press("Control+5")
    window.keyboard.press("Escape")
    desk.wait_for(State.PREVIEW)


def test_a_key_kept_down_is_held(visit):
    desk = visit()
    key = desk.window.locator('[data-key="D"]')
    key.hover()
    desk.window.mouse.down()
    desk.wait_for(State.KEYING, lambda scene: scene.body.emergency)
    expect(key).to_have_class("down")
    desk.window.mouse.up()
    expect(key).not_to_have_class("down")
    desk.photograph("emergency")


def test_a_focused_key_is_pressed_by_space_and_enter(visit):
    desk = visit()
    desk.window.locator('[data-key="7"]').focus()
    desk.window.keyboard.press("Space")
    desk.window.keyboard.press("Enter")
    desk.wait_for(State.KEYING, lambda scene: scene.body.digits == "77")
    desk.window.locator('[data-key="8"]').dispatch_event("click", {"detail": 0})  # as a screen reader does
    desk.wait_for(State.KEYING, lambda scene: scene.body.digits == "778")


def test_a_mouse_leaves_enter_to_the_booth(visit):
    desk = visit()
    desk.window.locator('[data-key="9"]').focus()
    desk.window.get_by_role("button", name=TEXTS["busy"][0]).click()
    expect(desk.window.locator('[data-about="busy"]')).to_have_attribute("aria-pressed", "true")
    desk.window.keyboard.press("Enter")
    desk.wait_for(State.ARMED)
    desk.window.keyboard.press("h")
    desk.wait_for(State.WRAP_UP)


def test_the_far_end_calls_in_and_troubles_come_and_go(visit):
    desk = visit()
    window = desk.window
    window.locator("#caller").select_option("09012345610")
    window.locator("#call-in").click()
    desk.wait_for(State.RINGING_IN, lambda scene: scene.body.customer is not None)
    expect(window.locator('[data-lamp="line"]')).to_have_attribute("data-glow", "blink")
    desk.photograph("ringing-in")
    window.locator("#hang-up").click()
    desk.wait_for(State.LIST)
    window.locator('[data-about="unplugged"]').click()
    desk.wait_for(State.OUT_OF_ORDER)
    desk.photograph("unplugged")
    window.locator('[data-about="unplugged"]').click()
    desk.wait_for(State.LIST, patience=30)
    window.locator('[data-about="clock"]').click()
    desk.wait_for(State.LIST, lambda scene: scene.header.now is None)
    window.locator('[data-about="clock"]').click()
    desk.wait_for(State.LIST, lambda scene: scene.header.now is not None)
    assert desk.complaints == []


def test_a_technician_swaps_the_modem(visit):
    desk = visit("en")
    window = desk.window
    swap, modem = window.get_by_role("button", name="Swap"), window.locator("#modem")
    expect(swap).to_be_disabled()
    modem.focus()
    modem.select_option(label="USR5637 (analog line)")
    desk.rig.modem.silent = True
    desk.photograph("modem", whole=True)
    swap.focus()
    window.keyboard.press("Enter")
    expect(window.locator('[data-about="no-sim"]')).to_be_disabled()
    expect(window.locator('[data-about="sim-locked"]')).to_have_accessible_description("This line has no SIM.")
    expect(window.locator("#log")).to_contain_text("AT+VCID=1")
    expect(swap).to_be_disabled()
    assert (desk.rig.modem_name, modem.input_value()) == ("usr5637", "usr5637")
    desk.wait_for(State.LIST)
    modem.select_option("sim7600")
    swap.click()
    expect(window.locator('[data-about="no-sim"]')).to_be_enabled()
    desk.wait_for(State.LIST, lambda scene: scene.header.signal is not None)
    assert desk.complaints == []


def test_a_locked_sim_is_opened_on_the_keypad(visit):
    desk = visit("en")
    window = desk.window
    window.locator('[data-about="sim-locked"]').click()
    desk.wait_for(State.OUT_OF_ORDER)
    expect(window.locator("#sim-pin")).to_be_visible()
    desk.photograph("sim-locked")
    window.keyboard.press("Enter")
    desk.photograph("sim-pin")
    for key in ("1", "2", "3", "4", "Enter"):
        window.keyboard.press(key)
    desk.wait_for(State.LIST, lambda scene: scene.header.signal is not None)
    expect(window.locator("#sim-pin")).to_be_hidden()


def test_a_second_caller_is_turned_away(visit):
    desk = visit("en")
    window = desk.window
    window.keyboard.press("Enter")
    desk.wait_for(State.ARMED)
    window.keyboard.press("h")
    desk.wait_for(State.TALKING)
    window.locator("#caller").select_option("09012345610")
    window.locator("#call-in").click()
    desk.wait_for(State.TALKING, lambda scene: scene.body.second is not None)
    desk.photograph("second")
    expect(window.locator("#far")).to_have_text("03-1234-5601 · talking")


def test_the_log_can_be_paused(visit):
    desk = visit()
    window = desk.window
    expect(window.locator("#log")).to_contain_text("AT+QPCMV")
    window.locator("#pause").click()
    before = window.locator("#log li").count()
    desk.rig.modem.say("+QIND: 1")
    desk.rig.modem.say("+QIND: 2")
    expect(window.locator("#mirror")).not_to_be_empty()
    assert window.locator("#log li").count() == before
    window.locator("#pause").click()
    expect(window.locator("#log li").last).to_contain_text("+QIND: 2")


def test_fingers_on_a_telephone(visit):
    desk = visit(page_language="en", **PHONE)
    window = desk.window
    desk.photograph("phone", whole=True)
    window.locator('[data-key="A"]').tap()
    desk.wait_for(State.ARMED)
    window.locator("#hook").tap()
    desk.wait_for(State.TALKING)
    desk.photograph("phone-talking")
    window.locator("#hook").tap()
    desk.wait_for(State.WRAP_UP)
    assert window.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("ratio", [1, 1.5, 2, 3])
def test_the_screen_is_sharp_everywhere(visit, ratio):
    window = visit(device_scale_factor=ratio, **DESKTOP).window
    for width, height in ((360, 640), (800, 600), (1366, 768), (1920, 1080)):
        window.set_viewport_size({"width": width, "height": height})
        window.evaluate("() => new Promise(requestAnimationFrame).then(fit)")
        times = window.evaluate("lcd.getBoundingClientRect().width * devicePixelRatio / lcd.width")
        assert times == pytest.approx(round(times), abs=0.01)
        assert round(times) >= 1
        assert window.evaluate("document.documentElement.scrollWidth") <= width
        assert window.evaluate("lcd.getBoundingClientRect().right") <= width


def test_the_page_says_when_the_booth_is_gone(visit):
    desk = visit()
    desk.window.route_web_socket("**/booth", lambda _socket: None)
    desk.window.evaluate("socket.close()")
    expect(desk.window.locator("#lost")).to_be_visible()


def test_a_closed_line_is_opened_again(visit):
    desk = visit()
    desk.window.evaluate("socket.close()")
    expect(desk.window.locator("#lost")).to_be_visible()
    expect(desk.window.locator("#lost")).to_be_hidden()
    desk.window.keyboard.press("5")
    desk.wait_for(State.KEYING)
