"""A candidate that learns digits in seconds, and prepared runs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.template.writer import settings_for, write_app
from edgewright.tools.federated.trials.prepare import DataRequest, prepare

MODEL = """
from torch import nn


def build_model(channels, height, width, classes):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(channels * height * width, 32), nn.ReLU(), nn.Linear(32, classes)
    )
"""
AUGMENTATION = "def augment(images):\n    return images\n"
OPTIMISER = """
import torch


def build_optimiser(parameters, learning_rate):
    return torch.optim.Adam(parameters, lr=learning_rate)
"""
SCHEDULE = "def learning_rate(round_number, rounds):\n    return 0.005\n"


@pytest.fixture
def candidate() -> Candidate:
    return Candidate(
        model=MODEL,
        augmentation=AUGMENTATION,
        optimiser=OPTIMISER,
        schedule=SCHEDULE,
        rounds=3,
        local_epochs=2,
        batch_size=16,
    )


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Return a run with digits at five clients."""
    folder = RunFolder(tmp_path / "run")
    prepare(DataRequest(clients=5, seed=1), folder)
    return folder


@pytest.fixture
def write_trial(run: RunFolder) -> Callable[[Candidate], AppSettings]:
    """Return a function that generates a candidate's app as trial 1 of the run."""
    from edgewright.tools.federated.trials.prepare import load_card

    def write_candidate(candidate: Candidate) -> AppSettings:
        trial = run.trial(1)
        trial.out.mkdir(parents=True)
        settings = settings_for(
            candidate, load_card(run), data=run.data, out=trial.out, seed=3, keep_checkpoints=0
        )
        write_app(candidate, settings, trial.app)
        return settings

    return write_candidate
