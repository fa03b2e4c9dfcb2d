"""The policy against an oracle, on a recorded trace in which every arm was run at every point.

At each point the oracle takes the fastest arm. The policy knows only what a device would know: its
profile, measured while the device was cool; the latencies of its own requests; and its link probes.
It never sees the time of an arm that it did not choose.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from pydantic import BaseModel

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.segments import Segments
from edgewright.benchmarks.latency.rig import Rig
from edgewright.benchmarks.latency.workload import (
    MIN_ACCURACY_RETENTION,
    SLOWDOWN,
    WARM_SLOWDOWN,
    ArmRun,
    Conditions,
    cards_drawn,
)
from edgewright.edge_runtime.peers.peer import MAX_PROBES
from edgewright.tools.contracts.arms import DEFAULT_PEER, Arm, ServerLoad
from edgewright.tools.contracts.images import ImageFacts, Mime
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.offload.choice import Server, Situation
from edgewright.tools.offload.crowding import Crowding
from edgewright.tools.offload.link import LinkEstimator, ProbeTimes
from edgewright.tools.offload.policy import OffloadingPolicy

#: Seed of the trace. The policy was developed on the trace of seed 0, so this one is unseen.
_SEED = 1
#: Time between a device's requests, and between its link probes.
PERIOD_S, PROBE_INTERVAL_S = 3.0, 1.0
_RATES = (25.0, 1000.0)
#: How many times as many runs an arm gets under load: waiting times are random, and the median of
#: five runs was off by up to 15 %.
LOADED_TIMES = 3
#: Typical factor by which the rate drifts between segments, and segments between two jumps.
_DRIFT, _JUMP_EVERY = 2.0, 5
_OTHER_CONDITIONS: Mapping[str, tuple[float, ...]] = {
    "rtt_ms": (10.0, 20.0, 60.0),
    "slowdown": (SLOWDOWN, SLOWDOWN, WARM_SLOWDOWN),
    "load": (0.0, 0.0, 0.5),
}
#: The policy has settled once its choices take at most this many times the oracle's time.
_SETTLED = 1.05


class Segment(BaseModel):
    """A part of the trace with constant conditions, and the measurements under them.

    Attributes:
        conditions: The conditions.
        probes: Link probes, padded as by a device that knows the rate.
        load: Load of each model under background requests, as the edge server reported it.
        runs: Runs by model, type of the image and label of the arm.
    """

    conditions: Conditions
    probes: list[ProbeTimes]
    load: dict[str, ServerLoad]
    runs: dict[str, dict[Mime, dict[str, list[ArmRun]]]]


class Trace(BaseModel):
    """A recorded trace.

    Attributes:
        device: The device's profiles by model.
        edge: The edge server's profiles by model.
        models: The model of each card.
        arms: The recorded arms of each model.
        images: Facts about the image of each type.
        segments: Segments in order.
        points: For each segment, the card of each request and the type of its image.
    """

    device: dict[str, ModelProfile]
    edge: dict[str, ModelProfile]
    models: dict[str, str]
    arms: dict[str, list[Arm]]
    images: dict[Mime, ImageFacts]
    segments: list[Segment]
    points: list[list[tuple[str, Mime]]]


def conditions_drawn(count: int, *, seed: int) -> list[Conditions]:
    """Draw the conditions of a trace's segments.

    The rate drifts and sometimes jumps, both on a logarithmic scale. Round trip, slowdown and load
    each change from time to time.
    """
    rng = np.random.default_rng(seed)
    slowest, fastest = np.log(_RATES)
    rate, other_conditions = 0.0, dict.fromkeys(_OTHER_CONDITIONS, 0.0)
    drawn: list[Conditions] = []
    for number in range(count):
        rate += rng.normal(0, np.log(_DRIFT))
        if number % _JUMP_EVERY == 0:
            rate = rng.uniform(slowest, fastest)
        rate = float(np.clip(rate, slowest, fastest))
        for name, values in _OTHER_CONDITIONS.items():
            if number == 0 or rng.random() < 1 / len(_OTHER_CONDITIONS):
                other_conditions[name] = float(rng.choice(values))
        drawn.append(Conditions(rate_kb_per_s=round(float(np.exp(rate)), 1), **other_conditions))
    return drawn


def points_drawn(count: int, *, seed: int) -> list[tuple[str, Mime]]:
    """Draw requests: cards from the request mix, and types of images, all equally likely."""
    mimes: list[Mime] = ["image/jpeg", "image/png", "image/webp"]
    drawn = np.random.default_rng([seed, 1]).integers(len(mimes), size=count)
    return [
        (card, mimes[index])
        for card, index in zip(cards_drawn(count, seed=seed), drawn, strict=True)
    ]


async def record(rig: Rig, parts: Segments, *, segments: int, length: int, runs: int) -> Trace:
    """Run every arm under the conditions of every segment, in turns.

    Args:
        rig: The nodes.
        parts: The segments that were recorded before.
        segments: Number of segments.
        length: Requests in each segment.
        runs: Runs of each arm in each segment; ``LOADED_TIMES`` as many under load.
    """
    arms = {model: rig.arms(model) for model in sorted(set(rig.models.values()))}
    trace = Trace(
        device={model: _with(profile, arms[model]) for model, profile in rig.device.items()},
        edge=rig.edge,
        models=rig.models,
        arms=arms,
        images=rig.images,
        segments=[],
        points=[],
    )
    drawn = conditions_drawn(segments, seed=_SEED)
    for number, conditions in enumerate(drawn, start=1):
        log(f"trace: segment {number} of {len(drawn)}, {conditions}")
        trace.points.append(points_drawn(length, seed=number))
        recorded = await parts.measured(
            f"trace-{number}", partial(_recorded, rig, trace, conditions, runs)
        )
        trace.segments.append(Segment.model_validate(recorded))
    return trace


def _with(profile: ModelProfile, arms: Sequence[Arm]) -> ModelProfile:
    """Restrict a profile to the given arms, so that the policy cannot choose another."""
    cuts = {(arm.point, arm.codec) for arm in arms}
    encodings = {(arm.image_codec, arm.quality) for arm in arms}
    points = [one for one in profile.points if (one.point, one.codec) in cuts]
    codecs = [one for one in profile.image_codecs if (one.image_codec, one.quality) in encodings]
    return profile.model_copy(update={"points": points, "image_codecs": codecs})


async def _recorded(rig: Rig, trace: Trace, conditions: Conditions, runs: int) -> dict[str, Any]:
    """Record a segment under its conditions; return it as JSON values."""
    async with rig.under(conditions):
        segment = await _segment(rig, trace, conditions, runs)
    return segment.model_dump(mode="json")


async def _segment(rig: Rig, trace: Trace, conditions: Conditions, runs: int) -> Segment:
    measured = Segment(conditions=conditions, probes=[], load={}, runs={})
    padding = LinkEstimator(conditions.rate_kb_per_s, conditions.rtt_ms).payload_bytes(
        conditions.rtt_ms
    )
    for turn in range(runs * (LOADED_TIMES if conditions.load else 1)):
        measured.probes.append(await rig.probed(padding))
        for model, mime in itertools.product(trace.arms, trace.images):
            cards = [card for card in rig.models if rig.models[card] == model]
            runs_of = measured.runs.setdefault(model, {}).setdefault(mime, {})
            for arm in trace.arms[model]:
                card = cards[turn % len(cards)]
                run = await rig.run(card, arm, conditions.slowdown, mime=mime)
                runs_of.setdefault(arm.label, []).append(run)
    for model in trace.arms:
        if conditions.load and (load := await rig.load_of(model)):
            # The load of the recording's own requests does not count.
            background_per_s = conditions.load * 1000 * load.servers / load.service_ms
            measured.load[model] = load.model_copy(update={"arrivals_per_s": background_per_s})
    return measured


def replayed(trace: Trace, *, passes: int) -> list[dict[str, Any]]:
    """Replay a trace several times, each pass with a random seed of its own.

    Args:
        trace: The trace.
        passes: Number of passes.
    """
    return [point for seed in range(passes) for point in Replay(trace, seed=seed).run()]


class Replay:
    """One pass of the policy through a trace.

    Args:
        trace: The trace.
        seed: Decides when conditions change and which of an arm's recorded runs is taken.
    """

    def __init__(self, trace: Trace, *, seed: int = 0) -> None:
        self._trace = trace
        self._rng = np.random.default_rng(seed)
        self._now = 0.0
        self._probed_at = 0.0
        self._link = LinkEstimator(1000, 20, clock=lambda: self._now)
        self._load: dict[str, ServerLoad] = {}
        self._policies = {
            model: OffloadingPolicy(
                min_accuracy_retention=MIN_ACCURACY_RETENTION,
                crowding=Crowding(clock=lambda: self._now, rng=np.random.default_rng(seed)),
            )
            for model in trace.arms
        }

    def run(self) -> list[dict[str, Any]]:
        """Return the choice, its time and the oracle's at each point."""
        points: list[dict[str, Any]] = []
        previous = self._trace.segments[0]
        for number, (segment, cards) in enumerate(
            zip(self._trace.segments, self._trace.points, strict=True)
        ):
            for place, (card, mime) in enumerate(cards):
                self._wait(previous, segment)
                previous = segment
                point = {"segment": number, "place": place, "card": card, "mime": mime}
                points.append(point | self._request(segment, self._trace.models[card], mime))
        return points

    def _wait(self, previous: Segment, after: Segment) -> None:
        """Advance the clock to the next request; conditions change at a random moment before it."""
        until = self._now + PERIOD_S
        change = self._now + self._rng.random() * PERIOD_S
        while self._probed_at + PROBE_INTERVAL_S <= until:
            self._probed_at = self._now = self._probed_at + PROBE_INTERVAL_S
            if self._link.age_s >= PROBE_INTERVAL_S:
                self._probe(previous if self._now < change else after)
        self._now = until

    def _probe(self, segment: Segment) -> None:
        for _ in range(MAX_PROBES):
            if not self._link.observe_probe(
                segment.probes[self._rng.integers(len(segment.probes))]
            ):
                break
        self._load = dict(segment.load)

    def _request(self, segment: Segment, model: str, mime: Mime) -> dict[str, Any]:
        trace, policy = self._trace, self._policies[model]
        server = Server(
            profile=trace.edge[model], link=self._link.state(), load=self._load.get(model)
        )
        situation = Situation(
            device=trace.device[model], peers={DEFAULT_PEER: server}, image=trace.images[mime]
        )
        choice = policy.choose(situation)
        medians = medians_of(segment.runs[model][mime])
        label = choice.arm.label
        runs = segment.runs[model][mime][label]
        run = runs[self._rng.integers(len(runs))]
        policy.observe(situation, choice.arm, run.stages_ms, bytes_up=run.bytes_up)
        if run.bytes_up:
            self._link.observe(run.bytes_up, run.bytes_down, run.link_ms)
            self._load = dict(segment.load)
        best = min(medians, key=medians.__getitem__)
        return {
            "arm": label,
            "ms": medians[label],
            "run_ms": run.total_ms,
            "oracle": best,
            "oracle_ms": medians[best],
            "expected_ms": round(float(choice.latency_ms[choice.chosen]), 1),
        }


