"""Following quantities that drift and jump, seen through noise."""

from __future__ import annotations

import math

#: Relative error of a clean observation.
NOISE = 0.07
#: By about so much, relatively, a quantity drifts from one observation to the next.
_DRIFT = 0.05
#: An observation so many standard deviations off is no noise: the quantity has jumped.
_JUMP = 2.5


class Tracked:
    """A positive quantity and how well it is known: a Kalman filter of its logarithm.

    On a logarithmic scale ten times more and ten times less are learnt alike. What is little known
    is learnt fast, what is well known is shaken little, and after a jump nothing is known.

    Args:
        value: What to believe at first.
        error: Relative error of that; infinite when it is only a guess.

    Attributes:
        value: What is believed now.
    """

    def __init__(self, value: float, *, error: float = math.inf) -> None:
        self.value = value
        self._variance = error**2

    def see(self, seen: float, *, noise: float = NOISE, usual: float = NOISE) -> bool:
        """Learn from an observation.

        Args:
            seen: What was observed, above 0.
            noise: Relative error of it.
            usual: Relative error that it would have if the quantity were what is believed; tells
                noise from jumps.

        Returns:
            Whether the quantity seems to have jumped from a value that was known.
        """
        surprise = math.log(seen / self.value)
        variance = self._variance + _DRIFT**2
        jumped = surprise**2 > _JUMP**2 * (variance + usual**2)
        if jumped:
            variance = surprise**2
        gain = variance / (variance + noise**2) if variance < math.inf else 1.0
        self.value *= math.exp(gain * surprise)
        self._variance = gain * noise**2
        return jumped
