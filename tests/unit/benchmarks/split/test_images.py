"""Bytes of a sent image: the file, and the payload without headers."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from edgewright.benchmarks.split.images import image_encodings, send, send_all


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
    assert sent.image.size == grey.size
    if encoding == "png":
        assert sent.image.tobytes() == grey.tobytes()


def test_a_payload_starts_after_the_headers(grey):
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
