"""Whether a trained model becomes a tool: if it is of use, and no better one has its place."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from edgewright.tools.cards.registry import CardRegistry
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.report import RunReport, TrialReport
from edgewright.tools.federated.records.trial import ModelScore
from edgewright.tools.federated.serving.exporting import graph_if_exportable
from edgewright.tools.federated.serving.familiarity import learn_familiarity
from edgewright.tools.federated.serving.installed import (
    InstalledModel,
    TrainedModelManifest,
    installed_models,
)
from edgewright.tools.federated.serving.sandboxed_model import SandboxedModel
from edgewright.tools.federated.serving.tool_card import tool_card
from edgewright.tools.federated.serving.versions import (
    install_version,
    keep_version,
    versions,
)
from edgewright.tools.federated.trials.scoring import Split, load_split, score

#: Standard errors by which a model has to surpass a constant answer: one in twenty models that know
#: nothing would do so by chance.
_STANDARD_ERRORS = 1.64

#: Scores a model on a split: its app, weights, number of personal heads, number of classes, split.
Scorer = Callable[[Path, Path, int, int, Split], ModelScore]


class Placed(BaseModel):
    """What became of a trained model.

    Attributes:
        tool: Id of the tool whose model it now is; empty if it is none's.
        note: Why, in one sentence.
    """

    model_config = ConfigDict(frozen=True)

    tool: str
    note: str


def served_score(app: Path, weights: Path, heads: int, classes: int, split: Split) -> ModelScore:
    """Score a model as it is served, with its personal heads averaged.

    Args:
        app: Folder of the generated app.
        weights: Folder with its weights.
        heads: Number of personal heads; 0 for a single one.
        classes: Number of classes.
        split: The split.

    Raises:
        InputError: The model's code failed.
        UnavailableError: No sandbox works on this machine (``no_sandbox``).
    """
    total = np.full((len(split.images), classes), -np.inf)
    with SandboxedModel(app, classes) as model:
        for head in range(max(1, heads)):
            clients = np.full(len(split.images), head, dtype=np.int64)
            logits = model.logits(split.images, weights, clients=clients).astype(np.float64)
            logits -= np.logaddexp.reduce(logits, axis=1, keepdims=True)
            total = np.logaddexp(total, logits)
    clients_count = int(split.clients.max()) + 1 if len(split.clients) else 1
    return score((total - math.log(max(1, heads))).astype(np.float32), split, clients_count)


def place(
    run: RunFolder,
    report: RunReport,
    best: TrialReport,
    *,
    replace: bool,
    scorer: Scorer = served_score,
) -> Placed:
    """Install a run's best model, unless it knows nothing or a better one has its place.

    Args:
        run: The run, with the app and weights of its best trial.
        report: Its report, without ``tool``.
        best: Its best trial.
        replace: Whether a person said that it takes the place of a better one.
        scorer: Scores the two models on the run's validation split.
    """
    if refusal := no_better_than_a_constant(report):
        return Placed(tool="", note=refusal)
    others = [
        model.manifest
        for model in installed_models()
        if model.manifest.run != report.run and not model.manifest.is_for(report.data)
    ]
    used_ids = {card.id for card in CardRegistry.builtin()} | {other.model for other in others}
    card = tool_card(report.purpose, report.data, used_ids)
    assert best.result is not None and report.test is not None
    manifest = TrainedModelManifest(
        model=card.id,
        run=report.run,
        classes=report.data.classes,
        height=report.data.height,
        width=report.data.width,
        channels=report.data.channels,
        heads=len(report.data.clients) if best.candidate.personal_head else 0,
        revision=best.result.weights_sha256[:16],
        trained_at=time.time(),
        test_accuracy=report.test.accuracy,
    )
    app, weights = run.root / "app", run.root / "weights"
    present = next((each for each in installed_models() if each.manifest.model == card.id), None)
    better, note = True, "installed as a new tool"
    if present is not None and present.manifest.run == report.run:
        note = next(each.note for each in versions(card.id) if each.current)
        return Placed(tool=card.id, note=note)
    if present is not None:
        better, note = _compare(run, manifest, present, scorer)
        if not better and replace:
            better, note = True, f"{note}; it takes the place because you said so"
    graph = graph_if_exportable(manifest, app, weights)
    validation = load_split(run, "validation")
    learned = learn_familiarity(validation.images, validation.labels)
    familiarity = learned.to_bytes() if learned else None
    if better:
        install_version(card, manifest, app, weights, graph, familiarity=familiarity, note=note)
        return Placed(tool=card.id, note=note)
    keep_version(card, manifest, app, weights, graph, familiarity=familiarity, note=note)
    command = f"edgewright cards rollback {card.id} {report.run}"
    return Placed(
        tool="", note=f"{card.id!r} keeps its model: {note}; '{command}' installs this one anyway"
    )


def no_better_than_a_constant(report: RunReport) -> str:
    """Return why a model is not worth installing; empty if it is better than one fixed answer."""
    assert report.test is not None
    data = report.data
    totals = np.sum([client.histogram for client in data.clients], axis=0)
    names = dict(zip(totals.tolist(), data.classes, strict=False))
    share = float(totals.max() / max(1, totals.sum()))
    chance = 1 / len(data.classes)
    constant = max(share, chance)
    needed = constant + _STANDARD_ERRORS * math.sqrt(constant * (1 - constant) / max(1, data.test))
    if report.test.accuracy > min(needed, 1 - 1e-9):
        return ""
    always = (
        f"always answering {names[int(totals.max())]!r} would be right on about {share:.1%}"
        if share > chance * 1.1
        else f"guessing would be right on about {chance:.1%}"
    )
    return (
        f"not installed: it is right on {report.test.accuracy:.1%} of {data.test} test images, and "
        f"{always}; more or cleaner labelled images would help"
    )


def _compare(
    run: RunFolder, manifest: TrainedModelManifest, present: InstalledModel, scorer: Scorer
) -> tuple[bool, str]:
    """Return whether a new model is better than the present one, and how both did."""
    split, classes = load_split(run, "validation"), len(manifest.classes)
    theirs, run_name = present.manifest, present.manifest.run
    new = scorer(run.root / "app", run.root / "weights", manifest.heads, classes, split)
    try:
        present.verify()
        old = scorer(present.app, present.weights, theirs.heads, classes, split)
    except EdgewrightError as error:
        return True, f"the model of run {run_name} cannot be run any more ({error.message})"
    figures = (
        f"of the same {len(split.labels)} validation images it is right on {new.accuracy:.1%}, the "
        f"model of run {run_name} on {old.accuracy:.1%}"
    )
    return new.rank > old.rank, figures
