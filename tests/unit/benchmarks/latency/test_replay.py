"""The replay on a simulated world in which every time is known."""

import gzip
import json
from typing import Any

import numpy as np
import pytest

from edgewright.benchmarks.latency.replay import (
    Replay,
    Segment,
    Trace,
    _with,
    conditions_drawn,
    medians_of,
    points_drawn,
    replayed,
    summary,
)
from edgewright.benchmarks.latency.run import main
from edgewright.benchmarks.latency.workload import MIX, SLOWDOWN, ArmRun, Conditions
from edgewright.tools.contracts.arms import Arm, ServerLoad
from edgewright.tools.contracts.images import ImageFacts, Mime
from edgewright.tools.contracts.profiles import (
    BlockProfile,
    DecodingProfile,
    ImageCodecProfile,
    ModelProfile,
    PointProfile,
)
from edgewright.tools.offload.arms import profiled_arms
from edgewright.tools.offload.link import ProbeTimes

MODEL = "m"
ANSWER_BYTES = 1100
IMAGES: dict[Mime, ImageFacts] = {
    mime: ImageFacts(mime=mime, width=640, height=480, size_bytes=size)
    for mime, size in (("image/jpeg", 60_000), ("image/png", 450_000), ("image/webp", 40_000))
}
#: Times to decode them by the profile, and in truth.
DECODE_MS, TRUE_DECODE_MS = (4.0, 7.0, 6.0), (4.0, 14.0, 5.0)
#: Frame size in bytes after each cut; a block takes two milliseconds on the edge server.
FRAMES = (60_000, 30_000, 14_000, 12_000, 7000, 6500, 6000, 3000, 2500, 2200, 2000, 1900)


def profile(slowdown: float) -> ModelProfile:
    """Return the profile of a model of thirteen blocks."""
    return ModelProfile(
        model=MODEL,
        revision="r",
        decoding=[
            DecodingProfile(
                mime=mime, ms_per_megapixel=ms * slowdown / 0.3072, ms_per_megabyte=0,
                pixels=640 * 480, bytes=facts.size_bytes,
            )
            for (mime, facts), ms in zip(IMAGES.items(), DECODE_MS, strict=True)
        ],
        preprocess_ms=2 * slowdown,
        preprocess_pixels=640 * 480,
        blocks=[BlockProfile(name=f"b{n}", ms=2 * slowdown) for n in range(1, 14)],
        postprocess_ms=0.5 * slowdown,
        points=[
            PointProfile(
                point=n, name=f"b{n}", frame_bytes=size, encode_ms=0.4 * slowdown,
                decode_ms=0.4 * slowdown, accuracy_retention=1.0,
            )
            for n, size in enumerate(FRAMES, start=1)
        ],
        image_codecs=[
            ImageCodecProfile(
                image_codec="png", quality=None, bytes=80_000, encode_ms=2.5 * slowdown,
                decode_ms=2 * slowdown, accuracy_retention=1.0,
            )
        ],
        slowdown=slowdown,
    )  # fmt: skip


