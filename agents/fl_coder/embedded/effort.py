"""What a training costs, so that no remedy is proposed that could not come to its end."""

from __future__ import annotations

from edgewright.agents.fl_coder.embedded.recipes import read
from edgewright.tools.federated.records.candidate import Candidate

#: Time of a recipe's model at equal width, over that of plain convolutions, and how it grows with
#: the width; measured on one core, where narrow layers cost more than their operations.
_SHARES = {"convolutions": 1.0, "residual": 2.3, "light": 0.3, "linear": 0.05, "pretrained": 3.0}
_GROWTH = 1.5


def effort(candidate: Candidate) -> float:
    """Estimate a training's time on given data, in a unit of which only ratios mean much.

    Args:
        candidate: With a model from the book; another one counts as plain convolutions.
    """
    name, numbers = read(candidate, "model")
    width = numbers.get("width", 16.0)
    passes = candidate.rounds * candidate.local_epochs * candidate.participation
    return float(passes * _SHARES.get(name, 1.0) * width**_GROWTH)
