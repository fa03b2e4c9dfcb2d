"""The entropy coder: a range coder for symbols with integer frequency tables.

A symbol sequence corresponds to an interval as wide as its probability, and any number in it is a
valid code. The shortest one is sent, so a stream is less than one byte longer than the information
in it. The stream has no redundancy; damage is detected by the frame around it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.codecs import range_coder
from edgewright.tools.codecs.range_coder import PRECISION, State
from edgewright.tools.errors import FrameError

try:
    from edgewright.tools.codecs import _range_coder
except ImportError:
    _encode, _decode = range_coder.encode, range_coder.decode
    #: Whether the coder is compiled; the one in Python is slower, with the same bytes.
    COMPILED = False
else:
    _encode, _decode = _range_coder.encode, _range_coder.decode
    COMPILED = True

Integers = NDArray[np.int32]
Edges = NDArray[np.uint32]

#: Sum of the frequencies in a table.
TOTAL_FREQUENCY = 1 << PRECISION
#: Maximum cost of a symbol: 24 bits.
MAX_BYTES_PER_SYMBOL = 3

_STATE_BYTES = 8


def edges_of(frequencies: NDArray[np.uint32]) -> Edges:
    """Return the edges of the symbols' shares in a frequency table: uint32 ``[symbols + 1]``.

    Args:
        frequencies: uint32 ``[symbols]``, positive; they sum to ``TOTAL_FREQUENCY``.

    Raises:
        ValueError: They are not, or do not.
    """
    edges = np.concatenate([[0], np.cumsum(frequencies, dtype=np.int64)])
    if edges[-1] != TOTAL_FREQUENCY or not np.all(edges[:-1] < edges[1:]):
        raise ValueError(f"frequencies must be positive and sum to {TOTAL_FREQUENCY}")
    return edges.astype(np.uint32)


def encode(parts: Iterable[tuple[Integers, Edges]]) -> bytes:
    """Encode symbols, one part after another.

    Args:
        parts: The parts: int32 ``[count]`` symbols, and the edges of their table.

    Raises:
        ValueError: A symbol is outside its table.
    """
    return _encode(parts)


class Decoder:
    """Decodes a payload from ``encode``, in the same parts.

    Args:
        payload: The bytes. No input can make the decoder crash, hang, or allocate more than a
            multiple of its length and of the symbols requested.
    """

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._parts: list[tuple[Integers, Edges]] = []
        first = payload[:_STATE_BYTES]
        number = int.from_bytes(first.ljust(_STATE_BYTES, b"\0"), "big")
        self._state: State = (number, (1 << 8 * _STATE_BYTES) - 1, len(first))

    def read(self, edges: Edges, count: int) -> Integers:
        """Decode the next part.

        Args:
            edges: Edges of its table.
            count: Number of its symbols.

        Raises:
            FrameError: No symbol sequence has this code (``frame_payload``).
        """
        symbols = np.empty(count, dtype=np.int32)
        state = _decode(self._payload, self._state, edges, symbols)
        if state is None:
            raise payload_error("no symbol sequence has this code")
        self._state = state
        self._parts.append((symbols, edges))
        return symbols

    def verify(self) -> None:
        """Verify that the payload is exactly the encoding of the decoded symbols.

        Raises:
            FrameError: It is not (``frame_payload``).
        """
        if encode(self._parts) != self._payload:
            raise payload_error("it does not end where its symbols end")


def payload_error(what: str) -> FrameError:
    """Return the error for a payload that ``encode`` cannot have produced."""
    return FrameError(f"the frame's payload cannot be decoded: {what}", code="frame_payload")
