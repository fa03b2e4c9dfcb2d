"""Diagnoses a learning curve: what kept a trial from being better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Literal

from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.trial import CurvePoint, ModelScore

Cause = Literal[
    "divergence",
    "memorised noise",
    "client left behind",
    "client drift",
    "oscillation",
    "overfitting",
    "unfinished",
    "underfitting",
    "plateau",
]

#: A client is left behind if its accuracy is this far below that of all, and if it has so many
#: validation samples.
_FAR_BELOW = 0.35
_FEWEST = 5

#: Minimum label skew at which clients count as different.
SKEWED = 0.2


@dataclass(frozen=True)
class Diagnosis:
    """The diagnosis of a curve.

    Attributes:
        cause: What kept the trial from being better.
        evidence: The figures that show it, in words.
    """

    cause: Cause
    evidence: str


def noise_of(curve: Sequence[CurvePoint], validation: int) -> float:
    """Return the accuracy difference below which two trials count as equal.

    This is the change to expect from another seed: the standard error of the accuracy, or the
    jitter at the end of the curve, whichever is larger.

    Args:
        curve: The curve of a trial.
        validation: Number of validation samples.
    """
    tail = [point.validation.accuracy for point in curve[-max(3, len(curve) // 3) :]]
    steps = [b - a for a, b in pairwise(tail)]
    jitter = pstdev(steps) / math.sqrt(2) if len(steps) > 1 else 0.0
    return max(_sampling_noise(curve, validation), jitter)


def diagnose(curve: Sequence[CurvePoint], card: DataCard) -> Diagnosis:
    """Diagnose a curve. The most serious cause that applies is returned.

    Args:
        curve: At least one point.
        card: Statistics of the data.
    """
    accuracy = [point.validation.accuracy for point in curve]
    last, best, chance = curve[-1], max(accuracy), 1 / len(card.classes)
    noise = _sampling_noise(curve, card.validation)
    losses = [point.validation.loss for point in curve]
    skewed = card.excess_skew >= SKEWED
    learned = all(map(math.isfinite, losses)) and best >= 1.5 * chance
    if learned and not skewed and (evidence := _memorised(curve, noise)):
        return Diagnosis("memorised noise", evidence)
    collapsed = best - last.validation.accuracy > max(0.2, 6 * noise)
    if not learned or collapsed:
        return Diagnosis(
            "divergence",
            f"validation accuracy {best:.3f} at best and {last.validation.accuracy:.3f} at the end",
        )
    if behind := left_behind(last.validation, card):
        return Diagnosis(
            "client left behind",
            f"client {behind[0]} is right on {last.validation.clients[behind[0]]:.2f}, all "
            f"together on {last.validation.accuracy:.2f}",
        )
    swing = _swing(accuracy)
    # Private training does not report the clients' own accuracy.
    trained = last.validation.accuracy if last.train_accuracy is None else last.train_accuracy
    gap = trained - last.validation.accuracy
    drifting = skewed and (gap > 0.08 or last.validation.spread > 0.1 or swing > 3 * noise)
    if drifting:
        return Diagnosis(
            "client drift",
            f"clients differ (label skew {card.label_skew:.2f}) and score {gap:+.3f} on their own "
            f"data relative to the common data, with a spread of {last.validation.spread:.3f}",
        )
    if swing > max(0.02, 3 * noise):
        return Diagnosis("oscillation", f"validation accuracy swings by {swing:.3f} per round")
    slope = _slope(accuracy)
    if slope * len(curve) / 3 > noise:
        return Diagnosis(
            "unfinished", f"validation accuracy still rises by {slope:.4f} per round at the end"
        )
    # Overfitting requires a higher accuracy on the training samples than on other samples.
    if gap > max(0.03, 2 * noise) and trained > 0.9:
        return Diagnosis("overfitting", f"{trained:.3f} on training data, {gap:.3f} less on others")
    # With few samples the gap is noise; a model that misses training samples has more to learn.
    if trained < 0.97:
        return Diagnosis(
            "underfitting",
            f"only {trained:.3f} on the training data, {gap:+.3f} relative to others",
        )
    return Diagnosis("plateau", f"validation accuracy stays at {best:.3f}")


def left_behind(score: ModelScore, card: DataCard) -> tuple[int, ...]:
    """List the clients whose accuracy is far below the others', the worst first.

    Clients with too few validation samples to say so are left out.

    Args:
        score: A score on the validation split.
        card: Statistics of the data.
    """
    limit = min(score.accuracy / 2, score.accuracy - _FAR_BELOW)
    worst = sorted(
        (accuracy, client)
        for client, accuracy in enumerate(score.clients)
        if accuracy is not None
        and accuracy <= limit
        and card.clients[client].samples * card.validation / card.train >= _FEWEST
    )
    return tuple(client for _, client in worst)


def _memorised(curve: Sequence[CurvePoint], noise: float) -> str:
    """Return the evidence that clients learn wrong labels by heart; empty if there is none."""
    accuracy = [point.validation.accuracy for point in curve]
    peak = accuracy.index(max(accuracy))
    end = accuracy[max(peak + 1, len(accuracy) - 3) :]
    before, after = curve[peak].train_accuracy, curve[-1].train_accuracy
    if len(end) < 2 or before is None or after is None:
        return ""
    fall = accuracy[peak] - fmean(end)
    if fall <= max(0.02, 2 * noise) or after - before < 0.02:
        return ""
    return (
        f"validation accuracy falls by {fall:.3f} after round {curve[peak].round_number} while "
        f"that on the training data rises from {before:.3f} to {after:.3f}"
    )


def _sampling_noise(curve: Sequence[CurvePoint], validation: int) -> float:
    """Return the standard error of the best accuracy."""
    best = max((point.validation.accuracy for point in curve), default=0.5)
    return math.sqrt(max(best * (1 - best), 1e-4) / max(validation, 1))


def _swing(accuracy: Sequence[float]) -> float:
    """Return the mean size of the reversals in the second half of a curve; 0 if it is smooth."""
    half = accuracy[len(accuracy) // 2 :]
    turns = [
        min(abs(b - a), abs(c - b))
        for a, b, c in zip(half, half[1:], half[2:], strict=False)
        if (b - a) * (c - b) < 0
    ]
    return fmean(turns) if len(turns) >= 2 else 0.0


def _slope(accuracy: Sequence[float]) -> float:
    """Return the rise per round over the last third, by least squares."""
    tail = accuracy[-max(4, len(accuracy) // 3) :]
    if len(tail) < 3:
        return 0.0
    middle, mean = (len(tail) - 1) / 2, fmean(tail)
    weight = sum((index - middle) ** 2 for index in range(len(tail)))
    return sum((i - middle) * (value - mean) for i, value in enumerate(tail)) / weight
