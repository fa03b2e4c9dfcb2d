"""The range coder in Python, for machines on which ``_range_coder.c`` was not compiled.

Both modules have the same functions and produce the same bytes. An encoding is a number in the
interval [low, low + width), written from its highest byte down: ``low`` and ``width`` have 64 bits,
and the 32-bit words above them were emitted before. Each symbol narrows the interval to its share
of the table. This is Martin's range encoder (1979), with carries into the words already emitted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int32]
    Edges = NDArray[np.uint32]

#: The number, from the interval's lower end; the interval's width; and the bytes read so far.
State = tuple[int, int, int]

#: Edges are fractions of the width with this many bits.
PRECISION = 24
_WORD_BITS = 32
_WORD_BYTES = 4
_STATE_BITS = 64
_WORD_MAX = (1 << _WORD_BITS) - 1
_STATE_MAX = (1 << _STATE_BITS) - 1


def encode(parts: Iterable[tuple[Integers, Edges]], /) -> bytes:
    """Encode symbols, one part after another.

    Args:
        parts: The parts: int32 ``[count]`` symbols, and uint32 ``[symbols + 1]`` edges, ascending
            from 0 to ``2 ** PRECISION``.

    Returns:
        The shortest bytes that, followed by zeros, are a number in the interval.

    Raises:
        ValueError: A symbol is outside its table.
    """
    low, width = 0, _STATE_MAX
    words: list[int] = []
    for symbols, edges in parts:
        if symbols.size and not 0 <= symbols.min() <= symbols.max() < edges.size - 1:
            raise ValueError("a symbol is outside its table")
        lefts = edges[symbols].tolist()
        shares = (edges[1:] - edges[:-1])[symbols].tolist()
        for left, share in zip(lefts, shares, strict=True):
            scale = width >> PRECISION
            low += scale * left
            width = scale * share
            if low > _STATE_MAX:
                low = _carry(low, words)
            if width <= _WORD_MAX:
                words.append(low >> _WORD_BITS)
                low = (low & _WORD_MAX) << _WORD_BITS
                width <<= _WORD_BITS
    return _shortest(low, width, words)


def decode(payload: bytes, state: State, edges: Edges, symbols: Integers, /) -> State | None:
    """Decode the next symbols of a payload, which zeros follow without end.

    Args:
        payload: The payload.
        state: The first 8 bytes as a number, ``2 ** 64 - 1``, and the length of these bytes; then
            what the previous call returned.
        edges: uint32 ``[symbols + 1]`` edges, ascending from 0 to ``2 ** PRECISION``.
        symbols: int32 ``[count]``, which is filled.

    Returns:
        The state behind the symbols; None if no symbols have this code.
    """
    above, width, position = state
    table = edges.tolist()
    total = 1 << PRECISION
    found: list[int] = []
    for _ in range(symbols.size):
        scale = width >> PRECISION
        fraction = above // scale
        if fraction >= total:
            return None
        symbol = bisect_right(table, fraction) - 1
        left = table[symbol]
        above -= scale * left
        width = scale * (table[symbol + 1] - left)
        if width <= _WORD_MAX:
            word = payload[position : position + _WORD_BYTES]
            position += len(word)
            width <<= _WORD_BITS
            above = above << _WORD_BITS | int.from_bytes(word.ljust(_WORD_BYTES, b"\0"), "big")
        found.append(symbol)
    symbols[:] = found
    return above, width, position


def _carry(low: int, words: list[int]) -> int:
    """Carry what exceeds the 64 bits of ``low`` into the words already emitted."""
    for index in reversed(range(len(words))):
        words[index] = (words[index] + 1) & _WORD_MAX
        if words[index]:
            break
    return low & _STATE_MAX


def _shortest(low: int, width: int, words: list[int]) -> bytes:
    for bits in range(_STATE_BITS, 0, -8):
        distance = -low % (1 << bits)
        if distance < width:
            break
    low += distance
    if low > _STATE_MAX:
        low = _carry(low, words)
    emitted = b"".join(word.to_bytes(_WORD_BYTES, "big") for word in words)
    return (emitted + low.to_bytes(_STATE_BITS // 8, "big")).rstrip(b"\0")
