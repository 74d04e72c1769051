"""The desk: its rig, its page's server, its card, and the call that needs no human."""

import io
import json
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from firmware.callflow import State
from firmware.desk import card, words
from firmware.desk.__main__ import main
from firmware.desk.modems import MODEMS
from firmware.desk.once import run_once
from firmware.desk.page import FAR_ENDS, KEPT, ModemLog, Page
from firmware.desk.rig import Rig
from firmware.desk.running import BoothDied, RunningBooth
from firmware.desk.troubles import troubles
from firmware.desk.web import FILES, PAGES, serving
from firmware.pin import verify
from firmware.settings import parse
from hw.emulated.exchange import FarEnd
from hw.events import Event, KeyPressed, KeyReleased

pytestmark = pytest.mark.slow


class Desk:
    """A running booth and its page's address."""

    def __init__(self, running, address):
        self.running, self.rig = running, running.rig
        self.base, _, self.token = address.partition("?token=")
        self.host = self.base.removeprefix("http://").rstrip("/")
        self.cookie = f"desk-{self.host.partition(':')[2]}={self.token}"

    def get(self, path="", **headers):
        return httpx.get(self.base + path, headers=headers)

    def open(self, origin=None, cookie=None, **options):
        headers = {"Cookie": self.cookie if cookie is None else cookie}
        return connect(f"ws://{self.host}/booth", additional_headers=headers, origin=origin, **options)

    def finger_up(self):
        """Wait until no key is down any more: the keypad takes no second one before."""
        ends = time.monotonic() + 30
        while self.rig.matrix.down:
            assert time.monotonic() < ends, "a key stays down"
            select.select([], [], [], 0.005)

    def wait_for(self, state):
        return self.running.wait_for(state.name, lambda scene, _view: scene.state is state)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One desk for all tests that leave it as it was."""
    with (
        Rig(tmp_path_factory.mktemp("served")) as rig,
        RunningBooth(rig, card.prepared(rig).settings) as running,
        serving(Page(running, [("0312345601", "first")])) as address,
    ):
        yield Desk(running, address)


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path) as made:
        yield made


@pytest.fixture
def running(rig):
    with RunningBooth(rig, card.prepared(rig).settings) as booth:
        yield booth


@pytest.fixture
def desk(running):
    with serving(Page(running, [("0312345601", "first")])) as address:
        yield Desk(running, address)


def until(page, wanted):
    """The first message that `wanted` likes; a message is a dict or a PNG's bytes."""
    while True:
        data = page.recv(timeout=5)
        message = data if isinstance(data, bytes) else json.loads(data)
        if wanted(message):
            return message


def says(name, value):
    return lambda message: isinstance(message, dict) and message.get(name) == value


def test_the_page_wants_the_token(served):
    assert served.get().status_code == 403
    assert served.get("?token=wrong").status_code == 403
    assert served.get("?token=%E3%81%82").status_code == 403
    answer = served.get(f"?token={served.token}")
    assert answer.status_code == 200
    assert served.cookie in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]


def test_everything_else_wants_the_cookie(served):
    for path in ("", *FILES):
        assert served.get(path).status_code == 403
        assert served.get(path, Cookie=served.cookie).status_code == 200
    assert served.get(f"desk.js?token={served.token}").status_code == 403
    assert served.get("rig.py", Cookie=served.cookie).status_code == 404


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Host": "127.0.0.1"}, {"Origin": "http://evil.example"}]
)
def test_foreign_names_are_refused(served, headers):
    assert served.get(Cookie=served.cookie, **headers).status_code == 421


def test_localhost_is_a_name_of_ours(served):
    port = served.host.partition(":")[2]
    assert served.get(Cookie=served.cookie, Host=f"localhost:{port}").status_code == 200


def test_the_web_socket_is_guarded_alike(served):
    for refused in ({"cookie": "desk=1"}, {"origin": "http://evil.example"}):
        with pytest.raises(InvalidStatus) as refusal:
            served.open(**refused)
        assert refusal.value.response.status_code == 403
    with served.open(origin=served.base.rstrip("/")):
        pass


@pytest.mark.parametrize(
    ("query", "lang", "text"), [("", "ja", "相手先"), ("?lang=en", "en", "The far end"), ("?lang=xx", "ja", "相手先")]
)
def test_the_page_speaks_two_languages(served, query, lang, text):
    html = served.get(query, Cookie=served.cookie).text
    assert f'<html lang="{lang}">' in html
    assert f">{text}<" in html


