"""The learned codec: loads each of its two halves on first use."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import nn

from edgewright.tools.codecs.entropy import (
    MAX_BYTES_PER_SYMBOL,
    Decoder,
    Edges,
    Integers,
    edges_of,
    encode,
    payload_error,
)
from edgewright.tools.codecs.learned.manifest import (
    DEVICE_HALF,
    EDGE_HALF,
    digest_of,
    read_manifest,
)
from edgewright.tools.codecs.learned.networks import make_decoder, make_encoder
from edgewright.tools.codecs.learned.tail import TunedBlocks
from edgewright.tools.codecs.protocol import Features, check_features
from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.engines.torch.chain import Chain

#: Prefixes of weight names in the files of the two halves.
ENCODER, DECODER, TAIL = "encoder.", "decoder.", "tail."
#: Names in both files: frequency tables uint32 ``[rates, channels, alphabet]`` (stored as int32),
#: and gains float32 ``[rates, channels]``.
TABLES, GAINS = "tables", "gains"


class Halves:
    """The two halves of a codec, each read on first use; shared by its rate points.

    Args:
        folder: Folder with the manifest and one or both halves.
        adapter: The model that the codec was trained for.

    Raises:
        UnavailableError: There is no codec (``codec_unreadable``), or it was trained for another
            model (``codec_of_other_model``).
    """

    def __init__(self, folder: Path, adapter: Chain) -> None:
        self.manifest = manifest = read_manifest(folder)
        if (manifest.model, manifest.revision) != (adapter.model, adapter.revision):
            raise UnavailableError(
                f"the codec {manifest.name!r} is for {manifest.model} {manifest.revision}, not for "
                f"{adapter.model} {adapter.revision}; train it again for this model",
                code="codec_of_other_model",
            )
        self._folder = folder
        self._adapter = adapter

    @cached_property
    def encoder(self) -> nn.Module:
        """The device's network."""
        encoder = make_encoder(self.manifest.layout)
        encoder.load_state_dict(_part(self._device, ENCODER))
        return encoder.eval()

    @cached_property
    def decoder(self) -> nn.Module:
        """The edge server's network: the decoder and the tuned blocks after it."""
        decoder = make_decoder(self.manifest.layout)
        decoder.load_state_dict(_part(self._edge, DECODER))
        tuned = TunedBlocks(
            self._adapter,
            self.manifest.decoder_point,
            self.manifest.resume_point,
            _part(self._edge, TAIL),
        )
        return nn.Sequential(decoder, tuned).eval()

    @property
    def shared(self) -> dict[str, torch.Tensor]:
        """Tables and gains, from whichever half is on this machine."""
        return self._device if (self._folder / DEVICE_HALF).exists() else self._edge

    @cached_property
    def _device(self) -> dict[str, torch.Tensor]:
        return self._read(DEVICE_HALF, self.manifest.device_digest)

    @cached_property
    def _edge(self) -> dict[str, torch.Tensor]:
        return self._read(EDGE_HALF, self.manifest.edge_digest)

    def _read(self, name: str, digest: str) -> dict[str, torch.Tensor]:
        path = self._folder / name
        if not path.exists():
            raise UnavailableError(
                f"{name} of the codec {self.manifest.name!r} is not on this machine; copy it to "
                "the manifest's folder",
                code="codec_half_missing",
            )
        if digest_of(path) != digest:
            raise UnavailableError(
                f"{name} of the codec {self.manifest.name!r} is damaged or from another training "
                "run; copy it again",
                code="codec_unreadable",
            )
        return load_file(path)


class LearnedCodec:
    """One rate point of a learned codec; a ``FeatureCodec``.

    A device needs only the device half with the encoder, an edge server only the edge half with the
    decoder and the tuned blocks up to ``resume_point``.

    Args:
        halves: The codec's halves.
        rate: Index of the rate point.
    """

    def __init__(self, halves: Halves, rate: int) -> None:
        manifest = halves.manifest
        self.name = manifest.codec_name(rate)
        self.model = manifest.model
        self.point = manifest.point
        self.resume_point = manifest.resume_point
        self.shape = manifest.layout.shape
        self.fingerprint = manifest.fingerprint(rate)
        self._halves = halves
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
        return self.encode_symbols(self.quantise(torch.from_numpy(features)[None])[0])

    def quantise(self, features: torch.Tensor) -> Integers:
        """Quantise features ``[B, *shape]`` to symbols int32 ``[B, channels, positions]``."""
        with torch.inference_mode():
            latents = self._halves.encoder(features) * self._gains
        # Large features may overflow in the encoder, but every symbol must have a table entry.
        bounded = np.clip(np.nan_to_num(np.rint(latents.numpy())), -self._reach, self._reach)
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
        features: Features = self.dequantise(symbols[None])[0].numpy()
        return features

    def dequantise(self, symbols: Integers) -> torch.Tensor:
        """Convert symbols ``[B, channels, positions]`` to features at ``resume_point``."""
        with torch.inference_mode():
            latents = torch.from_numpy(symbols - self._reach).float() / self._gains
            features: torch.Tensor = self._halves.decoder(latents)
        return features

    @cached_property
    def tables(self) -> NDArray[np.uint32]:
        """Frequencies ``[channels, alphabet]`` of this rate point."""
        frequencies: NDArray[np.uint32] = self._halves.shared[TABLES][self._rate].numpy()
        return frequencies.astype(np.uint32)

    @cached_property
    def _edges(self) -> list[Edges]:
        return [edges_of(row) for row in self.tables]

    @cached_property
    def _gains(self) -> torch.Tensor:
        return self._halves.shared[GAINS][self._rate][:, None]


def load_codecs(folder: Path, adapter: Chain) -> list[LearnedCodec]:
    """Return all rate points of the codec in a folder; its halves are read on first use.

    Raises:
        UnavailableError: There is no codec (``codec_unreadable``), or it is for another model
            (``codec_of_other_model``).
    """
    halves = Halves(folder, adapter)
    return [LearnedCodec(halves, rate) for rate in range(len(halves.manifest.rates))]


def _part(stored: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Return the tensors whose names start with a prefix, with the prefix removed."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in stored.items()
        if name.startswith(prefix)
    }
