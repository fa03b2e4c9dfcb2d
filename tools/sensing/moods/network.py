"""A small network from named features to moods, trained on a person's own labels by several nodes.

Each node makes some steps on the labels that it holds, and the mean of the networks, weighed by
their numbers of labels, is where the next round begins (federated averaging). Only networks travel.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from edgewright.tools.errors import InputError

Array = NDArray[np.float32]

_HIDDEN = 16
#: Steps on a node in each round, their size, and how much large weights are reduced.
_STEPS, _RATE, _DECAY = 60, 0.3, 1e-3
_MAX_BYTES = 100_000
_MAX_LABELS = 20
_NAMES = "names"


@dataclass(frozen=True)
class MoodNetwork:
    """A network with one hidden layer.

    Attributes:
        features: Names of the features, in the order of the first layer's rows.
        labels: The labels, in the order of the last layer's columns.
        arrays: ``hidden`` [F, H], ``hidden_bias`` [H], ``output`` [H, L], ``output_bias`` [L].
        samples: Number of labelled windows that it was trained on.
        nodes: Number of nodes that they were on.
    """

    features: tuple[str, ...]
    labels: tuple[str, ...]
    arrays: Mapping[str, Array]
    samples: int = 0
    nodes: int = 0

    @classmethod
    def initial(cls, features: Sequence[str], labels: Sequence[str], seed: int = 0) -> MoodNetwork:
        """Return an untrained network.

        Args:
            features: Names of the features.
            labels: The labels.
            seed: Seed of the weights.
        """
        rng = np.random.default_rng(seed)
        hidden = rng.normal(0, len(features) ** -0.5, (len(features), _HIDDEN))
        arrays = {
            "hidden": hidden,
            "hidden_bias": np.zeros(_HIDDEN),
            "output": np.zeros((_HIDDEN, len(labels))),
            "output_bias": np.zeros(len(labels)),
        }
        return cls(
            tuple(features),
            tuple(labels),
            {name: value.astype(np.float32) for name, value in arrays.items()},
        )

    def probabilities(self, rows: Array) -> Array:
        """Return the probability of each label.

        Args:
            rows: Scaled features [N, F].
        """
        return _softmax(self._hidden(rows) @ self.arrays["output"] + self.arrays["output_bias"])

    def trained(self, rows: Array, labels: Sequence[str]) -> MoodNetwork:
        """Return the network after a round on one node.

        Args:
            rows: Scaled features [N, F].
            labels: The label of each row.

        Raises:
            InputError: A label is not one of the network's (``labels_differ``).
        """
        if unknown := sorted(set(labels) - set(self.labels)):
            raise InputError(f"the network has no label {unknown[0]!r}", code="labels_differ")
        target = np.eye(len(self.labels), dtype=np.float32)[
            [self.labels.index(one) for one in labels]
        ]
        arrays = {name: value.copy() for name, value in self.arrays.items()}
        for _ in range(_STEPS):
            network = replace(self, arrays=arrays)
            hidden = network._hidden(rows)
            error = (network.probabilities(rows) - target) / len(rows)
            back = (error @ arrays["output"].T) * (1 - hidden**2)
            gradients = {
                "hidden": rows.T @ back + _DECAY * arrays["hidden"],
                "hidden_bias": back.sum(axis=0),
                "output": hidden.T @ error + _DECAY * arrays["output"],
                "output_bias": error.sum(axis=0),
            }
            arrays = {name: arrays[name] - _RATE * gradients[name] for name in arrays}
        return replace(self, arrays=arrays, samples=len(rows), nodes=1)

    def to_bytes(self) -> bytes:
        """Return the network as a file."""
        names = {
            "features": self.features,
            "labels": self.labels,
            "samples": self.samples,
            "nodes": self.nodes,
        }
        return save(dict(self.arrays), metadata={_NAMES: json.dumps(names)})

    @classmethod
    def from_bytes(cls, data: bytes, features: Sequence[str]) -> MoodNetwork:
        """Read a network that another node or the coordinator sent.

        Args:
            data: The file.
            features: The features that it must have.

        Raises:
            InputError: It is no such network (``network_invalid``).
        """
        try:
            if len(data) > _MAX_BYTES:
                raise ValueError("it is too large")
            length = int.from_bytes(data[:8], "little")
            names = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][_NAMES])
            arrays = load(data)
            labels = tuple(str(one) for one in names["labels"])
            found = cls(tuple(features), labels, arrays, int(names["samples"]), int(names["nodes"]))
            wanted = _shapes(cls.initial(features, labels).arrays)
            good = (
                tuple(names["features"]) == tuple(features)
                and 1 < len(set(labels)) == len(labels) <= _MAX_LABELS
                and _shapes(arrays) == wanted
                and all(each.dtype == np.float32 for each in arrays.values())
                and all(np.isfinite(each).all() for each in arrays.values())
                and found.samples >= 0
                and found.nodes >= 0
            )
        except (ValueError, KeyError, TypeError, RecursionError, SafetensorError):
            good = False
        if not good:
            raise InputError("this is no network for these features", code="network_invalid")
        return found

    def _hidden(self, rows: Array) -> Array:
        return np.asarray(np.tanh(rows @ self.arrays["hidden"] + self.arrays["hidden_bias"]))


def averaged(networks: Sequence[MoodNetwork]) -> MoodNetwork:
    """Return the mean of networks, weighed by the numbers of their labels.

    Args:
        networks: At least one; all with the same features and labels.
    """
    first, total = networks[0], sum(one.samples for one in networks)
    arrays = {
        name: np.asarray(
            sum(one.arrays[name] * np.float32(one.samples / total) for one in networks), np.float32
        )
        for name in first.arrays
    }
    return replace(first, arrays=arrays, samples=total, nodes=len(networks))


def _shapes(arrays: Mapping[str, Array]) -> dict[str, tuple[int, ...]]:
    return {name: each.shape for name, each in arrays.items()}


def _softmax(values: Array) -> Array:
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
