"""A codec trained briefly on noise, for a small ViT with random weights."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from edgewright.tools.codec_training.answers import TopLabel
from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.codec_training.project import train_codec
from edgewright.tools.codec_training.recipe import TrainedRecipe
from edgewright.tools.codecs.learned.codec import LearnedCodec, load_codecs
from edgewright.tools.models.engines.torch import vit
from edgewright.tools.models.source import ModelSource


def _noise(count: int, name: str = "noise") -> ImageSet:
    """Return a set of seeded noise images, 32 x 32 pixels, with labels."""

    def read() -> Iterator[Image.Image]:
        random = np.random.default_rng(0)
        for _ in range(count):
            yield Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8))

    answers = TopLabel(torch.arange(count) % 7)
    return ImageSet(name=name, licence="none", count=count, read=read, answers=answers)


RECIPE = TrainedRecipe.model_validate(
    {
        "name": "tiny",
        "model": "vit",
        "point": 2,
        "decoder_point": 3,
        "resume_point": 5,
        "channels": 6,
        "width": 16,
        "decoder_width": 16,
        "lambdas": [1e-4, 1e-2],
        "feature_weight": 0.1,
        "output_weight": 1.0,
        "first": {"epochs": 2, "batch": 16, "rate": 0.01},
        "second": {"epochs": 1, "batch": 16, "rate": 0.01},
    }
)


@pytest.fixture(scope="session")
def recipe() -> TrainedRecipe:
    return RECIPE


@pytest.fixture(scope="session")
def adapter(tiny_vit: Path) -> vit.ViT:
    return vit.load(ModelSource(str(tiny_vit)))


@pytest.fixture(scope="session")
def trained(adapter: vit.ViT, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a trained codec."""
    work = tmp_path_factory.mktemp("trained")
    train_codec(
        adapter,
        RECIPE,
        _noise(48, "noise, training"),
        _noise(16, "noise, validation"),
        features=work,
        work=work,
        out=work / "codec",
        report=lambda progress: None,
    )
    return work / "codec"


@pytest.fixture
def codecs(trained: Path, adapter: vit.ViT) -> list[LearnedCodec]:
    return load_codecs(trained, adapter)


@pytest.fixture
def features(adapter: vit.ViT) -> np.ndarray:
    """Return real features at the codec's point, float32."""
    image = next(_noise(1).read())
    return adapter.run(adapter.array(image), 0, RECIPE.point)[0]


@pytest.fixture(scope="session")
def noise() -> Callable[[int], ImageSet]:
    return _noise
