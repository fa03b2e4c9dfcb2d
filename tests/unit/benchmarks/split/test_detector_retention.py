"""The retention of detectors is measured for every encoding, and stored beside other models'."""

import json

import numpy as np
import pytest
from PIL import Image

from edgewright.benchmarks.split.detector_retention import Kept, _store, measured
from edgewright.tools.contracts.perceptions import Box, DetectedObject, Perceptions
from edgewright.tools.contracts.profiles import EngineInfo
from edgewright.tools.offload.accuracy_retention import IMAGE_ENCODINGS


class Brightness:
    """Two blocks: pooling, then the means of an image, from which its expert makes a box."""

    id, card, model, approximate = "bright", "object-detection", "brightness", False
    revision, block_names, input_size = "r", ("pool", "means"), (16, 16)
    engine = EngineInfo(name="torch")

    def preprocess(self, image):
        return image.resize((16, 16))

    def array(self, image):
        pixels = np.asarray(image, np.float32) / 255
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]

    def run(self, features, start, stop):
        blocks = (
            lambda x: x.reshape(-1, 3, 4, 4, 4, 4).mean((3, 5)),
            lambda x: x.mean((2, 3)),
        )
        for block in blocks[start:stop]:
            features = block(features)
        return features

    def feature_shape(self, point):
        return ((3, 16, 16), (3, 4, 4), (3,))[point]

    def postprocess(self, output, args):
        side = float(np.clip(output[0].mean(), 0.01, 1))
        light = DetectedObject(label="light", score=0.9, box=Box(x0=0, y0=0, x1=side, y1=side))
        return Perceptions(width=1, height=1, objects=(light,)).in_output({"text": ""})


def test_every_encoding_and_every_cut_is_measured():
    model = Brightness()
    images = [Image.new("RGB", (40, 30), (value, 90, 200)) for value in (20, 120, 220)]
    found = list(measured(model, model, images))
    lossy = [encoding for encoding in IMAGE_ENCODINGS if encoding[1] is not None]
    assert len([one for one in found if not one.point]) == len(lossy)
    assert [one.encoding for one in found if one.point] == ["quantised8"]
    assert {one.share for one in found} == {1.0}
    assert {one.of for one in found} == {3}


@pytest.mark.parametrize("earlier", ["brightness old", "brightness new"])
def test_other_models_stay_in_the_package(tmp_path, earlier):
    path = tmp_path / "accuracy_retention.json"
    values = {"pictures": "some", "models": {"other r": {"jpeg 80": 0.9}, earlier: {"png": 1.0}}}
    path.write_text(json.dumps(values))
    kept = Kept(
        model="brightness", key="jpeg 80", encoding="jpeg 80", point=0, bytes=10, share=0.5, of=2
    )
    _store(path, "brightness new", [kept])
    stored = json.loads(path.read_text())
    assert stored["pictures"] == "some"
    assert stored["models"] == {"other r": {"jpeg 80": 0.9}, "brightness new": {"jpeg 80": 0.5}}
