"""Run on either machine: writes what must be equal on both.

``python frames.py PHOTOGRAPHS OUT`` writes the digest of fixed streams of the entropy coder, and
the frame of each photograph for each encoding.
"""

import hashlib
import sys
from functools import cache, partial
from pathlib import Path

import numpy as np

from edgewright.tools.codecs import _range_coder, range_coder
from edgewright.tools.codecs.entropy import TOTAL_FREQUENCY, edges_of
from edgewright.tools.codecs.registry import codecs_at
from edgewright.tools.library import load_adapter, output_experts
from edgewright.tools.split.executor import SplitExecutor

MODEL = "efficientnet-lite0"
STREAMS = 300
ENCODINGS = ((9, "quantised8"), (7, "transform-2"), (5, "transform-1"))


def streams() -> str:
    """Return the digest of streams that both coders encode alike and decode again."""
    random = np.random.default_rng(2)
    digest = hashlib.sha256()
    for _ in range(STREAMS):
        frequencies = random.integers(1, 2000, int(random.integers(2, 300)))
        frequencies[random.integers(frequencies.size)] += TOTAL_FREQUENCY - frequencies.sum()
        edges = edges_of(frequencies)
        symbols = random.integers(0, frequencies.size, 80).astype(np.int32)
        payload = _range_coder.encode([(symbols, edges)])
        assert payload == range_coder.encode([(symbols, edges)])
        state = (int.from_bytes(payload[:8], "big"), 2**64 - 1, 8)
        decoded = np.empty_like(symbols)
        assert _range_coder.decode(payload, state, edges, decoded) is not None
        assert np.array_equal(decoded, symbols)
        digest.update(payload)
    return digest.hexdigest()


def main() -> None:
    photographs, out = map(Path, sys.argv[1:])
    out.mkdir()
    (out / "streams").write_text(streams())
    adapter = load_adapter(MODEL, threads=1)
    known = {
        name: expert
        for name, expert in output_experts(lambda model: adapter).items()
        if expert.model == MODEL
    }
    executor = SplitExecutor(adapter, known, cache(partial(codecs_at, adapter)))
    for path in sorted(photographs.glob("*.jpg")):
        for point, codec in ENCODINGS:
            frame = executor.head(path.read_bytes(), point, "ticket", codec).frame
            (out / f"{path.stem}, point {point}, {codec}").write_bytes(frame)


if __name__ == "__main__":
    main()
