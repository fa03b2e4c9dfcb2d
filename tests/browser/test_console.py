"""The web console in a real browser, in front of real nodes."""

import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, BrowserContext, Page, expect

# The nodes and the browser start with the first test, which takes its time on a busy machine.
pytestmark = pytest.mark.timeout(600, func_only=True)
expect.set_options(timeout=60_000)

Ask = Callable[..., None]
Photograph = Callable[[str], bytes]


def test_an_upload_leads_to_a_live_plan_an_answer_with_evidence_and_the_cost(
    page: Page, ask: Ask, photograph: Photograph
) -> None:
    ask(
        "Detect the objects in this picture.",
        name="astronaut.jpg",
        data=photograph("astronaut"),
        wait=False,
    )
    # The plan is there before the answer, and the step says how far it is.
    step = page.locator(".node").first
    expect(step).to_contain_text("Object detection")
    expect(page.locator(".answer .text")).to_contain_text("person")
    expect(page.locator(".cost")).to_contain_text(re.compile(r"\d m?s · .* sent"))
    expect(step).to_have_attribute("data-state", "ok")

    person = page.get_by_role("button", name=re.compile("^person"))
    person.first.hover()
    expect(page.locator(".finding.lit rect")).to_have_count(1)
    box = page.locator(".finding.lit rect").bounding_box()
    image = page.locator(".stage img").bounding_box()
    assert box and image
    assert image["x"] <= box["x"] + 3
    assert box["x"] + box["width"] <= image["x"] + image["width"] + 3

    page.get_by_role("button", name="Details").click()
    expect(page.get_by_role("region", name="Details of the step")).to_contain_text("What it took")


def test_a_step_says_why_it_ran_there_and_runs_again_with_another_arm(
    page: Page, ask: Ask, photograph: Photograph
) -> None:
    ask("What kind of animal is this?", name="cat.jpg", data=photograph("chelsea"))
    page.get_by_role("button", name="Details").click()
    detail = page.get_by_role("region", name="Details of the step")
    expect(detail).to_contain_text("Why there")
    expect(detail.locator("tr.chosen td").nth(1)).to_contain_text(re.compile(r"\d m?s"))
    detail.get_by_role("button", name=re.compile("Run it again")).first.click()
    expect(detail).to_contain_text("ran again")


def test_a_condition_is_part_of_the_graph(page: Page, ask: Ask, photograph: Photograph) -> None:
    ask(
        "If there is a dog in the picture, read the text in it.",
        name="cat.jpg",
        data=photograph("chelsea"),
    )
    expect(page.locator(".edge.conditional")).to_have_count(1)
    expect(page.locator(".tag-text")).to_have_text("yes")
    expect(page.locator(".node").last).to_have_attribute("data-state", "skipped")


def test_a_reload_in_the_middle_goes_on_where_it_was(
    page: Page, ask: Ask, photograph: Photograph
) -> None:
    ask("Describe this photo.", name="coffee.jpg", data=photograph("coffee"), wait=False)
    page.reload()
    expect(page.locator(".request")).to_contain_text("Describe this photo.")
    expect(page.locator(".cost")).to_have_count(1)
    answer = page.locator(".answer .text").text_content()
    page.reload()
    expect(page.locator(".answer .text")).to_have_text(answer or "")


def test_a_request_is_stopped(page: Page, ask: Ask, photograph: Photograph) -> None:
    # Enough to do that it is not over before the button is pressed.
    ask(
        "Read the text in this picture, describe it, detect the poses and detect the objects.",
        name="rocket.jpg",
        data=photograph("rocket"),
        wait=False,
    )
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".exchange .notice, .exchange .cost")).to_have_count(1)
    expect(page.get_by_role("button", name="Send")).to_be_visible()


@pytest.mark.installed("text-recognition")
def test_hostile_names_and_labels_are_shown_as_text(page: Page, ask: Ask, hostile: str) -> None:
    picture = Image.new("RGB", (900, 220), "white")
    font = ImageFont.load_default(70)
    ImageDraw.Draw(picture).text((40, 60), "<b>bold</b> <i>x", "black", font=font)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG")
    ask(f"Read the text in {hostile}", name=hostile, data=buffer.getvalue())
    # What is read in the image is markup; it is shown, and becomes no element.
    expect(page.locator(".answer .text")).to_contain_text("<b")
    expect(page.locator(".request p")).to_contain_text(hostile)
    assert page.locator(".request img").get_attribute("alt") == hostile
    assert not page.locator("main b, main i, main img[src=x]").count()
    page.get_by_label("Take an image from the camera").click()
    expect(page.locator(".menu")).to_contain_text(hostile)


def test_an_image_of_ten_megabytes(page: Page, ask: Ask) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1700, 2000, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG", compress_level=0)
    assert buffer.tell() > 10_000_000
    ask("Which category does this picture belong to?", name="noise.png", data=buffer.getvalue())
    expect(page.locator(".exchange .cost")).to_have_count(1)


def test_two_tabs_have_the_same_conversations(
    page: Page, ask: Ask, photograph: Photograph, context: BrowserContext
) -> None:
    ask("What is this?", name="cat.jpg", data=photograph("chelsea"))
    other = context.new_page()
    other.goto(page.url)
    expect(other.locator(".answer .text")).to_have_text(
        page.locator(".answer .text").text_content() or ""
    )
    other.close()


def test_no_page_has_a_serious_accessibility_fault(
    page: Page, ask: Ask, photograph: Photograph
) -> None:
    ask("What kind of animal is this?", name="cat.jpg", data=photograph("chelsea"))
    page.get_by_role("button", name="Details").click()
    places = {
        "#/network": ".node-card",
        "#/tools": ".models-table tbody tr",
        "#/train": ".train-form",
        "#/chat": ".welcome",
        urlsplit(page.url).fragment: ".cost",
    }
    faults = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for place, ready in places.items():
            page.evaluate("place => { location.hash = place }", place)
            page.locator(ready).first.wait_for()
            if ready == ".cost":
                page.get_by_role("button", name="Details").click()
            found = Axe().run(page).response["violations"]
            serious = [each for each in found if each["impact"] in ("serious", "critical")]
            faults |= {(scheme, place, each["id"]): each["nodes"] for each in serious}
    assert not faults


def test_it_fits_a_telephone(page: Page, ask: Ask, photograph: Photograph) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    ask("What kind of animal is this?", name="cat.jpg", data=photograph("chelsea"))
    page.get_by_role("button", name="Details").click()
    for name in ("Chat", "Network", "Train", "Tools"):
        page.get_by_role("link", name=name, exact=True).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_a_key_nothing_is_shown(browser: Browser, console: Any) -> None:
    with browser.new_context() as stranger:
        page = stranger.new_page()
        page.goto(console.url)
        page.get_by_label("Key", exact=True).fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("does not know that key")
        assert stranger.cookies() == []


def test_a_killed_node_is_shown_as_gone(page: Page, console: Any) -> None:
    """The last test: the edge server does not come back."""
    page.get_by_role("link", name="Network").click()
    edge = page.get_by_role("region", name="edge")
    expect(edge).to_contain_text("answers")
    console.edge.stop()
    expect(edge).to_contain_text("gone")
    expect(page.locator(".link-card")).to_contain_text("No connection")
