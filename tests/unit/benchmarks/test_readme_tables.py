"""README's tables are those that the benchmarks wrote."""

from pathlib import Path

from edgewright.benchmarks.common.readme import BEGIN, END, tables, with_tables

ROOT = Path(__file__).parents[3]


def test_readme_holds_the_generated_tables() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = tables(ROOT / "docs/results")
    assert section
    assert with_tables(readme, section) == readme


def test_only_the_section_is_replaced() -> None:
    assert with_tables(f"a\n{BEGIN}old{END}\nb", "new\n") == f"a\n{BEGIN}new\n{END}\nb"
