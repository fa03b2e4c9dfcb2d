"""Training in a conversation: a task of the plan whose result is a new card."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable

from edgewright.agents.planner.plan import Task
from edgewright.agents.responder.result import TaskResult
from edgewright.graphs.assistant.context import Trainer
from edgewright.graphs.assistant.failures import failed
from edgewright.graphs.federated.context import TrainingContext, open_training
from edgewright.graphs.federated.data import data_request
from edgewright.graphs.federated.events import Event
from edgewright.graphs.federated.session import open_run
from edgewright.graphs.federated.state import TrainSettings
from edgewright.tools.errors import EdgewrightError, UnavailableError
from edgewright.tools.federated.records.report import RunReport
from edgewright.tools.settings import ChatModelSettings


class LocalTrainer:
    """Trains on this machine, in the sandbox; implements ``Trainer``.

    Args:
        chat: The chat model that writes the code; one without a name means the embedded coder.
        settings: When a run ends.
        check_source: Raises an error for data that may not be used; called in a thread.
    """

    def __init__(
        self,
        chat: ChatModelSettings,
        settings: TrainSettings | None = None,
        *,
        check_source: Callable[[str], None] = lambda source: None,
    ) -> None:
        self._chat = chat
        self._settings = settings or TrainSettings()
        self._check_source = check_source

    async def train(self, purpose: str, on_event: Callable[[Event], None]) -> RunReport:
        """Train on the data that the purpose names.

        Raises:
            InputError: It names no data (``data_unnamed``).
        """
        request = await asyncio.to_thread(data_request, purpose)
        await asyncio.to_thread(self._check_source, request.source)

        # The run has a checkpointer of its own, so it must not inherit the conversation's context;
        # its events are emitted in that context all the same.
        conversation = contextvars.copy_context()

        def emit(event: Event) -> None:
            conversation.run(on_event, event)

        async def run() -> RunReport:
            async with (
                open_training(self._chat) as services,
                open_run(TrainingContext(services=services)) as opened,
            ):
                return await opened.begin(
                    purpose, request, self._settings, approve=_no_approval, on_event=emit
                )

        task = asyncio.create_task(run(), context=contextvars.Context())
        try:
            return await task
        except asyncio.CancelledError:
            task.cancel()
            raise


async def train_task(
    task: Task, purpose: str, trainer: Trainer, on_event: Callable[[Event], None]
) -> TaskResult:
    """Carry out a training task.

    Args:
        task: The task.
        purpose: The whole request, since any part of it can constrain the training.
        trainer: Trains the model.
        on_event: Called with each event of the training.

    Returns:
        The task's result; a failure is a result too.
    """
    try:
        report = await trainer.train(purpose, on_event)
    except EdgewrightError as error:
        return failed(task, error)
    if report.test is None:
        no_model = UnavailableError(
            f"no candidate could be trained ({report.stop}); 'edgewright runs show {report.run}' "
            "lists the attempts",
            code="not_trained",
        )
        return failed(task, no_model)
    text = (
        f"trained the tool {report.tool!r}: it classifies {report.test.accuracy:.1%} of the "
        "test images correctly, and it can be used from now on"
        if report.tool
        else f"trained a model that classifies {report.test.accuracy:.1%} of the test images "
        f"correctly; {report.placement}"
    )
    output = {
        "text": text,
        "run": report.run,
        "tool": report.tool,
        "test_accuracy": report.test.accuracy,
    }
    return TaskResult(
        task_id=task.id, tool=task.tool, status="ok", output=output, report=None, error=None
    )


def _no_approval(question: dict[str, object]) -> dict[str, object]:
    raise AssertionError("training in a conversation is sandboxed and needs no approval")
