"""What it costs to find a model, with and without a forecast of what another trial can gain.

Each of ten small data sets is searched once, as long as release 0.1.0 would have gone on: until so
many trials, or the last ones gained nothing. A run of today makes the same trials and stops sooner,
so it is the beginning of that search. Finished trials are cached, so that an interrupted benchmark
resumes where it stopped.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.agents.fl_coder.embedded.diagnosis import noise_of
from edgewright.agents.fl_coder.embedded.forecast import forecast
from edgewright.agents.fl_coder.protocol import Attempt, TrainingProblem
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.federated.searches import Agent, accuracy, rank, run_trials
from edgewright.benchmarks.federated.sets import SETS, NamedSet, data_request
from edgewright.graphs.federated.decisions import best_point, stop_reason
from edgewright.graphs.federated.state import TrainSettings
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.trial import TrialResult
from edgewright.tools.federated.trials.prepare import DataRequest, prepare
from edgewright.tools.federated.trials.scoring import score_test

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: As a run's defaults, but for the time: another machine must not make other trials.
SETTINGS = TrainSettings(time_s=1e9)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="names of data sets (default: all)")
    parser.add_argument("--cache", type=Path, default=Path(".bench-federated/trials"))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    cache = options.cache.resolve()
    os.environ["EDGEWRIGHT_HOME"] = str(cache / "home")
    records = []
    for each in SETS:
        if not options.only or each.name in options.only:
            records.append(measure(each, cache))
            log(_line(records[-1]))
    markdown = markdown_of(records)
    sys.stdout.write(markdown)
    figures = {"trials": SETTINGS.trials, "patience": SETTINGS.patience, "sets": records}
    write_results(options.out, "trials", figures, markdown, lambda axes: _draw(axes, records))
    return 0


def measure(named: NamedSet, cache: Path) -> dict[str, Any]:
    """Search a data set as release 0.1.0 would have done, and note where a run of today stops.

    Args:
        named: The data set.
        cache: Folder of the runs and of drawn images.
    """
    run = RunFolder(cache / named.name / "0.1.0")
    request = data_request(named, cache)
    card = prepare(request, run)
    agent = Agent(TrainingProblem(purpose=named.words, card=card))
    results: list[TrialResult] = []
    stopped: dict[str, Any] | None = None
    for result in run_trials(run, agent, trials=SETTINGS.trials, seed=SETTINGS.seed):
        results.append(result)
        log(f"{named.name}, trial {len(results)}: validation {accuracy(result):.4f}")
        if stopped is None and (reason := stop_reason(agent.attempts, SETTINGS, card)):
            stopped = {"trials": len(results), "reason": reason, **_expected(agent.attempts, card)}
        if _without_forecast(agent.attempts, card):
            break
    stopped = stopped or {"trials": len(results), "reason": "unchanged"}
    ours, theirs = _best(results[: stopped["trials"]]), _best(results)
    after_all = score_test(run, results[theirs].number).accuracy
    today = RunFolder(cache / named.name / "today")
    return {
        "name": named.name,
        "kind": named.kind,
        "samples": card.train + card.validation + card.test,
        "classes": len(card.classes),
        "test_samples": card.test,
        "stopped": stopped,
        "test": [
            after_all if ours == theirs else _score(today, request, run, results[ours].number),
            after_all,
        ],
        "trials": [
            {
                "validation": accuracy(result),
                "simulated_s": result.curve[-1].simulated_s,
                "bytes": sum(point.bytes_up + point.bytes_down for point in result.curve),
                "wall_s": round(result.curve[-1].wall_s, 2),
            }
            for result in results
        ],
    }


def _score(today: RunFolder, request: DataRequest, run: RunFolder, number: int) -> float:
    """Score a trial of another run on the test split, which each run may use once."""
    prepare(request, today)
    shutil.copytree(run.trial(number).root, today.trial(number).root, dirs_exist_ok=True)
    return score_test(today, number).accuracy


def _without_forecast(attempts: Sequence[Attempt], card: DataCard) -> bool:
    """Return whether release 0.1.0 would have stopped: it knew neither perfect nor forecast."""
    done = [each for each in attempts if best_point(each) is not None]
    best, stale = 0.0, 0
    for each in done:
        assert each.result is not None
        improved = accuracy(each.result) > best + noise_of(each.result.curve, card.validation)
        stale = 0 if improved else stale + 1
        best = max(best, accuracy(each.result))
    return len(done) >= SETTINGS.trials or stale >= SETTINGS.patience


def _expected(attempts: Sequence[Attempt], card: DataCard) -> dict[str, float]:
    """Return the forecast of another trial, if one was trained."""
    if not any(best_point(each) for each in attempts):
        return {}
    expected = forecast(attempts, card, stale=0)
    return {"gain": round(expected.gain, 5), "interval": round(expected.interval, 5)}


def _best(results: Sequence[TrialResult]) -> int:
    return max(range(len(results)), key=lambda index: rank(results[index]))


def costs(record: dict[str, Any], name: str) -> tuple[float, float]:
    """Return what a run of today costs, and one of release 0.1.0.

    Args:
        record: A data set's record.
        name: ``simulated_s``, ``bytes`` or ``wall_s``.
    """
    spent = [float(trial[name]) for trial in record["trials"]]
    return sum(spent[: record["stopped"]["trials"]]), sum(spent)


def markdown_of(records: Sequence[dict[str, Any]]) -> str:
    """Return the table, and what is saved in all."""
    rows = []
    for each in records:
        (ours, theirs), (ours_bytes, theirs_bytes) = (
            costs(each, "simulated_s"),
            costs(each, "bytes"),
        )
        rows.append([
            each["name"], each["kind"], each["samples"], each["classes"],
            f"{each['stopped']['trials']} ({each['stopped']['reason']})", len(each["trials"]),
            f"{ours:.0f}", f"{theirs:.0f}", f"{ours_bytes / 1e6:.1f}", f"{theirs_bytes / 1e6:.1f}",
            f"{100 * each['test'][0]:.1f} %", f"{100 * each['test'][1]:.1f} %",
        ])  # fmt: skip
    columns = (
        "data", "kind", "samples", "classes", "trials (why no more)", "trials of 0.1.0",
        "simulated s", "of 0.1.0", "MB", "of 0.1.0", "test accuracy", "of 0.1.0",
    )  # fmt: skip
    return f"{_summary(records)}\n\n{table(columns, rows)}"


def _summary(records: Sequence[dict[str, Any]]) -> str:
    saved = [
        f"{100 * (1 - sum(ours) / sum(theirs)):.0f} % of the {what}"
        for name, what in (
            ("simulated_s", "simulated seconds"), ("bytes", "bytes"), ("wall_s", "seconds here"),
        )
        for ours, theirs in [zip(*(costs(each, name) for each in records), strict=True)]
    ]  # fmt: skip
    samples = sum(each["test_samples"] for each in records)
    right = [sum(each["test"][i] * each["test_samples"] for each in records) for i in (0, 1)]
    error = math.sqrt(max(right[0] / samples * (1 - right[0] / samples), 1e-4) / samples)
    means = [sum(each["test"][i] for each in records) / len(records) for i in (0, 1)]
    return (
        f"{len(records)} data sets, at most {SETTINGS.trials} trials each. Against release 0.1.0, "
        f"which went on after perfect trials and without a forecast, a run saves {saved[0]}, "
        f"{saved[1]} and {saved[2]}. Mean test accuracy {100 * means[0]:.2f} % against "
        f"{100 * means[1]:.2f} % (standard error over the {samples} test samples "
        f"{100 * error:.2f} points):"
    )


def _line(record: dict[str, Any]) -> str:
    stopped, (ours, theirs) = record["stopped"], costs(record, "simulated_s")
    return (
        f"{record['name']}: {stopped['trials']} of {len(record['trials'])} trials "
        f"({stopped['reason']}), {ours:.0f} of {theirs:.0f} simulated s"
    )


def _draw(axes: Axes, records: Sequence[dict[str, Any]]) -> None:
    positions = range(len(records))
    for shift, label in ((-0.2, "today"), (0.2, "0.1.0")):
        values = [costs(each, "simulated_s")[label == "0.1.0"] for each in records]
        axes.bar([position + shift for position in positions], values, 0.4, label=label)
    names = [each["name"] for each in records]
    axes.set_xticks(list(positions), names, rotation=60, ha="right", fontsize=6)
    axes.set_ylabel("simulated time, s (250 KB/s up, 500 KB/s down, 50 GFLOP/s)")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
