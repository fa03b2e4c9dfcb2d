"""Ways to choose what to train next: the coder, and two that search a space from its start."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Protocol

import optuna

from edgewright.agents.fl_coder.embedded.coder import EmbeddedCoder
from edgewright.agents.fl_coder.embedded.effort import effort
from edgewright.agents.fl_coder.embedded.recipes import read, write
from edgewright.agents.fl_coder.protocol import Attempt, Proposal, TrainingProblem, same
from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.trial import TrialRequest, TrialResult
from edgewright.tools.federated.trials.runner import run_trial
from edgewright.tools.sandbox.limits import SandboxLimits

#: How much more than its start a search may spend on one trial.
EFFORT = 4.0
#: The space: all that the coder's remedies can change, as factors of the start or as values.
_SPACE: dict[str, Sequence[Any]] = {
    "model": ("convolutions", "residual"),
    "width": (0.5, 1, 2),
    "rounds": (0.5, 1, 2, 4),
    "local_epochs": (0.5, 1, 2),
    "batch_size": (0.5, 1, 2),
    "augmentation": ("none", "jittered", "jittered-mirrored"),
    "shift": (0.5, 1, 2),
    "server_momentum": (0.0, 0.5, 0.8, 0.9),
    "proximal": (0.0, 0.01, 0.1),
    "label_smoothing": (0.0, 0.1),
}
_RATE = (1 / 8, 8.0)  # factor of the learning rate, on a logarithmic scale
#: The baseline: its network, and the grid of its learning rate and momentum.
_RESNET = """\
from torch import nn
from torchvision.models import resnet18


def build_model(channels, height, width, classes):
    model = resnet18(num_classes=classes)
    model.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
    return model
"""
_SGD = """\
from torch import optim


def build_optimiser(parameters, learning_rate):
    return optim.SGD(parameters, lr=learning_rate, momentum=$momentum)
"""
_GRID = ((0.1, 0.0), (0.01, 0.9), (0.03, 0.9))
#: Nothing may run longer, however slow the machine is; effort is what is held equal.
_LIMITS = SandboxLimits(time_s=6 * 3600)


class Search(Protocol):
    """Chooses candidates one after the other."""

    def ask(self) -> Candidate | None:
        """Return the next candidate; None if nothing new comes to mind."""
        ...

    def tell(self, result: TrialResult) -> None:
        """Learn what became of it."""
        ...


class Agent:
    """The embedded coder.

    Args:
        problem: What it is given.
    """

    def __init__(self, problem: TrainingProblem) -> None:
        self._problem = problem
        self._attempts: list[Attempt] = []
        self._proposal: Proposal | None = None

    def ask(self) -> Candidate | None:
        """Return the next candidate; None if nothing new comes to mind."""
        self._proposal = EmbeddedCoder().propose(self._limited(), self._attempts)
        candidate = self._proposal.candidate
        old = any(same(candidate, each.proposal.candidate) for each in self._attempts)
        return None if old else candidate

    def tell(self, result: TrialResult) -> None:
        """Learn what became of it."""
        assert self._proposal is not None
        self._attempts.append(Attempt(proposal=self._proposal, result=result))

    def _limited(self) -> TrainingProblem:
        """Put the limit that the space has in the coder's terms: seconds, by its best attempt."""
        paces = [
            (rank(each.result), each.result.curve[-1].wall_s / effort(each.proposal.candidate))
            for each in self._attempts
            if each.result and each.result.curve
        ]
        if not paces:
            return self._problem
        _, pace = max(paces, key=itemgetter(0))
        seconds = pace * effort(self._attempts[0].proposal.candidate)
        limits = SandboxLimits(time_s=EFFORT * seconds)
        return self._problem.model_copy(update={"limits": limits})


class SpaceSearch:
    """A search of the space by one of Optuna's samplers.

    Args:
        start: The first candidate.
        sampler: Chooses the others.
    """

    def __init__(self, start: Candidate, sampler: optuna.samplers.BaseSampler) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._start = start
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._study.enqueue_trial(_parameters_of(start))
        self._trial: optuna.trial.Trial | None = None

    def ask(self) -> Candidate | None:
        """Return the next candidate that is not too costly."""
        while True:
            self._trial = self._study.ask()
            candidate = _drawn(self._trial, self._start)
            if effort(candidate) <= EFFORT * effort(self._start):
                return candidate

    def tell(self, result: TrialResult) -> None:
        """Learn what became of it."""
        assert self._trial is not None
        self._study.tell(self._trial, accuracy(result))


