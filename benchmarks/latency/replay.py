"""How good the policy's choices are: every arm is run at every point of a trace, then it chooses.

At each point the oracle takes the arm that is really fastest there. The policy knows what a device
would know: its profile, measured when it was cool; what its own requests took; and what it saw when
it looked at the link. It never sees an arm's time that it did not choose.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.latency.rig import (
    MIN_ACCURACY_RETENTION,
    PICTURE,
    SLOWDOWN,
    WARM_SLOWDOWN,
    ArmRun,
    Conditions,
    Rig,
    cards_drawn,
)
from edgewright.edge_runtime.peers.peer import MAX_PROBES
from edgewright.tools.contracts.arms import Arm, ServerLoad
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.offload.choice import Situation
from edgewright.tools.offload.link import LinkEstimator, ProbeTimes
from edgewright.tools.offload.policy import OffloadingPolicy

#: Of the trace. The policy was improved while looking at the trace of seed 0.
_SEED = 1
#: A device asks this often, and looks at its link this often.
PERIOD_S, PROBE_INTERVAL_S = 3.0, 1.0
_RATES = (25.0, 1000.0)
#: Who waits behind others' requests, and for how long, is luck: the median of five runs of an arm
#: was off by 15 % at times, so there are more of them where the edge server is loaded.
LOADED_TIMES = 3
#: From stretch to stretch the rate drifts by about this factor, and every so often it jumps.
_DRIFT, _JUMP_EVERY = 2.0, 5
_OTHERS: Mapping[str, tuple[float, ...]] = {
    "rtt_ms": (10.0, 20.0, 60.0),
    "slowdown": (SLOWDOWN, SLOWDOWN, WARM_SLOWDOWN),
    "load": (0.0, 0.0, 0.5),
}
#: The policy is unsettled while its choice is worse than the oracle's by more than this.
_SETTLED = 1.05


class Segment(BaseModel):
    """A stretch of the trace without change, and what was measured in it.

    Attributes:
        conditions: What the world was like.
        probes: What came of each look at the link, with as large a filling as a device takes that
            knows the rate.
        load: What the edge server said of each model while others used it.
        runs: By model and the label of the arm.
    """

    conditions: Conditions
    probes: list[ProbeTimes]
    load: dict[str, ServerLoad]
    runs: dict[str, dict[str, list[ArmRun]]]


class Trace(BaseModel):
    """A recorded trace.

    Attributes:
        device: The device's profiles by model, as it measured itself.
        edge: The edge server's.
        models: The model of each card.
        arms: By model.
        segments: In order.
        points: A card for each point of each segment.
    """

    device: dict[str, ModelProfile]
    edge: dict[str, ModelProfile]
    models: dict[str, str]
    arms: dict[str, list[Arm]]
    segments: list[Segment]
    points: list[list[str]]


def conditions_drawn(count: int, *, seed: int) -> list[Conditions]:
    """Draw the segments of a trace.

    The rate drifts, and now and then it jumps to anywhere between the slowest and the fastest, on
    a logarithmic scale. Of round trip, slow-down and load one or another changes too.
    """
    chance = np.random.default_rng(seed)
    slowest, fastest = np.log(_RATES)
    rate, rest = 0.0, dict.fromkeys(_OTHERS, 0.0)
    drawn: list[Conditions] = []
    for number in range(count):
        rate += chance.normal(0, np.log(_DRIFT))
        if number % _JUMP_EVERY == 0:
            rate = chance.uniform(slowest, fastest)
        rate = float(np.clip(rate, slowest, fastest))
        for name, values in _OTHERS.items():
            if number == 0 or chance.random() < 1 / len(_OTHERS):
                rest[name] = float(chance.choice(values))
        drawn.append(Conditions(rate_kb_per_s=round(float(np.exp(rate)), 1), **rest))
    return drawn


async def record(rig: Rig, *, segments: int, length: int, runs: int) -> Trace:
    """Run every arm under the conditions of every segment, in turns.

    Args:
        rig: The nodes.
        segments: How many stretches.
        length: Points in each.
        runs: Of each arm in each; ``LOADED_TIMES`` as many where the edge server is loaded.
    """
    arms = {model: rig.arms(model) for model in sorted(set(rig.models.values()))}
    trace = Trace(
        device={model: _with(profile, arms[model]) for model, profile in rig.device.items()},
        edge=rig.edge,
        models=rig.models,
        arms=arms,
        segments=[],
        points=[],
    )
    drawn = conditions_drawn(segments, seed=_SEED)
    for number, conditions in enumerate(drawn, start=1):
        log(f"trace: segment {number} of {len(drawn)}, {conditions}")
        trace.points.append(cards_drawn(length, seed=number))
        async with rig.under(conditions):
            trace.segments.append(await _segment(rig, trace, conditions, runs))
    return trace


def _with(profile: ModelProfile, arms: Sequence[Arm]) -> ModelProfile:
    """Leave out of a profile what is not run, so that the policy cannot choose it."""
    cuts = {(arm.point, arm.codec) for arm in arms}
    encodings = {(arm.image_codec, arm.quality) for arm in arms}
    points = [one for one in profile.points if (one.point, one.codec) in cuts]
    codecs = [one for one in profile.image_codecs if (one.image_codec, one.quality) in encodings]
    return profile.model_copy(update={"points": points, "image_codecs": codecs})


async def _segment(rig: Rig, trace: Trace, conditions: Conditions, runs: int) -> Segment:
    measured = Segment(conditions=conditions, probes=[], load={}, runs={})
    filling = LinkEstimator(conditions.rate_kb_per_s, conditions.rtt_ms).filling(conditions.rtt_ms)
    for turn in range(runs * (LOADED_TIMES if conditions.load else 1)):
        measured.probes.append(await rig.probe(filling))
        for model, arms in trace.arms.items():
            cards = [card for card in rig.models if rig.models[card] == model]
            for arm in arms:
                run = await rig.run(cards[turn % len(cards)], arm, conditions.slowdown)
                measured.runs.setdefault(model, {}).setdefault(arm.label, []).append(run)
    for model in trace.arms:
        if conditions.load and (load := await rig.load_of(model)):
            # The recording's own requests are no load that a device would meet.
            others = conditions.load * 1000 * load.servers / load.service_ms
            measured.load[model] = load.model_copy(update={"arrivals_per_s": others})
    return measured


def replayed(trace: Trace, *, passes: int) -> list[dict[str, Any]]:
    """Send the policy through a trace several times, each with other luck.

    Args:
        trace: The trace.
        passes: How often.
    """
    return [point for seed in range(passes) for point in Replay(trace, seed=seed).run()]


class Replay:
    """The policy on its way through a trace.

    Args:
        trace: The trace.
        seed: Of what falls between the recorded things: when the world changes, and which of an
            arm's runs it is that happens.
    """

    def __init__(self, trace: Trace, *, seed: int = 0) -> None:
        self._trace = trace
        self._chance = np.random.default_rng(seed)
        self._now = 0.0
        self._probed_at = 0.0
        self._link = LinkEstimator(1000, 20, clock=lambda: self._now)
        self._load: dict[str, ServerLoad] = {}
        self._policies = {
            model: OffloadingPolicy(min_accuracy_retention=MIN_ACCURACY_RETENTION)
            for model in trace.arms
        }

    def run(self) -> list[dict[str, Any]]:
        """Return what happened at each point."""
        points: list[dict[str, Any]] = []
        before = self._trace.segments[0]
        for number, (segment, cards) in enumerate(
            zip(self._trace.segments, self._trace.points, strict=True)
        ):
            for place, card in enumerate(cards):
                self._wait(before, segment)
                before = segment
                point = self._request(segment, self._trace.models[card])
                points.append({"segment": number, "place": place, "card": card, **point})
        return points

    def _wait(self, before: Segment, after: Segment) -> None:
        """Let the time to the next request pass; the world changes somewhere in it."""
        until = self._now + PERIOD_S
        change = self._now + self._chance.random() * PERIOD_S
        while self._probed_at + PROBE_INTERVAL_S <= until:
            self._probed_at = self._now = self._probed_at + PROBE_INTERVAL_S
            if self._link.age_s >= PROBE_INTERVAL_S:
                self._probe(before if self._now < change else after)
        self._now = until

    def _probe(self, segment: Segment) -> None:
        for _ in range(MAX_PROBES):
            if not self._link.observe_probe(
                segment.probes[self._chance.integers(len(segment.probes))]
            ):
                break
        self._load = dict(segment.load)

    def _request(self, segment: Segment, model: str) -> dict[str, Any]:
        trace, policy = self._trace, self._policies[model]
        situation = Situation(
            device=trace.device[model],
            edge=trace.edge[model],
            link=self._link.state(),
            load=self._load.get(model),
            image=PICTURE,
        )
        choice = policy.choose(situation)
        medians = medians_of(segment.runs[model])
        label = choice.arm.label
        runs = segment.runs[model][label]
        run = runs[self._chance.integers(len(runs))]
        policy.observe(
            situation,
            choice.arm,
            device_ms=run.device_ms,
            edge_ms=run.edge_ms,
            bytes_up=run.bytes_up,
        )
        if run.bytes_up:
            self._link.observe(run.bytes_up, run.bytes_down, run.link_ms)
            self._load = dict(segment.load)
        best = min(medians, key=medians.__getitem__)
        return {
            "arm": label,
            "ms": medians[label],
            "oracle": best,
            "oracle_ms": medians[best],
            "expected_ms": round(float(choice.latency_ms[choice.chosen]), 1),
        }


def medians_of(runs: Mapping[str, Sequence[ArmRun]]) -> dict[str, float]:
    """Return the median time of each arm."""
    return {label: statistics.median(run.total_ms for run in each) for label, each in runs.items()}


def summary(trace: Trace, points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Compare the policy with the oracle and with each arm taken always.

    With several models an arm taken always is one of each model; the best of them are taken.
    """
    ratios = sorted(point["ms"] / point["oracle_ms"] for point in points)
    totals: dict[str, dict[str, float]] = {}
    for point in points:
        model = trace.models[point["card"]]
        runs = trace.segments[point["segment"]].runs[model]
        for label, ms in medians_of(runs).items():
            of_model = totals.setdefault(model, {})
            of_model[label] = of_model.get(label, 0.0) + ms
    static = {model: min(each, key=each.__getitem__) for model, each in totals.items()}
    return {
        "points": len(points),
        "mean_ratio": statistics.fmean(ratios),
        "p99_ratio": ratios[min(len(ratios) - 1, int(0.99 * len(ratios)))],
        "policy_mean_ms": statistics.fmean(point["ms"] for point in points),
        "oracle_mean_ms": statistics.fmean(point["oracle_ms"] for point in points),
        "static_mean_ms": sum(totals[model][label] for model, label in static.items())
        / len(points),
        "static_arms": static,
        "requests_to_settle": _to_settle(points),
        "changes_of_arm": sum(
            late["arm"] != early["arm"]
            for early, late in itertools.pairwise(points)
            if late["segment"] >= early["segment"]
        ),
    }


def _to_settle(points: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return how many requests of a segment pass until all later choices are good."""
    needed: list[int] = []
    for point in points:
        if point["place"] == 0:
            needed.append(0)
        if point["ms"] > _SETTLED * point["oracle_ms"]:
            needed[-1] = point["place"] + 1
    return {"mean": statistics.fmean(needed), "p95": float(np.quantile(needed, 0.95))}
