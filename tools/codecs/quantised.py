"""The ``quantised8`` codec: 8-bit quantisation with a step per channel, entropy-coded.

Each channel is described by its *scale* (the quantisation step, on a grid of quarter octaves) and
its *offset* (the mean, in units of two steps); its values are whole steps from that mean. All three
are symbols from 0 to 255, encoded with integer frequency tables that ship with the package, so the
result is bit-exact on every machine. Steps are fractions of few bits and symbols are small
integers, so their product is exact in float32, and decoding is exact too.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.codecs.entropy import (
    MAX_BYTES_PER_SYMBOL,
    Decoder,
    Integers,
    edges_of,
    encode,
    payload_error,
)
from edgewright.tools.codecs.protocol import check_features
from edgewright.tools.models.adapter import Features

SYMBOLS = 256
_CENTRE = 128

#: Step by scale symbol: 2 ** ((symbol - 128) / 4), with the roots of two rounded to 1/256 so that
#: steps have few bits. Scale 0 marks a channel of zeros, for which nothing else is encoded.
_QUARTER_OCTAVES = np.array([256, 304, 362, 431], dtype=np.float64) / 256
STEPS: NDArray[np.float32] = np.ldexp(
    np.tile(_QUARTER_OCTAVES, SYMBOLS // 4), np.arange(SYMBOLS) // 4 - _CENTRE // 4
).astype(np.float32)
STEPS[0] = 0.0
_OFFSET_UNIT = 2
_OFFSET_REACH = _OFFSET_UNIT * 127


@dataclass(frozen=True)
class Tables:
    """Calibrated parameters for one partition point.

    Attributes:
        steps: Quantisation steps per standard deviation of a channel; more steps cost more bytes.
        frequencies: uint32 ``[3, 256]``: tables of scales, offsets and values. Each row is positive
            and sums to ``TOTAL_FREQUENCY``.
    """

    steps: float
    frequencies: NDArray[np.uint32]


class Symbols(NamedTuple):
    """Quantised features; each symbol is from 0 to 255.

    Attributes:
        scales: int32 ``[channels]``.
        offsets: int32 ``[coded channels]``, where a channel is coded if its scale is not 0.
        values: int32 ``[coded channels, values per channel]``.
    """

    scales: Integers
    offsets: Integers
    values: Integers


class QuantisedCodec:
    """The ``quantised8`` codec for one model at one partition point; a ``FeatureCodec``.

    Args:
        model: Model id.
        revision: Fingerprint of the weights.
        point: Partition point.
        shape: Shape of the features: ``[C, H, W]``, ``[tokens, C]`` or ``[C]``.
        tables: Calibrated tables.
    """

    name = "quantised8"

    def __init__(
        self, *, model: str, revision: str, point: int, shape: tuple[int, ...], tables: Tables
    ) -> None:
        self.model = model
        self.point = self.resume_point = point
        self.shape = shape
        self._steps = tables.steps
        self._edges = [edges_of(row) for row in tables.frequencies]
        identity = json.dumps([self.name, model, revision, point, list(shape), tables.steps])
        digest = hashlib.sha256(identity.encode())
        digest.update(tables.frequencies.astype("<u4").tobytes())
        self.fingerprint = digest.digest()[:8]

    def encode(self, features: Features) -> bytes:
        """Encode features to a payload.

        Args:
            features: float32 of ``shape``.

        Raises:
            InputError: The shape is wrong (``features_shape``), or values are not finite
                (``features_not_finite``).
        """
        rows = [row.ravel() for row in self.quantise(features)]
        return encode(zip(rows, self._edges, strict=True))

    def decode(self, payload: bytes) -> Features:
        """Decode a payload to float32 features of ``shape``.

        Raises:
            FrameError: ``encode`` cannot have produced the payload (``frame_payload``).
        """
        channels, per_channel = self._layout
        max_bytes = MAX_BYTES_PER_SYMBOL * channels * (per_channel + 2) + 1
        if len(payload) > max_bytes:
            raise payload_error(f"{len(payload)} bytes are more than this codec produces")
        decoder = Decoder(payload)
        scales = decoder.read(self._edges[0], channels)
        coded = int(np.count_nonzero(scales))
        offsets = decoder.read(self._edges[1], coded)
        values = decoder.read(self._edges[2], coded * per_channel)
        decoder.verify()
        return self.dequantise(Symbols(scales, offsets, values.reshape(coded, per_channel)))

    def quantise(self, features: Features) -> Symbols:
        """Quantise features to symbols; ``encode`` without the entropy coder."""
        check_features(features, self.shape)
        by_channel = self._by_channel(features)
        mean = by_channel.mean(axis=1, dtype=np.float64)
        spread = by_channel.std(axis=1, dtype=np.float64)
        step = np.maximum(spread / self._steps, np.abs(mean) / _OFFSET_REACH)
        grid = np.rint(4 * np.log2(np.maximum(step, STEPS[1] / 2))) + _CENTRE
        scales = np.clip(grid, 0, SYMBOLS - 1).astype(np.int32)
        coded = scales > 0
        steps = STEPS[scales[coded], None]
        offsets = _to_symbols(mean[coded, None] / (_OFFSET_UNIT * steps))
        centres = _OFFSET_UNIT * (offsets - _CENTRE)
        values = _to_symbols(np.rint(by_channel[coded] / steps) - centres)
        return Symbols(scales, offsets[:, 0], values)

    def dequantise(self, symbols: Symbols) -> Features:
        """Convert symbols to features, bit-exactly on every machine."""
        channels, per_channel = self._layout
        by_channel = np.zeros((channels, per_channel), dtype=np.float32)
        coded = symbols.scales > 0
        centres = _OFFSET_UNIT * (symbols.offsets - _CENTRE) - _CENTRE
        whole_steps = (symbols.values + centres[:, None]).astype(np.float32)
        by_channel[coded] = whole_steps * STEPS[symbols.scales[coded], None]
        if len(self.shape) == 2:
            by_channel = np.ascontiguousarray(by_channel.T)
        return by_channel.reshape(self.shape)

    @property
    def _layout(self) -> tuple[int, int]:
        """Number of channels, and number of values per channel."""
        channels = {1: 1, 2: self.shape[-1]}.get(len(self.shape), self.shape[0])
        return channels, math.prod(self.shape) // channels

    def _by_channel(self, features: Features) -> Features:
        if len(self.shape) == 2:
            features = np.ascontiguousarray(features.T)
        return features.reshape(self._layout)


def _to_symbols(numbers: NDArray[Any]) -> Integers:
    symbols: Integers = np.clip(np.rint(numbers), -_CENTRE, _CENTRE - 1).astype(np.int32)
    return symbols + _CENTRE
