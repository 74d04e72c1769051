"""`make pictures`: the README's pictures, taken from the running product."""

import os
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from firmware.callflow import State
from firmware.desk import card
from firmware.desk.office import Office
from firmware.desk.page import Page
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth
from firmware.desk.web import serving
from firmware.screens import pixels, views
from firmware.screens.samples import SCENES
from firmware.text.catalogue import load

HERE = Path(__file__).parents[1] / "firmware" / "desk" / "pictures"
SHOWN = ("list", "keying", "blocked", "talking", "wrap-up", "ringing-same-name")
GAP, ZOOM = 12, 2


def sheet(language):
    """Six states of the LCD, side by side."""
    pictures = [pixels.draw(views.view(SCENES[name], load(language))) for name in SHOWN]
    width, height = pictures[0].size
    made = Image.new("RGB", (3 * width * ZOOM + 4 * GAP, 2 * height * ZOOM + 3 * GAP), "white")
    for place, picture in enumerate(pictures):
        column, row = place % 3, place // 3
        corner = (GAP + column * (width * ZOOM + GAP), GAP + row * (height * ZOOM + GAP))
        made.paste(picture.resize((width * ZOOM, height * ZOOM), Image.Resampling.NEAREST), corner)
    made.quantize(64).save(HERE / f"lcd.{language}.png", optimize=True)


def desk(browser, language, directory):
    """The desk page in the middle of a call."""
    home = directory / "booth"
    office = Office(directory, home, language)
    office.prepare()
    office.open()
    rig = Rig(home, language=language)
    ready = card.prepared(rig, language, recipients=office.recipients)
    running = RunningBooth(rig, ready.settings)
    try:
        with serving(Page(running, ready.callers, office), language=language) as address:
            window = browser.new_page(viewport={"width": 1180, "height": 900})
            window.goto(address)
            running.wait_for("the line", lambda scene, _view: scene.header.signal is not None)
            rig.lift()
            rig.tap("A")
            running.wait_for("a talk", lambda scene, _view: scene.state is State.TALKING)
            rig.tap("3246")
            running.wait_for("a while", lambda scene, _view: scene.body.seconds > 7, 15)
            window.screenshot(path=HERE / f"desk.{language}.png")
            rig.replace()
            running.wait_for("the end", lambda scene, _view: scene.state is State.WRAP_UP)
    finally:
        running.stop()
        rig.close()
        office.close()


def main():
    """Take them all."""
    HERE.mkdir(exist_ok=True)
    flags = ["--headless", "--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        for language in ("ja", "en"):
            sheet(language)
            desk(browser, language, Path(name) / language)
        browser.close()


if __name__ == "__main__":
    main()
