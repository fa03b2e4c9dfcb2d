"""Joints of people and words in images: how many are right.

Run ``python -m edgewright.benchmarks.experts.perception [--photographs FOLDER] [--look FOLDER]``;
``--look`` writes pictures of what was found instead of results.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from edgewright.benchmarks.common.data import DATA
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.common.scores import format_share, share
from edgewright.benchmarks.experts.joints import TOLERANCE, View, right_joints, views
from edgewright.benchmarks.experts.words import Sign, signs, words_read
from edgewright.benchmarks.workloads.labelled_photographs import photographs
from edgewright.benchmarks.workloads.scenes import MissingPhotographsError
from edgewright.tools.images.decode import decode
from edgewright.tools.vision.drawing.evidence import evidence_picture
from edgewright.tools.vision.perception.networks import Networks
from edgewright.tools.vision.perception.perceivers import Perceivers
from edgewright.tools.vision.scene import Scene, Scenes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Photographs that signs are put on.
_BACKGROUNDS = ("brick.png", "gravel.png", "grass.png", "GreenMeadow.jpg", "coffee.png")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0, or 1 if photographs are missing.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, action="append", default=[])
    parser.add_argument("--look", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    try:
        found = [
            each
            for half in ("development", "test")
            for each in photographs(half, options.photographs)
        ]
    except MissingPhotographsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    images = {each.name: decode(each.data) for each in found}
    if options.look:
        options.look.mkdir(parents=True, exist_ok=True)
    scenes = Scenes(Perceivers(Networks(threads=1), threads=1).by_kind())
    figures = {
        "joints": score_joints(scenes, images, options.look),
        "words": score_words(scenes, images, options.look),
    }
    markdown = results_table(figures)
    sys.stdout.write(markdown)
    if options.look is None:
        write_results(
            options.out, "perception", figures, markdown, lambda axes: _draw(axes, figures)
        )
    return 0


def score_joints(
    scenes: Scenes, images: dict[str, Image.Image], look: Path | None
) -> dict[str, Any]:
    """Score the joints of the people in all photographs, as they are and in variants.

    Args:
        scenes: Makes scenes.
        images: Photographs by name.
        look: Folder for pictures, or None.
    """
    rows: dict[str, tuple[int, int]] = {}
    for entry in _lines("poses.jsonl"):
        name = entry["photograph"]
        people = [{joint: tuple(at) for joint, at in each.items()} for each in entry["people"]]
        for view in views(name, images[name], people):
            right, total = _joints_of(view, scenes, look)
            kind = view.name.partition(", ")[2] or "as they are"
            before = rows.get(kind, (0, 0))
            rows[kind] = before[0] + right, before[1] + total
    return {kind: share(right, total) for kind, (right, total) in rows.items()}


def score_words(
    scenes: Scenes, images: dict[str, Image.Image], look: Path | None
) -> dict[str, Any]:
    """Score the words on real signs, and on those put on photographs.

    Args:
        scenes: Makes scenes.
        images: Photographs by name.
        look: Folder for pictures, or None.
    """
    real = [
        Sign(entry["photograph"], images[entry["photograph"]], tuple(entry["words"]))
        for entry in _lines("signs.jsonl")
    ]
    made = list(signs([images[name] for name in _BACKGROUNDS]))
    scored: dict[str, Any] = {}
    for kind, group in {"photographed signs": real, "signs put on photographs": made}.items():
        right, total, said = 0, 0, 0
        for sign in group:
            scene = scenes.scene(sign.image, sign.name)
            read = [word for line in scene.texts for word in line.text.split()]
            log(f"{sign.name}: {' '.join(read)}")
            if missed := len(sign.words) - words_read(sign.words, read):
                log(f"{sign.name}: {missed} missed of {' '.join(sign.words)}")
            right += words_read(sign.words, read)
            total, said = total + len(sign.words), said + len(read)
            _keep(scene, look, sign.name)
        scored[kind] = {**share(right, total), "images": len(group), "read": said}
    return scored


def results_table(figures: dict[str, Any]) -> str:
    """Return the Markdown tables of the figures."""
    joints = [
        [kind, f"{format_share(score)}, n={score['count']}"]
        for kind, score in figures["joints"].items()
    ]
    words = [
        [kind, score["images"], f"{format_share(score)}, n={score['count']}", score["read"]]
        for kind, score in figures["words"].items()
    ]
    where = f"visible joints within {100 * TOLERANCE:.0f} % of the person's size (95 % interval)"
    return "\n".join(
        [
            table(["photographs of people", where], joints),
            table(["signs", "images", "words that are read (95 % interval)", "words said"], words),
        ]
    )


def _joints_of(view: View, scenes: Scenes, look: Path | None) -> tuple[int, int]:
    scene = scenes.scene(view.image, view.name)
    right = right_joints(view.people, scene.poses)
    for joints, found in zip(view.people, right, strict=True):
        missed = sorted(set(joints) - set(found))
        log(f"{view.name}: {len(found)} of {len(joints)}; missed {', '.join(missed) or 'none'}")
    _keep(scene, look, view.name)
    return sum(map(len, right)), sum(map(len, view.people))


def _keep(scene: Scene, look: Path | None, name: str) -> None:
    if look is not None:
        seen = scene.perceptions.model_copy(update={"objects": None})
        evidence_picture(scene.image, seen).save(look / f"{name}.png")


def _lines(name: str) -> list[dict[str, Any]]:
    text = (DATA / "experts" / name).read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _draw(axes: Axes, figures: dict[str, Any]) -> None:
    bars = {
        **{f"joints, {kind}": score for kind, score in figures["joints"].items()},
        **{f"words, {kind}": score for kind, score in figures["words"].items()},
    }
    axes.barh(list(bars), [100 * score["share"] for score in bars.values()], color="tab:blue")
    axes.axvline(85, color="grey", linestyle=":")
    axes.set_xlabel("right (%)")
    axes.set_xlim(0, 100)
    axes.invert_yaxis()


if __name__ == "__main__":
    sys.exit(main())
