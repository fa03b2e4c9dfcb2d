"""SCAFFOLD and FedDyn against client drift, and the states that both sides keep for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from flwr.app import Context, Message
from flwr.clientapp import ClientApp
from torch import nn

from edgewright.tools.federated.app.checkpoint import load_newest
from edgewright.tools.federated.app.files import state_file
from edgewright.tools.federated.app.learner import LearningTask, new_model, to_tensor, train_round
from edgewright.tools.federated.app.messages import read_instruction, reply_content
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.strategy import run_server
from edgewright.tools.federated.app.weights import load_arrays, write_arrays
from edgewright.tools.federated.grids.in_process import InProcessGrid
from edgewright.tools.federated.records.candidate import (
    Candidate,
    FedAvg,
    FedDyn,
    Int8,
    Scaffold,
    Strategy,
)
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.template.writer import settings_for
from edgewright.tools.federated.trials.prepare import DataRequest, load_card, prepare

#: A convex problem: one linear layer, whose smoothed labels give its loss a finite optimum.
TASK = LearningTask(
    build_model=lambda c, h, w, k: nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, k)),
    augment=lambda images: images,
    build_optimiser=lambda parameters, rate: torch.optim.SGD(parameters, lr=rate),
    learning_rate=lambda number, rounds: 0.2,
)
Configure = Callable[..., AppSettings]


@pytest.fixture(scope="module")
def skewed(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Return digits at ten clients, most of which have few of the classes."""
    folder = RunFolder(tmp_path_factory.mktemp("drift") / "run")
    prepare(DataRequest(clients=10, seed=1, partition="dirichlet", alpha=0.1), folder)
    return folder


@pytest.fixture
def configure(skewed: RunFolder, candidate: Candidate, tmp_path: Path) -> Configure:
    def make(strategy: Strategy, name: str = "out", **values: object) -> AppSettings:
        changed = candidate.model_copy(update={"strategy": strategy, **values})
        out = tmp_path / name
        out.mkdir()
        card = load_card(skewed)
        return settings_for(changed, card, data=skewed.data, out=out, seed=3, keep_checkpoints=0)

    return make


def train(settings: AppSettings, lost: tuple[tuple[int, int], ...] = ()) -> None:
    """Train; replies of ``lost``, pairs of round and client, are trained but do not arrive."""
    app = ClientApp()

    @app.train()
    def train_client(message: Message, context: Context) -> Message:
        client = int(context.node_config["partition-id"])
        instruction = read_instruction(message)
        result = train_round(TASK, settings, instruction, client=client)
        if (instruction.round_number, client) in lost:
            raise ConnectionError("gone")
        return Message(reply_content(result, client), reply_to=message)

    run_server(InProcessGrid(app, settings.clients, settings.run_config()), settings, TASK)


def weights_after(settings: AppSettings, number: int) -> dict[str, np.ndarray]:
    return load_arrays(Path(settings.out) / f"checkpoints/round-{number:04d}/weights.safetensors")


def accuracy(settings: AppSettings, run: RunFolder, number: int) -> float:
    model = new_model(TASK, settings)
    write_arrays(model, weights_after(settings, number))
    images = to_tensor(np.load(run.held / "validation_images.npy"))
    with torch.no_grad():
        predicted = model(images).argmax(dim=1).numpy()
    return float((predicted == np.load(run.held / "validation_labels.npy")).mean())


def rounds_to(settings: AppSettings, run: RunFolder, target: float) -> int:
    """Return the first round with an accuracy, or one more than there are."""
    numbers = range(1, settings.rounds + 1)
    return next((n for n in numbers if accuracy(settings, run, n) >= target), settings.rounds + 1)


