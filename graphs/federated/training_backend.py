"""The training backend of this machine, on top of ``tools/federated``."""

from __future__ import annotations

from collections.abc import Callable

from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.progress import TrialEvent
from edgewright.tools.federated.records.report import RunReport
from edgewright.tools.federated.records.trial import ModelScore, TrialRequest, TrialResult
from edgewright.tools.federated.trials.artefacts import publish
from edgewright.tools.federated.trials.check import CheckResult, check
from edgewright.tools.federated.trials.prepare import DataRequest, prepare
from edgewright.tools.federated.trials.runner import run_trial
from edgewright.tools.federated.trials.scoring import score_test
from edgewright.tools.sandbox.backends import find_sandbox
from edgewright.tools.sandbox.limits import SandboxLimits


class LocalTrainingBackend:
    """Prepares, checks, trains and tests on this machine; implements ``TrainingBackend``."""

    def prepare(self, request: DataRequest, run: RunFolder) -> DataCard:
        """Split a data set and deal it to clients; fail early if there is no sandbox."""
        find_sandbox()
        return prepare(request, run)

    def check(self, candidate: Candidate, card: DataCard, limits: SandboxLimits) -> CheckResult:
        """Check a candidate before it is trained."""
        return check(candidate, card, limits=limits)

    def train(
        self, run: RunFolder, request: TrialRequest, on_event: Callable[[TrialEvent], None]
    ) -> TrialResult:
        """Train a candidate, or resume its training where it was interrupted."""
        return run_trial(run, request, on_event=on_event)

    def test(self, run: RunFolder, number: int) -> ModelScore:
        """Score a trial on the test split, once."""
        return score_test(run, number)

    def publish(self, run: RunFolder, report: RunReport, *, replace: bool) -> RunReport:
        """Write the run's artefacts and install its model; return the completed report."""
        return publish(run, report, replace=replace)
