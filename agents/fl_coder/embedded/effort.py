"""Estimates the time of a training run, to avoid proposals that cannot finish in time."""

from __future__ import annotations

from edgewright.agents.fl_coder.embedded.recipes import read
from edgewright.tools.federated.records.candidate import Candidate

#: Training time of each model relative to plain convolutions of the same width, and the exponent of
#: its growth with the width. Measured on one core, where narrow layers take longer than their MACs
#: suggest.
_SHARES = {"convolutions": 1.0, "residual": 2.3, "light": 0.3, "linear": 0.05, "pretrained": 3.0}
_GROWTH = 1.5


def effort(candidate: Candidate) -> float:
    """Estimate the time of a training run on given data, in arbitrary units.

    Args:
        candidate: The candidate; a model that is not from the recipe book counts as convolutions.
    """
    name, numbers = read(candidate, "model")
    width = numbers.get("width", 16.0)
    passes = candidate.rounds * candidate.passes * candidate.participation
    return float(passes * _SHARES.get(name, 1.0) * width**_GROWTH)
