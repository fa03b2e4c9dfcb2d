"""The generated app in this process: clients, server, guard, checkpoints and resuming."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from flwr.app import Array, ArrayRecord, Context, Message, RecordDict

from edgewright.tools.federated.app.checkpoint import load_newest
from edgewright.tools.federated.app.files import finished_rounds, newest_states, state_file
from edgewright.tools.federated.app.instruction import TrainInstruction
from edgewright.tools.federated.app.learner import LearningTask, new_model, to_tensor, train_round
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.strategy import run_server
from edgewright.tools.federated.app.weights import (
    load_arrays,
    read_arrays,
    save_arrays,
    tensor_names,
    write_arrays,
)
from edgewright.tools.federated.grids.in_process import InProcessGrid
from edgewright.tools.federated.records.candidate import (
    Candidate,
    FedAdam,
    FedAvg,
    FedAvgM,
    FedDyn,
    FedYogi,
    Int8,
    Median,
    MultiKrum,
    Private,
    Scaffold,
    Strategy,
    TopK,
    TrimmedMean,
)
from edgewright.tools.federated.records.layout import RunFolder

App = Callable[[Message, Context], Message]
Change = Callable[[RecordDict], None]


@pytest.fixture(autouse=True)
def _fresh_imports() -> Iterator[None]:
    """Remove the generated app's modules after each test, since each test has its own app."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name in [name for name in sys.modules if name.split(".")[0] == "federated_app"]:
        del sys.modules[name]


def load_app(run: RunFolder) -> tuple[App, LearningTask]:
    sys.path.insert(0, str(run.trial(1).app))
    client = importlib.import_module("federated_app.client_app").app
    return client, importlib.import_module("federated_app.task").TASK


def train(
    run: RunFolder, settings: AppSettings, change: Change | None = None, bad: int = 4
) -> list[Exception]:
    """Train, applying ``change`` to each reply of one client; return the errors."""
    app, task = load_app(run)
    errors: list[Exception] = []

    def hostile(message: Message, context: Context) -> Message:
        answer = app(message, context)
        if change is not None and context.node_config["partition-id"] == bad:
            change(answer.content)
        return answer

    grid = InProcessGrid(hostile, settings.clients, settings.run_config(), on_error=errors.append)
    run_server(grid, settings, task)
    return errors


def accuracy(run: RunFolder, settings: AppSettings) -> float:
    _, task = load_app(run)
    checkpoint = load_newest(Path(settings.out) / "checkpoints")
    assert checkpoint is not None and checkpoint.record.round_number == settings.rounds
    model = new_model(task, settings)
    write_arrays(model, checkpoint.weights)
    model.eval()
    images = to_tensor(np.load(run.held / "validation_images.npy"))
    with torch.no_grad():
        predicted = model(images).argmax(dim=1).numpy()
    return float((predicted == np.load(run.held / "validation_labels.npy")).mean())


Write = Callable[[Candidate], AppSettings]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"compression": Int8()},
        {"compression": TopK(share=0.3)},
        {"strategy": FedAvgM(server_momentum=0.5)},
        {"strategy": FedAdam(server_learning_rate=0.02)},
        {"strategy": FedYogi(server_learning_rate=0.02)},
        {"strategy": Scaffold()},
        {"strategy": FedDyn(), "compression": Int8()},
        {"proximal": 0.01, "label_smoothing": 0.1},
        {"participation": 0.6},
    ],
    ids=str,
)
def test_it_learns(
    run: RunFolder, write_trial: Write, candidate: Candidate, changes: dict[str, object]
) -> None:
    settings = write_trial(candidate.model_copy(update={"rounds": 8, **changes}))
    assert train(run, settings) == []
    assert finished_rounds(run.trial(1).checkpoints) == list(range(1, 9))
    assert accuracy(run, settings) > 0.75


def test_equal_seeds_give_equal_weights_and_a_resume_changes_nothing(
    run: RunFolder, write_trial: Write, candidate: Candidate
) -> None:
    changes = {"compression": TopK(share=0.2), "strategy": FedAvgM(), "rounds": 4}
    settings = write_trial(candidate.model_copy(update=changes))
    train(run, settings)
    whole = {
        number: load_arrays(run.trial(1).checkpoints / f"round-{number:04d}/weights.safetensors")
        for number in (2, 4)
    }
    short = settings.model_copy(update={"out": str(run.root / "again")})
    (run.root / "again").mkdir()
    train(run, short.model_copy(update={"rounds": 2}))
    train(run, short)
    for number, weights in whole.items():
        again = load_arrays(run.root / f"again/checkpoints/round-{number:04d}/weights.safetensors")
        assert all(np.array_equal(weights[name], again[name]) for name in weights)
    assert finished_rounds(run.root / "again" / "checkpoints") == [1, 2, 3, 4]


