"""A run's artefacts are written, and its best model is installed as a tool."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgewright.tools.datasets.summary import DataSummary
from edgewright.tools.errors import NotFoundError, UnavailableError
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.report import Reason, RunReport, TrialReport, read_report
from edgewright.tools.federated.records.trial import CurvePoint, LinkSpeed, ModelScore, TrialResult
from edgewright.tools.federated.serving.familiarity import Familiarity
from edgewright.tools.federated.serving.installed import (
    installed_at,
    installed_models,
    installed_revisions,
)
from edgewright.tools.federated.trials.artefacts import publish, summary
from edgewright.tools.federated.trials.prepare import write_split
from edgewright.tools.library import expert_statuses, experts, known_cards
from edgewright.tools.sandbox.faults import Fault

CARD = DataCard(
    name="digits", height=8, width=8, channels=1, original_side=8, classes=("0", "1"), train=100,
    validation=20, test=20, partition="iid",
    clients=(ClientCard(samples=50, histogram=(25, 25)),) * 2,
    balance=1.0, label_skew=0.0, size_skew=1.0,
)  # fmt: skip
CODE = Candidate(
    model="m = 1", augmentation="a = 1", optimiser="o = 1", schedule="s = 1", rounds=2,
    rationale="a first | try",
)  # fmt: skip
SCORE = ModelScore(accuracy=0.9, loss=0.2, clients=(0.8, 1.0))
FAULT = Fault(code="raised", message="it broke")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EDGEWRIGHT_ENGINE", "torch")  # exporting has tests of its own


@pytest.fixture
def run(tmp_path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    trial = folder.trial(2)
    trial.app.mkdir(parents=True)
    (trial.app / "pyproject.toml").write_text("[project]", "utf-8")
    trial.weights(2).mkdir(parents=True)
    (trial.weights(2) / "weights.safetensors").write_bytes(b"w")
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), np.uint8)
    zeros = np.zeros(60, np.int64)
    write_split(folder.held, "validation", images, zeros, zeros)
    return folder


def report(*, best: int = 2, personal: bool = False, run: str = "r1") -> RunReport:
    points = tuple(
        CurvePoint(
            round_number=number, train_loss=None, train_accuracy=None, validation=SCORE,
            bytes_up=500_000, bytes_down=1, simulated_s=3.0 * number, wall_s=float(number),
        )
        for number in (1, 2)
    )  # fmt: skip
    result = TrialResult(
        number=2, status="finished", engine="in-process", sandbox="sandlock", seed=0,
        curve=points, best_round=2, weights_sha256="ab" * 32,
    )  # fmt: skip
    code = CODE.model_copy(update={"personal_head": personal})
    reason = Reason(words="slow links", choice="int8", reason="fewer bytes")
    refused = TrialReport(
        coder="chat-model", candidate=CODE, reasons=(), note="", faults=(FAULT,), result=None
    )
    trained = TrialReport(
        coder="embedded", candidate=code, reasons=(reason,), note="", faults=(),
        result=result if best else None,
    )  # fmt: skip
    return RunReport(
        run=run, purpose="photos of digits", stop="trials", engine="in-process", seed=0,
        link=LinkSpeed(), data=CARD, trials=(refused, trained), best=best,
        test=SCORE if best else None,
    )  # fmt: skip


def test_a_run_leaves_its_artefacts_and_a_tool(run):
    before = installed_at()
    published = publish(run, report())
    assert published.tool == "digit-classifier"
    assert read_report(run) == published
    names = {path.name for path in run.root.iterdir()}
    assert {"app", "weights", "report.json", "curves.png", "summary.md"} <= names
    assert installed_at() != before
    (model,) = installed_models()
    assert model.card.id == model.manifest.model == "digit-classifier"
    assert (model.app / "pyproject.toml").exists()
    assert (model.weights / "weights.safetensors").read_bytes() == b"w"
    assert model.familiarity is not None
    assert Familiarity.from_bytes(model.familiarity.read_bytes()).threshold > 0
    assert installed_revisions() == {"digit-classifier": "abababababababab"}
    assert "digit-classifier" in known_cards()
    assert expert_statuses()["digit-classifier-expert"].model == "digit-classifier"
    assert experts()["digit-classifier-expert"].card == "digit-classifier"


def test_what_was_read_of_the_data_is_kept_in_the_report(run):
    reading = DataSummary(layout="classes", read=7, classes={"a": 7}, foreign=2)
    run.reading.write_text(reading.model_dump_json(), "utf-8")
    assert publish(run, report()).reading == read_report(run).reading == reading
    text = (run.root / "summary.md").read_text("utf-8")
    assert all(f"- {line}" in text for line in reading.lines())


def test_publishing_again_changes_nothing(run):
    first = publish(run, report())
    assert publish(run, report()) == first
    assert len(installed_models()) == 1


@pytest.mark.parametrize("other", [{"classes": ("0", "7")}, {"height": 16}, {"channels": 3}])
def test_a_model_for_other_classes_or_images_gets_another_id(run, other):
    publish(run, report())
    others = report(run="r2").model_copy(update={"data": CARD.model_copy(update=other)})
    assert publish(run, others).tool == "digit-classifier-2"
    assert len(installed_models()) == 2


def test_personal_heads_are_counted(run):
    publish(run, report(personal=True))
    assert installed_models()[0].manifest.heads == 2


def test_a_run_without_a_model_leaves_a_report(run):
    published = publish(run, report(best=0))
    assert published.tool == ""
    assert installed_models() == []
    assert "there is no model" in (run.root / "summary.md").read_text("utf-8")


def test_the_summary_contains_words_choices_and_figures():
    text = summary(report())
    assert "“slow links”: int8. fewer bytes" in text
    assert "| 2 | embedded | fedavg | 0.9000 | 0.8000 | 0.1000 | 1.00 | 6.0 | 2.0 |" in text
    assert "raised: it broke" in text
    assert "a first / try" in text


def test_a_run_that_has_not_ended_has_no_report(tmp_path):
    with pytest.raises(NotFoundError):
        read_report(RunFolder(tmp_path / "nothing"))


@pytest.mark.parametrize("name", ["manifest.json", "card.yaml"])
def test_a_damaged_model_is_skipped(run, name):
    publish(run, report())
    (model,) = installed_models()
    (model.folder / name).write_text(json.dumps({"id": 1}), "utf-8")
    assert installed_models() == []


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("weights/weights.safetensors", b"x"),
        ("familiarity/images.npz", b"x"),
        ("app/pyproject.toml", b"[other]"),
        ("app/__pycache__/slots.pyc", b"code"),
        ("weights/head-0.safetensors", b"x"),
    ],
)
def test_a_changed_model_is_not_loaded(run, path, content):
    publish(run, report())
    (model,) = installed_models()
    model.verify()
    changed = model.folder / path
    changed.parent.mkdir(exist_ok=True)
    changed.write_bytes(content)
    with pytest.raises(UnavailableError) as refused:
        model.verify()
    assert refused.value.info().code == "model_damaged"
