"""Training within a conversation: a task of the plan that ends with a new card."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from edgewright.agents.fl_coder.constraints.data_words import read_data
from edgewright.agents.fl_coder.constraints.spans import read_constraints
from edgewright.agents.planner.plan import Task
from edgewright.agents.responder.result import TaskResult
from edgewright.graphs.assistant.failures import failed
from edgewright.graphs.federated.context import TrainingContext, open_training
from edgewright.graphs.federated.events import Event
from edgewright.graphs.federated.session import open_run
from edgewright.graphs.federated.state import TrainSettings
from edgewright.tools.errors import EdgewrightError, InputError, UnavailableError
from edgewright.tools.federated.records.report import RunReport
from edgewright.tools.federated.trials.prepare import DataRequest
from edgewright.tools.settings import ChatModelSettings

#: The card that is carried out here and not by a node.
CARD = "federated-training"
_CLIENTS = 10


@runtime_checkable
class Trainer(Protocol):
    """Trains a model for a purpose."""

    async def train(self, purpose: str, on_event: Callable[[Event], None]) -> RunReport:
        """Train, score and install; see ``graphs/federated``."""
        ...


class LocalTrainer:
    """Trains on this machine, in the sandbox; implements ``Trainer``.

    Args:
        chat: The chat model that writes the code; one without a name means the embedded coder.
        settings: When a run ends.
    """

    def __init__(self, chat: ChatModelSettings, settings: TrainSettings | None = None) -> None:
        self._chat = chat
        self._settings = settings or TrainSettings()

    async def train(self, purpose: str, on_event: Callable[[Event], None]) -> RunReport:
        """Train on the data that the purpose names.

        Raises:
            InputError: It names none (``data_unnamed``).
        """
        data = read_data(purpose)
        if not data.source:
            raise InputError(
                "say on which data: the path of a folder of class folders or of an .npz file, or "
                "one of digits, fashion-mnist, elpv",
                code="data_unnamed",
            )
        constraints = await asyncio.to_thread(read_constraints, purpose)
        skewed = any(one.kind == "skew" for one in constraints)
        request = DataRequest(
            source=data.source,
            clients=data.clients or _CLIENTS,
            partition="dirichlet" if skewed else "iid",
        )

        # A run has a memory of its own: in a fresh context it is no part of the conversation's.
        # What it tells goes out in the conversation's context all the same.
        conversation = contextvars.copy_context()

        def tell(event: Event) -> None:
            conversation.run(on_event, event)

        async def run() -> RunReport:
            async with open_run(TrainingContext(services=open_training(self._chat))) as opened:
                return await opened.begin(
                    purpose, request, self._settings, approve=_never_asked, on_event=tell
                )

        task = asyncio.create_task(run(), context=contextvars.Context())
        try:
            return await task
        except asyncio.CancelledError:
            task.cancel()
            raise


async def trained(
    task: Task, purpose: str, trainer: Trainer, on_event: Callable[[Event], None]
) -> TaskResult:
    """Carry out a training task.

    Args:
        task: The task.
        purpose: The whole request: what constrains the training stands anywhere in it.
        trainer: Who trains.
        on_event: Told of progress.

    Returns:
        Its result; what went wrong stands in it.
    """
    try:
        report = await trainer.train(purpose, on_event)
    except EdgewrightError as error:
        return failed(task, error)
    if report.test is None:
        why = UnavailableError(
            f"no candidate could be trained ({report.stop}); 'edgewright runs show {report.run}' "
            "says what was tried",
            code="not_trained",
        )
        return failed(task, why)
    output = {
        "text": (
            f"trained the tool {report.tool!r}: {report.test.accuracy:.1%} of the test pictures "
            "are right, and it can be used from now on"
        ),
        "run": report.run,
        "tool": report.tool,
        "test_accuracy": report.test.accuracy,
    }
    return TaskResult(
        task_id=task.id, tool=task.tool, status="ok", output=output, report=None, error=None
    )


def _never_asked(asked: dict[str, object]) -> dict[str, object]:
    raise AssertionError("only sandboxed training is done unasked")
