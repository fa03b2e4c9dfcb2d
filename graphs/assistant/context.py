"""What a run is given besides its state: settings as JSON values, and the services behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import InstanceOf
from pydantic.json_schema import SkipJsonSchema

from edgewright.agents.planner.protocol import AnyPlanner
from edgewright.agents.responder.responder import Responder
from edgewright.graphs.assistant.training import Trainer
from edgewright.tools.cards import CardRegistry
from edgewright.tools.images.store import ImageStore
from edgewright.tools.nodes.schema import (
    CardView,
    Decision,
    InvokeOptions,
    InvokeResponse,
    SensorView,
)
from edgewright.tools.vision.trained import installed_at

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


@dataclass(kw_only=True)
class Services:
    """What the steps work with.

    Attributes:
        node: The device node that carries tasks out.
        planner: Who plans.
        responder: Who words the answer.
        cards: What can be asked for.
        images: Where pictures lie.
        trainer: Who trains models.
        catalogue: Makes the cards and a planner over them anew; None keeps those that are here.
    """

    node: NodeAccess
    planner: AnyPlanner
    responder: Responder
    cards: CardRegistry
    images: ImageStore
    trainer: Trainer
    catalogue: Callable[[], tuple[CardRegistry, AnyPlanner]] | None = None
    _installed_at: int = field(default_factory=installed_at)

    async def refresh(self) -> None:
        """Take in cards of models that were trained since; without any, this is one stat."""
        stamp = await asyncio.to_thread(installed_at)
        if self.catalogue is not None and stamp != self._installed_at:
            self.cards, self.planner = await asyncio.to_thread(self.catalogue)
            self._installed_at = stamp


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
