"""Large catalogues: how long the planner takes to fit them, and whether it still finds the card.

Run ``python -m edgewright.benchmarks.planner.catalogue``.
Each card does one of 25 things with one of 40 appliances, so that every card has many neighbours
with the same verb and the same object. The requests that are scored are worded in other ways than
the demonstrations.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import yaml

from edgewright.agents.planner.embedded.planner import EmbeddedPlanner
from edgewright.agents.planner.planner import make_embedded_planner
from edgewright.agents.planner.request import PlanRequest
from edgewright.benchmarks.common.data import DATA
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.common.scores import format_share, quantiles, share
from edgewright.benchmarks.planner.requests import path_of, read
from edgewright.tools.cards import CardRegistry, ToolCard
from edgewright.tools.contracts.cards import Demonstration

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZES = (100, 1_000)
#: Requests that are scored for each catalogue.
SCORED = 300


def cards(count: int) -> list[ToolCard]:
    """Return the first cards of the catalogue, at most 1,000 in a fixed random order."""
    return [_card(action, thing) for action, thing in _pairs()[:count]]


def requests(count: int) -> Iterator[tuple[str, str]]:
    """Yield requests and the ids of their cards, for a catalogue of ``count`` cards."""
    for action, thing in _pairs()[:count]:
        for wording in _words()["actions"][action]["scored"]:
            yield wording.format(thing), _id(action, thing)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        figures = {"catalogues": score_catalogues(options.sizes, Path(folder))}
    markdown = catalogues_table(figures["catalogues"])
    sys.stdout.write(markdown)
    found = figures["catalogues"].values()
    write_results(options.out, "catalogue", figures, markdown, lambda axes: _draw(axes, found))
    return 0


def score_catalogues(sizes: Sequence[int], folder: Path) -> dict[str, Any]:
    """Fit catalogues and one more card, and plan requests for them.

    Args:
        sizes: Numbers of cards.
        folder: Empty folder for vectors and fitted models.

    Returns:
        Seconds, times in milliseconds and shares, by number of cards.
    """
    return {str(size): _score(size, folder / str(size)) for size in sizes}


def _score(size: int, folder: Path) -> dict[str, Any]:
    log(f"fitting {size} cards")
    catalogue = cards(size)
    planner, fit_s = _fitted(catalogue, folder)
    log(f"one card more than {size}")
    _, further_s = _fitted([*catalogue, another()], folder)
    _, load_s = _fitted(catalogue, folder)
    draw = random.Random(0)  # noqa: S311 - a sample
    scored = draw.sample(list(requests(size)), min(SCORED, 2 * size))
    declined = [truth.request for truth in read(path_of("dev")) if truth.kind == "none"]
    times_ms, right = [], 0
    for text, card in scored:
        started = time.perf_counter()
        plan = planner.plan(PlanRequest(text=text))
        times_ms.append(1000 * (time.perf_counter() - started))
        right += [task.tool for task in plan.tasks] == [card]
    silent = sum(not plan.tasks for plan in planner.plan_many(declined))
    return {
        "cards": size,
        "demonstrations": sum(len(card.demonstrations) for card in catalogue),
        "fit_s": fit_s,
        "further_card_s": further_s,
        "load_s": load_s,
        "right": share(right, len(scored)),
        "declined": share(silent, len(declined)),
        **quantiles(times_ms),
    }


def catalogues_table(figures: dict[str, Any]) -> str:
    """Return the Markdown table."""
    rows = [
        [
            f"{found['cards']:,}",
            f"{found['fit_s']:.1f} s",
            f"{found['further_card_s']:.2f} s",
            f"{found['load_s']:.2f} s",
            format_share(found["right"]),
            format_share(found["declined"]),
            f"{found['p50_ms']:.0f} / {found['p95_ms']:.0f} ms",
        ]
        for found in figures.values()
    ]
    columns = ["cards", "first fit", "one card more", "from the cache", "right card alone",
               "no card for a foreign request", "planning, p50 / p95"]  # fmt: skip
    return table(columns, rows)


def _draw(axes: Axes, figures: Iterable[dict[str, Any]]) -> None:
    figures = list(figures)
    sizes = [found["cards"] for found in figures]
    for name, label in (
        ("fit_s", "first fit"),
        ("further_card_s", "one card more"),
        ("load_s", "from the cache"),
    ):
        axes.loglog(sizes, [found[name] for found in figures], marker="o", label=label)
    axes.set_xlabel("cards")
    axes.set_ylabel("time until the planner is ready, s")
    axes.set_title("Large catalogues")
    axes.legend()


def _fitted(catalogue: Sequence[ToolCard], folder: Path) -> tuple[EmbeddedPlanner, float]:
    """Return a planner with its model, and the seconds until it could plan."""
    started = time.perf_counter()
    planner = make_embedded_planner(CardRegistry(catalogue), folder=folder)
    planner.plan(PlanRequest(text=""))
    return planner, time.perf_counter() - started


def _pairs() -> list[tuple[str, str]]:
    pairs = list(product(_words()["actions"], _words()["things"]))
    random.Random(0).shuffle(pairs)  # noqa: S311 - an order
    return pairs


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = yaml.safe_load((DATA / "planner" / "catalogue.yaml").read_text("utf-8"))
    return words


def _card(action: str, thing: str) -> ToolCard:
    verb = action.replace("-", " ")
    return ToolCard(
        id=_id(action, thing),
        task_type=action,
        title=f"{verb} {thing}"[:60],
        description=f"Can {verb} for the {thing}.",
        inputs=("text",),
        outputs=("text",),
        demonstrations=tuple(
            Demonstration(request=wording.format(thing))
            for wording in _words()["actions"][action]["demonstrated"]
        ),
    )


def another() -> ToolCard:
    """Return a card that no catalogue holds."""
    return _card("report-faults", "printing press")


def _id(action: str, thing: str) -> str:
    return f"{action}-{thing.replace(' ', '-')}"


if __name__ == "__main__":
    sys.exit(main())
