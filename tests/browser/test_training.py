"""Training from a browser: describe, decide, watch, stop, and nothing that runs on by itself."""

import io
import os
import re
import signal
from typing import Any

import numpy as np
import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

# The nodes and the browser start with the first test, which takes its time on a busy machine.
pytestmark = pytest.mark.timeout(600, func_only=True)
expect.set_options(timeout=60_000)

PURPOSE = "Our workshops have pictures of bolts and nuts; sort them within 8 rounds."


def describe(page: Page, purpose: str, data: str, clients: str = "") -> None:
    page.get_by_role("link", name="Train", exact=True).click()
    page.get_by_label("What is the model for?").fill(purpose)
    page.get_by_label("Images", exact=True).select_option(label=data)
    page.get_by_label("Owners of the images").fill(clients)
    page.get_by_role("button", name="Propose a training").click()


def test_a_training_is_proposed_approved_watched_and_finished(page: Page, hostile: str) -> None:
    describe(page, PURPOSE, "parts", "2")
    state = page.locator(".state")
    expect(state).to_contain_text("Your decision")
    # What was read and left out, with names that are shown as text.
    data = page.locator(".data")
    expect(data).to_contain_text("1 file that cannot be used")
    expect(data).to_contain_text(hostile)
    assert not page.locator("main img[src=x]").count()
    # The words that led to the choices; and a remark that changes them.
    proposal = page.locator(".proposal").last
    expect(proposal.locator(".choices q").first).to_be_visible()
    expect(proposal).to_contain_text("8 rounds")
    page.get_by_label("Or say what should change").fill("only 5 rounds, please")
    page.get_by_role("button", name="Change it").click()
    expect(page.locator(".proposal")).to_have_count(2)
    expect(page.locator(".proposal").last).to_contain_text("5 rounds")
    expect(state).to_contain_text("Your decision")
    page.get_by_role("button", name="Train it", exact=True).click()
    # A reload in the middle takes up where it is.
    expect(state).to_contain_text("Trial 1")
    page.reload()
    expect(page.locator(".proposal")).to_have_count(2)
    expect(page.get_by_role("region", name="Trials", exact=True)).to_contain_text("%")
    expect(state).to_contain_text(re.compile("Your decision|Ended"))
    if page.get_by_role("button", name="End here").count():
        page.get_by_role("button", name="End here").click()
    expect(state).to_contain_text("Ended")
    expect(page.get_by_role("region", name="Result")).to_contain_text("of the test images right")
    expect(page.locator(".chart").first.locator(".series path")).to_have_count(1)
    expect(page.locator(".chart").last.locator(".finding-name")).to_have_count(2)
    page.locator(".chart").last.locator(".finding-name").first.hover()
    expect(page.locator(".series.lit")).to_have_count(1)

    faults = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page).response["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        faults |= {(scheme, each["id"]): each["nodes"] for each in serious}
    assert not faults
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 1280, "height": 900})

    # The new tool is tried on the chat page, with a request that it understands: it runs on the
    # device, which noticed it, and is right about an image like those that it was trained with.
    page.get_by_role("link", name="Try it").click()
    request = page.get_by_role("textbox", name="Request")
    expect(request).to_have_value(re.compile(r"\w"))
    bolt = np.clip(np.random.default_rng(1).normal(40, 30, (16, 16)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(bolt).save(buffer, "PNG")
    file = {"name": "part.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    page.locator(".attachments li:not(.loading)").wait_for()
    page.get_by_role("button", name="Send").click()
    # The planner learns the new card with the first request after it.
    expect(page.locator(".exchange .cost")).to_have_count(1, timeout=300_000)
    expect(page.locator(".answer .text")).to_contain_text(re.compile("bolt", re.IGNORECASE))


def test_a_training_is_stopped_and_found_again(page: Page) -> None:
    describe(page, "Ten clinics have handwritten digits; 40 rounds.", "digits: handwritten digits")
    page.get_by_role("button", name="Train it", exact=True).click()
    state = page.locator(".state")
    expect(state).to_contain_text("Trial 1, round")
    page.get_by_role("button", name="Stop").click()
    expect(state).to_contain_text("You stopped it")
    page.get_by_role("link", name="All trainings").click()
    expect(page.locator(".rows li").first).to_contain_text("stopped")
    page.locator(".rows a").first.click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()


def test_models_are_listed_and_a_sound_one_stays_as_it_is(page: Page) -> None:
    page.get_by_role("link", name="Tools", exact=True).click()
    models = page.get_by_role("region", name="Models", exact=True)
    expect(models.locator("tbody tr").first).to_contain_text(re.compile("installed|Install|MB"))
    expect(models).to_contain_text("nanodet")


def test_ctrl_c_leaves_no_training_running(context: BrowserContext, console: Any) -> None:
    """The last test: the server does not come back. It is asked without a page."""
    api = f"{console.url}/console/api/trainings"
    wanted = {"purpose": "ten clinics, 40 rounds", "source": "digits", "clients": None}
    begun = context.request.post(api, data=wanted).json()
    training = f"{api}/{begun['id']}"

    def wait_for(event: str) -> str:
        while True:
            found = context.request.get(training).json()
            if event in [each["event"] for each in found["events"]]:
                return str(found["run"])
            assert found["state"] != "over", found["events"][-1]

    wait_for("waiting")
    context.request.post(f"{training}/decisions", data={"type": "accept"})
    run = wait_for("client")
    sandboxes = psutil.Process(console.server.pid).children(recursive=True)
    assert sandboxes
    os.kill(console.server.pid, signal.SIGINT)
    console.server.wait(60)
    gone, alive = psutil.wait_procs(sandboxes, timeout=10)
    assert gone
    assert not alive
    # It is stored, for the command that continues it.
    assert (console.home / "runs" / run / "intent.json").exists()
    assert not (console.home / "runs" / run / "report.json").exists()
