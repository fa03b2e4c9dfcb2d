"""Decision trees and forests that were fitted elsewhere, evaluated with numpy alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_LEAF = -1


@dataclass(frozen=True)
class Forest:
    """Trees over the same features; one tree is a forest of one.

    Attributes:
        roots: Place of each tree's root among the nodes [trees].
        feature: Feature that a node asks for; -1 at a leaf [nodes].
        threshold: A value of at most this goes left [nodes].
        left: Place of the left child [nodes].
        right: Place of the right child [nodes].
        shares: Shares of the labels at a node [nodes, labels].
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    shares: NDArray[np.float32]

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[np.generic]], prefix: str) -> Forest:
        """Read a forest from named arrays.

        Args:
            tensors: The arrays of a file.
            prefix: What their names begin with.
        """
        arrays: Any = (np.asarray(tensors[prefix + name]) for name in cls.__dataclass_fields__)
        return cls(*arrays)

    def as_tensors(self, prefix: str) -> dict[str, NDArray[np.generic]]:
        """Return its arrays by name."""
        return {prefix + name: getattr(self, name) for name in self.__dataclass_fields__}

    def probabilities(self, rows: Array) -> Array:
        """Return the probability of each label, as the mean of the trees' shares.

        Args:
            rows: Features [N, F].

        Returns:
            Probabilities [N, labels].
        """
        values = np.asarray(rows, dtype=np.float32)
        at = np.repeat(self.roots[None, :], len(values), axis=0)
        number = np.arange(len(values))[:, None]
        while np.any(inner := self.feature[at] != _LEAF):
            asked = np.where(inner, self.feature[at], 0)
            goes_left = values[number, asked] <= self.threshold[at]
            following = np.where(goes_left, self.left[at], self.right[at])
            at = np.where(inner, following, at)
        return np.asarray(self.shares[at].mean(axis=1), dtype=np.float64)
