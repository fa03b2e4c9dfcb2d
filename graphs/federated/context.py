"""What a run is given besides its state: the coder, and the workshop that trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from langgraph.runtime import Runtime
from pydantic import InstanceOf
from pydantic.json_schema import SkipJsonSchema

from edgewright.agents.fl_coder.coder import Coder, make_coder
from edgewright.tools.federated.candidate import Candidate
from edgewright.tools.federated.card import DataCard
from edgewright.tools.federated.check import Checked
from edgewright.tools.federated.layout import RunFolder
from edgewright.tools.federated.prepare import DataRequest
from edgewright.tools.federated.report import RunReport
from edgewright.tools.federated.trial import Limits, Score, TrialRequest, TrialResult
from edgewright.tools.settings import ChatModelSettings, home

CoderChoice = Literal["auto", "embedded"]


class Workshop(Protocol):
    """What a run asks of ``tools/federated``. Every call blocks; steps call it in a thread."""

    def prepare(self, request: DataRequest, run: RunFolder) -> DataCard:
        """Split and deal a data set, after making sure that training can be confined."""
        ...

    def check(self, candidate: Candidate, card: DataCard, limits: Limits) -> Checked:
        """Check a candidate before it is trained."""
        ...

    def train(
        self, run: RunFolder, request: TrialRequest, on_event: Callable[[dict[str, Any]], None]
    ) -> TrialResult:
        """Train a candidate, or go on where its training was broken off."""
        ...

    def test(self, run: RunFolder, number: int) -> Score:
        """Score a trial on the test split, once."""
        ...

    def publish(self, run: RunFolder, report: RunReport) -> RunReport:
        """Write the run's artefacts and install its model; return the completed report."""
        ...


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the steps work with.

    Attributes:
        coder: Who proposes.
        workshop: Who trains.
    """

    coder: Coder
    workshop: Workshop


@dataclass(frozen=True, kw_only=True)
class Context:
    """Settings that are not part of a run's memory.

    Attributes:
        coder: ``auto`` writes code with the chat model when one is configured, ``embedded``
            without it.
        services: Brought by the caller; None means those of this machine.
    """

    coder: CoderChoice = "auto"
    services: SkipJsonSchema[InstanceOf[Services] | None] = None


def services_of(runtime: Runtime[Context]) -> Services:
    """Return the services of a run: its caller's, or those of this machine."""
    from edgewright.graphs.federated.workshop import LocalWorkshop

    context = runtime.context or Context()
    if isinstance(context.services, Services):
        return context.services
    chat = None if context.coder == "embedded" else ChatModelSettings.from_environment()
    return Services(coder=make_coder(chat), workshop=LocalWorkshop())


def run_folder(name: str) -> RunFolder:
    """Return the folder of a run, whether it exists or not."""
    return RunFolder(home() / "runs" / name)
