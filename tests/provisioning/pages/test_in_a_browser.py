"""A real browser at the supervisor's pages: a call is found and heard, in both languages, with keys alone and without scripts.

Every picture taken lies in the test's directory; its path is printed (pytest -s).
"""

import os
import re
import shutil
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from firmware import wire
from provisioning.server.bell import Topic

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=30_000)  # a slow machine is a machine

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
NAME, PASSWORD = "佐藤", "correct horse battery"
KEY = "+81312345601"
LIST = Path(__file__).parents[2] / "data" / "sample-broken.csv"

# How loud each of the two tones is in each ear, by a browser's own decoder: [agent's in left, in right, customer's …].
HEARD = """async (address) => {
  const bytes = await (await fetch(address)).arrayBuffer();
  const sound = await new OfflineAudioContext(2, 1, 48000).decodeAudioData(bytes);
  const level = (ear, frequency) => {
    const samples = sound.getChannelData(ear);
    let real = 0, imaginary = 0;
    for (let at = 0; at < samples.length; at++) {
      const angle = (2 * Math.PI * frequency * at) / sound.sampleRate;
      real += samples[at] * Math.cos(angle);
      imaginary += samples[at] * Math.sin(angle);
    }
    return (2 * Math.hypot(real, imaginary)) / samples.length;
  };
  return { levels: [level(0, 440), level(1, 440), level(0, 1000), level(1, 1000)], seconds: sound.duration };
}"""


@pytest.fixture(scope="module")
def chromium():
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS  # Chromium's sandbox refuses root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, office):
    """Opens a window that is logged in; what it complains of fails the test."""
    opened, complaints = [], []

    def go(language="ja", path="/calls", **options):
        context = chromium.new_context(**{"base_url": office.url} | DESKTOP | options)
        opened.append(context)
        window = context.new_page()
        window.set_default_timeout(30_000)
        window.on("pageerror", lambda error: complaints.append(str(error)))
        window.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        window.goto(f"/log-in?lang={language}&next={path}")
        window.locator("[name=name]").fill(NAME)
        window.locator("[name=password]").fill(PASSWORD)
        window.keyboard.press("Enter")
        expect(window.locator(".top nav")).to_be_visible()
        return window

    yield go
    while opened:
        opened.pop().close()
    assert complaints == []


@pytest.fixture
def one(office):
    return office.booth("1")


@pytest.fixture
def call_id(office, one):
    made = office.call(one, talk=10.0, marks=[{"name": "refusal", "seconds": 6.0}])
    office.recording(one, made, seconds=12.0, answer=2.0)
    return made


@pytest.fixture
def refused_call(office, one, call_id):
    office.fact(one, "refusal", KEY, call=call_id, result="REF")
    return call_id


@pytest.mark.parametrize(
    ("language", "play", "verified"), [("ja", "再生", "封印・照合済み"), ("en", "Play", "sealed and verified")]
)
def test_a_call_is_found_and_heard(visit, call_id, language, play, verified):
    window = visit(language)
    window.locator("[name=text]").fill("ミズホ")
    window.keyboard.press("Enter")
    window.wait_for_url("**text=*")
    window.locator(f"#call-{call_id} .play").click()
    expect(window.locator(".seal")).to_contain_text(verified)
    window.get_by_role("button", name=play).click()
    window.wait_for_function("() => document.querySelector('audio').currentTime > 3")
    heard = window.evaluate(HEARD, f"/recordings/{call_id}.opus")
    assert heard["seconds"] == pytest.approx(12.0, abs=0.1)
    agent_left, agent_right, customer_left, customer_right = heard["levels"]
    assert min(agent_left, customer_right) > 0.05
    assert agent_left > 1000 * agent_right  # 60 dB
    assert customer_right > 1000 * customer_left


def drawn(window):
    """How many dots of the waveform are painted, above and below."""
    return window.evaluate("""() => {
        const canvas = document.querySelector(".wave canvas"), half = Math.floor(canvas.height / 2);
        const painted = (top) => canvas.getContext("2d").getImageData(0, top, canvas.width, half).data
            .filter((value, at) => at % 4 === 3 && value > 0).length;
        return [painted(0), painted(half)];
    }""")