def test_a_finished_run_trains_nothing(
    run: RunFolder, write_trial: Write, candidate: Candidate
) -> None:
    settings = write_trial(candidate)
    train(run, settings)
    before = run.trial(1).progress.read_text()
    train(run, settings)
    assert run.trial(1).progress.read_text() == before


def test_only_the_newest_checkpoints_are_retained(
    run: RunFolder, write_trial: Write, candidate: Candidate
) -> None:
    settings = write_trial(candidate.model_copy(update={"compression": TopK()}))
    train(run, settings.model_copy(update={"keep_checkpoints": 2}))
    assert finished_rounds(run.trial(1).checkpoints) == [2, 3]
    assert len(list((run.trial(1).clients / "0").iterdir())) == 2


def test_personal_heads_stay_with_their_clients(
    run: RunFolder, write_trial: Write, candidate: Candidate
) -> None:
    settings = write_trial(candidate.model_copy(update={"personal_head": True}))
    train(run, settings)
    heads = newest_states(run.trial(1).clients, 3, 100)
    assert sorted(heads) == [0, 1, 2, 3, 4]
    first, second = load_arrays(heads[0]), load_arrays(heads[1])
    assert sorted(first) == ["head:3.bias", "head:3.weight"]
    assert not np.array_equal(first["head:3.weight"], second["head:3.weight"])


def test_a_personal_head_starts_halfway_to_the_global_one(
    run: RunFolder, write_trial: Write, candidate: Candidate
) -> None:
    still = "def learning_rate(round_number, rounds):\n    return 1e-12\n"
    settings = write_trial(candidate.model_copy(update={"personal_head": True, "schedule": still}))
    _, task = load_app(run)
    model = new_model(task, settings)
    global_arrays = read_arrays(model, tensor_names(model))
    folder = run.trial(1).clients / "0"
    own = {"head:3.weight": np.ones((10, 32), np.float32), "head:3.bias": np.zeros(10, np.float32)}
    save_arrays(state_file(folder, 1), own)
    train_round(task, settings, TrainInstruction(global_arrays, 2), client=0)
    state = load_arrays(state_file(folder, 2))
    assert np.allclose(state["head:3.weight"], (1 + global_arrays["3.weight"]) / 2, atol=1e-6)
    assert np.allclose(state["head:3.bias"], global_arrays["3.bias"] / 2, atol=1e-6)


def test_frozen_weights_neither_change_nor_are_sent(
    run: RunFolder, write_trial: Write, candidate: Candidate
) -> None:
    frozen = """
from torch import nn


def build_model(channels, height, width, classes):
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(channels * height * width, 32), nn.BatchNorm1d(32),
        nn.ReLU(), nn.Linear(32, classes),
    )
    model[1].requires_grad_(False)
    model[2].requires_grad_(False)
    return model
"""
    settings = write_trial(candidate.model_copy(update={"model": frozen}))
    assert train(run, settings) == []
    checkpoint = load_newest(run.trial(1).checkpoints)
    assert checkpoint is not None
    assert sorted(checkpoint.weights) == ["4.bias", "4.weight"]
    assert checkpoint.record.clients[0].bytes_up == 4 * (32 * 10 + 10)
    assert accuracy(run, settings) > 0.5


def test_private_training_counts_epsilon_and_stops_at_its_budget(
    run: RunFolder, write_trial: Write, candidate: Candidate
) -> None:
    private = Private(noise_multiplier=1.0, epsilon=8.0, clipping_norm=1.0)
    settings = write_trial(candidate.model_copy(update={"strategy": private, "rounds": 50}))
    train(run, settings)
    checkpoint = load_newest(run.trial(1).checkpoints)
    assert checkpoint is not None
    assert checkpoint.record.round_number < 50
    assert checkpoint.record.epsilon is not None and 4 < checkpoint.record.epsilon <= 8
    assert all(client.loss is None for client in checkpoint.record.clients)


def replace_update(content: RecordDict, change: Callable[[np.ndarray], np.ndarray]) -> None:
    vector = np.frombuffer(content.array_records["arrays"]["update"].data, np.float32)
    data = change(vector).astype(np.float32).tobytes()
    update = Array(dtype="uint8", shape=(len(data),), stype="edgewright.raw", data=data)
    content.array_records["arrays"] = ArrayRecord({"update": update})


def silent(content: RecordDict) -> None:
    raise ConnectionError("gone")


