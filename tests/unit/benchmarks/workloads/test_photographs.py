"""Scenes to fit a codec to: things pasted onto photographs."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from edgewright.benchmarks.workloads import photographs
from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.errors import NotFoundError

BLUE, RED = (0, 0, 255), (255, 0, 0)


@pytest.fixture
def backgrounds() -> ImageSet:
    def read() -> Iterator[Image.Image]:
        for side in (300, 400):
            yield Image.new("RGB", (side, side), BLUE)

    return ImageSet(name="blue", licence="CC0", count=2, read=read)


@pytest.fixture
def thing(tmp_path):
    """A red square with a transparent border."""
    stamp = Image.new("RGBA", (200, 140), (0, 255, 0, 0))
    stamp.paste((*RED, 255), (50, 20, 150, 120))
    path = tmp_path / "thing.png"
    stamp.save(path)
    return path


def test_a_set_has_its_count_of_images_and_is_reproducible(backgrounds, thing):
    scenes = photographs._with_things(backgrounds, [thing, thing], part="training")
    first, again = list(scenes.read()), list(scenes.read())
    assert len(first) == scenes.count > backgrounds.count
    assert [one.tobytes() for one in first] == [one.tobytes() for one in again]


def test_each_thing_is_partly_or_fully_visible(backgrounds, thing):
    scenes = photographs._with_things(backgrounds, [thing], part="training")
    composed = list(scenes.read())[backgrounds.count :]
    shares = [float((np.asarray(one) == RED).all(2).mean()) for one in composed]
    assert all(0.02 < share < 0.9 for share in shares)
    assert len(set(shares)) > 1
    assert not any((np.asarray(one) == (0, 255, 0)).all(2).any() for one in composed)


def test_a_wallpaper_in_many_sizes_is_one_photograph(tmp_path):
    for name, size in (("images", 8), ("images", 32), ("images_dark", 16)):
        folder = tmp_path / "Flow" / "contents" / name
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (size, size)).save(folder / f"{size}x{size}.jpg", quality=50 + size)
    Image.new("RGB", (64, 64)).save(tmp_path / "Flow" / "contents" / "screenshot.jpg")
    for name in ("dune.jpg", "lake.jpeg"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    found = [path.name for path in photographs._motifs(tmp_path)]
    assert found == ["32x32.jpg", "dune.jpg", "lake.jpeg"]


def test_missing_packages_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(photographs, "_SHARE", tmp_path)
    with pytest.raises(NotFoundError, match=r"apt-get install .*tuxpaint-stamps-default") as caught:
        photographs.load()
    assert caught.value.info().code == "data_missing"
