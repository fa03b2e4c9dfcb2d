"""The policy chooses the best arm, gives the reason and learns from measured costs."""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from edgewright.tools.contracts.arms import Decision, ServerLoad
from edgewright.tools.contracts.profiles import PointProfile
from edgewright.tools.offload.objective import Objective
from edgewright.tools.offload.policy import OffloadingPolicy
from offloading import choose, link, photograph, profile, situation


def test_a_fast_device_runs_the_task_itself() -> None:
    assert choose(device=profile(1.0)).arm.kind == "device-only"


def test_a_slow_device_on_a_slow_link_cuts_the_model() -> None:
    decision = choose(device=profile(16.0))
    assert (decision.arm.kind, decision.arm.point, decision.arm.codec) == (
        "co-inference",
        2,
        "quantised8",
    )


def test_a_slow_device_on_a_fast_link_sends_the_image() -> None:
    decision = choose(device=profile(8.0), link=link(rate=10_000))
    assert (decision.arm.kind, decision.arm.image_codec) == ("edge-only", "png")


def test_forecasts_add_up() -> None:
    by_arm = {one.arm.label: one for one in choose(device=profile(2.0)).forecasts}
    assert by_arm["device-only"].latency_ms == pytest.approx(10 + 100 + 2)
    cut = by_arm["co-inference (point 3, quantised8)"]
    link_ms = 10 + (8000 + 1000) / 100
    assert cut.latency_ms == pytest.approx(10 + 60 + 1 + link_ms + 0.5 + 20 + 1)
    assert cut.bytes_up == 8000
    png = by_arm["edge-only (png)"]
    assert png.latency_ms == pytest.approx(10 + 4 + 10 + 81_000 / 100 + 2 + 50 + 1)


def test_every_arm_is_compared_and_the_best_is_first() -> None:
    decision = choose()
    assert len(decision.forecasts) == 1 + 3 + 4
    assert decision.forecasts[0].arm == decision.arm
    usable = [one.latency_ms for one in decision.forecasts if one.latency_ms is not None]
    assert usable == sorted(usable)
    assert [one.latency_ms for one in decision.forecasts[len(usable) :]] == [None, None]


def test_arms_below_the_minimum_accuracy_retention_are_excluded_with_the_reason() -> None:
    strict = {one.arm.label: one for one in choose().forecasts}
    assert "accuracy retention is 96.0%" in strict["edge-only (jpeg q90)"].unusable
    lenient = choose(min_accuracy_retention=0.9, device=profile(16.0), link=link(rate=400))
    assert lenient.arm.label == "edge-only (webp q90)"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"link": None, "edge": None}, "no edge server is configured"),
        ({"link": link(up=False)}, "could not be reached"),
        ({"edge": None}, "has not measured this model yet"),
        ({"edge": profile(revision="s")}, "other weights"),
    ],
)
def test_without_an_edge_server_the_device_works_alone(changes: Any, words: str) -> None:
    decision = choose(**changes)
    assert decision.arm.kind == "device-only"
    assert words in decision.reason
    assert all(words in one.unusable for one in decision.forecasts[1:])


def test_a_deadline_that_no_arm_meets_is_reported() -> None:
    decision = choose(deadline_ms=20)
    assert "no arm is expected to meet the deadline of 20 ms" in decision.reason
    assert decision.deadline_ms == 20
    assert "deadline" not in choose(deadline_ms=10_000).reason


def _alone_ms(decision: Decision) -> float:
    (latency_ms,) = [one.latency_ms for one in decision.forecasts if one.arm.kind == "device-only"]
    assert latency_ms is not None
    return latency_ms


def test_larger_images_take_longer() -> None:
    small = _alone_ms(choose(image=photograph()))
    large = _alone_ms(choose(image=photograph(pixels=12_000_000, size=2_400_000)))
    assert large - small == pytest.approx(40 * (60 - 1))


def test_the_type_and_the_bytes_of_an_image_count() -> None:
    images = (photograph(), photograph("image/png"), photograph(size=80_000))
    usual, png, detailed = (_alone_ms(choose(image=image)) for image in images)
    assert png - usual == pytest.approx(8 * (9 - 3))
    assert detailed - usual == pytest.approx(8 * 0.25 * 3)
    sizes = {
        size: {one.arm.label: one.bytes_up for one in choose(image=photograph(size=size)).forecasts}
        for size in (40_000, 160_000)
    }
    cut = "co-inference (point 2, quantised8)"
    assert (sizes[40_000][cut], sizes[160_000][cut]) == (20_000, 40_000)


def test_the_reason_names_the_choice_and_the_other_kinds() -> None:
    assert choose(device=profile(16.0)).reason == (
        "co-inference after block 2, sending 20 KB: 660 ms expected, compared with 896 ms on the "
        "device and 985 ms sending 80 KB of PNG"
    )
    sent = choose(device=profile(8.0), link=link(rate=10_000)).reason
    assert sent.startswith(
        "the edge server alone, receiving 80 KB of PNG: 127 ms expected, compared"
    )
    assert "cut after block 1 (60 KB)" in sent
    inaccurate = choose(min_accuracy_retention=1.1)
    assert "no other arm retains enough accuracy" in inaccurate.reason


