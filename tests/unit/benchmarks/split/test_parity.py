"""The comparison of exported models with PyTorch."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgewright.benchmarks.split.parity import _report, compare

IMAGES = [Image.new("RGB", (3, 1), colour) for colour in ("red", "green", "blue")]


@dataclass
class Model:
    """Adds 1 in each of three blocks to the colour of an image; ``off`` is added in one of them."""

    off: tuple[int, float] = (0, 0.0)
    model: str = "small"
    block_names: tuple[str, ...] = ("a", "b", "c")
    variants: dict[str, Any] = field(default_factory=dict)

    def preprocess(self, image: Image.Image) -> Image.Image:
        return image

    def array(self, image: Image.Image) -> np.ndarray:
        return np.asarray(image, np.float32)[:1, 0] / 255

    def run(self, features: np.ndarray, start: int, stop: int) -> np.ndarray:
        block, by = self.off
        wrong = np.array([[by, 0, 0]], np.float32) * (start <= block < stop and start > 0)
        return features + (stop - start) + wrong


def test_equal_models_have_no_difference_at_any_point(tmp_path: Path) -> None:
    quantised = SimpleNamespace(adapter=Model())
    found = compare(Model(), Model(variants={"int8": quantised}), IMAGES)  # type: ignore[arg-type]
    assert found.points == ["uncut", "a", "b"]
    assert (found.photographs, found.changed) == (3, 0)
    assert found.largest < 1e-6
    assert found.quantised_alike == {"int8": 3}
    _report({"small": found}, tmp_path)
    assert json.loads((tmp_path / "parity.json").read_text())["models"]["small"]["photographs"] == 3


def test_a_difference_is_found_where_a_cut_causes_it() -> None:
    found = compare(Model(), Model(off=(2, 0.004)), IMAGES)  # type: ignore[arg-type]
    assert found.differences == pytest.approx([0.0, 0.004 / 3.5, 0.004 / 3.5], rel=0.01, abs=1e-6)
    assert found.changed == 0


def test_a_photograph_whose_label_changes_counts_once() -> None:
    found = compare(Model(), Model(off=(1, 5.0)), IMAGES)  # type: ignore[arg-type]
    assert found.changed == 2  # red is the label of the first image in any case
