"""Running a codec's networks with PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from edgewright.tools.codecs.learned.files import DECODER, ENCODER, TAIL, CodecFiles
from edgewright.tools.codecs.learned.torch.networks import make_decoder, make_encoder
from edgewright.tools.codecs.learned.torch.tail import TunedBlocks
from edgewright.tools.models.adapter import Features
from edgewright.tools.models.engines.torch.chain import Chain


class TorchNetworks:
    """A codec's networks from its two halves; implements ``CodecNetworks``.

    Args:
        codec: The files of the codec.
        adapter: The model that it was made for.
    """

    def __init__(self, codec: CodecFiles, adapter: Chain) -> None:
        self._codec = codec
        self._adapter = adapter

    def encode(self, features: Features) -> Features:
        """Convert features to latents; see ``CodecNetworks``."""
        with torch.inference_mode():
            latents: Features = self.encoder(torch.from_numpy(features)).numpy()
        return latents

    def decode(self, latents: Features) -> Features:
        """Convert latents to features; see ``CodecNetworks``."""
        with torch.inference_mode():
            features: Features = self.decoder(torch.from_numpy(latents)).numpy()
        return features

    @cached_property
    def encoder(self) -> nn.Module:
        """The device's network."""
        encoder = make_encoder(self._codec.manifest.layout)
        encoder.load_state_dict(_part(self._codec.device, ENCODER))
        return encoder.eval()

    @cached_property
    def decoder(self) -> nn.Module:
        """The edge server's network: the decoder, and any tuned blocks after it."""
        return nn.Sequential(*self.decoder_parts).eval()

    @cached_property
    def decoder_parts(self) -> tuple[nn.Module, *tuple[TunedBlocks, ...]]:
        """The decoder, followed by the tuned blocks if there are any."""
        manifest = self._codec.manifest
        decoder = make_decoder(manifest.layout)
        decoder.load_state_dict(_part(self._codec.edge, DECODER))
        if manifest.decoder_point == manifest.resume_point:
            return (decoder,)
        tail = _part(self._codec.edge, TAIL)
        tuned = TunedBlocks(self._adapter, manifest.decoder_point, manifest.resume_point, tail)
        return decoder, tuned


def _part(stored: Mapping[str, NDArray[np.float32]], prefix: str) -> dict[str, torch.Tensor]:
    """Return the tensors whose names start with a prefix, with the prefix removed."""
    return {
        name.removeprefix(prefix): torch.from_numpy(values.copy())
        for name, values in stored.items()
        if name.startswith(prefix)
    }
