"""Copies of photographs are found whatever was done to them, and different ones stay apart."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageEnhance

from edgewright.tools.datasets.duplicates import duplicate_groups
from edgewright.tools.datasets.samples import to_array

NAMES = ("astronaut", "camera", "chelsea", "coffee", "coins", "hubble_deep_field", "moon", "page",
         "retina", "rocket", "immunohistochemistry", "brick")  # fmt: skip


@pytest.fixture(scope="module")
def photographs():
    """Photographs, and the quarters of each, which are photographs too."""
    whole = [Image.fromarray(getattr(skimage.data, name)()).convert("RGB") for name in NAMES]
    halves = (0, 0.5)
    return whole + [
        one.crop((
            int(x * one.width), int(y * one.height),
            int((x + 0.5) * one.width), int((y + 0.5) * one.height),
        ))
        for one in whole for x in halves for y in halves
    ]  # fmt: skip


def arrays(images, side=96):
    return np.stack([to_array(one, height=side, width=side, channels=3) for one in images])


def encoded(image, kind, quality):
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=quality)
    return Image.open(buffer).convert("RGB")


def cropped(image, margin):
    x, y = int(margin * image.width), int(margin * image.height)
    return image.crop((x, y, image.width - x, image.height - y))


COPIES = {
    "JPEG": (0.95, lambda one: encoded(one, "JPEG", 30)),
    "WebP": (0.95, lambda one: encoded(one, "WEBP", 50)),
    "half the size": (0.85, lambda one: one.resize((one.width // 2, one.height // 2))),
    "square": (0.95, lambda one: one.resize((256, 256))),
    "brighter": (0.8, lambda one: ImageEnhance.Brightness(one).enhance(1.2)),
    "darker": (0.8, lambda one: ImageEnhance.Brightness(one).enhance(0.8)),
    "more contrast": (0.9, lambda one: ImageEnhance.Contrast(one).enhance(1.2)),
    "cropped by 3 %": (0.8, lambda one: cropped(one, 0.03)),
    "cropped by 5 %": (0.8, lambda one: cropped(one, 0.05)),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_of_photographs_are_found(photographs, kind):
    share, change = COPIES[kind]
    count = len(photographs)
    groups = duplicate_groups(arrays([*photographs, *map(change, photographs)]))
    assert len(set(groups[:count].tolist())) == count
    assert np.mean(groups[:count] == groups[count:]) >= share


def test_drawings_that_differ_in_colour_or_place_are_no_copies():
    images = []
    for colour in ("red", "green", "blue", "black", "orange", "gray"):
        for x in range(0, 40, 8):
            image = Image.new("RGB", (64, 64), "white")
            ImageDraw.Draw(image).ellipse((x, x, x + 24, x + 24), fill=colour)
            images.append(np.asarray(image))
    assert len(set(duplicate_groups(np.stack(images)).tolist())) == len(images)


def test_a_group_begins_with_its_first_image(photographs):
    images = arrays(photographs[:5])
    order = [0, 1, 2, 1, 3, 0, 4, 1]
    assert duplicate_groups(images[order]).tolist() == [0, 1, 2, 1, 4, 0, 6, 1]
    assert duplicate_groups(images[:1]).tolist() == [0]
