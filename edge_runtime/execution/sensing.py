"""Carrying out a card from the node's own sensors; their windows do not leave the node."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping
from typing import Any

from edgewright.edge_runtime.execution.decision import DEVICE_ONLY
from edgewright.edge_runtime.execution.invocation import check_arguments
from edgewright.edge_runtime.keys import Caller
from edgewright.edge_runtime.node import Node
from edgewright.tools.cards import ToolCard
from edgewright.tools.contracts.arms import Decision
from edgewright.tools.contracts.cost_report import CostReport
from edgewright.tools.contracts.invocation import InvokeOptions, InvokeResponse
from edgewright.tools.errors import DeadlineError, InputError, NotFoundError, RefusedError
from edgewright.tools.sensing.expert import SensingExpert
from edgewright.tools.sensing.protocol import Sensor, Window

_BY_NAME = "sensor:"
#: Share of the deadline that a live window may take; the rest is for reading it.
_LIVE_SHARE = 0.7


def card_of(node: Node, card_id: str) -> ToolCard | None:
    """Return the card if sensors carry it out here; None leaves it to the models.

    Args:
        node: This node.
        card_id: The requested card.
    """
    if card_id not in node.cards:
        return None
    card = node.cards.get(card_id)
    return card if node.sensing_expert(card) is not None else None


def decide(node: Node, card: ToolCard, options: InvokeOptions, caller: Caller) -> Decision:
    """Return the only arm there is; it fails where the invocation would.

    Args:
        node: This node.
        card: The requested card.
        options: Arguments and deadline.
        caller: Whose task it is.

    Raises:
        NotFoundError: There is no such sensor.
        ScopeError: The caller may not use it.
        InputError: An argument cannot be used.
    """
    _, sensor, _ = _prepared(node, card, options, caller)
    reason = (
        f"the sensor {sensor.name!r} is on {node.config.name}" if sensor else "it needs no sensor"
    )
    return Decision(
        arm=DEVICE_ONLY,
        reason=reason,
        forecasts=[],
        deadline_ms=options.deadline_s * 1000,
    )


async def carry_out(
    node: Node, card: ToolCard, options: InvokeOptions, image: bytes | None, caller: Caller
) -> InvokeResponse:
    """Read the sensor, have the expert read the window, and report what it cost.

    Args:
        node: This node.
        card: The requested card.
        options: Arguments and deadline.
        image: Must be None: no image goes with such a card.
        caller: Whose task it is.

    Raises:
        EdgewrightError: The sensor cannot be read, or the deadline passed.
    """
    if image is not None or options.camera is not None:
        raise InputError(
            f"{card.id!r} reads a sensor; send no image with it", code="unknown_argument"
        )
    expert, sensor, args = _prepared(node, card, options, caller)
    limit_s = min(options.deadline_s, node.config.limits.deadline_s)
    work = asyncio.to_thread(_work, node, expert, sensor, args, limit_s)
    try:
        async with asyncio.timeout(limit_s):
            return await work
    except TimeoutError:
        raise DeadlineError(
            f"{card.id!r} did not finish within {limit_s:.3g} s; allow more time"
        ) from None


async def encoded(work: Awaitable[InvokeResponse]) -> bytes:
    """Return the JSON of a response."""
    return (await work).model_dump_json().encode()


def _prepared(
    node: Node, card: ToolCard, options: InvokeOptions, caller: Caller
) -> tuple[SensingExpert, Sensor | None, dict[str, str]]:
    """Check the request, and find the expert and the sensor."""
    expert = node.sensing_expert(card)
    assert expert is not None
    if options.expert not in (None, expert.id):
        raise NotFoundError(
            f"this node has no expert {str(options.expert)[:100]!r} for {card.id!r}; it has "
            f"{expert.id}",
            code="unknown_expert",
        )
    args = check_arguments(card, options.args)
    expert.check(args)
    return expert, sensor_for(node, card, expert, args, caller), args


def sensor_for(
    node: Node, card: ToolCard, expert: SensingExpert, args: Mapping[str, str], caller: Caller
) -> Sensor | None:
    """Return the sensor that an expert reads; None if it needs none.

    Args:
        node: This node.
        card: The card that the expert carries out.
        expert: The expert.
        args: The card's arguments, which may name the sensor.
        caller: Whose task it is.

    Raises:
        NotFoundError: There is no such sensor.
        ScopeError: The caller may not use it.
        InputError: The argument names no sensor, or there is no such argument.
    """
    if not expert.kinds:
        return None
    named = check_arguments(card, args).get(expert.argument, "")
    if named and not named.startswith(_BY_NAME):
        raise InputError(
            f"the argument {expert.argument!r} must name a sensor of the node, as "
            "'sensor:NAME'; GET /v1/sensors lists them",
            code="unknown_sensor",
        )
    return node.sensors.for_task(expert.kinds, caller, named.removeprefix(_BY_NAME) or None)


def read_window(
    node: Node, expert: SensingExpert, sensor: Sensor | None, limit_s: float
) -> Window | None:
    """Read the window that an expert needs; None if it needs none. It may take as long.

    Args:
        node: This node.
        expert: The expert.
        sensor: The sensor.
        limit_s: Time that there is for reading and estimating.
    """
    if sensor is None:
        return None
    live = sensor.view().source == "live"
    seconds = min(expert.window_s, _LIVE_SHARE * limit_s) if live else expert.window_s
    return sensor.read(seconds, max_bytes=node.config.limits.body_bytes)


def _work(
    node: Node, expert: SensingExpert, sensor: Sensor | None, args: dict[str, str], limit_s: float
) -> InvokeResponse:
    """Read the window and estimate; runs in a thread."""
    stages: dict[str, float] = {}
    began = time.perf_counter()
    window = read_window(node, expert, sensor, limit_s)
    if window is not None:
        stages["sense"] = (time.perf_counter() - began) * 1000
    began = time.perf_counter()
    output: dict[str, Any] = {}
    refusal: RefusedError | None = None
    try:
        output = expert.estimate(window, args)
    except RefusedError as error:
        refusal = error
    stages["estimate"] = (time.perf_counter() - began) * 1000
    report = _report(node, expert, window, stages)
    node.metrics.spent(stages, report.energy_j)
    if refusal is not None:
        return InvokeResponse(status="refused", report=report, error=refusal.info())
    return InvokeResponse(status="ok", output=output, report=report)


def _report(
    node: Node, expert: SensingExpert, window: Window | None, stages: dict[str, float]
) -> CostReport:
    """Return the cost; waiting for a live window costs time but no computing."""
    energy_j = 0.0
    if node.config.role == "device":
        energy_j = node.config.energy.joules(stages["estimate"], 0, 0)
    return CostReport(
        arm=DEVICE_ONLY.label,
        planned_arm=DEVICE_ONLY.label,
        nodes=[node.config.name],
        model=expert.model,
        expert=expert.id,
        approximate=expert.approximate,
        sensor_bytes=window.values.size_bytes if window else 0,
        stages_ms={stage: round(ms, 3) for stage, ms in stages.items()},
        energy_j=round(energy_j, 6),
        slowdown=node.config.slowdown,
    )
