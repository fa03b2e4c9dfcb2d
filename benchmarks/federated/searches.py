"""Searches that choose the next trial: the coder, two samplers of a space, and a grid."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, Protocol

import optuna

from edgewright.agents.fl_coder.embedded.coder import EmbeddedCoder
from edgewright.agents.fl_coder.embedded.effort import effort
from edgewright.agents.fl_coder.embedded.recipes import read, write
from edgewright.agents.fl_coder.protocol import Attempt, Proposal, TrainingProblem, same
from edgewright.benchmarks.common.progress import log
from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.trial import TrialRequest, TrialResult
from edgewright.tools.federated.trials.runner import run_trial
from edgewright.tools.sandbox.limits import SandboxLimits

#: Maximum effort of a trial, relative to the first trial of its search.
EFFORT = 4.0
#: The space: everything that the coder's adjustments change, as factors of the start or values.
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
#: The baseline: its network, its optimiser, and the grid of learning rate and momentum.
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
GRID_POINTS = len(_GRID)
#: An upper bound for slow machines; searches are limited by effort, not by time.
_LIMITS = SandboxLimits(time_s=6 * 3600)


class Search(Protocol):
    """Chooses one candidate after another."""

    def ask(self) -> Candidate | None:
        """Return the next candidate; None if there is no new one."""
        ...

    def tell(self, result: TrialResult) -> None:
        """Record the result of the last candidate."""
        ...


class Agent:
    """The embedded coder.

    Args:
        problem: The training problem.
    """

    def __init__(self, problem: TrainingProblem) -> None:
        self._problem = problem
        self._attempts: list[Attempt] = []
        self._proposal: Proposal | None = None

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All attempts so far, oldest first."""
        return tuple(self._attempts)

    def ask(self) -> Candidate | None:
        """Return the next candidate; None if there is no new one."""
        self._proposal = EmbeddedCoder().propose(self._limited(), self._attempts)
        candidate = self._proposal.candidate
        repeated = any(same(candidate, each.proposal.candidate) for each in self._attempts)
        return None if repeated else candidate

    def tell(self, result: TrialResult) -> None:
        """Record the result of the last candidate."""
        assert self._proposal is not None
        self._attempts.append(Attempt(proposal=self._proposal, result=result))

    def _limited(self) -> TrainingProblem:
        """Return the problem with the effort limit as seconds, at the speed of the best attempt."""
        rates = [
            (rank(each.result), each.result.curve[-1].wall_s / effort(each.proposal.candidate))
            for each in self._attempts
            if each.result and each.result.curve
        ]
        if not rates:
            return self._problem
        _, seconds_per_effort = max(rates, key=itemgetter(0))
        seconds = seconds_per_effort * effort(self._attempts[0].proposal.candidate)
        limits = SandboxLimits(time_s=EFFORT * seconds)
        return self._problem.model_copy(update={"limits": limits})


class SpaceSearch:
    """A search of the space with one of Optuna's samplers.

    Args:
        start: The first candidate.
        sampler: Sampler of the others.
    """

    def __init__(self, start: Candidate, sampler: optuna.samplers.BaseSampler) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._start = start
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._study.enqueue_trial(_parameters_of(start))
        self._trial: optuna.trial.Trial | None = None

    def ask(self) -> Candidate | None:
        """Return the next candidate within the effort limit."""
        while True:
            self._trial = self._study.ask()
            candidate = _sample(self._trial, self._start)
            if effort(candidate) <= EFFORT * effort(self._start):
                return candidate

    def tell(self, result: TrialResult) -> None:
        """Record the result of the last candidate."""
        assert self._trial is not None
        self._study.tell(self._trial, accuracy(result))


class Grid:
    """ResNet-18 with SGD and FedAvg, with the rounds and local epochs of the searches' start.

    Args:
        start: The first candidate of the searches.
    """

    def __init__(self, start: Candidate) -> None:
        self._candidates = [_resnet(start, rate, momentum) for rate, momentum in _GRID]
        self._next = 0

    def __len__(self) -> int:
        return len(self._candidates)

    def ask(self) -> Candidate | None:
        """Return the next point of the grid."""
        self._next += 1
        return self._candidates[self._next - 1]

    def tell(self, result: TrialResult) -> None:
        """Ignore the result, since the grid is fixed."""


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
    """Return Optuna's TPE, which uses every trial from the first on."""
    return SpaceSearch(start, optuna.samplers.TPESampler(seed=seed, n_startup_trials=1))


