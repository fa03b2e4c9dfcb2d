"""Forecasts what another trial can gain, so that one that can gain nothing is not paid for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgewright.agents.fl_coder.embedded.adjustments import PHOTOGRAPH, UNCONSTRAINED
from edgewright.agents.fl_coder.embedded.diagnosis import Cause, diagnose, noise_of
from edgewright.agents.fl_coder.embedded.recipes import read
from edgewright.agents.fl_coder.protocol import Attempt, best_attempt
from edgewright.tools.federated.records.data_card import DataCard

#: Share of the remaining errors that the best adjustment for a diagnosis removes at most. A trial
#: that did not learn, or leaves a client behind, is always worth another one.
_SHARES: dict[Cause, float] = {
    "divergence": 1.0, "client left behind": 1.0, "client drift": 0.4, "oscillation": 0.4,
    "unfinished": 0.5, "underfitting": 0.5, "overfitting": 0.3, "memorised noise": 0.3,
    "plateau": 0.15,
}  # fmt: skip
#: The same for photographs that were not tried with features learned on others.
_PRETRAINED = 0.5


@dataclass(frozen=True)
class Forecast:
    """The forecast of another trial.

    Attributes:
        gain: Validation accuracy that it may gain.
        interval: Gain below which it could not be told from chance.
    """

    gain: float
    interval: float


def forecast(attempts: Sequence[Attempt], card: DataCard, *, stale: int) -> Forecast:
    """Forecast the gain of another trial.

    Args:
        attempts: All attempts; at least one was trained.
        card: Statistics of the data.
        stale: Number of latest trials that gained nothing; each halves the forecast.
    """
    best = best_attempt(attempts)
    assert best is not None and best.result is not None and best.result.best is not None
    curve = best.result.curve
    share = _SHARES[diagnose(curve, card).cause]
    photographs = min(card.height, card.width) >= PHOTOGRAPH
    if photographs and read(best.proposal.candidate, "model")[0] in UNCONSTRAINED:
        share = max(share, _PRETRAINED)
    errors = 1 - best.result.best.validation.accuracy
    return Forecast(gain=errors * share / 2**stale, interval=noise_of(curve, card.validation))
