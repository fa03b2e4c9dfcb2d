"""Advancing a run to its end or to a question, for callers that cannot wait in it for a person.

A run is stored after each step, so a later call brings the answer and takes up where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgewright.graphs.federated.context import TrainingContext
from edgewright.graphs.federated.events import Event
from edgewright.graphs.federated.session import open_run
from edgewright.graphs.federated.state import TrainSettings
from edgewright.tools.federated.records.report import RunReport
from edgewright.tools.federated.trials.prepare import DataRequest

Json = dict[str, Any]


@dataclass(frozen=True)
class NewRun:
    """A run to begin.

    Attributes:
        purpose: What the model is for, in the person's words.
        data: The data to train on.
        settings: How the run proceeds and when it ends.
    """

    purpose: str
    data: DataRequest
    settings: TrainSettings


@dataclass(frozen=True)
class Advanced:
    """How far a run has come.

    Attributes:
        run: Its name.
        report: Its report; None if a person has to decide first.
        question: What a person has to decide, as ``approval.ask`` puts it; None at the end.
    """

    run: str
    report: RunReport | None = None
    question: Json | None = None


class _WaitingError(Exception):
    """The run waits for a person.

    Args:
        question: What is to be approved.
    """

    def __init__(self, question: Json) -> None:
        super().__init__("a proposal waits for approval")
        self.question = question


async def advance(
    run: NewRun | str,
    *,
    answer: Json | None = None,
    context: TrainingContext | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
) -> Advanced:
    """Begin or resume a run, until it ends or a person has to decide.

    Args:
        run: The run to begin, or the name of one to resume.
        answer: A person's decision on the proposal that waits, as ``approval.read`` takes it.
        context: The coder, and changes of the settings of a resumed run.
        on_event: Called with each event as it happens.

    Raises:
        EdgewrightError: The data, the settings or the machine cannot be used, or there is no such
            run.
    """
    answers = [] if answer is None else [answer]

    def approve(question: Json) -> Json:
        if not answers:
            raise _WaitingError(question)
        return answers.pop()

    resumed = None if isinstance(run, NewRun) else run
    async with open_run(context, resume=resumed) as opened:
        try:
            if isinstance(run, NewRun):
                report = await opened.begin(
                    run.purpose, run.data, run.settings, approve=approve, on_event=on_event
                )
            else:
                report = await opened.resume(approve=approve, on_event=on_event)
        except _WaitingError as waiting:
            return Advanced(opened.name, question=waiting.question)
    return Advanced(opened.name, report=report)