def rank(result: TrialResult) -> tuple[float, float]:
    """Return the rank by which trials are compared; zeros if the trial failed."""
    return result.best.validation.rank if result.best and not result.fault else (0.0, 0.0)


def accuracy(result: TrialResult) -> float:
    """Return a trial's best validation accuracy; 0 if it failed."""
    return rank(result)[0]


def run_search(
    run: RunFolder, search: Search, *, trials: int, seed: int, start: RunFolder | None = None
) -> list[TrialResult]:
    """Run a search; trials that are already in the run's folder are not trained again.

    Args:
        run: A prepared run for this search alone.
        search: The search.
        trials: Maximum number of trials.
        seed: Seed of the trainings.
        start: A run whose first trial is the same and is copied.
    """
    if start is not None and not run.trial(1).result.exists():
        shutil.copytree(start.trial(1).root, run.trial(1).root, dirs_exist_ok=True)
    return list(run_trials(run, search, trials=trials, seed=seed))


def run_trials(run: RunFolder, search: Search, *, trials: int, seed: int) -> Iterator[TrialResult]:
    """Yield the results of a search's trials; one in the run's folder is not trained again.

    Args:
        run: A prepared run for this search alone.
        search: The search.
        trials: Maximum number of trials.
        seed: Seed of the trainings.
    """
    for number in range(1, trials + 1):
        candidate = search.ask()
        if candidate is None:
            break
        request = TrialRequest(number=number, candidate=candidate, seed=seed, limits=_LIMITS)
        _assert_same(run, request)
        name = f"{run.root.parent.name}, {run.root.name}: trial {number} of at most {trials}"
        log(f"{name} begins")
        result = run_trial(run, request)
        log(f"{name}: accuracy {accuracy(result):.4f}")
        search.tell(result)
        yield result


def _assert_same(run: RunFolder, request: TrialRequest) -> None:
    """Raise an error if the folder holds the training of another candidate."""
    path = run.trial(request.number).request
    if path.exists():
        stored = TrialRequest.model_validate_json(path.read_text("utf-8"))
        if not same(stored.candidate, request.candidate):
            raise InputError(
                f"{path.parent} holds the training of another candidate; remove {run.root}",
                code="other_trial",
            )


def _parameters_of(start: Candidate) -> dict[str, Any]:
    """Return the start as a point of the space."""
    values: dict[str, Any] = {name: 1 for name in _SPACE if 1 in _SPACE[name]}
    return values | {
        "model": read(start, "model")[0],
        "augmentation": read(start, "augmentation")[0],
        "server_momentum": getattr(start.strategy, "server_momentum", 0.0),
        "proximal": start.proximal,
        "label_smoothing": start.label_smoothing,
        "rate": 1.0,
    }


def _sample(trial: optuna.trial.Trial, start: Candidate) -> Candidate:
    """Sample a point of the space and return it as a candidate."""
    values = {name: trial.suggest_categorical(name, values) for name, values in _SPACE.items()}
    factor = trial.suggest_float("rate", *_RATE, log=True)
    width = read(start, "model")[1]["width"]
    jitter = read(start, "augmentation")[1]
    schedule, numbers = read(start, "schedule")
    augmentation = values["augmentation"]
    strength = (
        {} if augmentation == "none" else jitter | {"shift": jitter["shift"] * values["shift"]}
    )
    momentum = values["server_momentum"]
    changes = {
        "model": write("model", values["model"], width=width * values["width"]),
        "augmentation": write("augmentation", augmentation, **strength),
        "schedule": write("schedule", schedule, peak=float(f"{numbers['peak'] * factor:.3g}")),
        "rounds": max(1, round(start.rounds * values["rounds"])),
        "local_epochs": max(1, round(start.local_epochs * values["local_epochs"])),
        "batch_size": max(2, round(start.batch_size * values["batch_size"])),
        "strategy": {"name": "fedavgm", "server_momentum": momentum}
        if momentum
        else {"name": "fedavg"},
        "proximal": values["proximal"],
        "label_smoothing": values["label_smoothing"],
    }
    return Candidate.model_validate(start.model_dump() | changes)
