"""The parts of a codec before it is exported, whether it was trained or fitted."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from edgewright.tools.codecs.learned.manifest import MAX_REACH, Layout
from edgewright.tools.codecs.learned.torch.tail import TunedBlocks

_BATCH = 512


class Parts(Protocol):
    """A codec's networks, gains and symbol probabilities.

    Attributes:
        layout: Shapes and sizes of its networks.
        encoder: Maps features to latents.
        decoder: Maps latents to features.
        tail: The tuned blocks after the decoder.
    """

    layout: Layout
    encoder: nn.Module
    decoder: nn.Module
    tail: TunedBlocks

    @property
    def all_gains(self) -> torch.Tensor:
        """Factors ``[rates, channels]`` by which latents are multiplied before rounding."""
        ...

    def likelihoods(self, rate: int) -> torch.Tensor:
        """Return the probability of each symbol, ``[channels, 2 MAX_REACH + 1]``."""
        ...


def rounded_latents(parts: Parts, features: Any, rate: int) -> torch.Tensor:
    """Return the quantised latents of features, int8 ``[N, channels, positions]``."""
    rounded = []
    gains = parts.all_gains[rate][:, None]
    with torch.inference_mode():
        for start in range(0, len(features), _BATCH):
            batch = torch.from_numpy(features[start : start + _BATCH].astype(np.float32))
            latents = parts.encoder(batch) * gains
            rounded.append(latents.round().clamp(-MAX_REACH, MAX_REACH).to(torch.int8))
    return torch.cat(rounded)
