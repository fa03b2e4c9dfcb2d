"""The entropy coder: a range coder for symbols with integer frequency tables.

A symbol sequence corresponds to an interval as wide as its probability, and any number in it is a
valid code. The shortest one is sent, so a stream is less than one byte longer than the information
in it. The stream has no redundancy; damage is detected by the frame around it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.errors import FrameError, UnavailableError

try:
    import constriction
except ImportError:
    raise UnavailableError(
        "feature codecs need the entropy coder constriction: pip install 'edgewright[edge]'; it "
        "has binary wheels only for x86-64, so other machines also need a Rust compiler",
        code="coder_missing",
    ) from None

Integers = NDArray[np.int32]

#: Sum of the frequencies in a table; the fixed precision of constriction's coder.
TOTAL_FREQUENCY = 1 << 24
#: Maximum cost of a symbol: 24 bits.
MAX_BYTES_PER_SYMBOL = 3

_WORD_BYTES = 4
#: constriction holds the interval's lower end and width in 64 bits, after the words already
#: emitted.
_STATE_BITS = 64


def table_model(frequencies: NDArray[np.uint32]) -> Any:
    """Return constriction's model of an integer frequency table, without rounding.

    Args:
        frequencies: Positive frequency of each symbol; they sum to ``TOTAL_FREQUENCY``.
    """
    # constriction adds 1 to every weight so that no symbol is impossible. Weights that sum to
    # TOTAL_FREQUENCY minus the number of symbols are then used unchanged.
    return constriction.stream.model.Categorical(frequencies.astype(np.float64) - 1, perfect=False)


def encode(parts: Iterable[tuple[Integers, Any]]) -> bytes:
    """Encode symbols, one part after another.

    Args:
        parts: The parts: symbols and the model of their table.
    """
    coder = constriction.stream.queue.RangeEncoder()
    for symbols, model in parts:
        coder.encode(symbols, model)
    words, (lower, width) = coder.pos()
    size = words * _WORD_BYTES + _STATE_BITS // 8
    compressed = coder.get_compressed().astype(">u4").tobytes().ljust(size, b"\0")
    # The number that constriction wrote lies in the interval and provides the bits above these 64.
    interior = int.from_bytes(compressed, "big")
    low = interior - ((interior - lower) & ((1 << _STATE_BITS) - 1))
    return _shortest(low, low + width, size)


def _shortest(low: int, high: int, size: int) -> bytes:
    """Return the shortest bytes that, padded with zeros, are a number in [low, high)."""
    for bits in range(_STATE_BITS, 0, -8):
        rounded_up = -(-low >> bits)
        if rounded_up << bits < high:
            return rounded_up.to_bytes(size - bits // 8, "big").rstrip(b"\0")
    return low.to_bytes(size, "big")


class Decoder:
    """Decodes a payload from ``encode``, in the same parts.

    Args:
        payload: The bytes. No input can make the decoder crash, hang, or allocate more than a
            multiple of its length.
    """

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._parts: list[tuple[Integers, Any]] = []
        padding = bytes(-len(payload) % _WORD_BYTES + _STATE_BITS // 8)
        words = np.frombuffer(payload + padding, dtype=">u4").astype(np.uint32)
        self._coder = constriction.stream.queue.RangeDecoder(words)

    def read(self, model: Any, count: int) -> Integers:
        """Decode the next part.

        Args:
            model: Model of its table.
            count: Number of its symbols.

        Raises:
            FrameError: No symbol sequence has this code (``frame_payload``).
        """
        try:
            symbols: Integers = self._coder.decode(model, count)
        except AssertionError:  # raised by constriction for a number outside every interval
            raise payload_error("no symbol sequence has this code") from None
        self._parts.append((symbols, model))
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
