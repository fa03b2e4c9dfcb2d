"""Weights in the repository: few, and each with a manifest that names its origin and licence."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEIGHTS = sorted(
    path
    for part in ("agents", "benchmarks", "tools")
    for path in (ROOT / part).rglob("*.safetensors")
)
MAX_BYTES = 40_000_000


def test_they_are_few() -> None:
    assert 0 < sum(path.stat().st_size for path in WEIGHTS) <= MAX_BYTES


@pytest.mark.parametrize("path", WEIGHTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_matches_its_manifest(path: Path) -> None:
    text = (path.parent / "manifest.json").read_text("utf-8")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in text
    assert json.loads(text)["recipe"]
    assert '"licence":' in text
