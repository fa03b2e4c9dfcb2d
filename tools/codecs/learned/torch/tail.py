"""Running blocks of a model with tuned weights, without changing the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import torch
from torch import nn

from edgewright.tools.models.engines.torch.chain import Chain


class TunedBlocks(nn.Module):
    """Consecutive blocks of a model, run with tuned weights instead of the model's.

    The weights are swapped in for the duration of a call, so nothing else may run the same model
    meanwhile; a model worker runs one operation at a time.

    Args:
        adapter: The model.
        start: First block.
        stop: One past the last block.
        weights: Tuned weights by name in the model's network.
    """

    def __init__(
        self, adapter: Chain, start: int, stop: int, weights: Mapping[str, torch.Tensor]
    ) -> None:
        super().__init__()
        self._names = [f"network.{name}" for name in weights]
        self._weights = nn.ParameterList(weights.values())
        # In a list, so that the model's own weights do not become parameters of this module.
        self._blocks = [_Blocks(adapter, start, stop)]

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Run the blocks.

        Args:
            features: float32, the output of block ``start - 1``, with the batch dimension.
        """
        weights = dict(zip(self._names, self._weights, strict=True))
        output = torch.func.functional_call(self._blocks[0], weights, (features,))
        return cast(torch.Tensor, output)

    @contextmanager
    def in_place(self) -> Iterator[nn.Module]:
        """Yield the blocks as a module that an exporter can trace.

        During the block, the tuned weights replace those of the model's network.
        """
        parameters = dict(self._blocks[0].named_parameters())
        original = {name: parameters[name].data for name in self._names}
        for name, weight in zip(self._names, self._weights, strict=True):
            parameters[name].data = weight.data
        try:
            yield self._blocks[0]
        finally:
            for name, data in original.items():
                parameters[name].data = data

    def named_weights(self) -> dict[str, torch.Tensor]:
        """Return the tuned weights by name in the model's network."""
        names = (name.removeprefix("network.") for name in self._names)
        return {name: weight.detach() for name, weight in zip(names, self._weights, strict=True)}


def weights_of_blocks(adapter: Chain, start: int, stop: int) -> dict[str, torch.Tensor]:
    """Return copies of the weights that a range of a model's blocks uses, by name."""
    blocks = _Blocks(adapter, start, stop)
    weights = {
        name: weight.detach().clone().requires_grad_(True)
        for name, weight in blocks.named_parameters()
    }
    features = torch.zeros(1, *adapter.feature_shape(start))
    output = torch.func.functional_call(blocks, weights, (features,))
    if not output.requires_grad:
        return {}
    gradients = torch.autograd.grad(output.sum(), list(weights.values()), allow_unused=True)
    return {
        name.removeprefix("network."): weight.detach()
        for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
        if gradient is not None
    }


class _Blocks(nn.Module):
    """A range of a model's blocks as a module whose weights can be swapped."""

    def __init__(self, adapter: Chain, start: int, stop: int) -> None:
        super().__init__()
        self.network: nn.Module = adapter.network
        self._adapter = adapter
        self._range = start, stop

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self._adapter.forward(features, *self._range)
