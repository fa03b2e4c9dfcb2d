"""Shares and means with their intervals, and the other scores that several benchmarks report."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

#: Two-sided 95 % points of Student's t for 1, 2, ... degrees of freedom.
_STUDENT = (12.71, 4.303, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)
BINS = 10


def wilson(correct: int, count: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share."""
    if not count:
        return 0.0, 1.0
    z, share = 1.96, correct / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + (z / (2 * count)) ** 2) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def share(correct: int, count: int) -> dict[str, Any]:
    """Return a share with its 95 % interval and the count that it is a share of."""
    return {"share": correct / max(1, count), "interval": wilson(correct, count), "count": count}


def format_share(score: dict[str, Any]) -> str:
    """Format the result of ``share`` in percent."""
    low, high = score["interval"]
    return f"{100 * score['share']:.1f} % ({100 * low:.1f}–{100 * high:.1f})"  # noqa: RUF001


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean of a few values and the half-width of its 95 % interval by Student's t.

    Args:
        values: One for each seed, at least two.

    Raises:
        ValueError: There are fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"an interval needs at least two values, not {len(values)}")
    student = _STUDENT[min(len(values) - 2, len(_STUDENT) - 1)]
    return statistics.fmean(values), student * statistics.stdev(values) / len(values) ** 0.5


def macro_f1(predicted: Sequence[str], expected: Sequence[str]) -> float:
    """Return the mean F1 over the labels that are expected at least once."""
    scores = []
    for label in sorted(set(expected)):
        hits = sum(a == b == label for a, b in zip(predicted, expected, strict=True))
        scores.append(2 * hits / (sum(a == label for a in predicted) + expected.count(label)))
    return statistics.fmean(scores)


def quantiles(times_ms: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile of times."""
    cuts = statistics.quantiles(times_ms, n=100)
    return {"p50_ms": cuts[49], "p95_ms": cuts[94]}


def reliability(confidences: Sequence[float], correct: Sequence[bool]) -> list[dict[str, float]]:
    """Sort answers by confidence into ten bins; return confidence, accuracy and count of each.

    Args:
        confidences: From 0 to 1.
        correct: Whether each answer was correct.
    """
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for confidence, ok in zip(confidences, correct, strict=True):
        bins[min(int(confidence * BINS), BINS - 1)].append((confidence, ok))
    return [
        {
            "confidence": statistics.fmean(confidence for confidence, _ in answers),
            "accuracy": statistics.fmean(ok for _, ok in answers),
            "count": len(answers),
        }
        for answers in bins
        if answers
    ]


def calibration_error(bins: Sequence[dict[str, float]]) -> float:
    """Return the expected calibration error of the bins that ``reliability`` returns."""
    count = sum(each["count"] for each in bins)
    return sum(abs(each["confidence"] - each["accuracy"]) * each["count"] for each in bins) / count