def test_an_encoding_that_the_edge_server_did_not_measure_may_be_chosen() -> None:
    decision = choose(edge=profile(image_codecs=[]), link=link(rate=10_000))
    assert decision.arm.label == "edge-only (png)"


def test_a_codec_that_the_edge_server_does_not_have_is_not_chosen() -> None:
    points = [
        PointProfile(
            point=2, name="block2", frame_bytes=size, encode_ms=1, decode_ms=1,
            accuracy_retention=1.0, codec=codec,
        )
        for codec, size in (("small", 500), ("quantised8", 20_000))
    ]  # fmt: skip
    both = {"device": profile(16.0, points=points), "edge": profile(points=points)}
    assert choose(**both).arm.label == "co-inference (point 2, small)"
    another = [points[0].model_copy(update={"fingerprint": "00ff"}), points[1]]
    for defaults in (points[1:], another):
        decision = choose(**{**both, "edge": profile(points=defaults)})
        assert decision.arm.label == "co-inference (point 2, quantised8)"
        excluded = {one.arm.codec: one.unusable for one in decision.forecasts if one.arm.point}
        assert excluded == {"small": "the edge server does not have this codec", "quantised8": ""}


def test_load_adds_waiting_and_from_one_on_excludes_the_edge_server() -> None:
    fast = link(rate=10_000)
    idle = choose(link=fast)
    busy = ServerLoad(arrivals_per_s=10, service_ms=50)
    loaded = choose(link=fast, load=busy)
    waits = [
        late.latency_ms - soon.latency_ms
        for soon, late in zip(idle.forecasts, loaded.forecasts, strict=True)
        if soon.latency_ms is not None and late.latency_ms is not None
        if soon.arm.kind != "device-only"
    ]
    assert waits == pytest.approx([50.0] * len(waits))
    assert len(waits) == 5
    assert "wait at the edge server is 50 ms" in loaded.reason
    full = choose(link=fast, load=busy.model_copy(update={"arrivals_per_s": 20.0}))
    assert full.arm.kind == "device-only"
    assert "other callers demand 100% of the edge server's capacity" in full.reason
    assert full.forecasts[1].unusable in full.reason


def test_the_objective_weighs_energy_and_the_deadline_still_holds() -> None:
    saving = OffloadingPolicy(min_accuracy_retention=0.99, objective=Objective(seconds=0, joules=1))
    defaults = {"device": profile(2.0), "edge": profile(), "link": link(rate=100)}
    choice = saving.choose(situation(**defaults))
    # 14 ms of computing at 3.7 W, 80 KB up at 2.27 J/MB, and the response at 1.1 J/MB.
    assert choice.arm.label == "edge-only (png)"
    by_arm = {one.arm.label: one for one in choice.decision().forecasts}
    assert by_arm["edge-only (png)"].energy_j == pytest.approx(3.7 * 0.014 + 0.1816 + 0.0011)
    assert by_arm["device-only"].energy_j == pytest.approx(3.7 * 0.112)
    assert "0.23 J expected" in choice.decision().reason
    hurried = saving.choose(situation(**defaults, deadline_ms=200))
    assert hurried.arm.label == "co-inference (point 3, quantised8)"
    assert saving.choose(situation(**defaults, deadline_ms=1)).arm.kind == "device-only"


def test_an_objective_needs_a_weight() -> None:
    with pytest.raises(ValidationError, match="a weight above 0"):
        Objective(seconds=0)


def test_normalisation_counts_only_where_blocks_are_run() -> None:
    plain, slower = choose(), choose(device=profile(8.0, normalise_ms=30.0))
    before = {one.arm: one.latency_ms for one in plain.forecasts if one.latency_ms}
    more = {
        one.arm.kind: one.latency_ms - before[one.arm] for one in slower.forecasts if one.latency_ms
    }
    assert more == pytest.approx({"device-only": 30, "co-inference": 30, "edge-only": 0})


def test_a_decision_takes_less_than_a_hundred_additions_of_arrays() -> None:
    """These take some 40 microseconds on an idle machine; both are measured in one run."""
    points = [
        PointProfile(
            point=1 + n % 4, name="block", frame_bytes=9000 + n, encode_ms=1, decode_ms=1,
            accuracy_retention=1.0, codec=f"codec{n}",
        )
        for n in range(20)
    ]  # fmt: skip
    load = ServerLoad(arrivals_per_s=5, service_ms=30)
    policy = OffloadingPolicy(min_accuracy_retention=0.99)
    current = situation(
        device=profile(8.0, points=points), edge=profile(points=points), link=link(), load=load,
        deadline_ms=5000,
    )  # fmt: skip
    assert len(policy.choose(current).arms) == 22
    costs = np.arange(22.0)

    def add() -> None:
        for _ in range(100):
            costs + costs

    def decide() -> None:
        policy.choose(current)

    times: dict[Callable[[], None], list[float]] = {add: [], decide: []}
    tracer = sys.gettrace()
    sys.settrace(None)  # nodes run without one, and it takes most of the time
    try:
        for _ in range(20):
            for work, measured in times.items():
                started = time.process_time()
                for _ in range(50):
                    work()
                measured.append(time.process_time() - started)
    finally:
        sys.settrace(tracer)
    addition_s, decision_s = map(min, times.values())
    assert decision_s < addition_s
