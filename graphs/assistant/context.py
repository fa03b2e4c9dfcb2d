"""What a run is given besides its state: settings as JSON values, and the services behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import InstanceOf
from pydantic.json_schema import SkipJsonSchema

from edgewright.agents.planner.protocol import AnyPlanner
from edgewright.agents.responder.responder import Responder
from edgewright.tools.cards import CardRegistry
from edgewright.tools.images.store import ImageStore
from edgewright.tools.nodes.schema import (
    CardView,
    Decision,
    InvokeOptions,
    InvokeResponse,
    SensorView,
)

PlannerChoice = Literal["auto", "embedded"]


class NodeAccess(Protocol):
    """What the assistant asks of a node; ``NodeClient`` is one."""

    async def tools(self) -> list[CardView]:
        """List the cards and whether the node can run them."""
        ...

    async def sensors(self) -> list[SensorView]:
        """List the node's sensors."""
        ...

    async def decide(self, card: str, options: InvokeOptions, image: bytes | None) -> Decision:
        """Choose an arm without running anything."""
        ...

    async def invoke(
        self, card: str, options: InvokeOptions, image: bytes | None
    ) -> InvokeResponse:
        """Run a card."""
        ...


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the steps work with.

    Attributes:
        node: The device node that carries tasks out.
        planner: Who plans.
        responder: Who words the answer.
        cards: What can be asked for.
        images: Where pictures lie.
    """

    node: NodeAccess
    planner: AnyPlanner
    responder: Responder
    cards: CardRegistry
    images: ImageStore


@dataclass(frozen=True, kw_only=True)
class Context:
    """Settings of a run.

    Attributes:
        node_url: The device node; None means ``EDGEWRIGHT_DEVICE_URL``, and a private node on this
            machine when that is not set either.
        planner: ``auto`` plans and answers with the chat model when one is configured,
            ``embedded`` without it.
        deadline_s: Longest time for one task.
        services: Opened by the caller; None means opened once and kept for the process.
    """

    node_url: str | None = None
    planner: PlannerChoice = "auto"
    deadline_s: float = 30.0
    services: SkipJsonSchema[InstanceOf[Services] | None] = None
