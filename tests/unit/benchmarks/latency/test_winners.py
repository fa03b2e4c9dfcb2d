"""Which kind of arm is best where."""

import pytest

from edgewright.benchmarks.latency.winners import expected, winner_table, with_blocks
from edgewright.benchmarks.latency.workload import CLOUD, Conditions
from edgewright.tools.contracts.profiles import (
    BlockProfile,
    DecodingProfile,
    ImageCodecProfile,
    ModelProfile,
    PointProfile,
)


@pytest.fixture
def server() -> ModelProfile:
    """Return a model of 100 ms that can be cut after a tenth, with 5 KB instead of 50."""
    return ModelProfile(
        model="m", revision="r",
        decoding=[DecodingProfile(
            mime="image/jpeg", ms_per_megapixel=0, ms_per_megabyte=0, pixels=1, bytes=1,
        )],
        preprocess_ms=0, preprocess_pixels=1, postprocess_ms=0,
        blocks=[BlockProfile(name="a", ms=10), BlockProfile(name="b", ms=90)],
        points=[PointProfile(
            point=1, name="a", frame_bytes=5_000, encode_ms=0, decode_ms=0, accuracy_retention=1,
        )],
        image_codecs=[ImageCodecProfile(
            image_codec="jpeg", quality=95, bytes=50_000, encode_ms=0, decode_ms=0,
            accuracy_retention=1,
        )],
    )  # fmt: skip


def test_forecasts_follow_rate_and_round_trip(server):
    device = with_blocks(server, 10)
    conditions = Conditions(rate_kb_per_s=100, rtt_ms=20, cloud_rtt_ms=120)
    by_kind = {(arm.kind, arm.peer): ms for arm, ms in expected(device, server, conditions).items()}
    assert by_kind["device-only", None] == pytest.approx(1000)
    assert by_kind["edge-only", "edge"] == pytest.approx(500 + 10 + 20 + 100)
    assert by_kind["edge-only", CLOUD] == by_kind["edge-only", "edge"] + 100
    assert by_kind["co-inference", "edge"] == pytest.approx(100 + 50 + 10 + 20 + 90)


def test_each_kind_wins_somewhere(server):
    table = winner_table(server, 10, 0)
    cells = [cell.strip() for cell in table.splitlines()[-2].split("|")[2:-1]]
    winners = [cell.split(" ")[0] for cell in cells]
    assert winners[0] == "device-only"  # 0.25 KB/s
    assert winners[-1] == "co-inference"  # 40 KB/s
    assert cells[-1] == "co-inference (+178% device-only)"
    assert "RTX" not in table
    assert "RTX" in winner_table(server, 350, 35.0)
