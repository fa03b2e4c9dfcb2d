"""Whether trained cards keep their own images and say "not one of its classes" of others.

What a card knows of its images comes from validation images alone, never from its model, so none is
trained here. Each card learns from 300 images, that of photographed garments from 1,000, and is
shown 400 others of its own and 500 unrelated ones, none of which the method was chosen on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.familiarity.sources import CardImages, cards, held_out
from edgewright.tools.federated.serving.familiarity import learn_familiarity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OWN = 400
SEEDS = (0, 1, 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    measured = {}
    for card in cards():
        log(f"{card.name}: {len(options.seeds)} seeds")
        measured[card.name] = [measure(card, seed) for seed in options.seeds]
    learned = {card.name: card.learned for card in cards()}
    figures = {"learned": learned, "own": OWN, "seeds": options.seeds, "cards": measured}
    markdown = _markdown(measured)
    sys.stdout.write(markdown)
    write_results(options.out, "familiarity", figures, markdown, lambda axes: _draw(axes, measured))
    return 0


def measure(card: CardImages, seed: int) -> dict[str, Any]:
    """Measure a card.

    Args:
        card: Its images.
        seed: Chooses the images.

    Returns:
        The share of its own images that is kept, and for each unrelated source the number of its
        images and of those that were accepted.
    """
    rng = np.random.default_rng(seed)
    images, labels = card.images(card.learned + OWN, rng)
    own, learned = card.array(images), card.learned
    known = learn_familiarity(own[:learned], np.asarray(labels[:learned], np.int64), seed)
    assert known is not None
    others = {
        source: known.margins(card.array(found)) <= 0
        for source, found in held_out(card, rng).items()
    }
    return {
        "kept": float((known.margins(own[learned:]) <= 0).mean()),
        "sources": {
            name: {"images": len(each), "accepted": int(each.sum())}
            for name, each in others.items()
        },
    }


def accepted(runs: Sequence[dict[str, Any]], source: str = "") -> float:
    """Return the share of unrelated images that runs accepted, of one source or of all."""
    counted = [
        each for run in runs for name, each in run["sources"].items() if source in ("", name)
    ]
    return float(sum(each["accepted"] for each in counted) / sum(e["images"] for e in counted))


def _markdown(measured: dict[str, list[dict[str, Any]]]) -> str:
    rows = []
    for name, runs in measured.items():
        kept = float(np.mean([run["kept"] for run in runs]))
        rows.append([name, f"own images (kept: {kept:.1%})", "", f"{accepted(runs):.1%} of all"])
        for source, each in runs[0]["sources"].items():
            rows.append(["", source, each["images"], f"{accepted(runs, source):.1%}"])
    return (
        table(["card", "images", "number", "accepted"], rows)
        + f"\nMeans of {len(next(iter(measured.values())))} seeds. Each card learned from "
        f"{_numbers()} images and kept the stated share of {OWN} others of its own. The card "
        '"garments" has drawn ones, in seven kinds.\n'
    )


def _numbers() -> str:
    """Return how many images the cards learned from, in words."""
    usual, several = (
        CardImages.learned,
        [each for each in cards() if each.learned != CardImages.learned],
    )
    return f"{usual} (" + ", ".join(f"{each.name}: {each.learned}" for each in several) + ")"


def _draw(axes: Axes, measured: dict[str, list[dict[str, Any]]]) -> None:
    names = list(measured)
    places = np.arange(len(names))
    kept = [100 * float(np.mean([run["kept"] for run in runs])) for runs in measured.values()]
    axes.bar(places - 0.2, kept, 0.4, label="own images kept")
    shares = [100 * accepted(runs) for runs in measured.values()]
    axes.bar(places + 0.2, shares, 0.4, label="unrelated images accepted")
    axes.axhline(95, color="grey", linewidth=0.8)
    axes.axhline(5, color="grey", linewidth=0.8)
    axes.set_xticks(places, names)
    axes.set_ylabel("%")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
