"""Privacy accounting: the exact (epsilon, delta) of repeated Gaussian releases.

Each round releases one sum with Gaussian noise. Without subsampling, T such rounds with noise
multiplier z equal one Gaussian mechanism with a sensitivity-to-deviation ratio mu = sqrt(T) / z,
whose (epsilon, delta) curve is known in closed form (Balle and Wang, 2018), so no composition bound
is needed. Random client sampling would reduce the true epsilon; this is not taken into account.
"""

from __future__ import annotations

import math

_EPSILON_LIMIT = 1e6


def delta_of(epsilon: float, *, noise_multiplier: float, rounds: int) -> float:
    """Return the delta that holds with ``epsilon`` after a number of rounds."""
    mu = math.sqrt(rounds) / noise_multiplier
    upper = _log_normal_tail(epsilon / mu - mu / 2)
    lower = epsilon + _log_normal_tail(epsilon / mu + mu / 2)
    return math.exp(upper) * -math.expm1(min(0.0, lower - upper))


def epsilon_spent(*, noise_multiplier: float, rounds: int, delta: float) -> float:
    """Return the epsilon that holds with ``delta`` after a number of rounds; 0 for none."""
    if rounds == 0:
        return 0.0
    low, high = 0.0, 1.0
    while delta_of(high, noise_multiplier=noise_multiplier, rounds=rounds) > delta:
        high *= 2
        if high > _EPSILON_LIMIT:
            return math.inf
    for _ in range(80):
        middle = (low + high) / 2
        if delta_of(middle, noise_multiplier=noise_multiplier, rounds=rounds) > delta:
            low = middle
        else:
            high = middle
    return high


def rounds_within(*, noise_multiplier: float, epsilon: float, delta: float, at_most: int) -> int:
    """Return the number of rounds that a budget allows, at most ``at_most``."""
    allowed = 0
    while allowed < at_most:
        spent = epsilon_spent(noise_multiplier=noise_multiplier, rounds=allowed + 1, delta=delta)
        if spent > epsilon:
            break
        allowed += 1
    return allowed


def _log_normal_tail(x: float) -> float:
    """Return log P(N(0, 1) > x), even where the probability underflows."""
    if x < 20:
        return math.log(math.erfc(x / math.sqrt(2)) / 2)
    return -x * x / 2 - math.log(x * math.sqrt(2 * math.pi)) + math.log1p(-1 / (x * x))
