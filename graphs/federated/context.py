"""The context of a run: the coder, and the backend that trains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import InstanceOf
from pydantic.json_schema import SkipJsonSchema

from edgewright.agents.fl_coder.coder import Coder, make_coder
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.progress import TrialEvent
from edgewright.tools.federated.records.report import RunReport
from edgewright.tools.federated.records.trial import ModelScore, TrialRequest, TrialResult
from edgewright.tools.federated.trials.check import CheckResult
from edgewright.tools.federated.trials.prepare import DataRequest
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.settings import ChatModelSettings, Settings, home

CoderChoice = Literal["auto", "embedded"]


class TrainingBackend(Protocol):
    """The part of ``tools/federated`` that a run uses. Calls block; steps call them in a thread."""

    def prepare(self, request: DataRequest, run: RunFolder) -> DataCard:
        """Split a data set and deal it to clients; fail early if there is no sandbox."""
        ...

    def check(self, candidate: Candidate, card: DataCard, limits: SandboxLimits) -> CheckResult:
        """Check a candidate before it is trained."""
        ...

    def train(
        self, run: RunFolder, request: TrialRequest, on_event: Callable[[TrialEvent], None]
    ) -> TrialResult:
        """Train a candidate, or resume its training where it was interrupted."""
        ...

    def test(self, run: RunFolder, number: int) -> ModelScore:
        """Score a trial on the test split, once."""
        ...

    def publish(self, run: RunFolder, report: RunReport, *, replace: bool) -> RunReport:
        """Write the run's artefacts and install its model; return the completed report."""
        ...


@dataclass(frozen=True, kw_only=True)
class TrainingServices:
    """Services of the steps.

    Attributes:
        coder: Proposes candidates.
        backend: Trains them.
    """

    coder: Coder
    backend: TrainingBackend


@dataclass(frozen=True, kw_only=True)
class TrainingContext:
    """Settings that are not part of a run's state.

    Attributes:
        coder: ``auto`` writes code with the chat model when one is configured, ``embedded``
            without it.
        services: Opened by the caller; None means opened by the session or the server.
        changes: Values of ``TrainSettings`` that replace those of a run which is resumed.
    """

    coder: CoderChoice = "auto"
    services: SkipJsonSchema[InstanceOf[TrainingServices] | None] = None
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def chat(self) -> ChatModelSettings:
        """The chat model that writes code, from the environment."""
        return Settings.from_environment(embedded=self.coder == "embedded").chat


@asynccontextmanager
async def open_training(chat: ChatModelSettings) -> AsyncIterator[TrainingServices]:
    """Open a coder and the training backend of this machine.

    Args:
        chat: The chat model that writes code; one without a name means the embedded coder.

    Yields:
        The services.
    """
    yield await asyncio.to_thread(_training_services, chat)


def _training_services(chat: ChatModelSettings) -> TrainingServices:
    # Imports the training engine, which takes seconds.
    from edgewright.graphs.federated.training_backend import LocalTrainingBackend

    return TrainingServices(coder=make_coder(chat), backend=LocalTrainingBackend())


def run_folder(name: str) -> RunFolder:
    """Return the folder of a run, whether or not it exists."""
    return RunFolder(home() / "runs" / name)