class World:
    """True times, with a little noise."""

    def __init__(self, noise: float) -> None:
        self._chance = np.random.default_rng(5)
        self._noise = noise
        self.device, self.edge = profile(SLOWDOWN), profile(1.0)

    def run(self, arm: Arm, conditions: Conditions, mime: Mime) -> ArmRun:
        own, theirs, size = self._parts(arm, mime)
        slower = self._noisy(conditions.slowdown / SLOWDOWN)
        stages_ms = {stage: ms * slower for stage, ms in own.items()}
        slower = self._noisy(1.0)
        stages_ms |= {stage: ms * slower for stage, ms in theirs.items()}
        link_ms = wait_ms = 0.0
        if size:
            link_ms = self.link_ms(size + ANSWER_BYTES, conditions)
            wait_ms = conditions.load / (1 - conditions.load) * 33 / 2
        return ArmRun(
            total_ms=sum(stages_ms.values()) + link_ms + wait_ms, stages_ms=stages_ms,
            link_ms=link_ms, bytes_up=size, bytes_down=ANSWER_BYTES if size else 0, arm=arm.label,
        )  # fmt: skip

    def link_ms(self, size: int, conditions: Conditions) -> float:
        return self._noisy(conditions.rtt_ms + size / conditions.rate_kb_per_s)

    def segment(self, conditions: Conditions, arms: list[Arm], runs: int = 5) -> Segment:
        load = {}
        timed = {
            mime: {
                arm.label: [self.run(arm, conditions, mime) for _ in range(runs)] for arm in arms
            }
            for mime in IMAGES
        }
        if conditions.load:
            load[MODEL] = ServerLoad(
                arrivals_per_s=conditions.load * 1000 / 33, service_ms=33, service_scv=0.0
            )
        return Segment(
            conditions=conditions,
            probes=[
                ProbeTimes(self.link_ms(200, conditions), self.link_ms(2248, conditions), 2048, 200)
                for _ in range(runs)
            ],
            load=load,
            runs={MODEL: timed},
        )

    def _parts(self, arm: Arm, mime: Mime) -> tuple[dict[str, float], dict[str, float], int]:
        device, edge = self.device, self.edge
        decode_ms = dict(zip(IMAGES, TRUE_DECODE_MS, strict=True))[mime] * SLOWDOWN
        own = {"decode": decode_ms, "preprocess": device.preprocess_ms}
        if arm.kind == "device-only":
            own |= {"whole": sum(one.ms for one in device.blocks)}
            return own | {"postprocess": device.postprocess_ms}, {}, 0
        theirs = {"edge_postprocess": edge.postprocess_ms}
        if arm.kind == "edge-only":
            codec = device.image_codecs[0]
            theirs |= {"edge_decode": edge.image_codecs[0].decode_ms}
            theirs |= {"edge_whole": sum(one.ms for one in edge.blocks)}
            return own | {"encode": codec.encode_ms}, theirs, codec.bytes
        assert arm.point is not None
        point = device.points[arm.point - 1]
        own |= {"head": sum(one.ms for one in device.blocks[: arm.point])}
        theirs |= {"edge_tail_decode": point.decode_ms / SLOWDOWN}
        theirs |= {"edge_tail": sum(one.ms for one in edge.blocks[arm.point :])}
        return own | {"encode": point.encode_ms}, theirs, point.frame_bytes

    def _noisy(self, ms: float) -> float:
        return float(ms * np.exp(self._chance.normal(0, self._noise)))


def trace(drawn: list[Conditions], *, length: int = 8, noise: float = 0.02) -> Trace:
    world = World(noise)
    points = [Arm(kind="co-inference", point=n, codec="quantised8") for n in range(1, 13)]
    arms = [Arm(kind="device-only"), Arm(kind="edge-only", image_codec="png"), *points]
    return Trace(
        device={MODEL: world.device},
        edge={MODEL: world.edge},
        models={one.card: MODEL for one in MIX},
        arms={MODEL: arms},
        images=IMAGES,
        segments=[world.segment(conditions, arms) for conditions in drawn],
        points=[points_drawn(length, seed=number) for number in range(len(drawn))],
    )


@pytest.fixture(scope="module")
def varied() -> Trace:
    return trace(conditions_drawn(30, seed=0))