@pytest.mark.slow
@pytest.mark.parametrize(("participation", "share"), [(1.0, 0.5), (0.5, 0.8)])
def test_corrected_clients_need_fewer_rounds_than_fedavg(
    configure: Configure, skewed: RunFolder, participation: float, share: float
) -> None:
    needed = {}
    for strategy in (FedAvg(), Scaffold(), FedDyn()):
        settings = configure(
            strategy, strategy.name, rounds=15, local_epochs=3, participation=participation
        )
        train(settings)
        needed[strategy.name] = rounds_to(settings, skewed, 0.85)
    assert needed["scaffold"] <= share * needed["fedavg"]
    assert needed["feddyn"] <= share * needed["fedavg"]


@pytest.mark.slow
def test_many_local_steps_move_fedavg_but_not_the_others_from_the_optimum(
    configure: Configure, skewed: RunFolder
) -> None:
    """On a convex problem with whole batches, only drift can lead away from the optimum."""
    images = to_tensor(np.load(skewed.data / "train_images.npy"))
    labels = torch.from_numpy(np.load(skewed.data / "train_labels.npy"))

    def loss(model: nn.Module) -> torch.Tensor:
        return nn.functional.cross_entropy(model(images), labels, label_smoothing=0.5)

    losses = {}
    for strategy in (FedAvg(), Scaffold(), FedDyn(alpha=0.3)):
        settings = configure(
            strategy, strategy.name, rounds=30, local_epochs=10, batch_size=1024,
            label_smoothing=0.5,
        )  # fmt: skip
        train(settings)
        model = new_model(TASK, settings)
        write_arrays(model, weights_after(settings, settings.rounds))
        losses[strategy.name] = float(loss(model).detach())
    best = new_model(TASK, settings)
    search = torch.optim.LBFGS(best.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        search.zero_grad()
        value = loss(best)
        value.backward()
        return value

    search.step(closure)
    optimum = float(loss(best).detach())
    gaps = {name: value - optimum for name, value in losses.items()}
    assert gaps["fedavg"] > 2 * max(gaps["scaffold"], gaps["feddyn"])


@pytest.mark.parametrize("strategy", [Scaffold(), FedDyn()], ids=lambda s: s.name)
@pytest.mark.parametrize("compression", [None, Int8()], ids=["float32", "int8"])
def test_lost_replies_and_a_resume_leave_both_sides_with_equal_states(
    configure: Configure, skewed: RunFolder, strategy: Strategy, compression: Int8 | None
) -> None:
    values = {"compression": compression} if compression else {}
    settings = configure(strategy, rounds=7, participation=0.5, **values)
    settings = settings.model_copy(update={"keep_checkpoints": 1})
    lost = tuple((number, client) for number in (2, 3, 5) for client in (0, 1, 2, 3))
    train(settings.model_copy(update={"rounds": 4}), lost)
    train(settings, lost)
    checkpoint = load_newest(Path(settings.out) / "checkpoints")
    assert checkpoint is not None and checkpoint.record.round_number == 7
    counts = np.bincount(np.load(skewed.data / "train_clients.npy"), minlength=10)
    expected = np.zeros_like(checkpoint.optimiser["control"])
    for client, number in enumerate(checkpoint.optimiser["admitted"]):
        if number:
            path = state_file(Path(settings.out) / "clients" / str(client), int(number))
            expected += counts[client] / counts.sum() * load_arrays(path)["correction"]
    if isinstance(strategy, FedDyn):
        expected /= -strategy.alpha
    assert np.allclose(checkpoint.optimiser["control"], expected, atol=1e-5)
    assert float(np.abs(expected).max()) > 1e-3


@pytest.mark.parametrize("strategy", [Scaffold(), FedDyn()], ids=lambda s: s.name)
def test_a_resume_changes_nothing(configure: Configure, strategy: Strategy) -> None:
    whole = configure(strategy, "whole", rounds=6, participation=0.5)
    train(whole)
    parts = whole.model_copy(update={"out": str(Path(whole.out).parent / "parts")})
    train(parts.model_copy(update={"rounds": 3}))
    train(parts)
    first, second = weights_after(whole, 6), weights_after(parts, 6)
    assert all(np.array_equal(first[name], second[name]) for name in first)
