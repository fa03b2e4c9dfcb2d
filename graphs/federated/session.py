"""Runs of federated training, for the command line and for programs."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command

from edgewright.graphs.federated.context import TrainingContext, open_training, run_folder
from edgewright.graphs.federated.events import Event
from edgewright.graphs.federated.graph import RECURSION_LIMIT, build_graph
from edgewright.graphs.federated.state import FederatedInput, FederatedState, TrainSettings
from edgewright.graphs.services.thread_file import clear_errors
from edgewright.graphs.services.threads import open_threads
from edgewright.tools.errors import InputError, NotFoundError
from edgewright.tools.federated.records.report import RunReport
from edgewright.tools.federated.trials.prepare import DataRequest

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")

#: Takes the interrupt of ``approval.ask`` and returns the answer.
Approve = Callable[[dict[str, Any]], dict[str, Any]]


class TrainingRun:
    """One run; made by ``open_run``.

    Attributes:
        name: Name of the run.
    """

    def __init__(
        self, name: str, context: TrainingContext, saver: BaseCheckpointSaver[str]
    ) -> None:
        self.name = name
        self._context = context
        self._graph = build_graph().compile(checkpointer=saver)

    async def begin(
        self,
        purpose: str,
        data: DataRequest,
        settings: TrainSettings,
        *,
        approve: Approve,
        on_event: Callable[[Event], None] = lambda _: None,
    ) -> RunReport:
        """Train a model for a purpose.

        Args:
            purpose: What the model is for and what constrains its training.
            data: The data to train on.
            settings: How the run proceeds and when it ends.
            approve: Called before each trial if ``settings.approval`` is ``ask``.
            on_event: Called with each event as it happens.

        Returns:
            The report. A failed trial is part of it; only what prevents the run from starting or
            continuing raises.

        Raises:
            EdgewrightError: The data, the settings or the machine cannot be used.
        """
        given: FederatedInput = {
            "purpose": purpose,
            "data": data.model_dump(mode="json"),
            # What was not given may follow from the purpose.
            "settings": settings.model_dump(mode="json", exclude_unset=True),
            "run": self.name,
        }
        return await self._run(given, approve, on_event)

    async def resume(
        self, *, approve: Approve, on_event: Callable[[Event], None] = lambda _: None
    ) -> RunReport:
        """Resume an interrupted run; one that has ended returns its report.

        Args:
            approve: As for ``begin``.
            on_event: As for ``begin``.

        Raises:
            InputError: The run has ended, so changes of its settings cannot apply (``run_ended``).
        """
        snapshot = await self._snapshot()
        if self._context.changes and "report" in snapshot.values and not snapshot.next:
            raise InputError(
                f"the run {self.name!r} has ended ({snapshot.values['report']['stop']}), and its "
                "test images have been used to score its best trial; start a new run with the "
                "other limits",
                code="run_ended",
            )
        return await self._run(None, approve, on_event)

    async def _run(
        self, given: FederatedInput | None, approve: Approve, on_event: Callable[[Event], None]
    ) -> RunReport:
        pending: FederatedInput | Command[Any] | None = given
        while True:
            if pending is not None or (await self._snapshot()).next:
                await self._stream(pending, on_event)
            snapshot = await self._snapshot()
            questions = [each.value for task in snapshot.tasks for each in task.interrupts]
            if not questions:
                return self._report(cast(FederatedState, snapshot.values))
            pending = Command(resume=[approve(questions[0][0])])

    def _report(self, state: FederatedState) -> RunReport:
        if "report" not in state:
            raise NotFoundError(
                f"the run {self.name!r} was interrupted before it began; start a new one",
                code="unknown_run",
            )
        return RunReport.model_validate(state["report"])

    async def _stream(
        self, given: FederatedInput | Command[Any] | None, on_event: Callable[[Event], None]
    ) -> None:
        with clear_errors():
            async for event in self._graph.astream(
                given,
                self._config,
                context=self._context,
                stream_mode="custom",
                durability="sync",
            ):
                on_event(cast(Event, event))

    async def _snapshot(self) -> Any:
        with clear_errors():
            return await self._graph.aget_state(self._config)

    @property
    def _config(self) -> RunnableConfig:
        return {"configurable": {"thread_id": self.name}, "recursion_limit": RECURSION_LIMIT}


@asynccontextmanager
async def open_run(
    context: TrainingContext | None = None, *, resume: str | None = None
) -> AsyncIterator[TrainingRun]:
    """Open a new run, or an interrupted one.

    Args:
        context: The coder; services in it are used and left open.
        resume: Name of a run to resume; None begins a new one.

    Yields:
        The run. Its checkpoints are stored in its folder.

    Raises:
        NotFoundError: No such run (``unknown_run``).
    """
    name = resume or uuid.uuid4().hex[:12]
    path = run_folder(name).root / "memory.sqlite"
    if resume is not None and not (_NAME.fullmatch(resume) and path.exists()):
        raise NotFoundError(
            f"no run {resume[:100]!r}; 'edgewright runs list' shows the runs",
            code="unknown_run",
        )
    context = context or TrainingContext()
    async with AsyncExitStack() as stack:
        saver = await stack.enter_async_context(open_threads(path))
        if context.services is None:
            services = await stack.enter_async_context(open_training(context.chat))
            context = replace(context, services=services)
        yield TrainingRun(name, context, saver)
