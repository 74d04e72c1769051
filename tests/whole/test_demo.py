"""The demo whole: server, sync and booth as the desk starts them, the network cut in a call, and a supervisor's visit."""

import hashlib
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from firmware import mailbox, sync
from firmware.callflow import State
from firmware.desk import card, ledger
from firmware.desk.office import Office, OfficeError
from firmware.desk.page import Memory, Page
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth
from firmware.desk.web import serving
from firmware.desk.words import texts
from firmware.store import Store
from firmware.vault import SUFFIX
from hw.emulated.exchange import FarEnd
from provisioning import keys, recording

pytestmark = pytest.mark.slow
expect.set_options(timeout=30_000)  # a slow machine is a machine

COMMAND = [sys.executable, "-m", "firmware.desk", "--no-browser"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Demo:
    """What `booth-desk` puts together."""

    def __init__(self, directory, language="ja"):
        self.home = directory / "booth"
        self.office = Office(directory, self.home, language)
        self.log_in = self.office.prepare()
        self.office.open()
        self.rig = Rig(self.home, language=language, identity=card.identity(self.home))
        ready = card.prepared(self.rig, recipients=self.office.recipients)
        self.running = RunningBooth(self.rig, ready.settings)
        self.page = Page(self.running, ready.callers, self.office)

    def at(self, *states, also=lambda _scene: True, patience=30.0):
        return self.running.wait_for(
            states[0].name, lambda scene, _view: scene.state in states and also(scene), patience
        )

    def call(self, during=lambda: None):
        """Call whoever is lit, and save a result; the call's id."""
        self.at(State.LIST, State.PREVIEW, also=lambda scene: scene.header.signal is not None and settled(scene))
        self.rig.exchange.default = FarEnd(answers_after=0.3)
        self.rig.lift()
        self.rig.tap("A")
        talking = self.at(State.TALKING, also=lambda scene: scene.body.seconds >= 1.0)
        during()
        self.rig.replace()
        self.at(State.WRAP_UP)
        self.rig.tap("1")
        self.at(State.WRAP_UP, also=lambda scene: scene.body.chosen is not None)
        self.rig.tap("A")
        return talking.body.call.id

    def missed(self):
        """Wait until sync has found out that the server is out of reach."""
        store, ends = Store(self.home / "booth.db"), time.monotonic() + 60
        while not mailbox.report(store).error:
            assert time.monotonic() < ends
            select.select([], [], [], 0.02)
        store.close()

    def journal(self, call):
        return self.home / "recordings" / f"{call}{SUFFIX}"

    def close(self):
        try:
            self.running.stop()
        finally:
            self.rig.close()
            self.office.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One for all tests that leave it as it was."""
    made = Demo(tmp_path_factory.mktemp("demo"))
    yield made
    made.close()


def settled(scene):
    return scene.header.synced and not scene.header.pending


def held_back(scene):
    return scene.header.pending == 1 and not scene.header.synced


def test_a_network_cut_in_a_call_holds_the_call_back_and_no_longer(demo):
    call = demo.call(during=lambda: demo.page.act("trouble", "network"))
    demo.at(State.PREVIEW, also=held_back)
    assert demo.page.news(Memory())[0]["troubles"] == ["network"]
    assert ledger.entry(demo.office.server, call) is None
    demo.page.act("no-trouble", "network")
    demo.at(State.PREVIEW, also=settled, patience=30.0)
    entry = ledger.entry(demo.office.server, call)
    assert entry.state == "whole"
    assert entry.record["result"]["code"] == "SALE"
    assert {entry.said, entry.kept} == {hashlib.sha256(demo.journal(call).read_bytes()).hexdigest()}


def test_an_idle_booth_says_when_the_server_is_out_of_reach(demo):
    demo.at(State.LIST, State.PREVIEW, also=settled)
    demo.page.act("trouble", "network")
    demo.at(State.LIST, State.PREVIEW, also=lambda scene: not scene.header.synced and not scene.header.pending)
    demo.page.act("no-trouble", "network")
    demo.at(State.LIST, State.PREVIEW, also=settled, patience=30.0)


def test_a_booth_that_starts_in_1970_has_forgotten_what_sync_heard(demo):
    demo.at(State.LIST, State.PREVIEW, also=settled)
    demo.page.act("trouble", "clock")
    demo.at(State.LIST, also=lambda scene: scene.header.now is None and not scene.header.synced)
    demo.page.act("trouble", "network")
    demo.missed()  # so that sync has something new to tell
    demo.page.act("no-trouble", "network")
    demo.at(State.LIST, also=lambda scene: scene.header.now is not None and scene.header.synced, patience=30.0)
    demo.page.act("no-trouble", "clock")


def test_the_server_and_the_cards_own_key_open_a_recording(demo):
    journal = demo.journal(demo.call())
    demo.at(State.PREVIEW, also=settled)
    for key in (demo.office.server / "recordings.key", demo.home / card.KEY):
        assert recording.load(journal, keys.load(key)).whole


def test_the_log_in_is_kept_as_a_hash_only(demo):
    kept = [file for file in demo.home.parent.rglob("*") if file.is_file()]
    assert len(kept) > 10
    assert not [file for file in kept if demo.log_in.password.encode() in file.read_bytes()]


def test_the_desk_page_leads_to_the_supervisors(demo):
    with serving(demo.page) as address:
        page = httpx.get(address).text
    assert f'href="{demo.office.pages}"' in page
    assert 'data-about="network"' in page
    assert httpx.get(f"{demo.office.pages}/log-in").status_code == 200


def test_a_desk_without_a_server_has_no_network_to_cut(tmp_path):
    with Rig(tmp_path) as rig, RunningBooth(rig, rig.settings()) as running, serving(Page(running)) as address:
        page = httpx.get(address).text
    assert 'data-about="network"' not in page
    assert texts("ja")["pages"] not in page


def test_a_call_with_no_human_ends_on_the_server(capfd):
    assert subprocess.run([*COMMAND, "--once"], timeout=100, check=False).returncode == 0
    said, _ = capfd.readouterr()
    assert float(re.search(r"on the server, record and recording: (\S+) s after the result", said)[1]) < 5
    assert '"code": "SALE"' in said
    assert said.rstrip().endswith("everything as it should be: synced")


def test_a_server_that_ends_is_missed(tmp_path):
    office = Office(tmp_path, tmp_path / "booth")
    assert office.prepare() is not None
    office.open()
    try:
        assert office.ended == ""
        (server,) = children(os.getpid(), bytes(office.server))
        os.kill(server, signal.SIGKILL)
        wait_for(server)
        assert office.ended == f"the server has ended by itself; see {tmp_path / 'server.log'}"
    finally:
        office.close()


def test_a_server_that_cannot_start_says_so(tmp_path):
    office = Office(tmp_path, tmp_path / "booth")
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "server.db").write_text("no database")
    assert office.prepare() is None
    with pytest.raises(OfficeError, match=r"the server does not start; see .*server\.log"):
        office.open()
    office.close()


def test_the_desk_goes_on_where_it_was_and_leaves_nobody_behind(tmp_path, capsys):
    """Killed as hard as can be; the second time stopped by Ctrl-C."""
    identities, greetings = [], []
    for end in (signal.SIGKILL, signal.SIGINT):
        with subprocess.Popen([*COMMAND, "--data", tmp_path], stdout=subprocess.PIPE, text=True) as desk:
            greetings.append("".join(iter(desk.stdout.readline, "Ctrl-C stops.\n")))
            born = children(desk.pid)
            assert len(born) == 2
            desk.send_signal(end)
            for child in born:
                wait_for(child)
        identities.append((tmp_path / "booth" / "sync" / "identity.json").read_text())
    assert desk.returncode == 0
    assert re.search(r"admin, password \S{12,}", greetings[0])
    assert "password" not in greetings[1]
    without_address = [re.sub(r"127\.0\.0\.1:\d+", "", text) for text in identities]
    assert without_address[0] == without_address[1]
    sync.main(["status", "--data", str(tmp_path / "booth")])
    assert "0 calls" in capsys.readouterr().out


def children(parent, named=b""):
    """The processes that `parent` has started, or those of them that run something of that name."""
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    born = [int(child) for task in tasks for child in task.read_text().split()]
    return [child for child in born if named in Path(f"/proc/{child}/cmdline").read_bytes()]


def wait_for(process, patience=20.0):
    """Until a process has ended."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], patience)[0], f"{process} goes on"
    finally:
        os.close(handle)


@pytest.fixture(scope="module")
def chromium():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    flags = ["--headless", "--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "size"), [("ja", (1180, 900)), ("en", (360, 740))], ids=["ja-desktop", "en-telephone"]
)
def test_a_visit_from_the_booth_to_the_recording(chromium, tmp_path, language, size):
    """A call on the desk page, its result, the supervisor's pages, the call, its sound."""
    demo, said = Demo(tmp_path, language), texts(language)
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]})
    try:
        with serving(demo.page, language=language) as address:
            desk = context.new_page()
            desk.goto(address)
            demo.at(State.LIST, also=lambda scene: scene.header.signal is not None)
            expect(desk.locator('[data-lamp="line"]')).to_have_attribute("data-glow", "on")  # the page hears the booth
            desk.keyboard.press("Enter")
            demo.at(State.ARMED)
            desk.locator("#hook").click()
            call = demo.at(State.TALKING, also=lambda scene: scene.body.seconds >= 2.0, patience=30.0).body.call
            desk.get_by_role("button", name=said["network"]).click()
            expect(desk.locator('[data-about="network"]')).to_have_attribute("aria-pressed", "true")
            desk.locator("#hook").click()
            demo.at(State.WRAP_UP)
            desk.keyboard.press("1")
            demo.at(State.WRAP_UP, also=lambda scene: scene.body.chosen is not None)
            desk.keyboard.press("Enter")
            demo.at(State.PREVIEW, also=held_back)
            desk.screenshot(path=tmp_path / "cut.png", full_page=True)
            with context.expect_page() as opening:
                desk.get_by_role("link", name=said["pages"]).click()
            office = opening.value
            log_in(office, demo.log_in)
            office.goto(f"{demo.office.pages}/calls")
            assert office.locator(f'a[href="/calls/{call.id}"]').count() == 0
            desk.get_by_role("button", name=said["network"]).click()
            demo.at(State.PREVIEW, also=settled, patience=30.0)
            expect(office.locator(f'a[href="/calls/{call.id}"]')).to_be_visible(timeout=30000)  # it comes by itself
            office.screenshot(path=tmp_path / "calls.png", full_page=True)
            office.locator(f'a[href="/calls/{call.id}"]').click()
            expect(office.get_by_role("heading", level=1)).to_contain_text(call.customer.name)
            assert office.evaluate(HEARD) == "moves, and both ears are heard"
            office.screenshot(path=tmp_path / "call.png", full_page=True)
            print(tmp_path)
    finally:
        context.close()
        demo.close()


def log_in(office, known):
    office.locator("#name").fill(known.name)
    office.locator("#password").fill(known.password)
    office.locator("#password").press("Enter")
    office.wait_for_url("**/booths")


HEARD = """async () => {
  const audio = document.querySelector("audio");
  document.querySelector(".play-button").click();
  while (!(audio.currentTime > 0.5)) await new Promise(requestAnimationFrame);
  const bytes = await (await fetch(audio.src)).arrayBuffer();
  const sound = await new OfflineAudioContext(2, 1, 8000).decodeAudioData(bytes);
  const power = [0, 1].map((ear) => sound.getChannelData(ear).reduce((sum, one) => sum + one * one, 0));
  return sound.numberOfChannels === 2 && Math.min(...power) > 0.1 ? "moves, and both ears are heard" : `silent: ${power}`;
}"""
