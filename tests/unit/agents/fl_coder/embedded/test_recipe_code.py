from __future__ import annotations

import pytest
import torch

from edgewright.agents.fl_coder.embedded.recipes import book, write


def function(slot: str, name: str, of: str, **numbers: float):
    space: dict[str, object] = {}
    exec(compile(write(slot, name, **numbers), name, "exec"), space)
    return space[of]


@pytest.mark.parametrize("name", [name for slot, name in book() if slot == "model"])
@pytest.mark.parametrize(("channels", "side"), [(1, 8), (1, 28), (3, 31), (3, 96)])
def test_a_model_takes_images_of_any_size(name, channels, side):
    given = {"linear": {"side": 7}, "oriented": {"side": 4}, "pretrained": {}}
    numbers = given.get(name, {"width": 16})
    build = function("model", name, "build_model", **numbers)
    model = build(channels, side, side + 1, 5)
    logits = model(torch.rand(2, channels, side, side + 1))
    assert logits.shape == (2, 5)
    assert logits.isfinite().all()


def test_a_light_model_costs_less_than_a_plain_one():
    weights = {}
    for name in ("light", "convolutions", "residual"):
        model = function("model", name, "build_model", width=16)(1, 28, 28, 10)
        weights[name] = sum(tensor.numel() for tensor in model.parameters())
    assert weights["light"] * 3 < weights["convolutions"] < weights["residual"]


@pytest.mark.parametrize("name", [name for slot, name in book() if slot == "augmentation"])
def test_an_augmentation_keeps_the_shape_and_the_range(name):
    numbers = {} if name == "none" else {"angle": 0.15, "shift": 0.1}
    images = torch.rand(6, 3, 12, 10)
    changed = function("augmentation", name, "augment", **numbers)(images)
    assert changed.shape == images.shape
    assert changed.min() >= 0
    assert changed.max() <= 1


def test_a_cosine_falls_from_its_peak_to_a_twentieth():
    rate = function("schedule", "cosine", "learning_rate", peak=0.1)
    rates = [rate(number, 10) for number in range(1, 11)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.005)
    assert rates == sorted(rates, reverse=True)
    assert rate(1, 1) == pytest.approx(0.1)