def now(window):
    return window.evaluate("() => document.querySelector('audio').currentTime")


def test_the_player_obeys_mouse_and_keys(visit, call_id):
    window = visit(path=f"/calls/{call_id}")
    wave, seconds = window.locator(".wave"), "() => document.querySelector('audio').readyState >= 1"
    window.wait_for_function(seconds)
    assert now(window) == pytest.approx(2.0)  # it begins at the answer
    above, below = drawn(window)
    assert above > 500
    assert below > 500
    box = wave.bounding_box()
    window.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 40)
    assert now(window) == pytest.approx(9.0, abs=0.2)
    assert wave.get_attribute("aria-valuenow") == "9"
    assert wave.get_attribute("aria-valuetext") == "0:10 のうち 0:07"
    window.keyboard.press("ArrowLeft")
    assert now(window) == pytest.approx(4.0, abs=0.2)
    wave.press("Home")
    assert now(window) == 0
    window.get_by_role("button", name="0:06 断り発言").click()
    assert now(window) == pytest.approx(8.0)
    wave.focus()
    window.keyboard.press("k")
    window.wait_for_function("() => !document.querySelector('audio').paused")
    window.keyboard.press("k")
    window.keyboard.press("3")
    expect(window.get_by_role("radio", name="お客様")).to_be_checked()
    window.keyboard.press("j")
    assert now(window) == 0


def test_without_scripts_a_plain_player_stands_there(visit, call_id):
    window = visit(path=f"/calls/{call_id}", java_script_enabled=False)
    expect(window.locator("audio")).to_be_visible()
    expect(window.locator(".wave")).to_be_hidden()
    expect(window.locator(".play-button")).to_be_hidden()


def test_calls_arrive_while_somebody_looks(visit, office, one):
    window = visit()
    expect(window.get_by_text("通話はまだありません")).to_be_visible()
    first = office.call(one)
    expect(window.locator(f"#call-{first}")).to_be_visible()
    expect(window.locator("#said")).to_have_text("新着・更新 1 件")
    window.locator(f"#call-{first} .customer").focus()
    second = office.call(one, at=office.now + 1)
    expect(window.locator("tbody tr").first).to_have_id(f"call-{second}")
    expect(window.locator(f"#call-{first} .customer")).to_be_focused()
    office.recording(one, first)
    office.parts.bell.ring(Topic.RECORDINGS)
    expect(window.locator(f"#call-{first} .play")).to_be_visible()


def test_a_reader_further_down_is_not_disturbed(visit, office, one):
    for number in range(40):
        office.call(one, at=office.now - number)
    window = visit()
    window.evaluate("scrollTo(0, 600)")
    newest = office.call(one, at=office.now + 1)
    button = window.get_by_role("button", name="新しい通話を表示")
    expect(button).to_be_visible()
    assert window.locator(f"#call-{newest}").count() == 0
    button.click()
    expect(window.locator(f"#call-{newest}")).to_be_visible()


def test_a_list_is_uploaded_and_a_refusal_lifted_with_keys_alone(visit, office, one, call_id, tmp_path):
    file = tmp_path / "春の案内.csv"
    file.write_text("氏名,電話番号\n川口 一郎,090-1234-5603\n警察,110\n", encoding="utf-8")
    window = visit(path="/lists")
    window.locator("#file").set_input_files(file)
    window.get_by_role("checkbox", name="ブース1").press("Space")
    window.get_by_role("button", name="アップロード").press("Enter")
    window.wait_for_url(re.compile(r"/lists/[0-9a-f-]{36}$"))
    expect(window.get_by_text("緊急通報の番号です")).to_be_visible()
    office.fact(one, "refusal", KEY, call=call_id, result="REF")
    window.goto(f"/calls/{call_id}")
    window.get_by_role("link", name="断りを解除").press("Enter")
    window.locator("#reason").fill("本人から電話があった")
    window.get_by_role("button", name="断りを解除").press("Enter")
    window.wait_for_url(f"**/calls/{call_id}?done=lifted")
    expect(window.get_by_role("status")).to_contain_text("断りを解除しました")


