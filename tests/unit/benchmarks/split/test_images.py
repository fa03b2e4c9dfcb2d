"""How the split benchmark counts bytes and compares."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from edgewright.benchmarks.split.images import image_encodings, send, send_all
from edgewright.benchmarks.split.measure import calibrated
from edgewright.benchmarks.split.metrics import Metric
from edgewright.benchmarks.split.receivers import tuned_receiver
from edgewright.benchmarks.split.tables import CALIBRATED, Point, gain_of
from edgewright.benchmarks.split.workloads import Workload
from edgewright.tools.codec_training.answers import FirstLabel
from edgewright.tools.codec_training.cache import cached_features
from edgewright.tools.codec_training.images import ImageSet
from edgewright.tools.codec_training.recipe import recipe_named
from edgewright.tools.codecs.frame import HEADER_BYTES
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.models.engines.torch.preprocessing import Preprocessing


@pytest.fixture
def grey() -> Image.Image:
    ramp = np.add.outer(np.arange(28), np.arange(28)).astype(np.uint8) * 4
    return Image.fromarray(ramp).convert("RGB")


@pytest.mark.parametrize(
    ("encoding", "quality"), [("png", None), *list(image_encodings(finest=True))[1::5]]
)
def test_a_payload_is_a_part_of_its_file(grey, encoding, quality):
    sent = send(grey, encoding, quality)
    assert 0 < sent.payload_bytes < sent.file_bytes
    assert sent.picture.size == grey.size
    if encoding == "png":
        assert sent.picture.tobytes() == grey.tobytes()


def test_payloads_are_what_lies_behind_the_headers(grey):
    buffer = io.BytesIO()
    grey.convert("L").save(buffer, "JPEG", quality=50)
    scan = re.search(rb"\xff\xda..", buffer.getvalue(), re.DOTALL)
    length = int.from_bytes(scan.group()[2:])
    assert send(grey, "jpeg", 50).payload_bytes == (
        len(buffer.getvalue()) - scan.start() - 2 - length - 2
    )


def test_better_quality_costs_more(grey):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8))
    for encoding in ("jpeg", "webp", "avif"):
        low, high = (send_all([grey, noise], encoding, quality)[1:] for quality in (5, 80))
        assert low[0] < high[0]
        assert low[1] < high[1]


def point(way: str, size: float, payload: float, right: float) -> Point:
    return Point(
        way=way, kind="jpeg", bytes=size, payload_bytes=payload, entropy_bytes=None, quality=right,
        interval=(0.0, 1.0), seeds=(right,),
    )  # fmt: skip


def test_a_cut_is_compared_with_the_cheapest_picture_that_is_as_accurate():
    sent = [
        point("PNG", 500, 440, 0.9),
        point("JPEG 10", 200, 60, 0.7),
        point("JPEG 50", 300, 150, 0.88),
        point("WEBP 50", 250, 200, 0.89),
    ]
    gain = gain_of(point("learned-1", 30, 10, 0.88), sent)
    assert (gain["lossy"], gain["bare_lossy"]) == ("WEBP 50", "JPEG 50")
    assert gain["bare_lossy_by_payload"] == 15
    assert gain["lost"] == pytest.approx(2)
    assert gain["lost_share"] == pytest.approx(100 * 2 / 90)
    # When no lossy picture is as accurate, only the lossless one is.
    assert gain_of(point("learned-1", 25, 10, 0.895), sent)["lossy_by_frame"] == 20
    # Where the cut is better than any picture, as good as the lossless one is good enough.
    sent.append(point("AVIF 75", 400, 380, 0.91))
    assert gain_of(point("learned-1", 20, 10, 0.95), sent)["lossy_by_frame"] == 20


@pytest.fixture
def workload() -> Workload:
    """A model of two blocks, and eight pictures of which every other is dark."""
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
    pictures = ImageSet(
        name="shades",
        licence="none",
        count=len(shades),
        read=lambda: (Image.new("RGB", (16, 16), (shade, 90, 90)) for shade in shades),
        answers=FirstLabel(torch.tensor([int(shade < 100) for shade in shades])),
    )
    schedule = {"epochs": 20, "batch": 4, "rate": 0.05}
    recipe = recipe_named("elpv").changed(point=1, decoder_point=1, joint=None, second=schedule)
    return Workload(
        name="small",
        title="small",
        adapter=adapter,
        recipe=recipe,
        training=pictures,
        validation=pictures,
        test=pictures,
    )


def test_a_receiver_learns_from_what_its_coding_leaves_and_is_kept(workload, tmp_path):
    steps = []

    def tuned() -> torch.nn.Module:
        work = tmp_path / "work"
        return tuned_receiver(
            workload, "jpeg", features=tmp_path, work=work, report=lambda one: steps.append(one)
        )

    receiver = tuned()
    assert steps[-1].steps == 20 * 2
    adapter = workload.adapter
    sent = [send(picture, "jpeg", 5).picture for picture in workload.training.read()]
    features = adapter.run(torch.cat([adapter.tensor(one) for one in sent]), 0, 1)
    wrong, right = (
        (scores.argmax(1) != workload.training.answers.truth).double().mean()
        for scores in (adapter.run(features, 1, 2), receiver(features))
    )
    assert right == 0 < wrong
    count = len(steps)
    assert torch.equal(tuned()(features), receiver(features))
    assert len(steps) == count


def test_the_calibrated_codec_is_measured_at_the_same_cut(workload, tmp_path):
    cache = cached_features(
        workload.adapter, workload.test, (1, 1), tmp_path / "test", lambda progress: None
    )
    # Shares of right answers would say little of eight pictures; scores show any distance.
    distance = Metric(
        name="distance",
        share=False,
        values=lambda cache, output: (output - cache.outputs).abs().amax(1).double().numpy(),
    )
    found = calibrated(replace(workload, metric=distance), cache)
    spread = float((cache.outputs[0] - cache.outputs[1]).abs().max())
    assert found.kind == CALIBRATED
    assert found.bytes - found.payload_bytes == HEADER_BYTES
    assert 0 < found.payload_bytes < 4 * 8 * 8 * 4
    assert 0 < found.quality < spread / 10