def test_a_booth_with_a_headset_has_no_hook_to_lift(tmp_path, served):
    assert 'id="hook"' in served.get(Cookie=served.cookie).text
    with (
        Rig(tmp_path, hook="none") as rig,
        RunningBooth(rig, card.prepared(rig).settings) as running,
        serving(Page(running)) as address,
    ):
        assert 'id="hook"' not in httpx.get(address).text


def test_nothing_comes_from_elsewhere(served):
    answer = served.get(Cookie=served.cookie)
    everything = answer.text + "".join(served.get(name, Cookie=served.cookie).text for name in FILES)
    assert not re.search(r"https?:|//[a-z]+\.|@import|style=", everything)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_keys_reach_the_pins(desk):
    with desk.open() as page:
        for key in "03":
            page.send(json.dumps(["down", key]))
            page.send(json.dumps(["up", key]))
        scene = desk.running.wait_for("03", lambda scene, _view: getattr(scene.body, "digits", "") == "03")
        assert scene.state is State.KEYING
        assert until(page, lambda message: isinstance(message, dict) and "lines" in message)


def test_a_closed_page_lets_go_of_its_keys(desk):
    with desk.open() as page:
        page.send(json.dumps(["down", "1"]))
        desk.wait_for(State.KEYING)
    desk.finger_up()
    desk.rig.tap("2")
    desk.running.wait_for("2", lambda scene, _view: scene.body.digits == "12")


def test_a_page_that_breaks_off_lets_go_of_its_keys(desk):
    with desk.open(close_timeout=0) as page:
        page.send(json.dumps(["down", "1"]))
        desk.wait_for(State.KEYING)
        page.socket.shutdown(socket.SHUT_RDWR)
    desk.finger_up()
    desk.rig.tap("2")
    desk.running.wait_for("2", lambda scene, _view: scene.body.digits == "12")


def test_the_screen_arrives_as_it_is(desk):
    desk.running.wait_for("line", lambda scene, _view: scene.header.signal is not None)
    with desk.open() as page:
        picture = Image.open(io.BytesIO(until(page, lambda message: isinstance(message, bytes))))
        assert picture.size == (320, 240)
        desk.rig.tap("7")
        desk.wait_for(State.KEYING)
        until(page, lambda message: isinstance(message, bytes) and shows(message, desk.rig))


def shows(png, rig):
    return Image.open(io.BytesIO(png)).convert("RGB").tobytes() == rig.panel.picture().tobytes()


def test_hook_lamps_and_far_end_are_told(desk):
    with desk.open() as page:
        until(page, lambda message: isinstance(message, dict) and message.get("lamps", {}).get("line") == "on")
        page.send(json.dumps(["hook", "up"]))
        until(page, says("hook", "up"))
        page.send(json.dumps(["hook", "down"]))
        until(page, says("hook", "down"))
        page.send(json.dumps(["far", "busy"]))
        until(page, says("far", {"state": "idle", "number": "", "next": "busy", "silent": False}))
        assert desk.rig.exchange.default.outcome == "busy"
        page.send(json.dumps(["call-in", "0312345601"]))
        until(page, says("far", {"state": "ringing", "number": "03-1234-5601", "next": "busy", "silent": False}))
        desk.wait_for(State.RINGING_IN)
        page.send(json.dumps(["hang-up", ""]))
        desk.wait_for(State.LIST)


def closing(page):
    with pytest.raises(ConnectionClosedError) as closed:
        until(page, lambda _message: False)
    return closed.value.rcvd.code


@pytest.mark.parametrize(
    "message", ["", "{}", "[1, 2]", '["down"]', '["down", "Q"]', '["fly", "1"]', '["trouble", "x"]']
)
def test_nonsense_ends_the_connection(served, message):
    with served.open() as page:
        page.send(message)
        assert closing(page) == 1008


def test_what_is_too_long_ends_the_connection(served):
    with served.open() as page:
        page.send("x" * 5000)
        assert closing(page) == 1009


def test_the_modem_log_reaches_the_page(served):
    with served.open() as page:
        lines = until(page, lambda message: isinstance(message, dict) and "log" in message)["log"]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", time) and source in {"booth", "modem"} for time, source, _ in lines)
    assert any(text.startswith("AT") for _, source, text in lines if source == "booth")


