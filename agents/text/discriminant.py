"""Softmax heads in closed form, for more labels than a gradient can be followed for.

This is Fisher's linear discriminant (Hastie et al. 2009, section 4.3): all labels share the
covariance of the features within a label, so that the log-odds are linear. A label then costs one
mean and one solve, and a further label leaves the others as they are but for that covariance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgewright.agents.text.blocks import Vectors
from edgewright.agents.text.heads import Heads
from edgewright.agents.text.products import product

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Share of the average variance that is added to every direction.
SHRINKAGE = 0.1
#: Number of examples whose deviations are computed at a time: they stay in the processor's cache.
_ROWS = 1024
#: Factors on the logits that are tried, on a logarithmic scale.
_TEMPERATURES = np.geomspace(0.02, 1.0, 25)


@dataclass(frozen=True)
class Discriminant:
    """The statistics that heads are solved from.

    Attributes:
        sums: Sum of the features of each label's examples, float32 ``[labels, D]``.
        counts: Number of these examples, in shares, float32 ``[labels]``.
        inverse: Inverse of the covariance within a label, float32 ``[D, D]``.
    """

    sums: Vectors
    counts: Vectors
    inverse: Vectors

    @classmethod
    def of(cls, features: Vectors, truth: csr_array) -> Discriminant:
        """Collect the statistics; every label weighs the same.

        Args:
            features: float32 ``[N, D]``.
            truth: Share of each label in each example, float32 ``[N, labels]``.
        """
        from scipy.linalg import inv

        sums, counts = truth.T @ features, np.asarray(truth.sum(axis=0), np.float32)
        means, weights = sums / counts[:, None], truth @ (1 / counts)
        width = features.shape[1]
        covariance = np.zeros((width, width), np.float32)
        for start in range(0, len(features), _ROWS):
            rows = slice(start, start + _ROWS)
            within = features[rows] - truth[rows] @ means
            within *= np.sqrt(weights[rows, None])
            covariance += product(within.T, within)
        covariance /= weights.sum()
        covariance += SHRINKAGE * np.trace(covariance) / width * np.eye(width, dtype=np.float32)
        return cls(sums, counts, inv(covariance, overwrite_a=True, assume_a="pos"))

    def heads(self, features: Vectors | None = None, truth: csr_array | None = None) -> Heads:
        """Return the heads.

        Args:
            features: Examples to leave out of the labels' means, float32 ``[N, D]``.
            truth: Their labels, float32 ``[N, labels]``.
        """
        sums, counts = self.sums, self.counts
        if features is not None and truth is not None:
            sums, counts = sums - truth.T @ features, counts - truth.sum(axis=0)
        means = sums / np.maximum(counts, 1e-6)[:, None]
        weights = product(self.inverse, means.T)
        bias = -0.5 * np.einsum("ld,dl->l", means, weights)
        return Heads(weights=weights, bias=np.where(counts > 1e-3, bias, -1e6).astype(np.float32))


def temperature(logits: Vectors, truth: Vectors) -> float:
    """Return the factor on logits that makes their softmax most likely.

    Args:
        logits: Of examples that the heads have not seen, float32 ``[N, labels]``.
        truth: Share of each label, float32 ``[N, labels]``.
    """
    logits = logits - logits.max(axis=1, keepdims=True)
    right = (logits * truth).sum(axis=1)

    def likelihood(factor: float) -> float:
        return float((factor * right - np.log(np.exp(factor * logits).sum(axis=1))).mean())

    return float(max(_TEMPERATURES, key=likelihood))


def scaled(heads: Heads, factor: float) -> Heads:
    """Return heads whose logits are multiplied by a factor."""
    return Heads(weights=heads.weights * np.float32(factor), bias=heads.bias * np.float32(factor))