def medians_of(runs: Mapping[str, Sequence[ArmRun]]) -> dict[str, float]:
    """Return the median time of each arm."""
    return {label: statistics.median(run.total_ms for run in each) for label, each in runs.items()}


def summary(trace: Trace, points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Compare the policy with the oracle and with the best static arm of each model."""
    ratios = sorted(point["ms"] / point["oracle_ms"] for point in points)
    totals: dict[str, dict[str, float]] = {}
    for point in points:
        model = trace.models[point["card"]]
        runs = trace.segments[point["segment"]].runs[model][point["mime"]]
        for label, ms in medians_of(runs).items():
            of_model = totals.setdefault(model, {})
            of_model[label] = of_model.get(label, 0.0) + ms
    static = {model: min(each, key=each.__getitem__) for model, each in totals.items()}
    return {
        "points": len(points),
        "forecast_errors": forecast_errors(points),
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


def forecast_errors(points: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the median and the 90th percentile of the forecasts' relative errors.

    Args:
        points: Requests with ``expected_ms`` and ``run_ms``, the time that they took.
    """
    errors = [abs(point["expected_ms"] / point["run_ms"] - 1) for point in points]
    return {"median": statistics.median(errors), "p90": float(np.quantile(errors, 0.9))}


def _to_settle(points: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return how many requests it takes after a change until all later choices are good."""
    needed: list[int] = []
    for point in points:
        if point["place"] == 0:
            needed.append(0)
        if point["ms"] > _SETTLED * point["oracle_ms"]:
            needed[-1] = point["place"] + 1
    return {"mean": statistics.fmean(needed), "p95": float(np.quantile(needed, 0.95))}
