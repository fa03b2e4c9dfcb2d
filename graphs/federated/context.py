"""What a run is given besides its state: the coder, and the backend that trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from langgraph.runtime import Runtime
from pydantic import InstanceOf
from pydantic.json_schema import SkipJsonSchema

from edgewright.agents.fl_coder.coder import Coder, make_coder
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.report import RunReport
from edgewright.tools.federated.records.trial import ModelScore, TrialRequest, TrialResult
from edgewright.tools.federated.trials.check import CheckResult
from edgewright.tools.federated.trials.prepare import DataRequest
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.settings import ChatModelSettings, Settings, home

CoderChoice = Literal["auto", "embedded"]


class TrainingBackend(Protocol):
    """What a run asks of ``tools/federated``. Every call blocks; steps call it in a thread."""

    def prepare(self, request: DataRequest, run: RunFolder) -> DataCard:
        """Split and deal a data set, after making sure that training can be confined."""
        ...

    def check(self, candidate: Candidate, card: DataCard, limits: SandboxLimits) -> CheckResult:
        """Check a candidate before it is trained."""
        ...

    def train(
        self, run: RunFolder, request: TrialRequest, on_event: Callable[[dict[str, Any]], None]
    ) -> TrialResult:
        """Train a candidate, or go on where its training was broken off."""
        ...

    def test(self, run: RunFolder, number: int) -> ModelScore:
        """Score a trial on the test split, once."""
        ...

    def publish(self, run: RunFolder, report: RunReport) -> RunReport:
        """Write the run's artefacts and install its model; return the completed report."""
        ...


@dataclass(frozen=True, kw_only=True)
class TrainingServices:
    """What the steps work with.

    Attributes:
        coder: Who proposes.
        backend: Who trains.
    """

    coder: Coder
    backend: TrainingBackend


@dataclass(frozen=True, kw_only=True)
class TrainingContext:
    """Settings that are not part of a run's memory.

    Attributes:
        coder: ``auto`` writes code with the chat model when one is configured, ``embedded``
            without it.
        services: Brought by the caller; None means those of this machine.
    """

    coder: CoderChoice = "auto"
    services: SkipJsonSchema[InstanceOf[TrainingServices] | None] = None


def open_training(chat: ChatModelSettings) -> TrainingServices:
    """Return a coder and the training backend of this machine.

    Args:
        chat: The chat model that writes code; one without a name means the embedded coder.
    """
    from edgewright.graphs.federated.training_backend import LocalTrainingBackend

    return TrainingServices(coder=make_coder(chat), backend=LocalTrainingBackend())


def services_of(runtime: Runtime[TrainingContext]) -> TrainingServices:
    """Return the services of a run: its caller's, or those of this machine."""
    context = runtime.context or TrainingContext()
    if isinstance(context.services, TrainingServices):
        return context.services
    embedded = context.coder == "embedded"
    return open_training(Settings.from_environment(embedded=embedded).chat)


def run_folder(name: str) -> RunFolder:
    """Return the folder of a run, whether it exists or not."""
    return RunFolder(home() / "runs" / name)
