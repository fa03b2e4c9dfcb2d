"""Aggregation of client updates, and the server optimisers, as functions of vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.federated.records.candidate import (
    FedAdam,
    FedAvgM,
    FedYogi,
    Krum,
    Median,
    MultiKrum,
    Private,
    Strategy,
    TrimmedMean,
)

Vector = NDArray[np.float32]

_ADAM_BETA_1, _ADAM_BETA_2, _ADAM_TAU = 0.9, 0.99, 1e-3


def combine(
    updates: Sequence[Vector],
    samples: Sequence[int],
    strategy: Strategy,
    *,
    selected: int,
    noise: np.random.Generator,
) -> Vector:
    """Combine client updates into one.

    Args:
        updates: One float32 [W] per admitted client, in a fixed order, since floating-point sums
            depend on it.
        samples: Sample counts of the clients.
        strategy: The aggregation strategy.
        selected: Number of clients selected for the round. Missing and dropped replies count
            towards the hostile clients that the strategy tolerates.
        noise: Random generator of the private strategy; seeded by the operating system, never by
            the run.
    """
    hostile = max(0, strategy.tolerates(selected) - (selected - len(updates)))
    if isinstance(strategy, TrimmedMean):
        return trimmed_mean(updates, hostile)
    if isinstance(strategy, Median):
        return median(updates)
    if isinstance(strategy, Krum):
        several = max(1, len(updates) - hostile - 2) if hostile else len(updates)
        chosen = krum(updates, hostile, several if isinstance(strategy, MultiKrum) else 1)
        return mean([updates[i] for i in chosen], [samples[i] for i in chosen])
    if isinstance(strategy, Private):
        return private_mean(updates, strategy, selected, noise)
    return mean(updates, samples)


def mean(updates: Sequence[Vector], weights: Sequence[int]) -> Vector:
    """Return the weighted mean, computed with only one temporary vector in memory."""
    total = float(sum(weights))
    result = updates[0] * np.float32(weights[0] / total)
    scaled = np.empty_like(result)
    for update, weight in zip(updates[1:], weights[1:], strict=True):
        np.multiply(update, np.float32(weight / total), out=scaled)
        result += scaled
    return result


def median(updates: Sequence[Vector]) -> Vector:
    """Return the median of each coordinate."""
    middle: Vector = np.median(np.stack(updates), axis=0).astype(np.float32)
    return middle


def trimmed_mean(updates: Sequence[Vector], cut: int) -> Vector:
    """Return the mean of each coordinate without its ``cut`` lowest and ``cut`` highest values."""
    ordered = np.sort(np.stack(updates), axis=0)
    trimmed: Vector = ordered[cut : len(updates) - cut].mean(axis=0, dtype=np.float32)
    return trimmed


def krum(updates: Sequence[Vector], hostile: int, select: int) -> list[int]:
    """Rank clients by the sum of squared distances to their ``n - hostile - 2`` nearest neighbours.

    Returns:
        Indices of the ``select`` best clients, in ascending order.
    """
    count = len(updates)
    distances = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            gap = (updates[i] - updates[j]).astype(np.float64)
            distances[i, j] = distances[j, i] = float(gap @ gap)
    near = max(1, count - hostile - 2)
    scores = np.sort(distances, axis=1)[:, 1 : near + 1].sum(axis=1)
    return sorted(int(i) for i in np.argsort(scores, kind="stable")[:select])


def private_mean(
    updates: Sequence[Vector], strategy: Private, selected: int, noise: np.random.Generator
) -> Vector:
    """Clip each update, sum them, add Gaussian noise and divide by the number of selected clients.

    Missing clients add nothing, so no client changes the sum by more than ``clipping_norm``,
    whoever replies. This is the sensitivity assumed by the privacy accounting (``privacy.py``).
    """
    total = noise.normal(
        scale=strategy.noise_multiplier * strategy.clipping_norm, size=len(updates[0])
    )
    for update in updates:
        norm = float(np.linalg.norm(update.astype(np.float64)))
        total += update * min(1.0, strategy.clipping_norm / max(norm, 1e-12))
    return (total / selected).astype(np.float32)


class ServerOptimiser:
    """Computes the model's step from the combined update, with the state for momentum.

    Args:
        strategy: FedAvgM, FedAdam and FedYogi compute their own step; all others apply the update
            unchanged.
        trainable: bool [W]; other entries are running statistics, which are averaged but never
            extrapolated, since a variance could become negative.
        state: The ``state`` of an earlier instance, to resume from.
    """

    def __init__(
        self, strategy: Strategy, trainable: NDArray[np.bool_], state: dict[str, Vector]
    ) -> None:
        self._strategy = strategy
        self._trainable = trainable
        self.state = dict(state)

    def step(self, update: Vector) -> Vector:
        """Return the step to add to the model's weights."""
        if isinstance(self._strategy, FedAvgM):
            momentum = self._state_or_zeros("momentum", update)
            momentum = np.float32(self._strategy.server_momentum) * momentum + update
            self.state["momentum"] = momentum
            step = np.float32(self._strategy.server_learning_rate) * momentum
        elif isinstance(self._strategy, FedAdam):
            step = self._adam(update, self._strategy.server_learning_rate)
        else:
            return update
        return np.where(self._trainable, step, update).astype(np.float32)

    def _adam(self, update: Vector, learning_rate: float) -> Vector:
        first = self._state_or_zeros("first", update) * np.float32(_ADAM_BETA_1)
        first += np.float32(1 - _ADAM_BETA_1) * update
        square, second = update * update, self._state_or_zeros("second", update)
        gap = square - second
        if isinstance(self._strategy, FedYogi):
            gap = square * np.sign(gap)
        second = second + np.float32(1 - _ADAM_BETA_2) * gap
        self.state.update(first=first, second=second)
        step: Vector = np.float32(learning_rate) * first / (np.sqrt(second) + np.float32(_ADAM_TAU))
        return step

    def _state_or_zeros(self, name: str, like: Vector) -> Vector:
        return self.state.get(name, np.zeros_like(like))
