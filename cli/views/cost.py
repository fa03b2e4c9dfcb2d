"""The cost of a request in one line: seconds, bytes, where it ran, energy and fallbacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from edgewright.tools.contracts.arms import DEFAULT_PEER, Arm, server_words
from edgewright.tools.units import joules, seconds, size

if TYPE_CHECKING:
    from edgewright.agents.responder.result import TaskResult
    from edgewright.tools.contracts.arms import Decision
    from edgewright.tools.contracts.cost_report import CostReport, Fallback

#: The arms that a node falls back to; no decision need name them.
_FALLBACKS = (
    Arm(kind="device-only"),
    Arm(kind="device-only", precision="int8"),
    Arm(kind="edge-only"),
)


def cost_line(
    results: Sequence[TaskResult], decisions: Mapping[str, Decision], wall_s: float
) -> str:
    """Return what a request cost, e.g. ``0.46 s · 3.9 KB up · cut after block 7 · 1.4 J``.

    Args:
        results: The results of its tasks; bytes and energy are summed up.
        decisions: The arm chosen for each task, by task id.
        wall_s: How long the request took.
    """
    parts = [seconds(wall_s)]
    reports = [result.report for result in results if result.report is not None]
    if reports:
        energy_j = sum(report.energy_j for report in reports)
        if sensed := sum(report.sensor_bytes for report in reports):
            parts.append(f"{size(sensed)} read from sensors")
        parts.append(f"{size(sum(report.bytes_up for report in reports))} up")
        parts.append(places(results, decisions))
        parts += [joules(energy_j)] if energy_j else []
        parts += dict.fromkeys(fell_back(step) for report in reports for step in report.fallback)
    elif all(result.status != "ok" for result in results):
        parts.append("nothing was run")
    return " · ".join(parts)


def places(results: Sequence[TaskResult], decisions: Mapping[str, Decision]) -> str:
    """Say where tasks ran, e.g. ``1 on the device, 2 cut after block 7``; empty if none ran.

    Devices are named if there are several.

    Args:
        results: Their results.
        decisions: The arm chosen for each task, by task id.
    """
    arms = {arm.label: arm for decision in decisions.values() for arm in _arms(decision)}
    reports = [result.report for result in results if result.report is not None]
    several = len({report.nodes[0] for report in reports if report.nodes}) > 1
    words = Counter(_place(report, arms, named=several) for report in reports)
    if len(words) == 1:
        return next(iter(words))
    return ", ".join(f"{count} {where}" for where, count in words.items())


def arm_words(arm: Arm) -> str:
    """Put an arm into words, e.g. ``on the edge server (JPEG 90)``."""
    precision = "" if arm.precision == "fp32" else f" at {arm.precision}"
    if arm.kind == "co-inference":
        other = "" if arm.peer in (None, DEFAULT_PEER) else f" with {server_words(arm.peer)}"
        return f"cut after block {arm.point}{other}{precision}"
    if arm.kind == "device-only":
        return f"on the device{precision}"
    sent = " ".join(str(part) for part in (arm.image_codec, arm.quality) if part is not None)
    where = f"on {server_words(arm.peer)}" + (f" ({sent.upper()})" if sent else "")
    return f"{where}{precision}"


def fell_back(step: Fallback) -> str:
    """Put a fallback into words, e.g. ``fell back to the device: link broken``."""
    places = {arm.label: arm_words(arm).removeprefix("on ") for arm in _FALLBACKS}
    where = "another model" if step.used == step.tried else places.get(step.used, step.used)
    return f"fell back to {where}: {step.code.replace('_', ' ')}"


def _arms(decision: Decision) -> list[Arm]:
    return [decision.arm, *(forecast.arm for forecast in decision.forecasts), *_FALLBACKS]


def _place(report: CostReport, arms: Mapping[str, Arm], *, named: bool) -> str:
    arm = arms.get(report.arm)
    if arm is None:
        return report.arm
    words = arm_words(arm)
    return words.replace("the device", report.nodes[0]) if named and report.nodes else words