def test_the_modem_log_keeps_the_last_lines():
    log = ModemLog("Asia/Tokyo")
    for number in range(KEPT + 5):
        log.add(f"> AT{number}")
    count, lines = log.after(0)
    assert (count, len(lines), lines[0][1:], lines[-1][2]) == (KEPT + 5, KEPT, ("booth", "AT5"), f"AT{KEPT + 4}")
    log.add("< OK")
    assert [line[1:] for line in log.after(count)[1]] == [("modem", "OK")]
    assert log.after(count + 1)[1] == []


@pytest.mark.slow
def test_an_unplugged_modem_comes_back(running):
    trouble = troubles(running)["unplugged"]
    running.wait_for("line", lambda scene, _view: scene.header.signal is not None)
    trouble.begin()
    running.wait_for("lost", lambda scene, _view: scene.state is State.OUT_OF_ORDER)
    assert trouble.present()
    trouble.end()
    running.wait_for("back", lambda scene, _view: scene.state is State.LIST, 10)
    assert not trouble.present()


@pytest.mark.slow
def test_a_booth_without_time_says_so_until_it_is_told(running):
    trouble = troubles(running)["clock"]
    running.wait_for("time", lambda scene, _view: scene.header.now is not None)
    trouble.begin()
    running.wait_for("no time", lambda scene, _view: scene.header.now is None)
    trouble.end()
    running.wait_for("time again", lambda scene, _view: scene.header.now is not None)


@pytest.mark.parametrize("name", ["mute", "garble", "lossy", "no-sim", "sim-locked"])
def test_every_trouble_of_the_modem_can_be_undone(served, name):
    trouble = troubles(served.running)[name]
    assert not trouble.present()
    trouble.begin()
    assert trouble.present()
    trouble.end()
    assert not trouble.present()


def test_a_full_card_takes_nothing(rig, tmp_path):
    rig.fill_card()
    assert rig.card_full
    with (tmp_path / "some").open("wb", buffering=0) as file:
        assert file.write(bytes(20_000)) == 16_384
        with pytest.raises(OSError, match="File too large"):
            file.write(b"more")
    rig.empty_card()
    (tmp_path / "some").write_bytes(bytes(30_000))


def ready(running):
    """A radio line shows its signal; of any other it is known that the booth has begun to speak with it."""
    if running.rig.kind.has_sim:
        running.wait_for("line", lambda scene, _view: scene.header.signal is not None)
    else:
        poll(lambda: running.rig.modem.heard)


def poll(true, patience=30.0):
    ends = time.monotonic() + patience
    while not true():
        assert time.monotonic() < ends, "it never came true"
        select.select([], [], [], 0.01)


def worth(name):
    """One analog modem stands for all in a short run: they differ in their tables only."""
    rare = not MODEMS[name].has_sim and name != "usr5637"
    return pytest.param(name, marks=pytest.mark.soak if rare else ())


@pytest.mark.parametrize("name", [worth(name) for name in MODEMS])
def test_any_modem_can_be_plugged_in(desk, name):
    rig = desk.rig
    ready(desk.running)
    with desk.open(close_timeout=0.5) as page:  # the closing words lie behind all that is left unread
        until(page, says("modem", "quectel"))
        rig.modem.silent = True
        page.send(json.dumps(["modem", name]))
        poll(lambda: not rig.modem.silent)  # it is another one, even of the same sort
        assert rig.modem_name == name
        ready(desk.running)
        rig.exchange.default = FarEnd(answers_after=0.5)
        page.send(json.dumps(["down", "A"]))
        page.send(json.dumps(["up", "A"]))
        desk.wait_for(State.ARMED)
        page.send(json.dumps(["hook", "up"]))
        desk.wait_for(State.TALKING)
        assert rig.exchange.number == "0312345601"
        until(page, lambda message: isinstance(message, dict) and "ATD" in str(message.get("log")))
        poll(lambda: any(rig.exchange.heard) and any(rig.handset.heard))
        page.send(json.dumps(["hook", "down"]))
        desk.wait_for(State.WRAP_UP)
    kept = parse((rig.directory / card.DEVICE).read_text(encoding="utf-8"))
    assert (card.last_modem(rig.directory), kept.line.settings) == (name, rig.line.settings)
    assert kept.supervisor.pin == desk.running.settings.supervisor.pin


