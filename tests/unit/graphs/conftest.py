"""A scripted node and a scripted planner around the real graph."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from threading import Event

import pytest
from PIL import Image

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

CLASSIFY = "image-classification"


@dataclass
class ScriptedNode:
    """Returns the answers of a list per card, the last one repeatedly; exceptions are raised."""

    answers: dict[str, list[InvokeResponse | Exception | float]] = field(default_factory=dict)
    refusals: dict[str, Exception] = field(default_factory=dict)
    down: Exception | None = None
    calls: list[tuple[str, InvokeOptions, bytes | None]] = field(default_factory=list)
    ahead: list[tuple[PlannedTask, ...]] = field(default_factory=list)
    running: int = 0
    most_at_once: int = 0

    async def tools(self) -> list[CardView]:
        return [
            CardView(
                id=card.id,
                task_type=card.task_type,
                description=card.description,
                schema=card.json_schema(),
                available=bool(card.experts),
                expert=card.experts[0] if card.experts else None,
                approximate=False,
                reason="",
            )
            for card in CardRegistry.builtin()
        ]

    async def sensors(self) -> list[SensorView]:
        if self.down:
            raise self.down
        return [SensorView(kind="camera", name="yard", items=["gate.jpg"])]

    async def decide(
        self,
        card: str,
        options: InvokeOptions,
        image: ImageFacts | None,
        ahead: Sequence[PlannedTask] = (),
    ) -> Decision:
        self.ahead.append(tuple(ahead))
        if self.down:
            raise self.down
        if card in self.refusals:
            raise self.refusals[card]
        return Decision(arm=Arm(kind="device-only"), reason="no peer", forecasts=[])

    async def invoke(
        self, card: str, options: InvokeOptions, image: bytes | None
    ) -> InvokeResponse:
        self.calls.append((card, options, image))
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            await asyncio.sleep(0.01)
            script = self.answers.get(card) or [ok("tabby")]
            answer = script.pop(0) if len(script) > 1 else script[0]
            if isinstance(answer, Exception):
                raise answer
            if isinstance(answer, float):
                await asyncio.sleep(answer)
                return ok("late")
            return answer
        finally:
            self.running -= 1


@dataclass
class ScriptedPlanner:
    """Plans the given tasks, whatever the request."""

    tasks: tuple[Task, ...] = ()
    needs: tuple[str, ...] = ()
    reason: str = ""
    requests: list[PlanRequest] = field(default_factory=list)
    prepared: Event = field(default_factory=Event)

    def prepare(self) -> None:
        self.prepared.set()

    def plan(self, request: PlanRequest) -> Plan:
        self.requests.append(request)
        return Plan(
            request=request.text,
            tasks=self.tasks,
            planner="embedded",
            confidence=1.0,
            needs=self.needs,
            reason=self.reason,
        )

    def plan_many(self, requests: Sequence[PlanRequest]) -> list[Plan]:
        return [self.plan(request) for request in requests]


def ok(text: str) -> InvokeResponse:
    report = CostReport(
        arm="device-only",
        planned_arm="device-only",
        nodes=["camera-1"],
        model="efficientnet-lite0@1",
        expert="efficientnet-lite0-classifier",
        stages_ms={"whole": 12.0},
    )
    return InvokeResponse(status="ok", output={"text": text}, report=report)


@pytest.fixture
def node() -> ScriptedNode:
    return ScriptedNode()


@pytest.fixture
def planner() -> ScriptedPlanner:
    return ScriptedPlanner()


@pytest.fixture
def services(node: ScriptedNode, planner: ScriptedPlanner, tmp_path: Path) -> Services:
    return Services(
        node=node,
        planner=planner,
        responder=make_responder(),
        cards=CardRegistry.builtin(),
        images=ImageStore(tmp_path / "images"),
    )


@pytest.fixture(scope="session")
def picture() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (8, 6), "teal").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def task() -> Callable[..., Task]:
    def make(number: int, tool: str = CLASSIFY, *needs: str, **args: str) -> Task:
        return Task(
            id=f"t{number}",
            tool=tool,
            task_type=CardRegistry.builtin().get(tool).task_type,
            args=args,
            depends_on=needs,
        )

    return make


@pytest.fixture(name="ok")
def _ok() -> Callable[[str], InvokeResponse]:
    return ok
