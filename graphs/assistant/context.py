"""The context of a run: settings as JSON values, and opened services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from pydantic import InstanceOf
from pydantic.json_schema import SkipJsonSchema

from edgewright.agents.planner.request import Turn
from edgewright.graphs.services.services import Services
from edgewright.tools.settings import Settings

if TYPE_CHECKING:
    from edgewright.graphs.federated.events import Event
    from edgewright.tools.federated.records.report import RunReport

PlannerChoice = Literal["auto", "embedded"]


@runtime_checkable
class Trainer(Protocol):
    """Trains a model for a purpose."""

    async def train(self, purpose: str, on_event: Callable[[Event], None]) -> RunReport:
        """Train, score and install; see ``graphs/federated``."""
        ...


@dataclass(frozen=True, kw_only=True)
class AssistantContext:
    """Settings of a run.

    Attributes:
        node_url: The device node; None means ``EDGEWRIGHT_DEVICE_URL``, and without that a private
            node on this machine.
        planner: ``auto`` plans and answers with the chat model when one is configured,
            ``embedded`` without it.
        deadline_s: Maximum time for one task.
        services: Opened by the caller; None means opened by the session or the server.
        trainer: Trains models; None means on this machine.
        earlier: Turns of a conversation that somebody else keeps, oldest first; a new thread takes
            them as its own.
    """

    node_url: str | None = None
    planner: PlannerChoice = "auto"
    deadline_s: float = 30.0
    services: SkipJsonSchema[InstanceOf[Services] | None] = None
    trainer: SkipJsonSchema[InstanceOf[Trainer] | None] = None
    earlier: SkipJsonSchema[tuple[InstanceOf[Turn], ...]] = ()

    @property
    def settings(self) -> Settings:
        """The settings of the services that the run needs."""
        embedded = self.planner == "embedded"
        return Settings.from_environment(node_url=self.node_url, embedded=embedded)