def test_a_modem_that_nobody_has_is_not_swapped_for(desk):
    with desk.open() as page:
        page.send('["modem", "tin can"]')
        assert closing(page) == 1008
    assert desk.rig.modem_name == "quectel"
    assert not desk.running.died


def test_a_booth_without_time_is_not_told_it_by_another_modem(rig):
    rig.set_clock(1970)
    rig.change_modem("quectel")
    assert rig.modem.network_time is None
    rig.restore_clock()
    assert rig.modem.network_time > 1.6e9


def test_a_trouble_is_the_present_modems(running):
    lossy = troubles(running)["lossy"]
    lossy.begin()
    assert (running.rig.modem.cable.loss, running.rig.modem.cable.cut) != (0, 0)
    running.change_modem("quectel")
    assert not lossy.present()


@pytest.mark.parametrize("name", [worth(name) for name in MODEMS])
def test_what_no_modem_can_have_is_said_to_be_unfit(tmp_path, name):
    with Rig(tmp_path, modem=name) as rig, RunningBooth(rig, card.prepared(rig).settings) as running:
        unfit = {trouble for trouble, its in troubles(running).items() if not its.fits()}
        assert unfit == (set() if rig.kind.has_sim else {"no-sim", "sim-locked"})


def test_a_locked_sim_opens_with_its_pin(running):
    trouble = troubles(running)["sim-locked"]
    ready(running)
    trouble.begin()
    running.wait_for("locked", lambda scene, _view: scene.state is State.OUT_OF_ORDER)
    trouble.end()
    running.wait_for("open", lambda scene, _view: scene.state is State.LIST)


def open_files():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.slow
def test_a_rig_leaves_nothing_behind(tmp_path):
    Rig(tmp_path / "warm").close()  # luma keeps threads for good
    threads, files = set(threading.enumerate()), open_files()
    for screen, hook in (("ili9341", "cradle"), ("hd44780", "none")):
        with Rig(tmp_path / screen, screen=screen, hook=hook) as rig, RunningBooth(rig, rig.settings()) as running:
            running.restart()
    assert set(threading.enumerate()) <= threads
    assert open_files() <= files


def test_hands_reach_the_near_ends(rig):
    heard: list[Event] = []
    done = threading.Event()

    def hear(event):
        heard.append(event)
        if event == KeyReleased("#"):
            done.set()

    rig.hardware.keypad.open(hear)
    rig.type("5#")
    assert done.wait(2)
    assert heard == [KeyPressed("5"), KeyReleased("5"), KeyPressed("#"), KeyReleased("#")]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_booth_that_dies_is_noticed(rig):
    def fail(_scene, _view):
        raise ArithmeticError("a bug of ours")

    running = RunningBooth(rig, rig.settings())
    running.booth.watch(fail)
    running.booth.post(KeyPressed("1"))
    with pytest.raises(BoothDied) as death:
        running.wait_for("never", lambda _scene, _view: False)
    assert isinstance(death.value.__cause__, ArithmeticError)
    assert running.died
    with pytest.raises(BoothDied):
        running.stop()


def test_the_card_keeps_what_it_must(tmp_path):
    identity = card.identity(tmp_path)
    assert str(card.identity(tmp_path)) == str(identity)
    assert (tmp_path / card.KEY).stat().st_mode & 0o777 == 0o600
    with Rig(tmp_path, identity=identity) as rig:
        first = card.prepared(rig)
        second = card.prepared(rig, "en")
        third = card.prepared(rig, new_pin=True)
    assert second.pin is None
    assert verify(first.pin, second.settings.supervisor.pin)
    assert verify(third.pin, third.settings.supervisor.pin)
    assert len(first.callers) == 25
    assert not any(first.pin.encode() in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())


def test_the_card_knows_whom_recordings_were_sealed_to(tmp_path):
    identity, server = card.identity(tmp_path), str(card.identity(tmp_path / "server").to_public())
    sealed_to = []
    for recipients in ((server,), ()):
        with Rig(tmp_path, identity=identity) as rig:
            sealed_to.append(card.prepared(rig, recipients=recipients).settings.recording.recipients)
    assert sealed_to == [(server, str(identity.to_public()))] * 2


