"""Checks of a candidate: what they find, that they run once, and that nothing goes around them."""

from typing import Any

import pytest

from edgewright.agents.fl_coder.protocol import Proposal
from edgewright.graphs.federated.context import TrainingContext, TrainingServices
from edgewright.graphs.federated.session import open_run
from edgewright.graphs.federated.state import TrainSettings
from edgewright.graphs.federated.training_backend import LocalTrainingBackend
from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.candidate import (
    Candidate,
    FedDyn,
    Int8,
    Krum,
    Private,
    Scaffold,
    TopK,
)
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.local_privacy import DpSgd
from edgewright.tools.federated.records.trial import CheckedFacts, ModelFacts, TrialRequest
from edgewright.tools.federated.trials import check as checks
from edgewright.tools.federated.trials.check import check
from edgewright.tools.federated.trials.prepare import DataRequest, load_card
from edgewright.tools.federated.trials.runner import run_trial
from edgewright.tools.federated.trials.scoring import score_test
from edgewright.tools.sandbox.limits import SandboxLimits

MODEL = """
from torch import nn


def build_model(channels, height, width, classes):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(channels * height * width, 48), nn.ReLU(), nn.Linear(48, classes)
    )
"""
PUBLISHED = """
from torch import nn
from torchvision.models import squeezenet1_1


def build_model(channels, height, width, classes):
    return nn.Sequential(
        nn.Upsample(size=64), nn.Conv2d(channels, 3, 1), squeezenet1_1(num_classes=classes)
    )
"""
RAISES = "def augment(images):\n    return images[7, 7, 7, 7, 7]\n"
CHECKS: list[tuple[dict[str, object], str, str]] = [
    ({}, "", ""),
    ({"model": PUBLISHED}, "", ""),
    ({"augmentation": RAISES}, "raised", "augmentation"),
    ({"augmentation": "def augment(images):\n    return images.double()\n"}, "shape",
     "augmentation"),
    ({"schedule": "def learning_rate(round_number, rounds):\n    return -1.0\n"}, "shape",
     "schedule"),
    ({"schedule": "def learning_rate(round_number, rounds):\n    return 1e30\n"}, "not_finite",
     "optimiser"),
    ({"optimiser": "def build_optimiser(parameters, learning_rate):\n    return 1\n"}, "shape",
     "optimiser"),
    ({"model": MODEL.replace("48, classes", "48, 3")}, "shape", "model"),
    ({"model": MODEL.replace("48", "9_000_000")}, "too_large", "model"),
    ({"model": "def build_model(channels, height, width, classes):\n    return 5\n"}, "shape",
     "model"),
    ({"model": "from torch import nn\ndef build_model(channels, height, width, classes):\n"
               "    return nn.Flatten()\n"}, "not_learning", "model"),
    ({"model": MODEL.replace("nn.Linear(48, classes)", "nn.LazyLinear(classes)")
      .replace("nn.Linear(channels * height * width, 48), nn.ReLU(), ", ""),
      "personal_head": True}, "raised", ""),
    ({"model": MODEL.replace("nn.ReLU()", "nn.BatchNorm1d(48)"), "strategy": Private()},
     "forbidden", "model"),
    ({"strategy": Krum(attackers=3)}, "quorum", "strategy"),
    ({"strategy": Private(noise_multiplier=0.1, epsilon=1)}, "privacy_budget", "strategy"),
    ({"strategy": Scaffold(), "compression": Int8()}, "", ""),
    ({"strategy": Scaffold(), "compression": TopK()}, "conflict", "strategy"),
    ({"strategy": FedDyn(), "personal_head": True}, "conflict", "strategy"),
    ({"strategy": FedDyn(), "local_privacy": DpSgd()}, "conflict", "strategy"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code", "slot"), CHECKS)
def test_checks(
    run: RunFolder, candidate: Candidate, changes: dict[str, object], code: str, slot: str
) -> None:
    checked = check(candidate.model_copy(update=changes), load_card(run))
    if not code:
        assert checked.faults == () and checked.facts is not None
        return
    assert checked.facts is None
    fault = checked.faults[0]
    assert fault.code == code
    assert not slot or fault.slot == slot
    assert fault.message


def test_a_failed_check_is_a_failed_trial(run: RunFolder, candidate: Candidate) -> None:
    bad = candidate.model_copy(update={"augmentation": RAISES})
    result = run_trial(run, TrialRequest(number=1, candidate=bad))
    assert result.status == "failed" and result.fault is not None
    assert (result.fault.slot, result.fault.line) == ("augmentation", 2)
    with pytest.raises(InputError) as caught:
        score_test(run, 1)
    assert caught.value.info().code == "no_weights"


class OneProposal:
    """A coder with a single idea."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate

    def propose(self, problem: object, attempts: object) -> Proposal:
        del problem, attempts
        return Proposal(candidate=self._candidate, coder="person")


@pytest.fixture
def dry_runs(monkeypatch: pytest.MonkeyPatch) -> list[Candidate]:
    """The candidates that were dry-run, in order."""
    seen: list[Candidate] = []
    dry_run = checks._dry_run

    def counted(candidate: Candidate, *args: Any) -> Any:
        seen.append(candidate)
        return dry_run(candidate, *args)

    monkeypatch.setattr(checks, "_dry_run", counted)
    return seen


@pytest.mark.slow
async def test_a_candidate_is_dry_run_once(
    candidate: Candidate, dry_runs: list[Candidate], tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    services = TrainingServices(coder=OneProposal(candidate), backend=LocalTrainingBackend())
    async with open_run(TrainingContext(services=services)) as run:
        report = await run.begin(
            "read digits",
            DataRequest(clients=3, samples=300),
            TrainSettings(trials=1, target=0.3),
            approve=lambda _: {"type": "accept"},
        )
    assert report.trials[0].result is not None
    assert report.trials[0].result.facts is not None
    assert dry_runs == [candidate]


@pytest.mark.slow
def test_facts_of_another_candidate_do_not_count(
    run: RunFolder, candidate: Candidate, dry_runs: list[Candidate]
) -> None:
    facts = check(candidate, load_card(run)).facts
    assert facts is not None
    bad = candidate.model_copy(update={"augmentation": RAISES})
    result = run_trial(run, TrialRequest(number=1, candidate=bad, checked=facts))
    assert result.fault is not None and result.fault.slot == "augmentation"
    assert dry_runs == [candidate, bad]


def test_facts_spare_no_check_of_the_source(run: RunFolder, candidate: Candidate) -> None:
    stolen = "import os\ndef augment(images):\n    return images\n"
    bad = candidate.model_copy(update={"augmentation": stolen})
    sha256 = checks._digest(bad, load_card(run), SandboxLimits())
    facts = CheckedFacts(
        sha256=sha256, model=ModelFacts(parameters=1, weight_bytes=4, flop_per_sample=1)
    )
    result = run_trial(run, TrialRequest(number=1, candidate=bad, checked=facts))
    assert result.fault is not None and result.fault.code == "forbidden"


class _InterruptedError(Exception):
    """Ends a trial from within its progress report, as a kill would."""


def interrupt(run: RunFolder, request: TrialRequest) -> None:
    def stop(event: object) -> None:
        raise _InterruptedError

    with pytest.raises(_InterruptedError):
        run_trial(run, request, on_event=stop)


@pytest.mark.slow
def test_a_resumed_trial_is_not_dry_run_again(
    run: RunFolder, candidate: Candidate, dry_runs: list[Candidate]
) -> None:
    interrupt(run, TrialRequest(number=1, candidate=candidate))
    assert run_trial(run, TrialRequest(number=1, candidate=candidate)).status == "finished"
    assert dry_runs == [candidate]


@pytest.mark.slow
def test_stored_facts_of_another_candidate_do_not_count(
    run: RunFolder, candidate: Candidate, dry_runs: list[Candidate]
) -> None:
    interrupt(run, TrialRequest(number=1, candidate=candidate))
    bad = candidate.model_copy(update={"augmentation": RAISES})
    result = run_trial(run, TrialRequest(number=1, candidate=bad))
    assert result.fault is not None and result.fault.slot == "augmentation"
    assert dry_runs == [candidate, bad]
