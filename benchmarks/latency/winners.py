"""Which kind of arm is best at which rate and round trip, as the offloading policy expects it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from edgewright.benchmarks.common.profiles import slowed
from edgewright.benchmarks.common.results import table
from edgewright.benchmarks.latency.workload import CLOUD, MIN_ACCURACY_RETENTION, Conditions
from edgewright.tools.capacity.scenario import gpus
from edgewright.tools.contracts.arms import DEFAULT_PEER, Arm, LinkState
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.offload.choice import Server, Situation
from edgewright.tools.offload.policy import OffloadingPolicy

_RATES = (25.0, 50.0, 100.0, 200.0, 400.0, 1000.0, 4000.0)
_RTTS_MS = (5.0, 20.0, 100.0)
#: Share of its peak arithmetic that a model reaches on a GPU, as in ``edgewright capacity``.
_EFFICIENCY = 0.4


def expected(
    device: ModelProfile, server: ModelProfile, conditions: Conditions
) -> dict[Arm, float]:
    """Return the milliseconds that the policy expects of each arm.

    Args:
        device: The device's profile.
        server: The profile of the edge server, and of the cloud.
        conditions: Rate and round trips.
    """
    rtts_ms = {DEFAULT_PEER: conditions.rtt_ms, CLOUD: conditions.cloud_rtt_ms}
    peers = {
        name: Server(
            profile=server,
            link=LinkState(
                rate_kb_per_s=conditions.rate_kb_per_s, rtt_ms=rtt_ms, samples=1, up=True
            ),
        )
        for name, rtt_ms in rtts_ms.items()
    }
    policy = OffloadingPolicy(min_accuracy_retention=MIN_ACCURACY_RETENTION)
    choice = policy.weigh(Situation(device=device, peers=peers))
    return {one.arm: float(ms) for one, ms in zip(choice.arms, choice.latency_ms, strict=True)}


def with_blocks(profile: ModelProfile, factor: float) -> ModelProfile:
    """Return a profile with only the time of the network's blocks multiplied.

    Args:
        profile: The profile.
        factor: Factor for the blocks; images and features are encoded as fast as before.
    """
    return profile.model_copy(
        update={
            "blocks": [one.model_copy(update={"ms": one.ms * factor}) for one in profile.blocks],
            "heads_ms": [ms * factor for ms in profile.heads_ms],
            "tails_ms": [ms * factor for ms in profile.tails_ms],
            "precisions": [],
        }
    )


def winner_table(profile: ModelProfile, ratio: float, gflops: float) -> str:
    """Return tables of the best kinds of arms: for the rig's nodes, and for the two GPUs.

    Args:
        profile: The model's profile on this machine.
        ratio: How many times slower the device is.
        gflops: 10^9 operations for an image; 0 leaves the second table out.
    """
    here = (
        "Best kind of arm, and how much longer the best of another kind takes, as the policy "
        f"expects it; servers as fast as here, device {ratio:g} times slower:\n\n"
    )
    here += _winners(slowed(profile, ratio), profile, 1 / 100)
    if not gflops:
        return here
    gpu_ms = gflops / (gpus()["rtx4090"].tflops * _EFFICIENCY)
    faster = gpu_ms / profile.tail_ms(0)
    nano = with_blocks(profile, faster * ratio)
    there = (
        f"\nThe same for networks on an RTX 4090 ({gpu_ms:.2g} ms at {_EFFICIENCY:.0%} of its "
        f"peak) and a Jetson Nano ({gpu_ms * ratio:.0f} ms); images and features are encoded as "
        "fast as on a core of this machine:\n\n"
    )
    return here + there + _winners(nano, with_blocks(profile, faster), 1)


def _winners(device: ModelProfile, server: ModelProfile, scale: float) -> str:
    """Return a table of the best kinds.

    Args:
        device: The device's profile.
        server: The servers' profile.
        scale: Factor for the rates that are compared.
    """
    rows: list[list[object]] = []
    for rtt_ms in _RTTS_MS:
        cells = []
        for rate in _RATES:
            conditions = Conditions(rate_kb_per_s=rate * scale, rtt_ms=rtt_ms)
            cells.append(_winner(expected(device, server, conditions)))
        rows.append([f"{rtt_ms:g} ms", *cells])
    return table(["round trip", *(f"{rate * scale:g} KB/s" for rate in _RATES)], rows)


def _winner(forecast: Mapping[Arm, float]) -> str:
    """Return the best kind, and by what share the best of another kind takes longer."""
    best: dict[str, float] = {}
    for arm, ms in forecast.items():
        if arm.peer != CLOUD:
            best[arm.kind] = min(ms, best.get(arm.kind, math.inf))
    first, *others = sorted(best, key=best.__getitem__)
    longer = f" (+{best[others[0]] / best[first] - 1:.0%} {others[0]})" if others else ""
    return f"{first}{longer}"
