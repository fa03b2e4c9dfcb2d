"""A model becomes a tool's only if it is better; nothing that was good is lost."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from edgewright.cli.main import app
from edgewright.tools.errors import NotFoundError, UnavailableError
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.report import RunReport, TrialReport
from edgewright.tools.federated.records.trial import CurvePoint, LinkSpeed, ModelScore, TrialResult
from edgewright.tools.federated.serving.installed import installed_models
from edgewright.tools.federated.serving.versions import restore, versions
from edgewright.tools.federated.trials.placement import place
from edgewright.tools.federated.trials.prepare import write_split

CODE = Candidate(model="m = 1", augmentation="a", optimiser="o", schedule="s", rounds=1)
TOOL = "digit-classifier"


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "home"))
    # Where nodes run PyTorch, nothing is exported: here is no model, and a sandbox takes seconds.
    monkeypatch.setenv("EDGEWRIGHT_ENGINE", "torch")


@pytest.fixture
def train(tmp_path):
    """Place the model of a run, which is right on a share of the validation images."""
    accuracies: dict[bytes, float] = {}

    def scorer(app, weights, heads, classes, split):
        accuracy = accuracies[(weights / "weights.safetensors").read_bytes()]
        return ModelScore(accuracy=accuracy, loss=1 - accuracy, clients=(accuracy,))

    def place_model(name: str, accuracy: float, *, replace=False, test=None, histogram=(25, 25)):
        accuracies[name.encode()] = accuracy
        run = RunFolder(tmp_path / name)
        (run.root / "app").mkdir(parents=True, exist_ok=True)
        (run.root / "weights").mkdir(exist_ok=True)
        (run.root / "weights" / "weights.safetensors").write_bytes(name.encode())
        images, zeros = np.zeros((4, 8, 8, 1), np.uint8), np.zeros(4, np.int64)
        write_split(run.held, "validation", images, zeros, zeros)
        score = ModelScore(accuracy=test or accuracy, loss=0.2, clients=(accuracy, accuracy))
        point = CurvePoint(
            round_number=1, train_loss=None, train_accuracy=None, validation=score, bytes_up=1,
            bytes_down=1, simulated_s=1, wall_s=1,
        )  # fmt: skip
        result = TrialResult(
            number=1, status="finished", engine="in-process", sandbox="sandlock", seed=0,
            curve=(point,), best_round=1, weights_sha256=name.encode().hex() * 8,
        )  # fmt: skip
        card = DataCard(
            name="digits", height=8, width=8, channels=1, original_side=8, classes=("0", "1"),
            train=100, validation=20, test=200, partition="iid",
            clients=(ClientCard(samples=50, histogram=histogram),) * 2,
            balance=1.0, label_skew=0.0, size_skew=1.0,
        )  # fmt: skip
        trained = TrialReport(
            coder="embedded", candidate=CODE, reasons=(), note="", faults=(), result=result
        )
        report = RunReport(
            run=name, purpose="photos of digits", stop="trials", engine="in-process", seed=0,
            link=LinkSpeed(), data=card, trials=(trained,), best=1, test=score,
        )  # fmt: skip
        return place(run, report, trained, replace=replace, scorer=scorer)

    return place_model


def serving() -> str:
    (model,) = installed_models()
    model.verify()
    return model.manifest.run


def test_a_better_model_takes_the_place_and_the_earlier_one_stays(train):
    train("r1", 0.9)
    placed = train("r2", 0.996)
    assert placed.tool == TOOL
    assert serving() == "r2"
    assert "99.6%" in placed.note
    assert "r1" in placed.note
    assert [(each.run, each.current) for each in versions(TOOL)] == [("r2", True), ("r1", False)]


@pytest.mark.parametrize("accuracy", [0.6, 0.9])
def test_a_worse_or_equal_model_does_not(train, accuracy):
    train("r1", 0.9)
    placed = train("r2", accuracy)
    assert placed.tool == ""
    assert serving() == "r1"
    assert f"edgewright cards rollback {TOOL} r2" in placed.note
    assert [(each.run, each.current) for each in versions(TOOL)] == [("r2", False), ("r1", True)]


def test_a_person_may_say_that_it_does(train):
    train("r1", 0.9)
    placed = train("r2", 0.6, replace=True)
    assert (placed.tool, serving()) == (TOOL, "r2")
    assert "because you said so" in placed.note


@pytest.mark.parametrize("accuracy", [0.6, 0.95])
def test_placing_a_model_again_changes_nothing(train, accuracy):
    train("r1", 0.9)
    first = train("r2", accuracy)
    before = [(each.run, each.current) for each in versions(TOOL)]
    assert train("r2", accuracy) == first
    assert [(each.run, each.current) for each in versions(TOOL)] == before


def test_rolling_back_returns_to_what_served_before_and_forth_again(train):
    train("r1", 0.8)
    train("r2", 0.9)
    train("r3", 0.7)  # only stored
    assert restore(TOOL).run == "r1"
    assert serving() == "r1"
    assert restore(TOOL).run == "r2"
    assert restore(TOOL, "r3").current
    assert serving() == "r3"
    assert {each.run for each in versions(TOOL)} == {"r1", "r2", "r3"}


def test_a_model_that_cannot_run_any_more_is_replaced_but_kept(train):
    train("r1", 0.9)
    (model,) = installed_models()
    (model.weights / "weights.safetensors").write_bytes(b"changed")
    placed = train("r2", 0.8)
    assert placed.tool == TOOL
    assert "cannot be run any more" in placed.note
    with pytest.raises(UnavailableError):
        restore(TOOL)
    assert serving() == "r2"


@pytest.mark.parametrize(
    ("accuracy", "histogram", "reason"),
    [
        (0.5, (25, 25), "guessing"),
        (0.53, (25, 25), "guessing"),  # within what guessing reaches by chance
        (0.8, (40, 10), "always answering '0'"),
        (0.75, (10, 40), "always answering '1'"),
        (0.98, (49, 1), "always answering '0'"),
    ],
)
def test_a_model_that_knows_nothing_is_not_installed(train, accuracy, histogram, reason):
    placed = train("r1", accuracy, histogram=histogram)
    assert placed.tool == ""
    assert installed_models() == []
    assert reason in placed.note


@pytest.mark.parametrize(
    ("accuracy", "histogram"), [(0.6, (25, 25)), (0.9, (40, 10)), (1.0, (49, 1))]
)
def test_a_model_that_knows_something_is(train, accuracy, histogram):
    assert train("r1", accuracy, histogram=histogram).tool == TOOL


def test_a_tool_that_nobody_trained_has_no_history(train):
    with pytest.raises(NotFoundError):
        versions("nothing")
    with pytest.raises(NotFoundError):
        versions("../../runs")
    train("r1", 0.9)
    with pytest.raises(NotFoundError):
        restore(TOOL)
    with pytest.raises(NotFoundError):
        restore(TOOL, "r9")


def test_history_and_rollback_on_the_command_line(train):
    def edgewright(*args: str):
        return CliRunner().invoke(app, args)

    train("r1", 0.8)
    train("r2", 0.9)
    shown = edgewright("cards", "history", TOOL)
    assert shown.exit_code == 0, shown.output
    assert "r2  current, test accuracy 0.9000" in shown.stdout
    assert edgewright("cards", "rollback", TOOL).exit_code == 0
    (first, second) = json.loads(edgewright("cards", "history", TOOL, "--json").stdout)
    assert (first["run"], first["current"], second["current"]) == ("r1", True, False)
    assert edgewright("cards", "rollback", TOOL, "none").exit_code == 2
    assert edgewright("cards", "history", "none").exit_code == 2
