"""A planner and a node that cost nothing, around the real graph and the real files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.planner.request import PlanRequest
from edgewright.agents.responder.responder import make_responder
from edgewright.graphs.services.services import Services
from edgewright.tools.cards import CardRegistry
from edgewright.tools.contracts.arms import Arm, Decision
from edgewright.tools.contracts.cost_report import CostReport
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.invocation import InvokeOptions, InvokeResponse, PlannedTask
from edgewright.tools.contracts.views import CardView, SensorView
from edgewright.tools.images.store import ImageStore
from edgewright.tools.nodes.client import NodeClient

_CARD = "image-classification"


class OneTask:
    """Plans to classify the image that a request is about."""

    def prepare(self) -> None:
        """Do nothing: there is no model."""

    def plan(self, request: PlanRequest) -> Plan:
        """Return a plan of one task, or of none without an image."""
        tasks = [
            Task(id="t1", tool=_CARD, task_type=_CARD, args={"image": image.uri})
            for image in request.subject[:1]
        ]
        return Plan(request=request.text, tasks=tuple(tasks), planner="embedded", confidence=1.0)

    def plan_many(self, requests: Sequence[PlanRequest]) -> list[Plan]:
        """Return a plan for each request."""
        return [self.plan(request) for request in requests]


class OneAnswer:
    """A node that answers every task at once."""

    async def clients(self) -> tuple[NodeClient, ...]:
        """Return no clients: there is no node."""
        return ()

    async def tools(self) -> list[CardView]:
        """Return no cards; nobody asks for them."""
        return []

    async def sensors(self) -> list[SensorView]:
        """Return no sensors."""
        return []

    async def decide(
        self,
        card: str,
        options: InvokeOptions,
        image: ImageFacts | None,
        ahead: Sequence[PlannedTask] = (),
    ) -> Decision:
        """Choose the device."""
        return Decision(arm=Arm(kind="device-only"), reason="no peer", forecasts=[])

    async def invoke(
        self, card: str, options: InvokeOptions, image: bytes | None
    ) -> InvokeResponse:
        """Return a label."""
        report = CostReport(
            arm="device-only",
            planned_arm="device-only",
            nodes=["device"],
            model="efficientnet-lite0@1",
            expert="efficientnet-lite0-classifier",
            stages_ms={"decode": 5.0, "whole": 12.0},
        )
        return InvokeResponse(status="ok", output={"text": "tabby", "score": 0.9}, report=report)


def scripted_services(folder: Path) -> Services:
    """Return services with the scripted parts and a real image store.

    Args:
        folder: Where images are stored.
    """
    return Services(
        node=OneAnswer(),
        planner=OneTask(),
        responder=make_responder(),
        cards=CardRegistry.builtin(),
        images=ImageStore(folder / "images"),
    )
