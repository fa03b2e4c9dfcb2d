"""What a conversation and the image store keep: time and size in the long run.

A thread of 1,000 turns goes through the real graph and real SQLite, with a scripted planner and
node. Its last ten turns alternate with the first ten of a new thread, so that both meet the same
machine. Then 100,000 images go through a store whose limit is a tenth of their size, while turns
name some of them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from PIL import Image

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.storage.scripted import scripted_services
from edgewright.graphs.assistant.context import AssistantContext
from edgewright.graphs.assistant.session import Session, open_session
from edgewright.graphs.services.upkeep import Upkeep
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.settings import StorageLimits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TURNS, IMAGES = 1_000, 100_000
#: Turns whose times are compared, and images that turns name.
COMPARED, NAMED = 10, 500
#: How often the size of the store is checked; a conversation does so after each turn.
CHECKS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as name:
        # Upkeep also looks at caches and profiles; those of this machine are none of its business.
        os.environ |= {"EDGEWRIGHT_HOME": name, "EDGEWRIGHT_CACHE": name}
        figures = {
            "threads": asyncio.run(measure_thread(Path(name) / "threads", options.turns)),
            "images": asyncio.run(measure_images(Path(name) / "images", options.images)),
        }
    markdown = _markdown(figures)
    sys.stdout.write(markdown)
    times_ms = figures["threads"]["times_ms"]
    write_results(options.out, "storage", figures, markdown, lambda axes: _draw(axes, times_ms))
    return 0


async def measure_thread(folder: Path, turns: int) -> dict[str, Any]:
    """Measure a long thread against a new one.

    Args:
        folder: Where threads and images are stored.
        turns: Number of turns of the long thread.

    Returns:
        Times in milliseconds, and the size of the file in bytes.
    """
    log(f"{turns} turns in one thread")
    services = scripted_services(folder)
    image = services.images.put(picture(0), "gate.png")
    path = folder / "threads.sqlite"
    async with open_session(
        AssistantContext(services=services), thread="long", threads=path
    ) as session:
        times_ms = [await _turn(session, number, [image]) for number in range(turns - COMPARED)]
        first, last = [], []
        for number in range(COMPARED):
            session.thread = "new"
            first.append(await _turn(session, number, [image]))
            session.thread = "long"
            last.append(await _turn(session, turns - COMPARED + number, [image]))
        stored = len(await session.history())
        size = sum(each.stat().st_size for each in folder.glob("threads.sqlite*"))
    return {
        "turns": stored,
        "first_ms": statistics.median(first),
        "last_ms": statistics.median(last),
        "ratio": statistics.median(last) / statistics.median(first),
        "bytes": size,
        "times_ms": [*times_ms, *last],
    }


async def measure_images(folder: Path, count: int, named: int = NAMED) -> dict[str, Any]:
    """Put images through a store that holds a tenth of them.

    Args:
        folder: Where threads and images are stored.
        count: Number of images.
        named: Number of images that turns name.

    Returns:
        What is left of them, in numbers and bytes, and the times in seconds.
    """
    log(f"{count} images through the store")
    services = scripted_services(folder)
    one = len(picture(0))
    upkeep = Upkeep(
        limits=StorageLimits(images_bytes=count * one // 10),
        images=services.images,
        threads=folder / "threads.sqlite",
        grace_s=0.0,  # the images of hours are put in within minutes
    )
    of_turns: list[ImageRef] = []
    peak, put_s, sweeps_s = 0, 0.0, []
    async with open_session(
        AssistantContext(services=services), thread="images", threads=upkeep.threads
    ) as session:
        for number in range(count):
            data = picture(number)
            started = time.perf_counter()
            image = services.images.put(data, f"{number}.png")
            put_s += time.perf_counter() - started
            if number % (count // named) == 0:
                await session.ask("what is it?", images=[image])
                of_turns.append(image)
            peak = max(peak, services.images.size())
            if (
                number % (count // CHECKS) == 0
                and services.images.size() > upkeep.limits.images_bytes
            ):
                started = time.perf_counter()
                upkeep.collect(runs=False)
                sweeps_s.append(time.perf_counter() - started)
    left = services.images.stored()
    return {
        "images": count,
        "bytes": count * one,
        "limit_bytes": upkeep.limits.images_bytes,
        "peak_bytes": peak,
        "left": len(left),
        "left_bytes": sum(each.bytes for each in left),
        "named": len(of_turns),
        "lost": len({image.sha256 for image in of_turns} - {each.name for each in left}),
        "put_ms": 1000 * put_s / count,
        "sweeps": len(sweeps_s),
        "sweep_s": statistics.median(sweeps_s) if sweeps_s else 0.0,
    }


@cache
def _picture() -> bytes:
    buffer = BytesIO()
    Image.effect_noise((24, 24), 80).save(buffer, "PNG")
    return buffer.getvalue()


def picture(number: int) -> bytes:
    """Return one of many images of the same size; nothing reads what follows a PNG's last chunk."""
    return _picture() + number.to_bytes(8, "big")


async def _turn(session: Session, number: int, images: Sequence[ImageRef]) -> float:
    """Return the milliseconds of one turn."""
    started = time.perf_counter()
    await session.ask(f"request {number}: is the gate of the garden still closed?", images=images)
    return 1000 * (time.perf_counter() - started)


def _markdown(figures: dict[str, Any]) -> str:
    threads, images = figures["threads"], figures["images"]
    rows = [
        ("turns in one thread", f"{threads['turns']:,}"),
        ("median of its last ten turns", f"{threads['last_ms']:.0f} ms"),
        ("median of the first ten of a new thread", f"{threads['first_ms']:.0f} ms"),
        ("ratio", f"{threads['ratio']:.2f}"),
        ("file", f"{threads['bytes'] / 1e6:.1f} MB"),
        (
            "images put into the store",
            f"{images['images']:,}, {images['bytes'] / 1e6:.0f} MB in all",
        ),
        ("limit of the store", f"{images['limit_bytes'] / 1e6:.1f} MB"),
        ("most that it ever held", f"{images['peak_bytes'] / 1e6:.1f} MB"),
        (
            "images named by turns, and lost",
            f"{images['named']:,}, {images['lost']:,}",
        ),
        ("time to put one in", f"{images['put_ms']:.2f} ms"),
        (
            "upkeep",
            f"{images['sweeps']} times, median {images['sweep_s']:.2f} s",
        ),
    ]
    return table(["measured", "result"], rows)


def _draw(axes: Axes, times_ms: Sequence[float]) -> None:
    axes.plot(times_ms, linewidth=0.7)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("turn of the thread")
    axes.set_ylabel("time of the turn, ms")
    axes.set_title("A thread of scripted turns")


if __name__ == "__main__":
    sys.exit(main())
