"""How far measured costs are off their profiles now, by stage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.offload.tracking import DRIFT, JUMP, NOISE

#: Relative drift of a stage's own factor between two observations.
_OWN_DRIFT = 0.01
#: What is left of what was learned, after each task elsewhere.
_FADING = 0.97


class Ratio(NamedTuple):
    """A measured cost of a stage, compared with its profile.

    Attributes:
        measured: Measured cost, above 0.
        profiled: Cost according to the profile, above 0.
        noise: Relative error of the measurement.
    """

    measured: float
    profiled: float
    noise: float = NOISE


class StageFactors:
    """Tracks the ratio of measured to profiled costs: a factor for all stages, and one for each.

    A throttled or busy node is slower in all stages; an image of another type takes longer in one.
    So the logarithm of a ratio is modelled as ``common + own[stage] + noise``, and one Kalman
    filter estimates all of them. How certain each is decides what an observation changes: a stage
    that was never observed explains its own deviation, several that deviate alike share a cause.

    Args:
        error: Relative error of the factor that all stages share.
        own_error: Relative error of a stage's own factor.
    """

    def __init__(self, *, error: float, own_error: float) -> None:
        self._own_error = own_error
        self._positions: dict[str, int] = {}
        self._means: NDArray[np.float64] = np.zeros(1)
        self._covariance: NDArray[np.float64] = np.full((1, 1), error**2)

    def of(self, stage: str) -> float:
        """Return the current factor of a stage."""
        position = self._positions.get(stage)
        own = 0.0 if position is None else self._means[position]
        return math.exp(self._means[0] + own)

    def update(self, ratios: Mapping[str, Ratio]) -> None:
        """Learn from the stages of one task.

        Args:
            ratios: Measured and profiled costs by stage.
        """
        if not ratios:
            return
        positions = [self._position(stage) for stage in ratios]
        observation = np.zeros((len(ratios), len(self._means)))
        observation[:, 0] = 1.0
        observation[np.arange(len(ratios)), positions] = 1.0
        self._covariance[0, 0] += DRIFT**2
        self._covariance[positions, positions] += _OWN_DRIFT**2
        deviations = np.array([math.log(one.measured / one.profiled) for one in ratios.values()])
        noise = np.diag([one.noise**2 for one in ratios.values()])
        innovations = deviations - observation @ self._means
        self._admit_jumps(observation, noise, innovations, positions)
        expected = observation @ self._covariance @ observation.T + noise
        gain = np.linalg.solve(expected, observation @ self._covariance).T
        self._means = self._means + gain @ innovations
        self._covariance = self._covariance - gain @ observation @ self._covariance

    def fade(self) -> None:
        """Let what was learned fade a little, since a task was done elsewhere.

        Otherwise a node that was slow once would never be tried again.
        """
        self._means = self._means * _FADING
        self._covariance[0, 0] += DRIFT**2

    def _admit_jumps(
        self,
        observation: NDArray[np.float64],
        noise: NDArray[np.float64],
        innovations: NDArray[np.float64],
        positions: Sequence[int],
    ) -> None:
        """Make what has jumped uncertain: first what all stages share, then single stages."""
        expected = observation @ self._covariance @ observation.T + noise
        weights = np.linalg.solve(expected, np.ones(len(innovations)))
        variance = 1 / weights.sum()
        shift = variance * (weights @ innovations)
        if shift**2 > JUMP**2 * variance:
            self._covariance[0, 0] += shift**2
            expected += shift**2
        for position, innovation, own in zip(
            positions, innovations, expected.diagonal(), strict=True
        ):
            if innovation**2 > JUMP**2 * own:
                self._covariance[position, position] += innovation**2

    def _position(self, stage: str) -> int:
        """Return a stage's place in the filter; a new one is added with the prior's error."""
        if stage not in self._positions:
            size = self._positions[stage] = len(self._means)
            self._means = np.append(self._means, 0.0)
            covariance = np.zeros((size + 1, size + 1))
            covariance[:size, :size] = self._covariance
            covariance[size, size] = self._own_error**2
            self._covariance = covariance
        return self._positions[stage]
