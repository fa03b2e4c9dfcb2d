"""Latency against the link's rate: every arm and the policy, in turns on two device processes."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table
from edgewright.benchmarks.latency.rig import Rig
from edgewright.benchmarks.latency.workload import Conditions, cards_drawn, cloud_arms
from edgewright.tools.contracts.arms import Arm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POLICY = "policy"
#: Requests with which the policy adapts to a new rate before the sweep measures.
_SETTLING = 4


async def swept(rig: Rig, conditions: Conditions, rounds: int) -> dict[str, Any]:
    """Run the same requests by every arm, and each time by the policy too.

    The two device processes take turns, since the caches of an idle one grow cold.

    Args:
        rig: The nodes.
        conditions: Rate and round trips.
        rounds: Requests by each arm.
    """
    log(f"sweep: {conditions.rate_kb_per_s:g} KB/s")
    mix = rig.workload.mix
    arms = {model: compared(rig, model) for model in set(rig.models.values())}
    times: dict[str, list[float]] = {}
    chosen: list[str] = []
    async with rig.under(conditions):
        for card in cards_drawn(_SETTLING, seed=0, mix=mix):
            await rig.run(card, None)
        for card in cards_drawn(rounds, seed=1, mix=mix):
            for arm in arms[rig.models[card]]:
                run = await rig.run(card, None)
                times.setdefault(POLICY, []).append(run.total_ms)
                chosen.append(run.arm)
                run = await rig.run(card, arm)
                times.setdefault(arm.label, []).append(run.total_ms)
    return {"rate_kb_per_s": conditions.rate_kb_per_s, "times_ms": times, "chosen": chosen}


async def twins(rig: Rig, one: Mapping[str, Any], rounds: int) -> dict[str, list[float]]:
    """Run the best arm on both devices in turns, since identical processes differ slightly.

    Args:
        rig: The nodes.
        one: What was swept at a rate.
        rounds: Requests on each device.
    """
    rate = one["rate_kb_per_s"]
    log(f"twins: {rate:g} KB/s")
    medians = medians_of(one)
    del medians[POLICY]
    label = min(medians, key=medians.__getitem__)
    times: dict[str, list[float]] = {"free": [], "fixed": []}
    async with rig.under(Conditions(rate_kb_per_s=rate)):
        for card in cards_drawn(rounds, seed=1, mix=rig.workload.mix):
            arm = next(arm for arm in compared(rig, rig.models[card]) if arm.label == label)
            for name, each in times.items():
                run = await rig.run(card, arm, on_policy_device=name == "free")
                each.append(run.total_ms)
    return times


def compared(rig: Rig, model: str) -> list[Arm]:
    """Return the arms of a model that a sweep compares: those of the edge, and of the cloud."""
    return [*rig.arms(model), *cloud_arms()]


def medians_of(one: Mapping[str, Any]) -> dict[str, float]:
    """Return the median milliseconds of each arm, and of the policy, at a rate."""
    return {name: statistics.median(times) for name, times in one["times_ms"].items()}


def summary(each: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], str]:
    """Return figures and the table of a sweep.

    Args:
        each: What was swept at each rate.
    """
    medians = [medians_of(one) for one in each]
    names = sorted(medians[0], key=lambda name: (name != POLICY, name))
    columns = ["median ms at", *(f"{one['rate_kb_per_s']:g} KB/s" for one in each)]
    rows: list[list[object]] = [[name, *(f"{ms[name]:.0f}" for ms in medians)] for name in names]
    best = [min(ms for name, ms in one.items() if name != POLICY) for one in medians]
    ratios = [one[POLICY] / best_ms for one, best_ms in zip(medians, best, strict=True)]
    rows.append(["policy / best arm", *(f"{ratio:.3f}" for ratio in ratios)])
    figures: dict[str, Any] = {"sweep": list(each), "policy_over_best": ratios}
    if all("twins_ms" in one for one in each):
        alike = [
            statistics.median(one["twins_ms"]["free"]) / statistics.median(one["twins_ms"]["fixed"])
            for one in each
        ]
        corrected = [ratio / twin for ratio, twin in zip(ratios, alike, strict=True)]
        rows.append(["best arm: policy's process / other process", *(f"{a:.3f}" for a in alike)])
        rows.append(["policy / best arm, corrected", *(f"{ratio:.3f}" for ratio in corrected)])
        figures |= {"twins": alike, "policy_over_best_alike": corrected}
    return figures, table(columns, rows)


def draw(axes: Axes, each: Sequence[Mapping[str, Any]], title: str) -> None:
    """Draw latency against rate, a line for each arm and a thick one for the policy."""
    medians = [medians_of(one) for one in each]
    rates = [one["rate_kb_per_s"] for one in each]
    for name in sorted(medians[0], key=lambda name: (name != POLICY, name)):
        style = {"color": "black", "linewidth": 2.5} if name == POLICY else {"linewidth": 1.0}
        axes.plot(rates, [ms[name] for ms in medians], label=name, marker=".", **style)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("link rate, KB/s")
    axes.set_ylabel("median latency, ms")
    axes.set_title(title)
    axes.legend(fontsize="xx-small")
