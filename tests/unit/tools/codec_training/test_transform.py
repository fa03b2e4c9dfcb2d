"""The transform codec: which features it spends bits on, and how it changes the answers."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.codec_training.project import train_codec
from edgewright.tools.codec_training.recipe import TransformRecipe
from edgewright.tools.codec_training.transform import Moments, fit_transform, step_of
from edgewright.tools.codecs.learned.codec import LearnedCodec, load_codecs
from edgewright.tools.codecs.learned.manifest import read_manifest
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.models.preprocessing import Preprocessing

RECIPE = TransformRecipe(
    model="toy", point=1, block=2, channels=16, prices=(3e-7, 1e-4, 3e-4, 3e-3)
)
CENTRE = (127.5, 127.5, 127.5)


def ignore(progress: object) -> None:
    pass


def gratings(count: int, seed: int) -> ImageSet:
    """Return images of waves with random direction, length and colour, 16 x 16 pixels."""

    def read() -> Iterator[Image.Image]:
        random = np.random.default_rng(seed)
        rows, columns = np.mgrid[:16, :16]
        for _ in range(count):
            direction, length = random.uniform(0, np.pi), random.uniform(3, 16)
            along = rows * np.sin(direction) + columns * np.cos(direction)
            wave = np.sin(2 * np.pi * (along / length + random.random()))
            values = 127 + 100 * wave[..., None] * random.uniform(0.3, 1, 3)
            yield Image.fromarray(values.astype(np.uint8))

    return ImageSet(name="gratings", licence="none", count=count, read=read)


@pytest.fixture(scope="module")
def toy() -> Chain:
    """Return a classifier of three blocks whose tail ignores the last of its four channels."""
    torch.manual_seed(0)
    body = nn.Conv2d(3, 4, 3, stride=2, padding=1)
    tail = nn.Conv2d(4, 12, 3, stride=2, padding=1)
    head = nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 5))
    with torch.no_grad():
        tail.weight[:, 3] = 0
        head[3].weight.mul_(20)
    network = nn.Sequential(body, tail, head)
    return Chain(
        model="toy",
        network=network,
        blocks={"body": body, "tail": tail, "head": head},
        preprocessing=Preprocessing(
            size=(16, 16), resample=Image.Resampling.BILINEAR, mean=CENTRE, deviation=CENTRE
        ),
    )


@pytest.fixture(scope="module")
def folder(toy: Chain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("transform")
    train_codec(
        toy, RECIPE, gratings(300, 0), gratings(40, 1), features=work, work=work,
        out=work / "codec", report=ignore,
    )  # fmt: skip
    return work / "codec"


@pytest.fixture(scope="module")
def codecs(folder: Path, toy: Chain) -> list[LearnedCodec]:
    return load_codecs(folder, toy)


@pytest.fixture(scope="module")
def features(toy: Chain) -> torch.Tensor:
    pixels = torch.cat([toy.tensor(image) for image in gratings(60, 2).read()])
    return toy.forward(pixels, 0, 1)


def divergence(toy: Chain, features: torch.Tensor, decoded: torch.Tensor) -> float:
    expected, changed = (toy.forward(one, 1, 3).log_softmax(1) for one in (features, decoded))
    return float((expected.exp() * (expected - changed)).sum(1).mean())


def encode_and_decode(codec: LearnedCodec, features: torch.Tensor) -> tuple[float, torch.Tensor]:
    payloads = [codec.encode(np.ascontiguousarray(one.numpy())) for one in features]
    decoded = torch.from_numpy(np.stack([codec.decode(payload) for payload in payloads]))
    return float(np.mean([len(payload) for payload in payloads])), decoded


def test_a_higher_price_gives_fewer_bytes_and_a_higher_divergence(toy, codecs, features):
    sizes, divergences = [], []
    for codec in codecs:
        size, decoded = encode_and_decode(codec, features)
        sizes.append(size)
        divergences.append(divergence(toy, features, decoded))
    assert sizes == sorted(sizes, reverse=True)
    assert divergences == sorted(divergences)
    assert divergences[0] < 1e-4
    assert sizes[-1] < sizes[0] / 4


def test_bits_are_spent_up_to_their_price(toy, codecs, features):
    """Between two rate points, the nats per bit lie between their prices."""
    (many, fine), (few, coarse) = (encode_and_decode(codec, features) for codec in codecs[1:3])
    nats = divergence(toy, features, coarse) - divergence(toy, features, fine)
    assert RECIPE.prices[1] / 1.5 < nats / (8 * (many - few)) < RECIPE.prices[2] * 1.5


def test_features_that_do_not_affect_the_answers_are_not_sent(codecs, features):
    _, decoded = encode_and_decode(codecs[0], features)
    errors = ((decoded - features) ** 2).mean((0, 2, 3)) / features.var((0, 2, 3))
    assert errors[:3].max() < 0.05
    assert errors[3] > 5 * errors[:3].max()


def test_information_counts_more_than_size():
    """Of two independent channels, the larger one is dropped if the answers ignore it."""
    moments = Moments(channels=2, block=1)
    random = torch.Generator().manual_seed(0)
    large = torch.tensor([10.0, 1.0]).reshape(1, 2, 1, 1)
    features = torch.randn(400, 2, 4, 4, generator=random) * large
    gradients = torch.randn(400, 2, 4, 4, generator=random) * torch.tensor([1e-3, 1.0]).reshape(
        1, 2, 1, 1
    )
    moments.add(features, [gradients])
    transform = moments.transform(1)
    direction = transform.analysis[0].abs()
    assert direction[1] > 20 * direction[0]
    # A step of 1 in the coefficient is a step of 1 in that channel.
    assert transform.synthesis[1].abs().item() == pytest.approx(1.0, rel=0.05)


def test_a_transform_of_all_coefficients_loses_nothing(toy, features):
    whole = fit_transform(toy, RECIPE, gratings(60, 3), ignore)
    assert whole.layout.channels == 4 * 2 * 2
    restored = whole.decoder(whole.encoder(features))
    assert torch.allclose(restored, features, atol=1e-3)


def test_the_step_grows_with_the_root_of_the_price():
    assert step_of(4e-6) == pytest.approx(2 * step_of(1e-6))
    assert step_of(math.log(2) / 12) == pytest.approx(1)


def test_invalid_transforms_are_refused(toy):
    for changes, code in (
        ({"block": 3}, "features_shape"),
        ({"point": 3}, "features_shape"),
        ({"channels": 17}, "too_many_channels"),
        ({"prices": (1e-14,)}, "price_too_low"),
    ):
        with pytest.raises(EdgewrightError) as caught:
            fit_transform(toy, RECIPE.changed(**changes), gratings(8, 0), ignore)
        assert caught.value.info().code == code


def test_an_encoder_too_large_for_a_device_is_refused_before_anything_is_computed():
    body = nn.Conv2d(3, 64, 3, padding=1)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 2))
    preprocessing = Preprocessing(
        size=(16, 16), resample=Image.Resampling.BILINEAR, mean=CENTRE, deviation=CENTRE
    )
    wide = Chain(
        model="wide",
        network=nn.Sequential(body, head),
        blocks={"body": body, "head": head},
        preprocessing=preprocessing,
    )
    reports = []
    recipe = RECIPE.changed(block=4, channels=500)
    with pytest.raises(EdgewrightError) as caught:
        fit_transform(wide, recipe, gratings(8, 0), reports.append)
    assert caught.value.info().code == "encoder_too_large"
    assert not reports


def test_the_manifest_names_recipe_and_blocks(folder):
    manifest = read_manifest(folder)
    assert manifest.layout.block == RECIPE.block
    assert TransformRecipe.model_validate(manifest.recipe) == RECIPE
