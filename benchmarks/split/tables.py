"""Points of the split benchmark: comparisons, tables and plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgewright.benchmarks.common.results import table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_SENT = ("sent as", "bytes", "payload", "entropy")
_PNG_GAINS = ("PNG / frame", "PNG / payload")
_LOSSY_GAINS = ("lossy file / frame", "lossy payload / payload")
#: Kind of the points of the calibrated codec, which exists for every cut.
CALIBRATED = "co-inference, calibrated"
_COLOURS = {
    "png": "black", "jpeg": "tab:orange", "webp": "tab:green", "avif": "tab:blue",
    CALIBRATED: "tab:purple", "co-inference": "tab:red",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Point:
    """One way to send the test images, and its results.

    Attributes:
        way: PNG, an encoding with its quality, or the codec's name.
        kind: ``png``, ``jpeg``, ``webp`` or ``avif``; for cut models, ``co-inference`` for codecs
            fitted to the cut and ``CALIBRATED`` for the calibrated one.
        bytes: Mean bytes sent: the file, or the frame with its envelope.
        payload_bytes: Mean bytes without container or envelope.
        entropy_bytes: Mean information in the payload; None where it is not estimated.
        quality: Mean of the metric: accuracy, for example.
        interval: 95 % interval over answers, and over seeds where something was trained.
        seeds: Quality for each seed; one value where nothing was trained.
    """

    way: str
    kind: str
    bytes: float
    payload_bytes: float
    entropy_bytes: float | None
    quality: float
    interval: tuple[float, float]
    seeds: tuple[float, ...]


def gain_of(point: Point, sent: Sequence[Point]) -> dict[str, Any]:
    """Compare a cut with the lossless image and the smallest lossy one that is as accurate.

    A tuned tail may be more accurate than the model on any sent image; it is then compared with
    the smallest lossy image that is as accurate as the lossless one.
    """
    png, lossy_points = sent[0], sent[1:]
    best = max(one.quality for one in lossy_points)
    level = point.quality if best >= point.quality else min(point.quality, png.quality)
    as_accurate = [one for one in lossy_points if one.quality >= level]
    smallest_file = min(as_accurate, key=lambda one: one.bytes, default=png)
    smallest_payload = min(as_accurate, key=lambda one: one.payload_bytes, default=png)
    return {
        "way": point.way,
        "lost": 100 * (png.quality - point.quality),
        "lost_share": 100 * (1 - point.quality / png.quality),
        "png_by_frame": png.bytes / point.bytes,
        "png_by_payload": png.bytes / point.payload_bytes,
        "lossy": smallest_file.way,
        "lossy_by_frame": smallest_file.bytes / point.bytes,
        "bare_lossy": smallest_payload.way,
        "bare_lossy_by_payload": smallest_payload.payload_bytes / point.payload_bytes,
    }


def markdown_of(figures: Mapping[str, Any]) -> str:
    """Return the Markdown report of one workload."""
    head, share = figures["head"], figures["share"]
    rows = [
        [
            point["way"],
            f"{point['bytes']:.0f}",
            f"{point['payload_bytes']:.1f}",
            "" if point["entropy_bytes"] is None else f"{point['entropy_bytes']:.1f}",
            *_quality(point, share),
        ]
        for point in figures["points"]
    ]
    gains = [
        [
            gain["way"],
            f"{gain['lost' if share else 'lost_share']:+.2f}",
            f"{gain['png_by_frame']:.1f}",
            f"{gain['png_by_payload']:.1f}",
            f"{gain['lossy_by_frame']:.1f} ({gain['lossy']})",
            f"{gain['bare_lossy_by_payload']:.1f} ({gain['bare_lossy']})",
        ]
        for gain in figures["gains"]
    ]
    tuned_gains = []
    if "tuned_gains" in figures:
        tuned_gains = [
            "\nThe same with a receiver tuned to each lossy encoding, in as many steps as the "
            "codec's tail:\n",
            table(
                ["codec", *_LOSSY_GAINS],
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
            f"{figures['count']} images ({figures['pictures']}"
            f"{_answer_count(figures)}); codecs fitted to "
            f"{figures['trained_on']}, with {'one seed' if seeds == 1 else f'{seeds} seeds'}. "
            f"The device runs {100 * head['share']:.1f} % of the model's "
            f"MACs, encoder included: {head['blocks_parameters'] / 1000:.0f} thousand "
            f"parameters of the model and {head['encoder_parameters'] / 1000:.0f} thousand of the "
            "encoder.\n",
            table([*_SENT, figures["metric"], "95 % interval"], rows),
            "\nSize ratios over the codec's frame and payload: for the lossless image, and for the "
            "smallest lossy image at least as accurate as the codec with the same receiver (or, if "
            "there is none, as the lossless image):\n",
            table(
                ["codec", "points lost" if share else "% lost", *_PNG_GAINS, *_LOSSY_GAINS], gains
            ),
            *tuned_gains,
            "\nLatency of one image on this machine, one thread:\n",
            table(["part", "median ms"], latency),
        ]
    )


def _quality(point: Mapping[str, Any], share: bool) -> tuple[str, str]:
    """Format a point's quality and interval, shares in percent."""
    low, high = point["interval"]
    if share:
        return f"{100 * point['quality']:.2f} %", f"{100 * low:.1f}–{100 * high:.1f} %"  # noqa: RUF001
    return f"{point['quality']:.3f}", f"{low:.3f}–{high:.3f}"  # noqa: RUF001


def _answer_count(figures: Mapping[str, Any]) -> str:
    """Return the number of answers as text; empty if each image has one."""
    count = figures["answers"]
    return "" if count == figures["count"] else f", {count} answers, treated as independent"


def draw(axes: Axes, figures: Mapping[str, Any]) -> None:
    """Draw bytes against quality, a line for each encoding, dashed for tuned receivers."""
    _draw_points(axes, figures["points"], figures["share"], "", "-")
    _draw_points(axes, figures.get("tuned_points", ()), figures["share"], ", tuned receiver", "--")
    axes.set_xscale("log")
    axes.set_xlabel("bytes sent per image")
    axes.set_ylabel(f"{figures['metric']}{', %' if figures['share'] else ''}")
    axes.set_title(figures["title"])
    axes.legend(fontsize="x-small")


def _draw_points(
    axes: Axes, points: Sequence[Mapping[str, Any]], share: bool, suffix: str, style: str
) -> None:
    for kind, colour in _COLOURS.items():
        chosen = [point for point in points if point["kind"] == kind]
        if not chosen or (suffix and kind in ("png", CALIBRATED)):
            continue
        chosen.sort(key=lambda point: point["bytes"])
        axes.plot(
            [point["bytes"] for point in chosen],
            [(100 if share else 1) * point["quality"] for point in chosen],
            marker="o" if kind.startswith("co-inference") else ".",
            linestyle=style,
            color=colour,
            label=f"{kind}{suffix}",
        )
