"""Images unlike those of a model are "not one of its classes"; its own are kept."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage import data

from edgewright.tools.datasets.samples import to_array
from edgewright.tools.datasets.sources import load_source
from edgewright.tools.federated.serving.expert import TrainedClassifier
from edgewright.tools.federated.serving.familiarity import (
    MIN_IMAGES,
    Familiarity,
    learn_familiarity,
)
from edgewright.tools.federated.serving.installed import TrainedModelManifest

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "coins", "camera", "moon", "rocket", "page")
DRAWINGS = ("horse", "logo", "colorwheel", "checkerboard")


@pytest.fixture(scope="module")
def samples():
    found = load_source("digits")
    order = np.random.default_rng(0).permutation(len(found.images))
    return found.images[order], found.labels[order]


@pytest.fixture(scope="module")
def digits(samples):
    return samples[0]


@pytest.fixture(scope="module")
def learned(samples):
    images, labels = samples
    found = learn_familiarity(images[:180], labels[:180])
    assert found is not None
    return found


def unrelated(names, height, width, channels):
    rows = []
    for name in names:
        pixels = getattr(data, name)()
        pixels = pixels.astype(np.uint8) * 255 if pixels.dtype == bool else pixels
        image = Image.fromarray(pixels[..., :3]).convert("RGB")
        halves = [image.crop((0, 0, image.width // 2, image.height)), image]
        rows += [to_array(one, height=height, width=width, channels=channels) for one in halves]
    return np.stack(rows)


def test_its_own_images_are_kept(learned, digits):
    assert (learned.margins(digits[180:1000]) <= 0).mean() >= 0.95


@pytest.mark.parametrize("names", [PHOTOGRAPHS, DRAWINGS])
def test_unrelated_images_are_not_accepted(learned, names):
    assert (learned.margins(unrelated(names, 8, 8, 1)) > 0).all()


def test_photographs_can_be_told_apart_too():
    rng = np.random.default_rng(0)

    def patches(pixels, count):
        corners = rng.integers(0, 512 - 64, (count, 2))
        return np.stack([pixels[y : y + 64, x : x + 64, np.newaxis] for y, x in corners])

    surfaces = np.concatenate([patches(data.brick(), 120), patches(data.gravel(), 120)])
    order, kinds = rng.permutation(len(surfaces)), np.repeat([0, 1], 120)
    found = learn_familiarity(surfaces[order[:180]], kinds[order[:180]])
    assert (found.margins(surfaces[order[180:]]) <= 0).mean() >= 0.85
    # Fur looks like gravel; nothing else is accepted.
    others = tuple(name for name in PHOTOGRAPHS if name != "chelsea")
    assert (found.margins(unrelated(others, 64, 64, 1)) > 0).all()


def test_it_is_stored_and_read(learned, digits):
    again = Familiarity.from_bytes(learned.to_bytes())
    assert np.allclose(again.margins(digits[:5]), learned.margins(digits[:5]), atol=1e-4)
    with pytest.raises(ValueError, match="describes no images"):
        Familiarity.from_bytes(b"something else")


def test_too_few_images_say_nothing(samples):
    images, labels = (each[: MIN_IMAGES - 1] for each in samples)
    assert learn_familiarity(images, labels) is None


@pytest.mark.parametrize("flat", [0, 255])
def test_images_without_any_contrast_are_handled(learned, flat):
    blank = np.full((1, 8, 8, 1), flat, np.uint8)
    assert learned.margins(blank)[0] > 0
    same = learn_familiarity(np.full((50, 8, 8, 1), flat, np.uint8), np.arange(50) % 2)
    assert np.isfinite(same.margins(blank)).all()


def test_the_expert_says_that_no_class_fits():
    manifest = TrainedModelManifest(
        model="m", run="r", classes=("coat", "bag"), height=8, width=8, channels=1, revision="x"
    )
    expert = TrainedClassifier(manifest)
    known = expert.postprocess(np.array([[2.0, 0.0, -0.5]], np.float32), {})
    assert known["text"].startswith("coat")
    assert [label["label"] for label in known["labels"]] == ["coat", "bag"]
    unknown = expert.postprocess(np.array([[2.0, 0.0, 0.7]], np.float32), {})
    assert unknown["text"] == "not one of its classes (the closest is coat)"
    assert unknown["labels"] == []
    plain = expert.postprocess(np.array([[2.0, 0.0]], np.float32), {})
    assert plain["labels"][0]["label"] == "coat"
