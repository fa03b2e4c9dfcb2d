"""The entropy coder: symbols and integer frequency tables in, as few bytes as they carry out.

A range coder. Its code is any number within an interval as wide as the symbols are probable; of
those numbers the shortest is sent, so that a stream is less than one byte longer than the
information in it. Nothing in it is redundant: to notice damage is the envelope's business.
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
        "feature codecs need the entropy coder constriction, which has ready builds for x86-64 "
        "alone; pip install 'edgewright[edge]' there, or with a Rust compiler at hand",
        code="coder_missing",
    ) from None

Integers = NDArray[np.int32]

#: Frequencies of one table sum to this, the fixed precision of constriction's coder.
TOTAL_FREQUENCY = 1 << 24
#: No symbol costs more than these 24 bits.
MAX_BYTES_PER_SYMBOL = 3

_WORD_BYTES = 4
#: constriction keeps lower end and width of the interval in 64 bits, behind the words it has made.
_STATE_BITS = 64


def table_model(frequencies: NDArray[np.uint32]) -> Any:
    """Return constriction's model of an integer frequency table, without any rounding.

    Args:
        frequencies: One for each symbol, none of them 0; they sum to ``TOTAL_FREQUENCY``.
    """
    # constriction adds 1 to every weight so that no symbol is impossible; weights that sum to
    # TOTAL_FREQUENCY less the number of symbols are then taken over as they are.
    return constriction.stream.model.Categorical(frequencies.astype(np.float64) - 1, perfect=False)


def encode(parts: Iterable[tuple[Integers, Any]]) -> bytes:
    """Code symbols, one part after the other.

    Args:
        parts: Symbols, each with the model of its table.
    """
    coder = constriction.stream.queue.RangeEncoder()
    for symbols, model in parts:
        coder.encode(symbols, model)
    words, (lower, width) = coder.pos()
    size = words * _WORD_BYTES + _STATE_BITS // 8
    sealed = coder.get_compressed().astype(">u4").tobytes().ljust(size, b"\0")
    # What constriction sealed lies in the interval, so it tells the bits above those 64.
    inside = int.from_bytes(sealed, "big")
    low = inside - ((inside - lower) & ((1 << _STATE_BITS) - 1))
    return _shortest(low, low + width, size)


def _shortest(low: int, high: int, size: int) -> bytes:
    """Return the shortest bytes that, with zeros behind them, are a number in [low, high)."""
    for bits in range(_STATE_BITS, 0, -8):
        rounded_up = -(-low >> bits)
        if rounded_up << bits < high:
            return rounded_up.to_bytes(size - bits // 8, "big").rstrip(b"\0")
    return low.to_bytes(size, "big")


class Decoder:
    """Reads a payload that ``encode`` made, in the same parts.

    Args:
        payload: The bytes; none of them can make it crash, hang or allocate more than its length.
    """

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._parts: list[tuple[Integers, Any]] = []
        padding = bytes(-len(payload) % _WORD_BYTES + _STATE_BITS // 8)
        words = np.frombuffer(payload + padding, dtype=">u4").astype(np.uint32)
        self._coder = constriction.stream.queue.RangeDecoder(words)

    def take(self, model: Any, count: int) -> Integers:
        """Decode the next part.

        Args:
            model: Model of its table.
            count: Number of its symbols.

        Raises:
            FrameError: No symbols have this code (``frame_payload``).
        """
        try:
            symbols: Integers = self._coder.decode(model, count)
        except AssertionError:  # constriction's word for a number outside of every interval
            raise payload_error("no symbols have this code") from None
        self._parts.append((symbols, model))
        return symbols

    def postprocess(self) -> None:
        """Check that this is the very payload that the symbols are coded into.

        Raises:
            FrameError: It is not (``frame_payload``).
        """
        if encode(self._parts) != self._payload:
            raise payload_error("it does not end where its symbols end")


def payload_error(what: str) -> FrameError:
    """Return the error for a payload that ``encode`` cannot have made."""
    return FrameError(f"the frame's payload cannot be decoded: {what}", code="frame_payload")
