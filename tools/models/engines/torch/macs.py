"""Counting the multiply-accumulate operations (MACs) of a model's blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from edgewright.tools.models.engines.torch.chain import Chain

_Result = TypeVar("_Result")


def block_macs(adapter: Chain) -> list[int]:
    """Count the MACs of each block for one image.

    Like PyTorch's own counter, this includes convolutions, matrix products and attention, and
    excludes element-wise operations. A text decoder that follows the last block is not a block, so
    it does not reduce the head's share.

    Args:
        adapter: The model.
    """
    features = torch.zeros(1, *adapter.feature_shape(0))
    counts: list[int] = []
    for block in range(len(adapter.block_names)):
        features, count = count_macs(adapter.forward, features, block, block + 1)
        counts.append(count)
    return counts


def head_shares(adapter: Chain) -> list[float]:
    """Return the head's share of the model's MACs for every partition point.

    Args:
        adapter: The model.
    """
    counts = block_macs(adapter)
    return [sum(counts[:point]) / sum(counts) for point in range(len(counts) + 1)]


def count_macs(function: Callable[..., _Result], *args: Any, **kwargs: Any) -> tuple[_Result, int]:
    """Call a function on tensors; return its result and its MACs.

    Args:
        function: The function.
        *args: Its positional arguments.
        **kwargs: Its keyword arguments.
    """
    fused = torch.backends.mha.get_fastpath_enabled()
    # The counter does not recognise the CPU's fused attention; unfused, it sees the matrix
    # products.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with (
            torch.no_grad(),
            sdpa_kernel(SDPBackend.MATH),
            FlopCounterMode(display=False) as counter,
        ):
            result = function(*args, **kwargs)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return result, counter.get_total_flops() // 2
