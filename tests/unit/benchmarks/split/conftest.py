"""A workload that is small enough to train in a test."""

import pytest
import torch
from PIL import Image

from edgewright.benchmarks.split.workloads import Workload
from edgewright.tools.codec_training.answers import TopLabel
from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.codec_training.recipe import recipe_named
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.models.preprocessing import Preprocessing


@pytest.fixture
def workload() -> Workload:
    """A model of two blocks and eight images, every other one dark."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, stride=2, padding=1),
        torch.nn.Sequential(
            torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 2)
        ),
    )
    centre = (127.5, 127.5, 127.5)
    adapter = Chain(
        model="small",
        network=network,
        blocks={"body": network[0], "head": network[1]},
        preprocessing=Preprocessing(
            size=(16, 16), resample=Image.Resampling.BICUBIC, mean=centre, deviation=centre
        ),
    )
    shades = (60, 200) * 4
    images = ImageSet(
        name="shades",
        licence="none",
        count=len(shades),
        read=lambda: (Image.new("RGB", (16, 16), (shade, 90, 90)) for shade in shades),
        answers=TopLabel(torch.tensor([int(shade < 100) for shade in shades])),
    )
    schedule = {"epochs": 20, "batch": 4, "rate": 0.05}
    recipe = recipe_named("elpv").changed(point=1, decoder_point=1, joint=None, second=schedule)
    return Workload(
        name="small",
        title="small",
        adapter=adapter,
        recipe=recipe,
        training=images,
        validation=images,
        test=images,
    )
