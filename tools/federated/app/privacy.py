"""Privacy accounting: the (epsilon, delta) of repeated Gaussian releases.

Each step releases one sum with Gaussian noise. Without subsampling, T such steps with noise
multiplier z equal one Gaussian mechanism with a sensitivity-to-deviation ratio mu = sqrt(T) / z,
whose (epsilon, delta) curve is known in closed form (Balle and Wang, 2018), so no composition bound
is needed. If each unit takes part in a step at random (Poisson sampling), the Rényi divergence of
the sampled Gaussian mechanism is added up instead (Mironov, Talwar and Zhang, 2019), which is an
upper bound. Random sampling of whole clients would reduce the true epsilon; this is not taken into
account.
"""

from __future__ import annotations

import math

from edgewright.tools.federated.records.candidate import Private, Strategy
from edgewright.tools.federated.records.local_privacy import DpSgd, LocalPrivacy

#: What states a budget: noise that the server adds for clients, or clients for their own data.
Budget = Private | DpSgd

_EPSILON_LIMIT = 1e6
#: Orders of the Rényi divergence; the best one lies far inside for any useful budget.
_ORDERS = (*range(2, 64), 72, 80, 96, 128, 192, 256, 512)


def delta_of(epsilon: float, *, noise_multiplier: float, rounds: int) -> float:
    """Return the delta that holds with ``epsilon`` after a number of rounds."""
    mu = math.sqrt(rounds) / noise_multiplier
    upper = _log_normal_tail(epsilon / mu - mu / 2)
    lower = epsilon + _log_normal_tail(epsilon / mu + mu / 2)
    return math.exp(upper) * -math.expm1(min(0.0, lower - upper))


def epsilon_spent(
    *, noise_multiplier: float, rounds: int, delta: float, sample_rate: float = 1.0
) -> float:
    """Return the epsilon that holds with ``delta`` after a number of rounds; 0 for none.

    Args:
        noise_multiplier: Standard deviation of the noise, relative to the sensitivity.
        rounds: Number of releases.
        delta: Probability with which epsilon may fail.
        sample_rate: Probability with which a unit takes part in a release.
    """
    if rounds == 0:
        return 0.0
    if sample_rate < 1:
        return _sampled_epsilon(noise_multiplier, rounds, delta, sample_rate)
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


def noise_for(rounds: int, epsilon: float, delta: float, *, sample_rate: float = 1.0) -> float:
    """Return the smallest noise multiplier within a budget, rounded up to two decimals.

    Args:
        rounds: Number of releases.
        epsilon: Maximum privacy loss.
        delta: Probability with which it may fail.
        sample_rate: Probability with which a unit takes part in a release.
    """
    low, high = 0.01, 1000.0
    for _ in range(40):
        middle = (low * high) ** 0.5
        spent = epsilon_spent(
            noise_multiplier=middle, rounds=rounds, delta=delta, sample_rate=sample_rate
        )
        if spent > epsilon:
            low = middle
        else:
            high = middle
    return math.ceil(high * 100) / 100


def budgets(strategy: Strategy, local_privacy: LocalPrivacy) -> tuple[Budget, ...]:
    """Return the privacy budgets of a training run: the server's, then the clients'."""
    return tuple(each for each in (strategy, local_privacy) if isinstance(each, Private | DpSgd))


def epsilon_after(budget: Budget, rounds: int) -> float:
    """Return the epsilon that a number of rounds spends at the budget's delta."""
    if isinstance(budget, Private):
        steps, sample_rate = rounds, 1.0
    else:
        steps, sample_rate = rounds * budget.local_steps, budget.sample_rate
    return epsilon_spent(
        noise_multiplier=budget.noise_multiplier,
        rounds=steps,
        delta=budget.delta,
        sample_rate=sample_rate,
    )


def rounds_within(budget: Budget, *, at_most: int) -> int:
    """Return the number of rounds that a budget allows, at most ``at_most``."""
    low, high = 0, at_most
    while low < high:  # the loss grows with the rounds
        middle = (low + high + 1) // 2
        if epsilon_after(budget, middle) <= budget.epsilon:
            low = middle
        else:
            high = middle - 1
    return low


def _sampled_epsilon(
    noise_multiplier: float, rounds: int, delta: float, sample_rate: float
) -> float:
    """Return the epsilon of Poisson-sampled Gaussian releases (Balle et al., 2020, theorem 21)."""
    best = math.inf
    for order in _ORDERS:
        divergence = rounds * _divergence(order, noise_multiplier, sample_rate)
        epsilon = (
            divergence + math.log1p(-1 / order) - (math.log(delta) + math.log(order)) / (order - 1)
        )
        best = min(best, epsilon)
    return max(best, 0.0)


def _divergence(order: int, noise_multiplier: float, sample_rate: float) -> float:
    """Return the Rényi divergence of one sampled release at an integer order."""
    terms = [
        math.log(math.comb(order, k))
        + k * math.log(sample_rate)
        + (order - k) * math.log1p(-sample_rate)
        + k * (k - 1) / (2 * noise_multiplier**2)
        for k in range(order + 1)
    ]
    largest = max(terms)
    return (largest + math.log(sum(math.exp(t - largest) for t in terms))) / (order - 1)


def _log_normal_tail(x: float) -> float:
    """Return log P(N(0, 1) > x), even where the probability underflows."""
    if x < 20:
        return math.log(math.erfc(x / math.sqrt(2)) / 2)
    return -x * x / 2 - math.log(x * math.sqrt(2 * math.pi)) + math.log1p(-1 / (x * x))
