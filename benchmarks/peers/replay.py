"""The policy over three simulated servers, against an oracle and the best static arm.

Run ``python -m edgewright.benchmarks.peers.replay``. The profile is measured on this machine;
servers, links and outages are simulated (``world.py``), the policy and the link estimates are those
of a node. Rates, round trips, loads and the device's speed change in steps, and servers go away.
The policy sees only link probes, reported loads and the costs of what it chose. An attempt at a
server that is away costs a round trip, and the task is then decided again without it, as in a node.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright.benchmarks.common.profiles import slowed
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.peers.profile import known_profile
from edgewright.benchmarks.peers.world import PLACES, Segment, World, segments_drawn
from edgewright.edge_runtime.peers.peer import MAX_PROBES
from edgewright.tools.contracts.arms import ServerLoad
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.offload.arms import ProfiledArm
from edgewright.tools.offload.choice import Server, Situation
from edgewright.tools.offload.crowding import Crowding
from edgewright.tools.offload.link import LinkEstimator
from edgewright.tools.offload.load import WINDOW_S
from edgewright.tools.offload.policy import OffloadingPolicy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Factor by which the device is slower than this machine.
_SLOWDOWN = 8.0
_MIN_ACCURACY_RETENTION = 0.99
#: Shortest and longest time between requests, and time between link probes.
_PERIODS_S, _PROBE_INTERVAL_S = (2.0, 4.0), 1.0
_SEGMENTS, _LENGTH = 20, 12
#: Passes over traces of their own; seeds from 1000 on are for development.
_PASSES = 20
#: Limits of the ratio to the oracle, and how much worse the best static arm must be.
_MEAN, _P99, _STATIC = 1.03, 1.15, 1.10


class Replay:
    """One pass of the policy through a trace.

    Args:
        device: The device's profile.
        seed: Decides the trace, when conditions change, and the noise.
    """

    def __init__(self, device: ModelProfile, seed: int) -> None:
        self._device = device
        self._rng = np.random.default_rng([seed, 1])
        self._segments = segments_drawn(_SEGMENTS, seed=seed)
        self._world = World(device, self._rng)
        self._servers = {
            name: slowed(device, place.factor / _SLOWDOWN) for name, place in PLACES.items()
        }
        self._now = self._second = 0.0
        self._policy = OffloadingPolicy(
            min_accuracy_retention=_MIN_ACCURACY_RETENTION,
            crowding=Crowding(clock=lambda: self._now, rng=np.random.default_rng(seed)),
        )
        self._links = {name: LinkEstimator(1000, 20, clock=lambda: self._now) for name in PLACES}
        self._loads: dict[str, ServerLoad | None] = dict.fromkeys(PLACES)
        #: Servers that have failed and not answered a probe since; no task goes there.
        self._lost: set[str] = set()
        self._recent = {name: deque[float](maxlen=int(WINDOW_S)) for name in PLACES}

    def run(self) -> list[dict[str, Any]]:
        """Return the choice, its time and the times of all arms at each point."""
        points: list[dict[str, Any]] = []
        previous = self._segments[0]
        for number, segment in enumerate(self._segments):
            for _ in range(_LENGTH):
                self._wait(previous, segment)
                previous = segment
                points.append({"segment": number, **self._request(segment)})
        return points

    def _wait(self, previous: Segment, after: Segment) -> None:
        """Advance the clock to the next request; conditions change at a random moment before it."""
        period_s = self._rng.uniform(*_PERIODS_S)
        until = self._now + period_s
        change = self._now + self._rng.random() * period_s
        while self._second + _PROBE_INTERVAL_S <= until:
            self._second = self._now = self._second + _PROBE_INTERVAL_S
            segment = previous if self._now < change else after
            for name, link in self._links.items():
                self._recent[name].append(segment.servers[name].load)
                if link.age_s >= _PROBE_INTERVAL_S:
                    self._probe(name, segment)
        self._now = until

    def _probe(self, name: str, segment: Segment) -> None:
        link, server = self._links[name], segment.servers[name]
        if not server.up:
            self._lost.add(name)
            return
        self._lost.discard(name)
        for _ in range(MAX_PROBES):
            payload = link.payload_bytes(server.rtt_ms)
            if not link.observe_probe(self._world.probe(server, payload)):
                break
        self._loads[name] = self._world.load(name, self._recent[name])

    def _request(self, segment: Segment) -> dict[str, Any]:
        failed: set[str] = set()
        lost_ms = 0.0
        while True:
            situation = self._situation()
            choice = self._policy.choose(situation)
            one = choice.arms[choice.chosen]
            name = one.arm.peer
            if name is None or segment.servers[name].up:
                break
            self._lost.add(name)
            failed.add(name)
            lost_ms += segment.servers[name].rtt_ms
            lost_ms += segment.throttled * float(choice.device_ms[choice.chosen])
        times = {each.arm.label: self._world.total_ms(each, segment) for each in choice.arms}
        taken_ms = times[one.arm.label] + lost_ms
        self._learn(situation, one, segment)
        best = min(times, key=times.__getitem__)
        return {
            "arm": one.arm.label,
            "ms": taken_ms,
            "oracle": best,
            "oracle_ms": times[best],
            "failed": sorted(failed),
            "times": times,
        }

    def _situation(self) -> Situation:
        peers = {
            name: Server(
                profile=profile,
                link=self._links[name].state().model_copy(update={"up": name not in self._lost}),
                load=self._loads[name],
            )
            for name, profile in self._servers.items()
        }
        return Situation(device=self._device, peers=peers)

    def _learn(self, situation: Situation, one: ProfiledArm, segment: Segment) -> None:
        stages_ms = self._world.stages_ms(one, segment)
        self._policy.observe(situation, one.arm, stages_ms, bytes_up=one.bytes_up)
        if (name := one.arm.peer) is None:
            return
        link_ms = self._world.transfer_ms(one, segment.servers[name])
        self._links[name].observe(one.bytes_up, 1000, link_ms)
        self._loads[name] = self._world.load(name, self._recent[name])


def summary(points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Compare the policy with the oracle and with the best static arms.

    Args:
        points: The points of all passes. A static arm whose server is away runs on the device.
    """
    ratios = [point["ms"] / point["oracle_ms"] for point in points]
    static: dict[str, float] = {}
    for point in points:
        for label, ms in point["times"].items():
            taken_ms = ms if np.isfinite(ms) else point["times"]["device-only"]
            static[label] = static.get(label, 0.0) + taken_ms / len(points)
    best = min(static, key=static.__getitem__)
    policy_ms = statistics.fmean(point["ms"] for point in points)
    chosen = [point["arm"].partition(" (")[0] for point in points]
    return {
        "points": len(points),
        "mean_ratio": statistics.fmean(ratios),
        "p99_ratio": float(np.quantile(ratios, 0.99)),
        "policy_mean_ms": policy_ms,
        "oracle_mean_ms": statistics.fmean(point["oracle_ms"] for point in points),
        "static_arm": best,
        "static_mean_ms": static[best],
        "static_over_policy": static[best] / policy_ms,
        "device_only_mean_ms": static["device-only"],
        "failed_attempts": sum(len(point["failed"]) for point in points),
        "changes_of_arm": sum(a != b for a, b in itertools.pairwise(chosen)),
        "chosen": {kind: chosen.count(kind) / len(chosen) for kind in sorted(set(chosen))},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay, print the table, and write the results.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0, or 1 when a limit is not met.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--profile", type=Path, help="use this profile; default: measure one")
    parser.add_argument("--passes", type=int, default=_PASSES, help="number of traces")
    parser.add_argument("--development", action="store_true", help="other seeds; writes nothing")
    options = parser.parse_args(arguments)
    device = slowed(known_profile(options.profile), _SLOWDOWN)
    first = 1000 if options.development else 0
    passes = [Replay(device, seed).run() for seed in range(first, first + options.passes)]
    found = summary([point for points in passes for point in points])
    markdown = _table(found)
    sys.stdout.write(markdown)
    if not options.development:
        raw = [
            [[round(point["ms"], 1), round(point["oracle_ms"], 1)] for point in points]
            for points in passes
        ]
        figures = {"summary": found, "profile": device.model_dump(mode="json"), "points_ms": raw}
        write_results(options.out, "peers", figures, markdown, lambda axes: _draw(axes, passes))
    good = found["mean_ratio"] <= _MEAN and found["p99_ratio"] <= _P99
    return int(not (good and found["static_over_policy"] >= _STATIC))


def _table(found: Mapping[str, Any]) -> str:
    shares = ", ".join(f"{share:.0%} {kind}" for kind, share in found["chosen"].items())
    rows = [
        ["points", found["points"]],
        ["chosen / oracle, mean", f"{found['mean_ratio']:.3f}"],
        ["chosen / oracle, 99th percentile", f"{found['p99_ratio']:.3f}"],
        ["mean time: policy", f"{found['policy_mean_ms']:.1f} ms"],
        ["mean time: oracle", f"{found['oracle_mean_ms']:.1f} ms"],
        [f"mean time: best static arm, {found['static_arm']}", f"{found['static_mean_ms']:.1f} ms"],
        ["best static arm / policy", f"{found['static_over_policy']:.2f}"],
        ["attempts at a server that was away", found["failed_attempts"]],
        ["chosen", shares],
    ]
    return table(["quantity", "value"], rows)


def _draw(axes: Axes, passes: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    first = passes[0]
    axes.plot([point["ms"] for point in first], label="policy", drawstyle="steps-mid")
    axes.plot([point["oracle_ms"] for point in first], "k.", label="oracle", markersize=3)
    axes.plot([point["times"]["device-only"] for point in first], label="device-only", alpha=0.5)
    axes.set_xlabel("request")
    axes.set_ylabel("ms")
    axes.set_title("Three servers: rates, round trips, loads and outages in steps")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
