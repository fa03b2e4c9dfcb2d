"""A front over a session that answers from a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import httpx
import pytest

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.planner.request import Turn
from edgewright.agents.responder.result import TaskResult
from edgewright.graphs.assistant.context import Trainer
from edgewright.graphs.assistant.session import Reply
from edgewright.servers.app import create_app
from edgewright.servers.config import ServeConfig
from edgewright.servers.front import Front
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.images.store import ImageStore

Answer = Callable[..., Reply]


def make_reply(answer: str = "A cat.", *outputs: dict[str, Any], request: str = "what?") -> Reply:
    """Return a reply with one successful result for each output."""
    tasks = tuple(
        Task(id=f"t{number}", tool="image-classification", task_type="image-classification")
        for number, _ in enumerate(outputs, 1)
    )
    results = tuple(
        TaskResult(task_id=task.id, tool=task.tool, status="ok", output=output)
        for task, output in zip(tasks, outputs, strict=True)
    )
    return Reply(
        answer=answer,
        status="answered",
        plan=Plan(request=request, tasks=tasks, planner="embedded", confidence=1.0),
        decisions={},
        results=results,
        turn=Turn(request=request, tasks=tasks, answer=answer),
    )


@dataclass
class ScriptedSession:
    """Answers every request alike; the real one is the concern of the integration tests."""

    services: Any
    reply: Reply | Exception | None = None
    wait_s: float = 0.0
    asked: list[tuple[str, tuple[ImageRef, ...], tuple[Turn, ...]]] = field(default_factory=list)
    cancelled: int = 0
    forgotten: int = 0

    def on_new_thread(self) -> Self:
        return self

    async def ask(
        self,
        text: str,
        *,
        images: Sequence[ImageRef] = (),
        earlier: Sequence[Turn] = (),
        trainer: Trainer | None = None,
        on_event: Callable[..., None] | None = None,
    ) -> Reply:
        self.asked.append((text, tuple(images), tuple(earlier)))
        try:
            await asyncio.sleep(self.wait_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply or make_reply("A cat.", {"text": "A cat."}, request=text)

    async def forget(self) -> None:
        self.forgotten += 1


@pytest.fixture
def reply() -> Answer:
    return make_reply


@pytest.fixture
def session(tmp_path: Path) -> ScriptedSession:
    services = SimpleNamespace(
        images=ImageStore(tmp_path / "images"), chat=SimpleNamespace(configured=False)
    )
    return ScriptedSession(services)


@pytest.fixture
async def connect(session: ScriptedSession) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """Return a function that connects a client to a front with some configuration."""
    clients: list[httpx.AsyncClient] = []

    def make(**settings: Any) -> httpx.AsyncClient:
        front = Front(ServeConfig.model_validate(settings), session)  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app=create_app(front))
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://localhost"))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()
