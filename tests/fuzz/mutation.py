"""A small seeded mutator of bytes: the same seed and number give the same case."""

from __future__ import annotations

import random
from collections.abc import Sequence

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**32 - 1, 2**63)


def mutated(rng: random.Random, corpus: Sequence[bytes], tokens: Sequence[bytes] = ()) -> bytes:
    """Return a mutated member of the corpus.

    Args:
        rng: Source of all choices.
        corpus: Valid and hostile inputs.
        tokens: Pieces that mean something in this format.
    """
    data = bytearray(rng.choice(corpus))
    for _ in range(rng.choice((0, 1, 1, 2, 3, 5, 8))):
        _change(rng, data, corpus, tokens)
    return bytes(data)


def _change(
    rng: random.Random, data: bytearray, corpus: Sequence[bytes], tokens: Sequence[bytes]
) -> None:
    # Parsers are misled by headers, so the beginning is changed more often.
    reach = rng.choice((16, 64, 400, len(data) or 1))
    place = rng.randrange(min(reach, len(data)) or 1)
    kind = rng.randrange(8)
    if kind == 0 and data:
        data[min(place, len(data) - 1)] = rng.randrange(256)
    elif kind == 1 and data:
        data[min(place, len(data) - 1)] ^= 1 << rng.randrange(8)
    elif kind == 2:
        del data[place : place + rng.choice((1, 2, 4, 16, 200))]
    elif kind == 3:
        piece = bytes(data[place : place + rng.choice((1, 8, 64))])
        data[place:place] = piece * rng.choice((1, 2, 50, 500))
    elif kind == 4 and tokens:
        data[place : place + rng.choice((0, 0, 1, 4))] = rng.choice(tokens)
    elif kind == 5:
        number = rng.choice(_NUMBERS)
        size, order = rng.choice((1, 2, 4, 8)), rng.choice(("big", "little"))
        value = (number % 256**size).to_bytes(size, order)  # type: ignore[arg-type]
        data[place : place + size] = value
    elif kind == 6:
        other = rng.choice(corpus)
        data[place:] = other[rng.randrange(len(other) or 1) :]
    else:
        del data[rng.randrange(len(data) or 1) :]
