"""Each half of a codec runs in a process without the other half.

The processes run this file: ``test_codec_halves.py device|edge FOLDER``.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.codec_training.project import copy_half, train_codec
from edgewright.tools.codec_training.recipe import TrainedRecipe
from edgewright.tools.codecs.frame import pack, unpack
from edgewright.tools.codecs.learned.codec import LearnedCodec, load_codecs
from edgewright.tools.codecs.learned.manifest import DEVICE_HALF, EDGE_HALF
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.models.preprocessing import Preprocessing

RECIPE = TrainedRecipe.model_validate(
    {
        "name": "small",
        "model": "small",
        "point": 1,
        "decoder_point": 2,
        "resume_point": 3,
        "channels": 4,
        "positions": 16,
        "width": 8,
        "decoder_width": 8,
        "lambdas": [1e-4],
        "feature_weight": 1.0,
        "output_weight": 1.0,
        "first": {"epochs": 1, "batch": 4, "rate": 0.01},
        "joint": {"epochs": 1, "batch": 4, "rate": 0.01},
        "second": {"epochs": 1, "batch": 4, "rate": 0.01},
    }
)
SIDE = 32


def small_model() -> Chain:
    """Return a chain of convolutions, with the same weights in every process."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2, padding=1),
        torch.nn.Conv2d(8, 12, 3, stride=2, padding=1),
        torch.nn.Sequential(
            torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(12, 5)
        ),
    )
    centre = (127.5, 127.5, 127.5)
    preprocessing = Preprocessing(
        size=(SIDE, SIDE), resample=Image.Resampling.BICUBIC, mean=centre, deviation=centre
    )
    blocks = {f"block{index}": block for index, block in enumerate(network)}
    return Chain(model="small", network=network, blocks=blocks, preprocessing=preprocessing)


def ramp_image() -> Image.Image:
    ramp = np.add.outer(np.arange(SIDE), np.arange(SIDE) ** 2) % 256
    return Image.fromarray(ramp.astype(np.uint8)).convert("RGB")


def frame_of(model: Chain, codec: LearnedCodec) -> bytes:
    """Return the frame that the device sends."""
    features = model.run(model.array(ramp_image()), 0, codec.point)
    return pack(codec.encode(features[0]), codec)


def scores_of(model: Chain, codec: LearnedCodec, frame: bytes) -> bytes:
    """Return the scores that the edge server computes."""
    features = codec.decode(unpack(frame, codec))[np.newaxis]
    return model.run(features, codec.resume_point, len(model.block_names)).tobytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of a codec with both halves."""
    work = tmp_path_factory.mktemp("codec")
    images = ImageSet(
        name="ramps",
        licence="none",
        count=8,
        read=lambda: iter([ramp_image().rotate(40 * turn) for turn in range(8)]),
    )
    train_codec(
        small_model(),
        RECIPE,
        images,
        images,
        features=work,
        work=work,
        out=work / "whole",
        report=lambda progress: None,
    )
    return work / "whole"


def start(side: str, folder: Path, source: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, __file__, side, str(folder)]
    return subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE)


def test_two_processes_with_one_half_each_compute_the_same_as_one_with_both(whole, tmp_path):
    for half, missing in (("device", EDGE_HALF), ("edge", DEVICE_HALF)):
        copy_half(whole, half, tmp_path / half)
        assert not (tmp_path / half / missing).exists()
    with (
        start("device", tmp_path / "device", subprocess.DEVNULL) as device,
        start("edge", tmp_path / "edge", subprocess.PIPE) as edge,
    ):
        frame, _ = device.communicate(timeout=60)
        scores, _ = edge.communicate(frame, timeout=60)
    assert (device.returncode, edge.returncode) == (0, 0)
    model = small_model()
    codec = load_codecs(whole, model)[0]
    assert frame == frame_of(model, codec)
    assert scores == scores_of(model, codec, frame)


if __name__ == "__main__":
    side, folder = sys.argv[1:]
    model = small_model()
    codec = load_codecs(Path(folder), model)[0]
    if side == "device":
        sys.stdout.buffer.write(frame_of(model, codec))
    else:
        sys.stdout.buffer.write(scores_of(model, codec, sys.stdin.buffer.read()))
