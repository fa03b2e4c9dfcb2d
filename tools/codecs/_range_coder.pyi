"""The range coder, compiled; ``range_coder`` documents its functions."""

from collections.abc import Iterable

from edgewright.tools.codecs.range_coder import Edges, Integers, State

def encode(parts: Iterable[tuple[Integers, Edges]], /) -> bytes: ...
def decode(payload: bytes, state: State, edges: Edges, symbols: Integers, /) -> State | None: ...
