"""Points of the split benchmark: their intervals, comparisons, table and plot."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgewright.benchmarks.results import table
from edgewright.benchmarks.scores import T_OF_THREE, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class Point:
    """One way to send the test pictures, and what came of it.

    Attributes:
        way: PNG, JPEG at a quality, or the codec's name.
        kind: ``png``, ``jpeg``, ``webp``, ``avif`` or ``co-inference``.
        bytes: Mean bytes that are sent: the file, or the frame with its envelope.
        payload_bytes: Mean bytes without container or envelope.
        entropy_bytes: Mean information in the payload; None for pictures.
        right: Share of pictures whose first label is right; without labels, the uncut model's.
        interval: 95 %: Wilson's, and of the mean over seeds where something was trained.
        seeds: Share for each seed; one value where nothing was trained.
    """

    way: str
    kind: str
    bytes: float
    payload_bytes: float
    entropy_bytes: float | None
    right: float
    interval: tuple[float, float]
    seeds: tuple[float, ...]


def interval_of(shares: Sequence[float], count: int) -> tuple[float, float]:
    """Return the wider of Wilson's interval and that of the mean over seeds."""
    mean = statistics.fmean(shares)
    low, high = wilson(round(mean * count), count)
    if len(shares) > 1:
        half = T_OF_THREE * statistics.stdev(shares) / len(shares) ** 0.5
        low, high = min(low, mean - half), max(high, mean + half)
    return low, high


def gain_of(point: Point, sent: Sequence[Point]) -> dict[str, Any]:
    """Compare a cut with the lossless picture and the cheapest lossy one that is as accurate.

    A tuned tail may be right more often than the model on any picture; then it is compared with
    the cheapest lossy picture that is as accurate as the lossless one.
    """
    png, lossy_ones = sent[0], sent[1:]
    best = max(one.right for one in lossy_ones)
    level = point.right if best >= point.right else min(point.right, png.right)
    as_good = [one for one in lossy_ones if one.right >= level]
    lossy = min(as_good, key=lambda one: one.bytes, default=png)
    bare = min(as_good, key=lambda one: one.payload_bytes, default=png)
    return {
        "way": point.way,
        "loss_points": 100 * (png.right - point.right),
        "png_by_frame": png.bytes / point.bytes,
        "png_by_payload": png.bytes / point.payload_bytes,
        "lossy": lossy.way,
        "lossy_by_frame": lossy.bytes / point.bytes,
        "bare_lossy": bare.way,
        "bare_lossy_by_payload": bare.payload_bytes / point.payload_bytes,
    }


def markdown_of(figures: Mapping[str, Any]) -> str:
    """Return what was measured of one workload as tables for people."""
    what = "accuracy" if figures["labels"] else "agreement with the uncut model"
    head = figures["head"]
    rows = [
        [
            point["way"],
            f"{point['bytes']:.0f}",
            f"{point['payload_bytes']:.1f}",
            "" if point["entropy_bytes"] is None else f"{point['entropy_bytes']:.1f}",
            f"{100 * point['right']:.2f} %",
            f"{100 * point['interval'][0]:.1f}–{100 * point['interval'][1]:.1f} %",  # noqa: RUF001
        ]
        for point in figures["points"]
    ]
    gains = [
        [
            gain["way"],
            f"{gain['loss_points']:+.2f}",
            f"{gain['png_by_frame']:.1f}",
            f"{gain['png_by_payload']:.1f}",
            f"{gain['lossy_by_frame']:.1f} ({gain['lossy']})",
            f"{gain['bare_lossy_by_payload']:.1f} ({gain['bare_lossy']})",
        ]
        for gain in figures["gains"]
    ]
    gains_of_tuned = []
    if "tuned_gains" in figures:
        gains_of_tuned = [
            "\nThe same, but each lossy coding has a receiver that was tuned on its own pictures, "
            "by as many steps as the codec's tail:\n",
            table(
                ["codec", "lossy file / frame", "lossy payload / payload"],
                [
                    [
                        gain["way"],
                        f"{gain['lossy_by_frame']:.1f} ({gain['lossy']})",
                        f"{gain['bare_lossy_by_payload']:.1f} ({gain['bare_lossy']})",
                    ]
                    for gain in figures["tuned_gains"]
                ],
            ),
        ]
    seeds = max(len(point["seeds"]) for point in figures["points"])
    latency = [[name, f"{ms:.2f}"] for name, ms in figures["latency_ms"].items()]
    return "\n".join(
        [
            f"### {figures['title']}\n",
            f"{figures['count']} pictures ({figures['pictures']}); codecs trained on "
            f"{figures['trained_on']}, for {'one seed' if seeds == 1 else f'{seeds} seeds'}. "
            f"The device runs {100 * head['share']:.1f} % of the model's "
            f"multiply-adds, encoder included: {head['blocks_parameters'] / 1000:.0f} thousand "
            f"parameters of the model and {head['encoder_parameters'] / 1000:.0f} thousand of the "
            "encoder.\n",
            table(["sent", "bytes", "payload", "entropy", what, "95 % interval"], rows),
            "\nFewer bytes than the lossless picture, and than the cheapest lossy picture that is "
            "as accurate with the same receiver, or, where none is, as accurate as the lossless "
            "one (times):\n",
            table(
                ["codec", "points lost", "PNG / frame", "PNG / payload", "lossy file / frame",
                 "lossy payload / payload"],
                gains,
            ),
            *gains_of_tuned,
            "\nOne picture on this machine, one thread:\n",
            table(["part", "median ms"], latency),
        ]
    )  # fmt: skip


def draw(axes: Axes, measured: Mapping[str, Any]) -> None:
    """Draw bytes against accuracy, a line for each coding of each workload."""
    for figures in measured.values():
        kinds = dict.fromkeys(point["kind"] for point in figures["points"])
        for kind in kinds:
            chosen = [point for point in figures["points"] if point["kind"] == kind]
            chosen.sort(key=lambda point: point["bytes"])
            axes.plot(
                [point["bytes"] for point in chosen],
                [100 * point["right"] for point in chosen],
                marker="o" if kind == "co-inference" else ".",
                label=f"{kind}, {figures['title']}",
            )
    axes.set_xscale("log")
    axes.set_xlabel("bytes sent for each picture")
    axes.set_ylabel("accuracy or agreement, %")
    axes.legend(fontsize="x-small")