def test_a_consent_is_recorded_and_withdrawn_with_keys_alone(visit):
    window = visit()
    window.goto(f"/numbers/{KEY}")
    window.get_by_role("link", name="同意を記録").press("Enter")
    window.get_by_label("同意の証拠").fill("3月1日付の申込書")
    window.keyboard.press("Tab")
    expect(window.get_by_label("最終日")).to_be_focused()
    window.get_by_label("最終日").fill("2027-03-31")
    window.get_by_role("button", name="同意を記録").press("Enter")
    window.wait_for_url("**?done=consented")
    expect(window.get_by_role("status")).to_contain_text("同意を記録しました")
    expect(window.get_by_text("2027/4/1 0:00 まで").first).to_be_visible()
    window.get_by_role("link", name="同意の撤回").press("Enter")
    window.get_by_label("撤回の理由").fill("本人から電話で撤回")
    window.get_by_role("button", name="撤回を記録").press("Enter")
    window.wait_for_url("**?done=withdrawn")
    expect(window.get_by_text("有効な同意はありません。")).to_be_visible()


@pytest.fixture
def split(office, one, sv):
    """Two customers that two booths called while they were out of reach; one pair has been looked into."""
    two = office.booth("2")
    for key, name, back in (("+81312345602", "有限会社アオバ", 3), ("+819012345603", "川口 一郎", 0)):
        number = {"key": key, "shown": key.replace("+81", "0"), "dialled": key, "kind": "ORDINARY"}
        whom = {"id": 1, "name": name, "row": 1, "list": {"id": 1, "uuid": "", "name": "春の案内", "sample": False}}
        for booth, ago, more in ((one, 1200, {"code": "REF"}), (two, 480, {"talk": 30.0, "by": "NEAR"})):
            at = office.now - ago - back * 86400
            said = {"verdict": "ALLOW", "reason": "FREE", "claim": "offline" if booth is one or back else "granted"}
            made = office.call(booth, at=at, number=number, customer=whom, decision=said, **more)
            office.fact(booth, "attempt", key, at=at, call=made)
            office.fact(booth, "refusal" if booth is one else "contact", key, at=at + 120, call=made, result="REF")
            office.recording(booth, made)
    form = re.findall(r'action="(/conflicts/[^"]+/seen)"', sv.get("/conflicts").text)[-1]
    assert sv.post(form, {"note": "お詫びの電話をした"}, on="/conflicts").status_code == 303


@pytest.mark.usefixtures("split")
def test_a_conflict_is_looked_into_and_marked_with_keys_alone(visit):
    window = visit(path="/conflicts")
    expect(window.locator(".top .count")).to_contain_text("1")
    expect(window.get_by_role("article")).to_have_count(2)
    fresh = window.get_by_role("article", name="川口 一郎")
    fresh.get_by_label("対応メモ").focus()
    window.keyboard.type("担当に確認済み")
    window.keyboard.press("Tab")
    expect(fresh.get_by_role("button", name="確認済みにする")).to_be_focused()
    window.keyboard.press("Enter")
    window.wait_for_url("**/conflicts?done=seen")
    expect(window.get_by_role("status")).to_contain_text("確認済みにしました")
    expect(window.get_by_role("article", name="川口 一郎")).to_contain_text("担当に確認済み")
    expect(window.locator(".top .count")).to_have_count(0)
    window.get_by_role("article", name="川口 一郎").get_by_role("button", name="未確認に戻す").press("Enter")
    window.wait_for_url("**/conflicts?done=unseen")
    expect(window.locator(".top .count")).to_contain_text("1")
    window.get_by_role("article", name="川口 一郎").get_by_role("link", name="聞く").first.press("Enter")
    window.wait_for_url(re.compile(r"/calls/[0-9a-f-]{36}#player$"))


