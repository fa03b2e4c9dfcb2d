"""Artefacts of a run: the best app and weights, report, curves and a summary page."""

from __future__ import annotations

import shutil

from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.report import RunReport, TrialReport, write_report
from edgewright.tools.federated.trials.placement import Scorer, place, served_score
from edgewright.tools.federated.trials.prepare import load_reading
from edgewright.tools.storage.removal import remove


def publish(
    run: RunFolder, report: RunReport, *, replace: bool = False, scorer: Scorer = served_score
) -> RunReport:
    """Write the artefacts of a run that has ended, and install its best model as a tool.

    The operation is idempotent, so that it can be repeated after a kill.

    Args:
        run: The run.
        report: Its report, without ``tool``.
        replace: Whether the model takes the place of a better one, because a person said so.
        scorer: Compares the model with the one that has its place.

    Returns:
        The report, with ``tool`` and ``placement``.
    """
    report = report.model_copy(update={"reading": load_reading(run)})
    best = report.best_trial
    if best is not None and best.result is not None:
        trial = run.trial(report.best)
        weights = trial.weights(best.result.best_round)
        for source, name in ((trial.app, "app"), (weights, "weights")):
            remove(run.root / name)
            shutil.copytree(source, run.root / name)
        placed = place(run, report, best, replace=replace, scorer=scorer)
        report = report.model_copy(update={"tool": placed.tool, "placement": placed.note})
    draw_curves(run, report)
    (run.root / "summary.md").write_text(summary(report), "utf-8")
    write_report(run, report)
    return report


def draw_curves(run: RunFolder, report: RunReport) -> None:
    """Plot validation accuracy over rounds and simulated time, with one line per trial."""
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
    """Return the summary page of a run as Markdown."""
    data = report.data
    lines = [
        f"# {report.tool or report.run}",
        "",
        f"> {' '.join(report.purpose.split())}",
        "",
        f"Data: {data.name}, {data.train} training samples at {len(data.clients)} clients "
        f"({data.partition}), {len(data.classes)} classes, label skew {data.label_skew:.2f}.",
        "",
        *([f"- {line}" for line in report.reading.lines()] if report.reading else []),
        "",
        f"Ended: {report.stop}. Engine: {report.engine}. Seed: {report.seed}.",
        "",
    ]
    lines += _result(report)
    lines += ["## Trials", "", _HEAD, _RULE, *map(_row, report.trials), ""]
    best = report.best_trial
    if best is not None:
        lines += [f"## Rationale of trial {report.best}", "", best.candidate.rationale, ""]
        lines += [
            f"- {f'“{reason.words}”: ' if reason.words else ''}{reason.choice}. {reason.reason}"
            for reason in best.reasons
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
        return ["No candidate completed its training, so there is no model.", ""]
    return [
        f"Test accuracy {test.accuracy:.4f} (measured once), worst client {test.worst_client:.4f}, "
        f"spread between clients {test.spread:.4f}.",
        "",
        f"Tool: {report.placement or 'none'}.",
        "",
        *(f"- Caution: {caution}." for caution in report.cautions),
        *([""] if report.cautions else []),
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
    """Make a text safe for a Markdown table cell."""
    return " ".join(text.replace("|", "/").split())[:200]