class Grid:
    """ResNet-18 with SGD and FedAvg, as many rounds and passes as the searches' start has.

    Args:
        start: That start.
    """

    def __init__(self, start: Candidate) -> None:
        self._candidates = [_resnet(start, rate, momentum) for rate, momentum in _GRID]
        self._next = 0

    def __len__(self) -> int:
        return len(self._candidates)

    def ask(self) -> Candidate | None:
        """Return the next point."""
        self._next += 1
        return self._candidates[self._next - 1]

    def tell(self, result: TrialResult) -> None:
        """Learn nothing: a grid is fixed."""


def _resnet(start: Candidate, rate: float, momentum: float) -> Candidate:
    return Candidate(
        model=_RESNET,
        augmentation=write("augmentation", "none"),
        optimiser=_SGD.replace("$momentum", f"{momentum:g}"),
        schedule=write("schedule", "constant", peak=rate),
        rounds=start.rounds,
        local_epochs=start.local_epochs,
        batch_size=64,
    )


def random_search(start: Candidate, seed: int) -> SpaceSearch:
    """Return a seeded random search."""
    return SpaceSearch(start, optuna.samplers.RandomSampler(seed=seed))


def tree_parzen(start: Candidate, seed: int) -> SpaceSearch:
    """Return Optuna's TPE, which learns from the first trial on."""
    return SpaceSearch(start, optuna.samplers.TPESampler(seed=seed, n_startup_trials=1))


def rank(result: TrialResult) -> tuple[float, float]:
    """Return what a trial is chosen by; zeros if it failed."""
    return result.best.validation.rank if result.best and not result.fault else (0.0, 0.0)


def accuracy(result: TrialResult) -> float:
    """Return a trial's best validation accuracy; 0 if it failed."""
    return rank(result)[0]


def run_search(
    run: RunFolder, search: Search, *, trials: int, seed: int, start: RunFolder | None = None
) -> list[TrialResult]:
    """Run a search; what was trained before is taken from its folder.

    Args:
        run: A prepared run of its own.
        search: Chooses the candidates.
        trials: How many.
        seed: Of the trainings.
        start: A run whose first trial is the same, so that it is not trained again.
    """
    if start is not None and not run.trial(1).result.exists():
        shutil.copytree(start.trial(1).root, run.trial(1).root, dirs_exist_ok=True)
    results: list[TrialResult] = []
    for number in range(1, trials + 1):
        candidate = search.ask()
        if candidate is None:
            break
        request = TrialRequest(number=number, candidate=candidate, seed=seed, limits=_LIMITS)
        _assert_same(run, request)
        results.append(run_trial(run, request))
        search.tell(results[-1])
    return results


def _assert_same(run: RunFolder, request: TrialRequest) -> None:
    """Refuse to take what another version of a search has trained for this one's."""
    path = run.trial(request.number).request
    if path.exists():
        stored = TrialRequest.model_validate_json(path.read_text("utf-8"))
        if not same(stored.candidate, request.candidate):
            raise InputError(
                f"{path.parent} holds another candidate's training; remove {run.root}",
                code="other_trial",
            )


def _parameters_of(start: Candidate) -> dict[str, Any]:
    """Return the point of the space that is the start."""
    values: dict[str, Any] = {name: 1 for name in _SPACE if 1 in _SPACE[name]}
    return values | {
        "model": read(start, "model")[0],
        "augmentation": read(start, "augmentation")[0],
        "server_momentum": getattr(start.strategy, "server_momentum", 0.0),
        "proximal": start.proximal,
        "label_smoothing": start.label_smoothing,
        "rate": 1.0,
    }


def _drawn(trial: optuna.trial.Trial, start: Candidate) -> Candidate:
    """Draw a point of the space and write it as a candidate."""
    drawn = {name: trial.suggest_categorical(name, values) for name, values in _SPACE.items()}
    factor = trial.suggest_float("rate", *_RATE, log=True)
    width = read(start, "model")[1]["width"]
    jitter = read(start, "augmentation")[1]
    schedule, numbers = read(start, "schedule")
    augmentation = drawn["augmentation"]
    reach = {} if augmentation == "none" else jitter | {"shift": jitter["shift"] * drawn["shift"]}
    momentum = drawn["server_momentum"]
    changes = {
        "model": write("model", drawn["model"], width=width * drawn["width"]),
        "augmentation": write("augmentation", augmentation, **reach),
        "schedule": write("schedule", schedule, peak=float(f"{numbers['peak'] * factor:.3g}")),
        "rounds": max(1, round(start.rounds * drawn["rounds"])),
        "local_epochs": max(1, round(start.local_epochs * drawn["local_epochs"])),
        "batch_size": max(2, round(start.batch_size * drawn["batch_size"])),
        "strategy": {"name": "fedavgm", "server_momentum": momentum}
        if momentum
        else {"name": "fedavg"},
        "proximal": drawn["proximal"],
        "label_smoothing": drawn["label_smoothing"],
    }
    return Candidate.model_validate(start.model_dump() | changes)
