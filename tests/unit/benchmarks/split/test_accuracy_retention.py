"""Accuracy retention of encodings, as the uncut model expects it."""

import pytest
import torch
from PIL import Image

from edgewright.benchmarks.split.accuracy_retention import ReferenceModel, measured
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.models.preprocessing import Preprocessing
from edgewright.tools.offload.accuracy_retention import IMAGE_ENCODINGS, image_key


class Redness(torch.nn.Module):
    """Scores the first class by the red of an image, and the second by one half."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        red = pixels[:, 0].mean((1, 2))
        return torch.stack([red, torch.full_like(red, 0.5)], dim=1).log()


@pytest.fixture
def adapter() -> Chain:
    network = torch.nn.Sequential(torch.nn.Identity(), Redness())
    preprocessing = Preprocessing(
        size=(16, 16), resample=Image.Resampling.NEAREST, mean=(0.0,) * 3, deviation=(255.0,) * 3
    )
    blocks = {"body": network[0], "head": network[1]}
    return Chain(model="redness", network=network, blocks=blocks, preprocessing=preprocessing)


@pytest.fixture
def reference(adapter: Chain) -> ReferenceModel:
    return ReferenceModel(adapter, [Image.new("RGB", (16, 16), (red, 9, 9)) for red in (51, 204)])


def test_a_changed_label_costs_the_probability_that_the_model_loses(adapter, reference):
    assert reference.retention(adapter, reference.inputs, 0) == {
        "share": 1.0,
        "half": 0.0,
        "same": 1.0,
    }
    swapped = reference.retention(adapter, reference.inputs[::-1].copy(), 0)
    # The model gives the first image's classes odds of 2 to 5, and the second image's 8 to 5.
    retention, best = 2 / 7 + 5 / 13, 5 / 7 + 8 / 13
    assert swapped["share"] == pytest.approx(retention / best, rel=1e-5)
    assert swapped["same"] == 0


def test_every_lossy_encoding_and_every_codec_is_measured(
    adapter, reference, tmp_path, monkeypatch
):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    results = list(measured(adapter, reference))
    image_keys = [one.key for one in results if not one.point]
    assert image_keys == [
        image_key(*encoding) for encoding in IMAGE_ENCODINGS if encoding[1] is not None
    ]
    assert [one.family for one in results if one.point] == ["quantised8, point 1"]
    assert all(one.share == 1 for one in results)