@pytest.fixture
def kept_back(office):
    """A booth that keeps something back, and has much to bring."""
    reason = wire.KeptBack(kind="recording", id=str(uuid.uuid4()), reason="this recording is another booth's")
    waits = {"pending_recordings": 90, "pending_bytes": 3_200_000_000, "pace": 178_000.0, "full_in": 5.9}
    return office.booth("窓側の左から三番目の長い名前のブース、二階", kept_back=23, reasons=(reason,), **waits)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_what_a_booth_keeps_back_is_read_and_asked_for_with_keys_alone(visit, kept_back, size):
    window = visit(path="/booths", **size)
    caption = window.locator(".table caption").get_by_text("送信保留：23 件")
    assert caption.bounding_box()["width"] > 200
    expect(window.get_by_role("rowheader", name=kept_back.name)).to_be_visible()
    assert window.evaluate(COVERED) == []
    window.get_by_role("button", name="もう一度送らせる").press("Enter")
    window.wait_for_url("**/booths?done=asked-again")
    expect(window.get_by_text("再送信の依頼")).to_be_visible()


@pytest.mark.usefixtures("split", "kept_back")
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("look", ["ja light", "ja dark", "en light"])
def test_every_page_fits_and_is_named(visit, sv, refused_call, tmp_path, look, size):  # noqa: PLR0917  (fixtures)
    language, scheme = look.split()
    window = visit(language, color_scheme=scheme, **size)
    the_list = sv.upload(LIST.read_bytes(), LIST.name).url.path
    consent = f"/numbers/{KEY}/consent"
    sv.post(consent, {"reason": "3月1日付の申込書", "last": "2027-03-31"}, on=consent)
    pages = (
        "/booths",
        "/calls",
        f"/calls/{refused_call}",
        f"/numbers/{KEY}",
        f"/numbers/{KEY}/lift",
        f"/numbers/{KEY}/consent",
        f"/numbers/{KEY}/withdrawal",
        "/conflicts",
        "/lists",
        the_list,
        f"{the_list}/undo",
        re.search(r"/booths/[0-9a-f-]+/revoke", sv.get("/booths").text).group(),
        "/calls?text=nobody",
        "/account",
        "/log-in",
    )
    for path in pages:
        window.goto(path)
        name = re.sub(r"\W+", "-", re.sub(r"[0-9a-f-]{36}", "one", path)).strip("-")
        picture = tmp_path / f"{name}.png"
        window.screenshot(path=picture, full_page=True)
        print(picture)
        assert window.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"], path
        assert window.evaluate(UNNAMED) == [], path
        assert window.evaluate(FAINT) == [], path
        assert window.locator("h1").count() == 1
        window.keyboard.press("Tab")
        assert window.evaluate("document.activeElement.className") == "skip", path


# What a screen reader would have no name for.
UNNAMED = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, audio, [role=slider]")]
  .filter((each) => each.checkVisibility() && !each.ariaHidden)
  .filter((each) => !(each.textContent.trim() || each.ariaLabel || each.labels?.length || each.title))
  .map((each) => each.outerHTML)"""

# Names of rows over which something lies that can be pressed.
COVERED = """() => [...document.querySelectorAll("tbody tr:has(.corner a)")].filter((row) => {
  const name = document.createRange();
  name.selectNodeContents(row.querySelector("th"));
  const link = row.querySelector(".corner a").getBoundingClientRect();
  return [...name.getClientRects()].some((part) => part.right > link.left && part.bottom > link.top && part.top < link.bottom);
}).map((row) => row.textContent)"""

# Words that stand out less from what is behind them than the WCAG's 4.5 : 1.
FAINT = """() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const painted = (elements) => {
    pen.clearRect(0, 0, 1, 1);
    for (const [one, part] of elements) {
      pen.fillStyle = getComputedStyle(one)[part];
      pen.fillRect(0, 0, 1, 1);
    }
    const shares = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => value / 255);
    const light = shares.map((share) => (share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] + 0.05;
  };
  const behind = (one) => (one ? [...behind(one.parentElement), [one, "backgroundColor"]] : []);
  const faint = [], words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const one = words.currentNode.parentElement, said = words.currentNode.textContent.trim();
    if (!said || !one.checkVisibility() || one.closest(".unseen, .skip, script")) continue;
    const back = painted(behind(one)), ink = painted([...behind(one), [one, "color"]]);
    if (Math.max(back, ink) / Math.min(back, ink) < 4.5) faint.push(said);
  }
  return faint;
}"""
