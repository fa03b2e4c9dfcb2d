"""Multiply-adds of a model's blocks: what a device that runs the head is asked to compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from edgewright.tools.models.adapter import PartitionAdapter

_Result = TypeVar("_Result")


def block_macs(adapter: PartitionAdapter) -> list[int]:
    """Count the multiply-adds of every block for one picture.

    Counted are convolutions, matrix products and attention, as torch's own counter does; what
    works value by value is left out. A text side that reads the last block's output is not a
    block, so that it never makes a head's share look smaller.

    Args:
        adapter: The model.
    """
    features = torch.zeros(1, *adapter.feature_shape(0))
    counts: list[int] = []
    for block in range(len(adapter.block_names)):
        features, count = counted(adapter.run, features, block, block + 1)
        counts.append(count)
    return counts


def head_shares(adapter: PartitionAdapter) -> list[float]:
    """Return, for every partition point, the head's share of the model's multiply-adds.

    Args:
        adapter: The model.
    """
    counts = block_macs(adapter)
    return [sum(counts[:point]) / sum(counts) for point in range(len(counts) + 1)]


def counted(function: Callable[..., _Result], *args: Any, **kwargs: Any) -> tuple[_Result, int]:
    """Call a function that computes with tensors; return its result and its multiply-adds.

    Args:
        function: The function.
        *args: Its arguments.
        **kwargs: Its named arguments.
    """
    fused = torch.backends.mha.get_fastpath_enabled()
    # The counter does not know attention as the CPU fuses it; unfused, it sees the products.
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
