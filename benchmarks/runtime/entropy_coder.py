"""Times the entropy coder, compiled and in Python, on one frame of about 4 KB.

Run ``make bench-entropy-coder``. Symbols are drawn from the shipped table of quantised values.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.common.scores import quantiles
from edgewright.tools.codecs import _range_coder, range_coder
from edgewright.tools.codecs.entropy import TOTAL_FREQUENCY, Edges, Integers, edges_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Limit of the compiled coder, for encoding and for decoding with its check.
LIMIT_MS = 10.0
FRAME_BYTES = 4096
_CODERS = {"compiled": _range_coder, "Python": range_coder}


def frame(size: int) -> tuple[Integers, Edges]:
    """Return symbols with a given number of bytes of information, and the edges of their table."""
    with (
        files("edgewright.tools.codecs").joinpath("tables.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        frequencies = stored["frequencies"][0, 2]  # the values at the first point
    shares = frequencies / TOTAL_FREQUENCY
    bits = -float((shares * np.log2(shares)).sum())
    count = round(size * 8 / bits)
    symbols = np.random.default_rng(0).choice(shares.size, size=count, p=shares)
    return symbols.astype(np.int32), edges_of(frequencies)


def measure(count: int) -> tuple[int, dict[str, list[float]]]:
    """Time both coders in turns.

    Args:
        count: Repetitions of each.

    Returns:
        The payload's size, and milliseconds of processor time by coder and direction.
    """
    symbols, edges = frame(FRAME_BYTES)
    parts = [(symbols, edges)]
    payload = range_coder.encode(parts)
    state = (int.from_bytes(payload[:8], "big"), 2**64 - 1, 8)
    times: dict[str, list[float]] = {}
    for _ in range(count):
        for name, coder in _CODERS.items():
            started_at = time.process_time()
            coder.encode(parts)
            encoded_at = time.process_time()
            decoded = np.empty_like(symbols)
            coder.decode(payload, state, edges, decoded)
            if coder.encode([(decoded, edges)]) != payload:
                raise RuntimeError("the decoded symbols have another encoding")
            ended_at = time.process_time()
            times.setdefault(f"{name}, encode", []).append((encoded_at - started_at) * 1000)
            times.setdefault(f"{name}, decode and check", []).append((ended_at - encoded_at) * 1000)
    return len(payload), times


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write the results.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0, or 1 when a median of the compiled coder is above ``LIMIT_MS``.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--count", type=int, default=500, help="repetitions")
    options = parser.parse_args(arguments)
    size, times = measure(options.count)
    figures = {name: quantiles(values) for name, values in times.items()}
    rows = [
        [name, f"{each['p50_ms']:.3f}", f"{each['p95_ms']:.3f}"] for name, each in figures.items()
    ]
    markdown = table([f"frame of {size:,} bytes", "p50 CPU ms", "p95 CPU ms"], rows)
    sys.stdout.write(markdown)
    result = {"payload_bytes": size, "count": options.count, "limit_ms": LIMIT_MS, **figures}
    write_results(options.out, "entropy-coder", result, markdown, lambda axes: _draw(axes, times))
    compiled = [each["p50_ms"] for name, each in figures.items() if name.startswith("compiled")]
    return int(max(compiled) > LIMIT_MS)


def _draw(axes: Axes, times: dict[str, list[float]]) -> None:
    axes.barh(list(times), [float(np.median(values)) for values in times.values()])
    axes.set_xscale("log")
    axes.set_xlabel("median, ms of processor time")
    axes.set_title("Entropy coder on one core")


if __name__ == "__main__":
    sys.exit(main())
