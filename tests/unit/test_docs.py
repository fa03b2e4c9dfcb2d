"""The docs name tests that exist and codes that the program has."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAULTS = (ROOT / "docs/faults.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in FAULTS.splitlines()
    if line.startswith("| ") and "::" in line
]
SOURCE = "".join(
    path.read_text("utf-8")
    for folder in ("agents", "cli", "edge_runtime", "graphs", "tools")
    for path in sorted((ROOT / folder).rglob("*.py"))
)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_fault_has_its_test_and_its_code(row: list[str]) -> None:
    file, _, name = row[3].strip("`").partition("::")
    found = list((ROOT / "tests").rglob(file))
    assert len(found) == 1, file
    assert re.search(rf"def {name}\(", found[0].read_text("utf-8")), name
    for code in re.findall(r"`([a-z_]+)`", row[2]):
        assert f'"{code}"' in SOURCE, code
