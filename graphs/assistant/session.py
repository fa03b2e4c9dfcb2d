"""A conversation with the assistant, for the command line and for programs."""

from __future__ import annotations

import asyncio
import copy
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore

from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.request import Turn
from edgewright.agents.responder.result import TaskResult
from edgewright.agents.text.vector_cache import Progress
from edgewright.graphs.assistant.context import AssistantContext, Trainer
from edgewright.graphs.assistant.events import Event
from edgewright.graphs.assistant.graph import LIMITS, build_graph
from edgewright.graphs.assistant.state import AssistantInput, AssistantState, Status
from edgewright.graphs.services.local import threads_file
from edgewright.graphs.services.services import Services, open_services
from edgewright.graphs.services.thread_file import clear_errors
from edgewright.graphs.services.threads import SERDE, open_threads
from edgewright.graphs.services.turns import open_turns, remove_turns, stored_turns
from edgewright.graphs.services.upkeep import Upkeep
from edgewright.tools.contracts.arms import Decision
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import EdgewrightError, InputError
from edgewright.tools.images.files import resolve_image
from edgewright.tools.settings import StorageLimits
from edgewright.tools.storage.locks import one_at_a_time
from edgewright.tools.storage.scratch import scratch_folder
from edgewright.tools.tracing import span

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The reply to a request.

    Attributes:
        answer: The answer as text.
        status: How far the turn got.
        plan: The plan.
        decisions: The arm chosen for each task that was run, by task id.
        results: One result for each task, in the order of the plan.
        turn: The turn as later ones refer to it.
    """

    answer: str
    status: Status
    plan: Plan
    decisions: dict[str, Decision]
    results: tuple[TaskResult, ...]
    turn: Turn

    def as_json(self) -> dict[str, Any]:
        """Return answer, plan and results as plain JSON values."""
        return {
            "answer": self.answer,
            "plan": self.plan.as_json(),
            "results": [result.model_dump(mode="json") for result in self.results],
        }


class Session:
    """One thread of conversation; made by ``open_session``.

    Attributes:
        thread: Name of the thread.
    """

    def __init__(
        self,
        context: AssistantContext,
        saver: BaseCheckpointSaver[str],
        turns: BaseStore,
        thread: str,
        upkeep: Upkeep,
        locks: Path,
    ) -> None:
        self.thread = thread
        self._saver = saver
        self._locks = locks
        self._upkeep = upkeep
        self._context = context
        self._turns = turns
        self._graph = build_graph().compile(checkpointer=saver, store=turns)

    @property
    def services(self) -> Services:
        """Return the services of the session."""
        assert self._context.services is not None
        return self._context.services

    async def ask(
        self,
        text: str,
        *,
        images: Sequence[ImageRef | str | Path] = (),
        earlier: Sequence[Turn] = (),
        trainer: Trainer | None = None,
        on_event: Callable[[Event], None] = lambda _: None,
    ) -> Reply:
        """Plan a request, carry it out and answer it.

        If another request of the same thread is running, here or in another program, this one
        waits for its end.

        Args:
            text: The request.
            images: Images that go with it: files, ``camera:NAME``, or references from
                ``resolve_image``.
            earlier: Turns of a conversation that the caller keeps, for the first turn of a thread.
            trainer: Carries out trainings of this request; None means that of the session.
            on_event: Told of progress as it happens.

        Returns:
            The reply. A task that failed is a result in it, not an exception.

        Raises:
            EdgewrightError: The request or an image cannot be read or the thread not be kept.
        """
        async with one_at_a_time(self._locks, self.thread):
            with span("answer a request", {"edgewright.thread": self.thread}):
                context = replace(
                    self._context,
                    earlier=tuple(earlier),
                    trainer=trainer or self._context.trainer,
                )
                return await self._answer(text, images, context, on_event)

    async def _answer(
        self,
        text: str,
        images: Sequence[ImageRef | str | Path],
        context: AssistantContext,
        on_event: Callable[[Event], None],
    ) -> Reply:
        attached = await asyncio.to_thread(self._taken, images)
        turn: AssistantInput = {
            "messages": [HumanMessage(text)],
            "attachments": [image.model_dump(mode="json") for image in attached],
        }
        try:
            with clear_errors():
                async for event in self._graph.astream(
                    turn,
                    self._config,
                    context=context,
                    stream_mode="custom",
                    durability="sync",
                ):
                    on_event(cast(Event, event))
        except GraphRecursionError:
            raise InputError(
                "the request needs too many consecutive steps; split it into several requests",
                code="plan_too_deep",
            ) from None
        reply = _reply(await self._state())
        await self._tidy()
        return reply

    async def history(self) -> list[Turn]:
        """Return all turns of the thread, oldest first."""
        with clear_errors():
            return await stored_turns(self._turns, self.thread)

    def on_new_thread(self) -> Session:
        """Return a session on a thread of its own, with the same services.

        Requests to several of them may run at once.
        """
        session = copy.copy(self)
        session.start_new_thread()
        return session

    async def forget(self) -> None:
        """Remove what is stored of the thread."""
        with clear_errors():
            await self._saver.adelete_thread(self.thread)
            await remove_turns(self._turns, self.thread)

    def start_new_thread(self) -> None:
        """Switch to a new thread."""
        self.thread = _new_thread()

    async def _tidy(self) -> None:
        """Remove what is no longer needed, if it is time for that."""
        if await asyncio.to_thread(self._upkeep.due):
            try:
                await asyncio.to_thread(self._upkeep.tidy)
            except (EdgewrightError, OSError) as error:
                _log.warning("nothing was tidied up: %s", error)

    def _taken(self, images: Sequence[ImageRef | str | Path]) -> list[ImageRef]:
        store = self.services.images
        return [
            each if isinstance(each, ImageRef) else resolve_image(each, store) for each in images
        ]

    @property
    def _config(self) -> RunnableConfig:
        return {**LIMITS, "configurable": {"thread_id": self.thread}}

    async def _state(self) -> AssistantState:
        with clear_errors():
            snapshot = await self._graph.aget_state(self._config)
        return cast(AssistantState, snapshot.values)


@asynccontextmanager
async def open_session(
    context: AssistantContext | None = None,
    *,
    thread: str | None = None,
    threads: Path | None = None,
    keep: bool = True,
    lock_timeout_s: float = 5.0,
    on_progress: Progress = lambda done, total: None,
) -> AsyncIterator[Session]:
    """Open a session, with a private node when none is configured.

    Args:
        context: Settings; services in it are used and left open.
        thread: Thread to continue; None begins a new one.
        threads: SQLite file of the threads; None means the one in the state folder.
        keep: Whether to store threads in that file; otherwise they are in memory, and gone with
            the session.
        lock_timeout_s: Maximum wait for another program that has locked that file.
        on_progress: Called while the planner encodes its texts for the first time.

    Yields:
        The session. A node that was started for it is stopped at the end.
    """
    context = context or AssistantContext()
    path = threads or threads_file()
    async with AsyncExitStack() as stack:
        saver: BaseCheckpointSaver[str] = InMemorySaver(serde=SERDE)
        turns: BaseStore = InMemoryStore()
        locks = path.with_name(f"{path.name}.locks")
        if keep:
            limit_s = lock_timeout_s
            saver = await stack.enter_async_context(open_threads(path, lock_timeout_s=limit_s))
            turns = await stack.enter_async_context(open_turns(path, lock_timeout_s=limit_s))
        else:
            locks = stack.enter_context(scratch_folder()) / "locks"
        services = context.services
        if services is None:
            services = await stack.enter_async_context(
                open_services(context.settings, on_progress=on_progress)
            )
        context = replace(context, services=services)
        upkeep = Upkeep(
            limits=StorageLimits.from_environment(), images=services.images, threads=path
        )
        yield Session(context, saver, turns, thread or _new_thread(), upkeep, locks)


async def read_history(thread: str, *, threads: Path | None = None) -> list[Turn]:
    """Return all turns of a thread, oldest first; none if there is no such thread.

    Args:
        thread: Name of the thread.
        threads: SQLite file of the threads; None means the one in the state folder.
    """
    path = threads or threads_file()
    async with open_threads(path), open_turns(path) as turns:
        return await stored_turns(turns, thread)


def _new_thread() -> str:
    return uuid.uuid4().hex[:12]


def _reply(state: AssistantState) -> Reply:
    plan = Plan.model_validate(state["plan"])
    return Reply(
        answer=str(state["messages"][-1].text),
        status=state["status"],
        plan=plan,
        decisions={
            task_id: Decision.model_validate(each) for task_id, each in state["decisions"].items()
        },
        results=tuple(
            TaskResult.model_validate(state["results"][task.id])
            for task in plan.tasks
            if task.id in state["results"]
        ),
        turn=Turn.model_validate(state["history"][-1]),
    )