ATTACKS: dict[str, Change] = {
    "nan": lambda c: replace_update(c, lambda v: v * np.nan),
    "sign flip": lambda c: replace_update(c, lambda v: -v),
    "x 1e6": lambda c: replace_update(c, lambda v: v * 1e6),
    "wrong shape": lambda c: replace_update(c, lambda v: v[:-3]),
    "forged sample count": lambda c: c.metric_records["metrics"].update({"num-examples": 10**9}),
    "no update": lambda c: c.array_records.clear(),
    "no metrics": lambda c: c.metric_records.clear(),
    "another's name": lambda c: c.metric_records["metrics"].update({"partition-id": 0}),
    "silent": silent,
}


#: Dropped by the guard, before a strategy sees them.
GUARDED = ("nan", "x 1e6", "forged sample count", "wrong shape", "silent")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "attacks"),
    [
        (TrimmedMean(trim=0.2), ("sign flip", *GUARDED)),
        (Median(), ("sign flip",)),
        (MultiKrum(), ("sign flip",)),
    ],
    ids=["trimmed-mean", "median", "multi-krum"],
)
def test_one_bad_client_of_five_costs_at_most_two_points(
    run: RunFolder,
    write_trial: Write,
    candidate: Candidate,
    strategy: Strategy,
    attacks: tuple[str, ...],
) -> None:
    settings = write_trial(candidate.model_copy(update={"strategy": strategy, "rounds": 15}))

    def trained(name: str, change: Change | None = None) -> float:
        out = run.root / "attacks" / name
        out.mkdir(parents=True)
        fresh = settings.model_copy(update={"out": str(out)})
        train(run, fresh, change)
        return accuracy(run, fresh)

    clean = trained("clean")
    for name in attacks:
        assert trained(name, ATTACKS[name]) >= clean - 0.02, name
    labels = np.load(run.data / "train_labels.npy")
    bad = np.load(run.data / "train_clients.npy") == 4
    labels[bad] = 9 - labels[bad]
    np.save(run.data / "train_labels.npy", labels)
    assert trained("label flip") >= clean - 0.02


@pytest.mark.parametrize("name", [name for name in ATTACKS if name != "sign flip"])
def test_replies_dropped_by_the_guard_are_recorded(
    run: RunFolder, write_trial: Write, candidate: Candidate, name: str
) -> None:
    settings = write_trial(candidate.model_copy(update={"rounds": 1, "strategy": FedAvg()}))
    train(run, settings, ATTACKS[name])
    checkpoint = load_newest(run.trial(1).checkpoints)
    assert checkpoint is not None and checkpoint.record.quorum
    assert len(checkpoint.record.clients) == 4
    assert len(checkpoint.record.dropped) == 1 and checkpoint.record.dropped[0].reason
    assert all(np.isfinite(value).all() for value in checkpoint.weights.values())


def test_without_a_quorum_the_model_is_unchanged(
    run: RunFolder, write_trial: Write, candidate: Candidate
) -> None:
    settings = write_trial(candidate.model_copy(update={"rounds": 1}))
    train(run, settings)
    good = load_newest(run.trial(1).checkpoints)
    app, task = load_app(run)

    def mostly_gone(message: Message, context: Context) -> Message:
        if int(context.node_config["partition-id"]) > 1:
            raise ConnectionError("gone")
        return app(message, context)

    longer = settings.model_copy(update={"rounds": 2})
    run_server(InProcessGrid(mostly_gone, 5, longer.run_config()), longer, task)
    after = load_newest(run.trial(1).checkpoints)
    assert good is not None and after is not None
    assert after.record.round_number == 2 and not after.record.quorum
    assert all(np.array_equal(good.weights[name], after.weights[name]) for name in good.weights)


def test_a_half_written_checkpoint_does_not_count(
    run: RunFolder, write_trial: Write, candidate: Candidate
) -> None:
    settings = write_trial(candidate.model_copy(update={"rounds": 1}))
    folder = Path(settings.out) / "checkpoints"
    part = folder / ".round-0001.part"
    part.mkdir(parents=True)
    (part / "weights.safetensors").write_bytes(b"half")
    assert finished_rounds(folder) == [] and load_newest(folder) is None
    train(run, settings)
    assert finished_rounds(folder) == [1]


def test_settings_survive_flowers_run_config(
    run: RunFolder, write_trial: Write, candidate: Candidate
) -> None:
    settings = write_trial(
        candidate.model_copy(update={"strategy": MultiKrum(), "compression": TopK()})
    )
    assert AppSettings.read(settings.run_config()) == settings
    assert all(isinstance(v, str | int | float | bool) for v in settings.run_config().values())
