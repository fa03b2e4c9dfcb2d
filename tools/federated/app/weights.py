"""Conversion of a model's weights between named arrays, one vector and a safetensors file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load, save
from torch import nn

from edgewright.tools.storage.atomic import write_file

Arrays = dict[str, NDArray[np.float32]]
Vector = NDArray[np.float32]


def frozen_modules(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules whose own parameters are all frozen."""
    found: dict[str, nn.Module] = {}
    for name, module in model.named_modules():
        own = list(module.parameters(recurse=False))
        if own and not any(parameter.requires_grad for parameter in own):
            found[name] = module
    return found


def tensor_names(model: nn.Module) -> list[str]:
    """List the floating-point tensors of a model that training can change.

    These are parameters and running statistics. Frozen tensors are created by the model's code, and
    integer buffers (batch normalisation's counter) have no effect, so neither is sent.
    """
    frozen = set(frozen_modules(model))
    return [
        name
        for name, value in model.state_dict().items()
        if value.is_floating_point() and name.rpartition(".")[0] not in frozen
    ]


def head_names(model: nn.Module) -> list[str]:
    """List the tensors of the last linear layer, which can be personal; empty if there is none."""
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        return []
    prefix = linear[-1] + "." if linear[-1] else ""
    return [name for name in tensor_names(model) if name.startswith(prefix)]


def read_arrays(model: nn.Module, names: Sequence[str]) -> Arrays:
    """Return copies of a model's tensors."""
    state = model.state_dict()
    return {name: state[name].detach().cpu().numpy().astype(np.float32) for name in names}


@dataclass(frozen=True)
class InitialModel:
    """What the server needs of a model: it never runs the model's code in a round.

    Attributes:
        weights: All tensors that training can change, with their initial values.
        trainable: Names of those that an optimiser changes; the others are running statistics.
    """

    weights: Arrays
    trainable: frozenset[str]

    @classmethod
    def of(cls, model: nn.Module) -> InitialModel:
        """Read the tensors of a new model."""
        trainable = frozenset(name for name, p in model.named_parameters() if p.requires_grad)
        return cls(read_arrays(model, tensor_names(model)), trainable)


def write_arrays(model: nn.Module, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Copy arrays into a model; other tensors are unchanged."""
    state = model.state_dict()
    with torch.no_grad():
        for name, value in arrays.items():
            state[name].copy_(torch.from_numpy(np.array(value, dtype=np.float32)))


def to_vector(arrays: Mapping[str, NDArray[np.float32]]) -> Vector:
    """Concatenate arrays to one vector."""
    return np.concatenate([value.ravel() for value in arrays.values()])


def from_vector(vector: Vector, like: Mapping[str, NDArray[np.float32]]) -> Arrays:
    """Split a vector into arrays with the names and shapes of ``like``, as views."""
    arrays: Arrays = {}
    start = 0
    for name, value in like.items():
        arrays[name] = vector[start : start + value.size].reshape(value.shape)
        start += value.size
    return arrays


def save_arrays(path: Path, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Write a safetensors file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, save({name: np.ascontiguousarray(value) for name, value in arrays.items()}))


def load_arrays(path: Path) -> Arrays:
    """Read a trusted safetensors file."""
    return dict(load(path.read_bytes()))
