"""The learned codec: quantised latents of small networks, entropy-coded."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.codecs.entropy import (
    MAX_BYTES_PER_SYMBOL,
    Decoder,
    Edges,
    Integers,
    edges_of,
    encode,
    payload_error,
)
from edgewright.tools.codecs.learned.files import CodecFiles
from edgewright.tools.codecs.learned.networks import CodecNetworks, codec_networks
from edgewright.tools.codecs.protocol import check_features
from edgewright.tools.models.adapter import Features, PartitionAdapter


class LearnedCodec:
    """One rate point of a learned codec; a ``FeatureCodec``.

    A device needs only the device half with the encoder, an edge server only the edge half with the
    decoder and the tuned blocks up to ``resume_point``.

    Args:
        codec: The codec's files.
        networks: The codec's networks.
        rate: Index of the rate point.
    """

    def __init__(self, codec: CodecFiles, networks: CodecNetworks, rate: int) -> None:
        manifest = codec.manifest
        self.name = manifest.codec_name(rate)
        self.model = manifest.model
        self.point = manifest.point
        self.resume_point = manifest.resume_point
        self.shape = manifest.layout.shape
        self.fingerprint = manifest.fingerprint(rate)
        self._codec = codec
        self._networks = networks
        self._layout = manifest.layout
        self._reach = manifest.reach
        self._rate = rate

    def encode(self, features: Features) -> bytes:
        """Encode features to a payload; see ``FeatureCodec``.

        Raises:
            InputError: The shape is wrong (``features_shape``), or values are not finite
                (``features_not_finite``).
            UnavailableError: The device half is not on this machine (``codec_half_missing``).
        """
        check_features(features, self.shape)
        return self.encode_symbols(self.quantise(features[np.newaxis])[0])

    def quantise(self, features: Features) -> Integers:
        """Quantise features ``[B, *shape]`` to symbols int32 ``[B, channels, positions]``."""
        # Large features may overflow in the encoder, but every symbol must have a table entry.
        with np.errstate(over="ignore", invalid="ignore"):
            latents = np.rint(self._networks.encode(features) * self._gains)
        bounded = np.clip(np.nan_to_num(latents), -self._reach, self._reach)
        symbols: Integers = bounded.astype(np.int32) + self._reach
        return symbols

    def encode_symbols(self, symbols: Integers) -> bytes:
        """Encode symbols int32 ``[channels, positions]``; ``encode`` without the network."""
        return encode(zip(np.ascontiguousarray(symbols), self._edges, strict=True))

    def decode(self, payload: bytes) -> Features:
        """Decode a payload to float32 features at ``resume_point``.

        Raises:
            FrameError: ``encode`` cannot have produced the payload (``frame_payload``).
            UnavailableError: The edge half is not on this machine (``codec_half_missing``).
        """
        channels, positions = self._layout.channels, self._layout.positions
        if len(payload) > MAX_BYTES_PER_SYMBOL * channels * positions + 1:
            raise payload_error(f"{len(payload)} bytes are more than this codec produces")
        decoder = Decoder(payload)
        symbols = np.stack([decoder.read(edges, positions) for edges in self._edges])
        decoder.verify()
        features: Features = self.dequantise(symbols[np.newaxis])[0]
        return features

    def dequantise(self, symbols: Integers) -> Features:
        """Convert symbols ``[B, channels, positions]`` to features at ``resume_point``."""
        return self._networks.decode((symbols - self._reach).astype(np.float32) / self._gains)

    @cached_property
    def tables(self) -> NDArray[np.uint32]:
        """Frequencies ``[channels, alphabet]`` of this rate point."""
        frequencies: NDArray[np.uint32] = self._codec.tables[self._rate]
        return frequencies

    @cached_property
    def _edges(self) -> list[Edges]:
        return [edges_of(row) for row in self.tables]

    @cached_property
    def _gains(self) -> NDArray[np.float32]:
        """Factors ``[channels, 1]``."""
        gains: NDArray[np.float32] = self._codec.gains[self._rate][:, np.newaxis]
        return gains


def load_codecs(folder: Path, adapter: PartitionAdapter) -> list[LearnedCodec]:
    """Return all rate points of the codec in a folder; its halves are read on first use.

    Raises:
        UnavailableError: There is no codec (``codec_unreadable``), or it is for another model
            (``codec_of_other_model``).
    """
    codec = CodecFiles(folder, adapter)
    networks = codec_networks(codec, adapter)
    return [LearnedCodec(codec, networks, rate) for rate in range(len(codec.manifest.rates))]
