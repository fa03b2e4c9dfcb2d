"""Photographs the web console for the documentation, over the demo's network.

Starts ``edgewright demo --console`` with a state folder of its own, asks, trains, and writes WebP
images in light and dark to docs/assets. Needs Chromium: make system.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect, sync_playwright

ASSETS = Path(__file__).parents[1] / "docs" / "assets"
#: Limits of all images together, and the size of each.
MAX_BYTES = 400_000
WIDTH = 1280
QUALITY = 80
PURPOSE = (
    "Ten clinics each have photos of handwritten digits and meet over a slow link; "
    "I need a classifier within 12 rounds."
)
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

expect.set_options(timeout=180_000)


def main() -> None:
    """Write the images, and say how large they are."""
    with serving() as url, sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        # As root, which containers run as, Chromium cannot use its own sandbox.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=options)
        take(browser, url)
        browser.close()
    total = sum(path.stat().st_size for path in ASSETS.glob("console-*.webp"))
    print(f"{total} bytes in all")  # noqa: T201
    if total > MAX_BYTES:
        raise SystemExit(f"the images have more than {MAX_BYTES} bytes; lower QUALITY")


@contextmanager
def serving() -> Iterator[str]:
    """Run the demo's network and the console in front of it."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-c", "from edgewright.cli.main import app; app()"]
        demo = ["demo", "--console", "--slowdown", "5", "--port", "0", "--json"]
        environment = {**os.environ, "EDGEWRIGHT_HOME": home}
        with subprocess.Popen(  # noqa: S603 - this program's own command
            [*command, *demo], env=environment, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            try:
                yield json.loads(line)["url"]
            finally:
                process.send_signal(signal.SIGINT)


def take(browser: Browser, url: str) -> None:
    """Use each page once, and photograph it in both schemes."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 900})
    page.set_default_timeout(180_000)
    page.goto(url)
    ask(page, "What kind of animal is this?", "chelsea")
    ask(page, "What is this?", "coffee")
    ask(page, "Detect the objects in this picture.", "astronaut")
    page.get_by_role("button", name="Details").last.wait_for()
    photograph(page, "chat", 1080, page.locator(".exchange").last)

    page.get_by_role("link", name="Network").click()
    page.locator(".runs tbody tr").first.wait_for()
    photograph(page, "network", 640)

    page.get_by_role("link", name="Train", exact=True).click()
    page.get_by_label("What is the model for?").fill(PURPOSE)
    page.get_by_role("button", name="Propose a training").click()
    page.get_by_role("button", name="Train it", exact=True).wait_for()
    photograph(page, "proposal", 860, page.locator(".state"))
    page.get_by_role("button", name="Train it", exact=True).click()
    expect(page.locator(".state")).to_contain_text("round 9 of")
    photograph(page, "train", 820, page.locator(".state"))


def ask(page: Page, text: str, name: str) -> None:
    """Ask about a photograph of scikit-image, and wait for the answer."""
    from skimage import data

    buffer = io.BytesIO()
    Image.fromarray(getattr(data, name)()).save(buffer, "PNG")
    file: FilePayload = {
        "name": f"{name}.png",
        "mimeType": "image/png",
        "buffer": buffer.getvalue(),
    }
    page.locator("input[type=file]").set_input_files(files=[file])
    page.locator(".attachments li:not(.loading)").wait_for()
    page.get_by_role("textbox", name="Request").fill(text)
    asked = page.locator(".exchange").count()
    page.get_by_role("button", name="Send").click()
    answered = page.locator(".exchange").nth(asked)
    answered.locator(".cost").wait_for()
    expect(answered.locator(".node")).to_have_attribute("data-state", "ok")


def photograph(page: Page, name: str, height: int, top: Locator | None = None) -> None:
    """Write what a window of some height shows, from an element on."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.mouse.move(0, 0)
        if top is None:
            page.evaluate("scrollTo(0, 0)")
        else:
            top.evaluate("each => scrollTo(0, each.getBoundingClientRect().top + scrollY - 76)")
        page.wait_for_timeout(300)
        image = Image.open(io.BytesIO(page.screenshot()))
        path = ASSETS / f"console-{name}-{scheme}.webp"
        image.convert("RGB").save(path, quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