def test_the_card_knows_its_last_language(tmp_path):
    assert card.last_language(tmp_path) == "ja"
    with Rig(tmp_path, language="en") as rig:
        card.prepared(rig)
    assert card.last_language(tmp_path) == "en"


@pytest.mark.parametrize(("screen", "hook"), [("ili9341", "cradle"), ("hd44780", "none")])
def test_device_toml_is_what_the_booth_reads(tmp_path, screen, hook):
    with Rig(tmp_path, screen=screen, hook=hook, language="en") as rig:
        settings = rig.settings("123456", "[emergency]\nconfirmed = true\n")
        assert settings.emergency.confirmed
        assert (settings.screen.kind, settings.hook.kind, settings.language) == (screen, hook, "en")
        assert settings.recording.recipients == (str(rig.identity.to_public()),)
        assert parse(rig.device_toml(settings.supervisor.pin)).keypad == settings.keypad


def test_every_button_has_words():
    for name in (*words.ANSWERS, *words.TROUBLES, *(f"lamp-{lamp}" for lamp in words.LAMPS)):
        assert all(words.TEXTS[name]), name
    assert tuple(FAR_ENDS) == words.ANSWERS
    assert words.texts("ja").keys() == words.texts("en").keys()


def test_every_trouble_has_a_button(served):
    assert ("network", *troubles(served.running)) == words.TROUBLES


def test_the_sound_has_words_for_every_state():
    script = (PAGES / "sound.js").read_text(encoding="utf-8")
    lines = re.findall(r"(?:showSound|leaveSound)\(.*", script)
    states = {state for line in lines for state in re.findall(r'"(\w+)"', line)} - {"NotAllowedError"}
    assert len(states) > 8
    assert {f"sound-{state}" for state in states} <= words.TEXTS.keys()


def test_the_script_asks_for_words_that_exist():
    script = (PAGES / "desk.js").read_text(encoding="utf-8")
    asked = re.findall(r'"(lift|replace|pause|resume)"', script)
    assert set(asked) == {"lift", "replace", "pause", "resume"}
    assert set(asked) <= words.TEXTS.keys()
    assert {f"far-{state}" for state in ("idle", "dialling", "alerting", "talking", "ringing")} <= words.TEXTS.keys()


@pytest.mark.slow
def test_one_call_with_no_human(running, rig):
    out = io.StringIO()
    assert run_once(rig, running, out) == 0, out.getvalue()
    text = out.getvalue()
    record = json.loads(text[text.index("{") : text.rindex("}") + 1])
    assert record["result"]["code"] == "SALE"
    assert record["number"]["dialled"] == "0312345601"
    assert "ATD0312345601;" in text


@pytest.mark.slow
def test_one_call_that_goes_wrong_says_where(running, rig):
    rig.modem.silent = True
    out = io.StringIO()
    assert run_once(rig, running, out) == 1
    assert "FAILED" in out.getvalue()


@pytest.mark.slow
def test_the_command_serves_until_it_is_told_to_stop(tmp_path):
    command = [sys.executable, "-m", "firmware.desk", "--no-browser", "--data", str(tmp_path), "--language", "en"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        said = "".join(iter(process.stdout.readline, "Ctrl-C stops.\n"))
        with httpx.Client() as browser:
            assert "The far end" in browser.get(re.search(r"http://\S+", said)[0]).text
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors == ""
    assert re.search(r"PIN \d{6}", said)


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    for word in (
        "--language",
        "--modem",
        *MODEMS,
        "--screen",
        "--port",
        "--data",
        "--once",
        "--no-browser",
        "press A",
        "examples:",
    ):
        assert word in text


def test_a_taken_port_is_the_worlds_fault(served):
    port = int(served.host.partition(":")[2])
    with pytest.raises(OSError, match="in use"), serving(Page(served.running), port=port):
        pass


def test_the_sample_list_is_for_examples_only():
    for language in words.LANGUAGES:
        text = (Path(card.__file__).parent / f"sample.{language}.csv").read_text(encoding="utf-8")
        numbers = re.findall(r"\d{2,3}-\d{4}-\d{4}", text)
        assert len(numbers) >= 24
        assert all(re.fullmatch(r"(03|090)-1234-56\d\d", number) for number in numbers)
