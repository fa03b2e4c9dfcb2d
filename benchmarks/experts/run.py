"""Questions and captions about photographs: right, wrong and refused, by method.

Run ``python -m edgewright.benchmarks.experts.run [--photographs FOLDER] [--half development]``. The
test half is scored and written to the docs, with the development half for what its certainty words
are worth; ``--half development`` and ``--half further`` only print, with each answer that is not
right.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.common.scores import format_share, share
from edgewright.benchmarks.experts.rows import Answered, Method, median_ms, methods
from edgewright.benchmarks.experts.scoring import verdict, wrong_things
from edgewright.benchmarks.workloads.labelled_photographs import Part, Photograph, photographs
from edgewright.benchmarks.workloads.scenes import MissingPhotographsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_VERDICTS = ("right", "wrong", "refused")
_BEST = "all together"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0, or 1 if photographs are missing.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, action="append", default=[])
    parser.add_argument("--half", choices=["development", "further", "test"], default="test")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    half: Part = options.half
    known = methods()
    try:
        found = photographs(half, options.photographs)
        others = photographs("development", options.photographs) if half == "test" else found
    except MissingPhotographsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    figures: dict[str, Any] = {
        "half": half,
        "photographs": len(found),
        "questions": sum(len(each.questions) for each in found),
        "methods": {
            name: score(method, found, name, failures=half != "test")
            for name, method in known.items()
        },
    }
    calibration = score(known[_BEST], others, "certainty") if half == "test" else None
    best = calibration or figures["methods"][_BEST]
    figures["certainty"] = best["certainty"]
    markdown = results_table(figures)
    sys.stdout.write(markdown)
    if half == "test":
        write_results(options.out, "experts", figures, markdown, lambda axes: _draw(axes, figures))
    return 0


def score(
    method: Method, found: Sequence[Photograph], name: str, *, failures: bool = False
) -> dict[str, Any]:
    """Score a method.

    Args:
        method: The method.
        found: The photographs.
        name: Its name, for the log.
        failures: Whether to print each answer that is not right and each wrong caption.

    Returns:
        Shares of verdicts, of all questions and by kind; of right answers by certainty; of named
        things that are there; and milliseconds.
    """
    kinds: dict[str, Counter[str]] = {}
    certainty: dict[str, Counter[str]] = {}
    named, untrue, captions = 0, 0, 0
    answers: list[Answered] = []
    for photograph in found:
        log(f"{name}: {photograph.name}")
        answered = method(photograph)
        answers.append(answered)
        for question in photograph.questions:
            output = answered.outputs[question["question"]]
            result = verdict(question, output)
            kinds.setdefault(question["kind"], Counter())[result] += 1
            if output and "certainty" in output:
                certainty.setdefault(output["certainty"], Counter())[result] += 1
            if failures and result != "right":
                said = answered.refusals.get(question["question"]) or (output or {}).get("text")
                sys.stdout.write(f"{name}, {photograph.name}: {question} {result}: {said}\n")
        things = answered.caption["things"]
        wrong = wrong_things(things, photograph.things)
        named, untrue, captions = named + len(things), untrue + len(wrong), captions + bool(things)
        if failures and wrong:
            sys.stdout.write(f"{name}, {photograph.name}: {wrong} in {answered.caption['text']}\n")
    return {
        **_shares(sum(kinds.values(), Counter())),
        "kinds": {kind: _shares(kinds[kind]) for kind in sorted(kinds)},
        "certainty": {word: _shares(certainty[word]) for word in sorted(certainty)},
        "things": share(named - untrue, named),
        "captions": {"count": len(found), "that name things": captions},
        "median_ms": median_ms(answers),
    }


def results_table(figures: dict[str, Any]) -> str:
    """Return the Markdown tables of the figures."""
    rows = [
        [
            name,
            *(format_share(scored[each]) for each in _VERDICTS),
            f"{format_share(scored['things'])}, n={scored['things']['count']}",
            f"{scored['captions']['that name things']} of {scored['captions']['count']}",
        ]
        for name, scored in figures["methods"].items()
    ]
    columns = [f"method, {figures['questions']} questions", "right (95 % interval)", "wrong"]
    columns += ["refused", "things in captions that are there", "captions that name a thing"]
    best = figures["methods"][_BEST]["kinds"]
    kinds = [
        [
            kind,
            *(f"{100 * scored[each]['share']:.0f} %" for each in _VERDICTS),
            scored["right"]["count"],
        ]
        for kind, scored in best.items()
    ]
    words = [
        [word, f"{format_share(scored['right'])}, n={scored['right']['count']}"]
        for word, scored in figures["certainty"].items()
    ]
    return "\n".join(
        [
            table(columns, rows),
            table([f"kind of question, {_BEST}", *_VERDICTS, "n"], kinds),
            table(["certainty, development half", "right (95 % interval)"], words),
        ]
    )


def _shares(verdicts: Counter[str]) -> dict[str, Any]:
    return {each: share(verdicts[each], verdicts.total()) for each in _VERDICTS}


def _draw(axes: Axes, figures: dict[str, Any]) -> None:
    names = list(figures["methods"])
    left = [0.0] * len(names)
    colours = {"right": "tab:green", "wrong": "tab:red", "refused": "lightgrey"}
    for each in _VERDICTS:
        widths = [100 * figures["methods"][name][each]["share"] for name in names]
        axes.barh(names, widths, left=left, color=colours[each], label=each)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_xlabel("questions (%)")
    axes.set_xlim(0, 100)
    axes.invert_yaxis()
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)


if __name__ == "__main__":
    sys.exit(main())
