"""How a cut is compared with sent images."""

import pytest

from edgewright.benchmarks.split.tables import Point, gain_of


def point(way: str, size: float, payload: float, quality: float) -> Point:
    return Point(
        way=way, kind="jpeg", bytes=size, payload_bytes=payload, entropy_bytes=None,
        quality=quality, interval=(0.0, 1.0), seeds=(quality,),
    )  # fmt: skip


def test_a_cut_is_compared_with_the_smallest_image_that_is_as_accurate():
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
    # No lossy image is as accurate, so the lossless one is the baseline.
    assert gain_of(point("learned-1", 25, 10, 0.895), sent)["lossy_by_frame"] == 20
    # No image is as accurate as this cut, so one as accurate as the lossless image is enough.
    sent.append(point("AVIF 75", 400, 380, 0.91))
    assert gain_of(point("learned-1", 20, 10, 0.95), sent)["lossy_by_frame"] == 20
