"""The page of results and README's headlines are those of the figures that the benchmarks wrote."""

import re
from pathlib import Path

from edgewright.benchmarks.common.report import (
    BEGIN,
    END,
    SECTIONS,
    headlines,
    results_page,
    with_headlines,
)

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs/results"
PAGE = (ROOT / "docs/results.md").read_text("utf-8")


def test_the_page_is_generated() -> None:
    assert results_page(FOLDER) == PAGE


def test_the_page_has_every_table_that_was_measured() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} <= SECTIONS.keys()
    for path in FOLDER.glob("*.md"):
        assert path.read_text("utf-8") in PAGE


def test_the_links_of_the_page_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []


def test_readme_holds_the_generated_headlines() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert with_headlines(readme, headlines(FOLDER)) == readme


def test_each_headline_leads_to_a_section_of_the_page() -> None:
    rows = headlines(FOLDER).splitlines()[2:]
    assert 8 <= len(rows) <= 10
    anchors = {title.lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", PAGE, re.M)}
    for row in rows:
        (anchor,) = re.findall(r"docs/results\.md#([a-z0-9-]+)\)", row)
        assert anchor in anchors


def test_only_the_headlines_are_replaced() -> None:
    assert with_headlines(f"a\n{BEGIN}old{END}\nb", "new\n") == f"a\n{BEGIN}new\n{END}\nb"
