"""Tracking quantities that drift and jump, from noisy observations."""

from __future__ import annotations

import math

#: Relative error of a clean observation.
NOISE = 0.07
#: Relative drift of a quantity between two observations.
DRIFT = 0.05
#: An observation that deviates by more than this many standard deviations indicates a jump.
JUMP = 2.5


class LogKalmanFilter:
    """Estimates a positive quantity with a Kalman filter on its logarithm.

    On a logarithmic scale, increases and decreases by the same factor are treated alike. Uncertain
    estimates adapt fast and certain ones slowly; a jump resets the uncertainty.

    Args:
        value: Initial estimate.
        error: Relative error of the initial estimate; infinite for a mere guess.

    Attributes:
        value: Current estimate.
    """

    def __init__(self, value: float, *, error: float = math.inf) -> None:
        self.value = value
        self._variance = error**2

    def update(
        self, observed: float, *, noise: float = NOISE, expected_noise: float = NOISE
    ) -> bool:
        """Update the estimate with an observation.

        Args:
            observed: The observed value, above 0.
            noise: Relative error of the observation.
            expected_noise: Relative error that it would have if the estimate were right, for the
                detection of jumps.

        Returns:
            Whether the quantity seems to have jumped away from a certain estimate.
        """
        surprise = math.log(observed / self.value)
        variance = self._variance + DRIFT**2
        jumped = surprise**2 > JUMP**2 * (variance + expected_noise**2)
        if jumped:
            variance = surprise**2
        gain = variance / (variance + noise**2) if variance < math.inf else 1.0
        self.value *= math.exp(gain * surprise)
        self._variance = gain * noise**2
        return jumped
