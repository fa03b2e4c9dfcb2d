"""What a run leaves behind: the app, weights, report, curves and a page for people."""

from __future__ import annotations

import shutil

from edgewright.tools.cards.registry import CardRegistry
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.report import RunReport, TrialReport, write_report
from edgewright.tools.federated.serving.installed import (
    InstalledModel,
    TrainedModelManifest,
    install,
    installed_models,
)
from edgewright.tools.federated.serving.tool_card import tool_card


def publish(run: RunFolder, report: RunReport) -> RunReport:
    """Write the artefacts of a run that has ended, and install its best model as a tool.

    Done twice, as after a kill, it leaves the same as done once.

    Args:
        run: The run.
        report: Its report; ``tool`` is filled in here.

    Returns:
        The completed report.
    """
    best = report.best_trial
    if best is not None and best.result is not None:
        trial = run.trial(report.best)
        weights = trial.weights(best.result.best_round)
        for source, name in ((trial.app, "app"), (weights, "weights")):
            shutil.rmtree(run.root / name, ignore_errors=True)
            shutil.copytree(source, run.root / name)
        report = report.model_copy(update={"tool": _install(run, report, best)})
    draw_curves(run, report)
    (run.root / "summary.md").write_text(summary(report), "utf-8")
    write_report(run, report)
    return report


def _install(run: RunFolder, report: RunReport, best: TrialReport) -> str:
    """Install the best model; one that was trained again takes the place of the earlier one.

    Two cards that tell the same classes apart in the same kind of picture, and are called alike,
    would both answer every question about it.
    """
    others = [model.manifest for model in installed_models() if not _alike(model, report)]
    taken = {card.id for card in CardRegistry.builtin()} | {other.model for other in others}
    card = tool_card(report.purpose, report.data, taken)
    assert best.result is not None
    heads = len(report.data.clients) if best.candidate.personal_head else 0
    manifest = TrainedModelManifest(
        model=card.id,
        run=report.run,
        classes=report.data.classes,
        height=report.data.height,
        width=report.data.width,
        channels=report.data.channels,
        heads=heads,
        revision=best.result.weights_sha256[:16],
    )
    install(card, manifest, run.root / "app", run.root / "weights")
    return card.id


def _alike(model: InstalledModel, report: RunReport) -> bool:
    """Say whether a model is of this run, or tells the same apart in the same kind of picture."""
    theirs, data = model.manifest, report.data
    shape = (theirs.height, theirs.width, theirs.channels)
    same = theirs.classes == data.classes and shape == (data.height, data.width, data.channels)
    return theirs.run == report.run or same


def draw_curves(run: RunFolder, report: RunReport) -> None:
    """Draw validation accuracy over rounds and over simulated time, one line for each training."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    by_round, by_time = figure.subplots(1, 2, sharey=True)
    for trial in report.trials:
        if trial.result is None or not trial.result.curve:
            continue
        accuracy = [point.validation.accuracy for point in trial.result.curve]
        label = f"trial {trial.result.number}"
        by_round.plot([p.round_number for p in trial.result.curve], accuracy, label=label)
        by_time.plot([p.simulated_s for p in trial.result.curve], accuracy, label=label)
    by_round.set(xlabel="round", ylabel="validation accuracy", title="rounds")
    by_time.set(xlabel="simulated seconds", title="link clock")
    for axes in (by_round, by_time):
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    figure.savefig(run.root / "curves.png", dpi=120)


def summary(report: RunReport) -> str:
    """Return the one page about a run, as Markdown."""
    data = report.data
    lines = [
        f"# {report.tool or report.run}",
        "",
        f"> {' '.join(report.purpose.split())}",
        "",
        f"Data: {data.name}, {data.train} training samples at {len(data.clients)} clients "
        f"({data.partition}), {len(data.classes)} classes, label skew {data.label_skew:.2f}.",
        "",
        f"Ended: {report.stop}. Engine: {report.engine}. Seed: {report.seed}.",
        "",
    ]
    lines += _result(report)
    lines += ["## Trials", "", _HEAD, _RULE, *map(_row, report.trials), ""]
    best = report.best_trial
    if best is not None:
        lines += [f"## Why trial {report.best} is as it is", "", best.candidate.rationale, ""]
        lines += [
            f"- {f'“{each.words}”: ' if each.words else ''}{each.choice}. {each.reason}"
            for each in best.reasons
        ]
        lines += ["", "![curves](curves.png)"]
    return "\n".join(lines) + "\n"


_COLUMNS = (
    "trial", "by", "strategy", "validation", "worst client", "spread", "MB up", "simulated s", "s",
    "remark",
)  # fmt: skip
_HEAD = f"| {' | '.join(_COLUMNS)} |"
_RULE = "| --- " * len(_COLUMNS) + "|"


def _result(report: RunReport) -> list[str]:
    test = report.test
    if test is None:
        return ["No candidate was trained to its end, so there is no model.", ""]
    return [
        f"Test accuracy {test.accuracy:.4f} (taken once), worst client {test.worst_client:.4f}, "
        f"spread between clients {test.spread:.4f}.",
        "",
    ]


def _row(trial: TrialReport) -> str:
    best, costs = trial.best, trial.costs
    number = str(trial.result.number) if trial.result else "not trained"
    remark = trial.candidate.rationale
    if trial.complaints:
        remark = f"{trial.complaints[0].code}: {trial.complaints[0].message}"
    figures = [""] * 6
    if best is not None and costs is not None:
        figures = [
            f"{best.validation.accuracy:.4f}",
            f"{best.validation.worst_client:.4f}",
            f"{best.validation.spread:.4f}",
            f"{costs['bytes_up'] / 1e6:.2f}",
            f"{costs['simulated_s']:.1f}",
            f"{costs['wall_s']:.1f}",
        ]
    cells = [number, trial.coder, trial.candidate.strategy.name, *figures, _cell(remark)]
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Keep a text from breaking out of its table cell."""
    return " ".join(text.replace("|", "/").split())[:200]
