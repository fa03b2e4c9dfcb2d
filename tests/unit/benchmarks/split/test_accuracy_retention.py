"""What a coding leaves of the accuracy that the uncut model expects."""

import pytest
import torch
from PIL import Image

from edgewright.benchmarks.split.accuracy_retention import ReferenceModel, measured
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.models.engines.torch.preprocessing import Preprocessing
from edgewright.tools.offload.accuracy_retention import image_key
from edgewright.tools.offload.profile import IMAGE_ENCODINGS


class Redness(torch.nn.Module):
    """Gives the red of a picture to the first class, and a half to the second."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        red = pixels[:, 0].mean((1, 2))
        return torch.stack([red, torch.full_like(red, 0.5)], dim=1).log()


@pytest.fixture
def adapter() -> Chain:
    network = torch.nn.Sequential(torch.nn.Identity(), Redness())
    fitting = Preprocessing(
        size=(16, 16), resample=Image.Resampling.NEAREST, mean=(0.0,) * 3, deviation=(255.0,) * 3
    )
    blocks = {"body": network[0], "head": network[1]}
    return Chain(model="redness", network=network, blocks=blocks, preprocessing=fitting)


@pytest.fixture
def judge(adapter: Chain) -> ReferenceModel:
    return ReferenceModel(adapter, [Image.new("RGB", (16, 16), (red, 9, 9)) for red in (51, 204)])


def test_a_change_costs_what_the_model_held_of_the_label_that_it_gave_up(judge):
    assert judge.kept(judge.inputs, 0) == {"share": 1.0, "half": 0.0, "same": 1.0}
    turned = judge.kept(judge.inputs.flip(0), 0)
    # The first was held to be of the second class by 5 to 2, the second of the first by 8 to 5.
    kept, best = 2 / 7 + 5 / 13, 5 / 7 + 8 / 13
    assert turned["share"] == pytest.approx(kept / best, rel=1e-5)
    assert turned["same"] == 0


def test_every_lossy_coding_and_every_codec_is_measured(adapter, judge, tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    found = list(measured(adapter, judge))
    pictures = [one.key for one in found if not one.point]
    assert pictures == [
        image_key(*encoding) for encoding in IMAGE_ENCODINGS if encoding[1] is not None
    ]
    assert [one.family for one in found if one.point] == ["quantised8, point 1"]
    assert all(one.share == 1 for one in found)
