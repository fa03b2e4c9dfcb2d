"""Calibration is reproducible and covers every partition point."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgewright.tools.codec_training.calibration import calibrate, crops, save
from edgewright.tools.codecs.entropy import TOTAL_FREQUENCY
from edgewright.tools.contracts.profiles import EngineInfo
from edgewright.tools.models.adapter import Features


class TinyClassifier:
    """Two blocks: average pooling over 4 x 4 pixels, then three logits."""

    model = "tiny"
    revision = "r"
    block_names: Sequence[str] = ("pool", "classifier")
    input_size = (16, 16)
    engine = EngineInfo(name="torch")

    def preprocess(self, image: Image.Image) -> Image.Image:
        return image.resize((16, 16))

    def array(self, image: Image.Image) -> Features:
        pixels = np.asarray(image, dtype=np.float32) / 128 - 1
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]

    def run(self, features: Features, start: int, stop: int) -> Features:
        blocks = (
            lambda x: x.reshape(-1, 3, 4, 4, 4, 4).mean((3, 5)),
            lambda x: 3 * x.max((2, 3)),
        )
        for block in blocks[start:stop]:
            features = block(features)
        return features

    def feature_shape(self, point: int) -> tuple[int, ...]:
        return ((3, 16, 16), (3, 4, 4), (3,))[point]


def noise_image(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 60, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def test_the_same_images_give_the_same_file(tmp_path: Path) -> None:
    images = crops([noise_image(0), noise_image(1)], each=4)
    tables = calibrate(TinyClassifier(), images)
    assert set(tables) == {"tiny/0", "tiny/1", "generic"}
    for entry in tables.values():
        assert entry.frequencies.min() > 0
        assert (entry.frequencies.sum(axis=1) == TOTAL_FREQUENCY).all()
    for name in ("one.npz", "two.npz"):
        save(calibrate(TinyClassifier(), images), tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


@pytest.mark.parametrize("each", [1, 5])
def test_crops_are_squares_and_repeatable(each: int) -> None:
    cut = crops([noise_image(0)], each=each)
    assert len(cut) == each
    assert all(one.width == one.height <= 40 for one in cut)
    again = crops([noise_image(0)], each=each)
    assert [one.tobytes() for one in cut] == [one.tobytes() for one in again]