def replay(recorded: Trace, **more: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    points = Replay(recorded, **more).run()
    return points, summary(recorded, points)


def test_the_policy_is_near_the_oracle_and_beats_every_static_arm(varied: Trace) -> None:
    points = replayed(varied, passes=3)
    figures = summary(varied, points)
    assert figures["points"] == len(points) == 3 * 240
    assert len({point["oracle"] for point in points}) >= 4
    assert 1 <= figures["mean_ratio"] <= 1.02
    assert figures["p99_ratio"] <= 1.1
    assert figures["policy_mean_ms"] < figures["static_mean_ms"]
    assert figures["requests_to_settle"]["mean"] <= 1
    assert figures["forecast_errors"]["median"] <= 0.1
    assert figures["forecast_errors"]["p90"] <= 0.25


def test_the_policy_sees_only_what_it_chose(varied: Trace) -> None:
    """The times of the other arms do not influence its choices."""
    chosen = [point["arm"] for point in replay(varied)[0]]
    altered = varied.model_copy(deep=True)
    for segment, number in zip(altered.segments, range(0, 240, 8), strict=True):
        observed = set(chosen[number : number + 8])
        for of_type in segment.runs[MODEL].values():
            for label, runs in of_type.items():
                if label not in observed:
                    of_type[label] = [
                        ArmRun(**{**vars(run), "stages_ms": {"head": 1.0}, "link_ms": 1.0})
                        for run in runs
                    ]
    assert [point["arm"] for point in replay(altered)[0]] == chosen


@pytest.mark.parametrize(
    "change",
    [
        {"rate_kb_per_s": 25.0},
        {"rate_kb_per_s": 1000.0},
        {"load": 0.9},
        {"slowdown": 1.5 * SLOWDOWN},
        {"rtt_ms": 200.0},
    ],
)
def test_a_change_is_followed_within_three_requests(change: dict[str, float]) -> None:
    usual = {"rate_kb_per_s": 200.0, "rtt_ms": 20.0, "slowdown": SLOWDOWN, "load": 0.0}
    drawn = [Conditions(**usual), Conditions(**{**usual, **change}), Conditions(**usual)]
    for seed in range(5):
        _, figures = replay(trace(drawn, noise=0.01), seed=seed)
        assert figures["requests_to_settle"]["p95"] <= 3


def test_it_does_not_flap_when_nothing_changes() -> None:
    points, figures = replay(trace([Conditions(rate_kb_per_s=120)], length=60))
    assert figures["changes_of_arm"] <= 6
    assert max(point["ms"] / point["oracle_ms"] for point in points[4:]) < 1.05


def test_it_does_not_get_stuck_on_the_device() -> None:
    drawn = [Conditions(rate_kb_per_s=2, rtt_ms=500), Conditions(rate_kb_per_s=1000, rtt_ms=10)]
    points, _ = replay(trace(drawn))
    assert points[7]["arm"] == "device-only"
    assert [point["arm"] for point in points[10:]] != ["device-only"] * 6
    assert all(point["arm"] != "device-only" for point in points[10:])


def test_a_recorded_trace_is_replayed_from_its_file(
    varied: Trace, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = tmp_path / "trace.json.gz"
    recorded.write_bytes(gzip.compress(varied.model_dump_json().encode()))
    assert main(["--replay", str(recorded), "--out", str(tmp_path)]) == 0
    figures = json.loads((tmp_path / "latency-replay.json").read_text("utf-8"))
    assert figures["mean_ratio"] == pytest.approx(replay(varied)[1]["mean_ratio"], abs=0.01)
    assert figures["points"] == 20 * 240
    assert "policy / oracle, mean" in capsys.readouterr().out
    assert (tmp_path / "latency-replay.png").is_file()


def test_a_median_is_of_the_total_time() -> None:
    runs = [
        ArmRun(total_ms=ms, stages_ms={}, link_ms=0, bytes_up=0, bytes_down=0, arm="a")
        for ms in (3.0, 1.0, 2.0)
    ]
    assert medians_of({"a": runs}) == {"a": 2.0}


def test_only_recorded_arms_can_be_chosen() -> None:
    cut = Arm(kind="co-inference", peer="edge", point=3, codec="quantised8")
    arms = [Arm(kind="device-only"), cut]
    reduced = _with(profile(1.0), arms)
    assert [one.arm for one in profiled_arms(reduced, {"edge": profile(1.0)})] == arms
