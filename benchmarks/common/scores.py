"""Shares with their intervals, and the few other scores that several benchmarks give."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

#: Student's t for two degrees of freedom, 95 % two-sided: the spread of three seeds.
T_OF_THREE = 4.303
BINS = 10


def wilson(right: int, count: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share."""
    if not count:
        return 0.0, 1.0
    z, share = 1.96, right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + (z / (2 * count)) ** 2) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def share(right: int, count: int) -> dict[str, Any]:
    """Return a share with its interval and what it is a share of."""
    return {"share": right / max(1, count), "interval": wilson(right, count), "count": count}


def shown(score: dict[str, Any]) -> str:
    """Write a share for people."""
    low, high = score["interval"]
    return f"{100 * score['share']:.1f} % ({100 * low:.1f}–{100 * high:.1f})"  # noqa: RUF001


def macro_f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    """Return the mean F1 of the labels that are wanted at least once."""
    scores = []
    for label in sorted(set(wanted)):
        hits = sum(a == b == label for a, b in zip(said, wanted, strict=True))
        scores.append(2 * hits / (sum(a == label for a in said) + wanted.count(label)))
    return statistics.fmean(scores)


def quantiles(times_ms: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile of times."""
    cuts = statistics.quantiles(times_ms, n=100)
    return {"p50_ms": cuts[49], "p95_ms": cuts[94]}


def of_three_seeds(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean of three seeds' figures and the half-width of its 95 % interval."""
    if len(values) != 3:
        raise ValueError(f"three figures are needed, not {len(values)}")
    return statistics.fmean(values), T_OF_THREE * statistics.stdev(values) / 3**0.5


def reliability(sure: Sequence[float], right: Sequence[bool]) -> list[dict[str, float]]:
    """Sort answers by confidence into ten bins: how sure, how often right, how many.

    Args:
        sure: Confidences from 0 to 1.
        right: Whether each answer was right.
    """
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for confidence, ok in zip(sure, right, strict=True):
        bins[min(int(confidence * BINS), BINS - 1)].append((confidence, ok))
    return [
        {
            "confidence": statistics.fmean(confidence for confidence, _ in found),
            "accuracy": statistics.fmean(ok for _, ok in found),
            "count": len(found),
        }
        for found in bins
        if found
    ]


def calibration_error(bins: Sequence[dict[str, float]]) -> float:
    """Return the expected calibration error of the bins that ``reliability`` gives."""
    count = sum(found["count"] for found in bins)
    return (
        sum(abs(found["confidence"] - found["accuracy"]) * found["count"] for found in bins) / count
    )
