"""What the experts of the default set cost on one core of a node: time, and memory.

A node with one thread answers requests about photographs that it has not seen. Milliseconds are
those of the processor, all processes of the node together, so that other work on the machine does
not count. Memory is the node's proportional set size after every expert was used.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from PIL import Image

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.workloads.scenes import images as scenes
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Cards, with the most milliseconds in the median where a limit is set. The first is the measure
#: for the others.
CARDS: Mapping[str, float | None] = {
    "image-classification": None,
    "object-detection": 250.0,
    "text-recognition": 1500.0,
    "pose-detection": None,
    "facial-expression": None,
}
#: Most memory of the node, in bytes.
LIMIT_BYTES = 700_000_000
_LONG_SIDE = 1280


async def measure(images: Sequence[bytes]) -> tuple[dict[str, list[float]], int]:
    """Ask a node about images, each time as if nothing was seen in them before.

    Args:
        images: Encoded images; the first one only warms the node up.

    Returns:
        Milliseconds of processor time by card, and the node's memory in bytes.
    """
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="edgewright-") as folder:
        config = {"name": "bench", "role": "edge", "port": 0, "threads": 1, "measure": "never"}
        async with (
            launch_node(config, log=Path(folder) / "node.log") as node,
            NodeClient(node.url, timeout_s=300) as client,
        ):
            for number, image in enumerate(images):
                for position, card in enumerate(CARDS):
                    # A comment of its own makes each request one about another image.
                    unseen = image + bytes([number % 256, position])
                    before = _processor_ms(node.pid)
                    try:
                        await client.invoke(card, InvokeOptions(deadline_s=120), unseen)
                    except EdgewrightError:
                        continue  # nobody is in the image
                    if number:
                        times.setdefault(card, []).append(_processor_ms(node.pid) - before)
                log(f"experts-costs: {number + 1} of {len(images)} images")
            memory = sum(one.memory_full_info().pss for one in _processes(node.pid))
    return times, memory


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write the results.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0, or 1 when a limit is passed.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--count", type=int, default=20, help="number of photographs")
    parser.add_argument("--unpacked", type=Path, help="folder of packages that were unpacked")
    options = parser.parse_args(arguments)
    images = [_encoded(one) for one in scenes("development", options.unpacked)[: options.count + 1]]
    times, memory = asyncio.run(measure(images))
    medians = {card: statistics.median(values) for card, values in times.items()}
    measure_ms = medians[next(iter(CARDS))]
    rows = [
        [card, len(times[card]), f"{ms:.0f}", f"{ms / measure_ms:.1f}", CARDS[card] or ""]
        for card, ms in medians.items()
    ]
    markdown = table(["request", "images", "CPU ms, median", "times a label", "limit"], rows)
    limit = f"{memory / 1e6:.0f} MB of memory, limit {LIMIT_BYTES / 1e6:.0f} MB"
    markdown += f"\nThe node with every expert in use: {limit}.\n"
    sys.stdout.write(markdown)
    result = {
        "images": len(images) - 1,
        "ms": medians,
        "limits_ms": {card: ms for card, ms in CARDS.items() if ms},
        "memory_bytes": memory,
        "limit_bytes": LIMIT_BYTES,
    }
    write_results(options.out, "experts-costs", result, markdown, lambda axes: _draw(axes, medians))
    slow = [card for card, limit_ms in CARDS.items() if limit_ms and medians[card] > limit_ms]
    return int(bool(slow) or memory > LIMIT_BYTES)


def _encoded(photograph: Image.Image) -> bytes:
    photograph.thumbnail((_LONG_SIDE, _LONG_SIDE))
    data = BytesIO()
    photograph.save(data, "JPEG", quality=90)
    return data.getvalue()


def _processes(pid: int) -> list[psutil.Process]:
    node = psutil.Process(pid)
    return [node, *node.children(recursive=True)]


def _processor_ms(pid: int) -> float:
    times = [one.cpu_times() for one in _processes(pid)]
    return 1000 * sum(one.user + one.system for one in times)


def _draw(axes: Axes, medians: Mapping[str, float]) -> None:
    axes.barh(list(medians), list(medians.values()))
    axes.set_xlabel("median, ms of processor time")
    axes.set_title("Experts on one core")


if __name__ == "__main__":
    sys.exit(main())
