"""Forecasts of a device that has just started, against what its requests take.

Run ``python -m edgewright.benchmarks.latency.forecasts``. The network is that of ``edgewright
demo``: a slowed device, a thin link and an edge server. Images are JPEG, PNG and WebP; some
requests have several tasks, which run at once. As the assistant does, tasks are decided in their
order and then invoked together.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright.benchmarks.common.photographs import photograph
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.latency.workload import MIX
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.profiling.measure import measure_profile
from edgewright.tools.contracts.arms import ImageCodec
from edgewright.tools.contracts.invocation import InvokeOptions, PlannedTask
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.images.probe import probe
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.shaped_link import ShapedLink

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RATE_KB_PER_S, DELAY_MS, SLOWDOWN = 100.0, 2.0, 14.0
#: Size of the photographs, and their encodings by a letter.
_SIZE = (450, 300)
_KINDS: dict[str, tuple[ImageCodec, int | None]] = {
    "j": ("jpeg", 92),
    "p": ("png", None),
    "w": ("webp", 80),
}
#: What is requested, by a letter.
_TASKS = dict(zip("ctv", MIX, strict=True))
#: Requests in their order: tasks as pairs of card and image, those of one request together.
_REQUESTS = (
    "cp",
    "vp",
    "tp",
    "cj",
    "cj tj",
    "vp",
    "cw",
    "cj tj vj",
    "tw",
    "cp cj",
    "vj",
    "cp tp vp",
)
FIRST = 3
_DEADLINE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Forecasted:
    """A task, what was expected of it and what it took.

    Attributes:
        start: Number of the start of the device.
        request: Position of its request after the start, from 0.
        task: Card and image.
        at_once: Number of tasks of its request.
        arm: The chosen arm.
        expected_ms: The forecast.
        took_ms: The time that the caller measured.
    """

    start: int
    request: int
    task: str
    at_once: int
    arm: str
    expected_ms: float
    took_ms: float

    @property
    def error(self) -> float:
        """Relative error of the forecast."""
        return self.expected_ms / self.took_ms - 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write the results.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--quick", action="store_true", help="one start only, for CI")
    options = parser.parse_args(arguments)
    measured = asyncio.run(_measure(starts=1 if options.quick else 5))
    _report(measured, options.out)
    return 0


async def _measure(*, starts: int) -> list[Forecasted]:
    images = {kind: photograph(_SIZE, *how) for kind, how in _KINDS.items()}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        edge, device = (
            _config(folder, "edge", {}),
            _config(folder, "device", {"slowdown": SLOWDOWN}),
        )
        for config in (edge, device):
            log(f"measuring the profile of the {config['name']}")
            await asyncio.to_thread(measure_profile, NodeConfig.model_validate(config))
        node = await stack.enter_async_context(launch_node(edge, timeout_s=300))
        port = int(node.url.rpartition(":")[2])
        link = ShapedLink("127.0.0.1", port, rate_kb_per_s=RATE_KB_PER_S, delay_ms=DELAY_MS)
        await stack.enter_async_context(link)
        device["peers"] = [{"url": f"http://127.0.0.1:{link.port}"}]
        measured: list[Forecasted] = []
        for start in range(starts):
            log(f"start {start + 1} of {starts}")
            async with (
                launch_node(device, timeout_s=300) as started,
                NodeClient(started.url, timeout_s=_DEADLINE_S) as client,
            ):
                while not (await client.profile()).knows_peers:
                    await asyncio.sleep(0.02)
                for number, request in enumerate(_REQUESTS):
                    measured += await _request(client, images, start, number, request.split())
                    await asyncio.sleep(0.5)
    return measured


async def _request(
    client: NodeClient, images: dict[str, bytes], start: int, number: int, tasks: Sequence[str]
) -> list[Forecasted]:
    """Decide the tasks of a request, and run them at once."""
    ahead: list[PlannedTask] = []
    expected: list[float] = []
    for task in tasks:
        kind, image = _TASKS[task[0]], images[task[1]]
        options = InvokeOptions(args=dict(kind.args), expert=kind.expert, deadline_s=_DEADLINE_S)
        decision = await client.decide(kind.card, options, probe(image), ahead)
        best = next(one for one in decision.forecasts if one.arm == decision.arm)
        assert best.latency_ms is not None
        expected.append(best.latency_ms)
        ahead.append(
            PlannedTask(card=kind.card, expert=kind.expert, arm=decision.arm, image=probe(image))
        )

    async def took_ms(task: str, planned: PlannedTask) -> float:
        options = InvokeOptions(
            args=dict(_TASKS[task[0]].args),
            expert=planned.expert,
            arm=planned.arm,
            deadline_s=_DEADLINE_S,
        )
        began = time.perf_counter()
        response = await client.invoke(planned.card, options, images[task[1]])
        if response.report is None or response.report.fallback:
            raise EdgewrightError("a task did not take its arm; see the nodes' logs")
        return (time.perf_counter() - began) * 1000

    times = await asyncio.gather(*map(took_ms, tasks, ahead))
    return [
        Forecasted(
            start=start,
            request=number,
            task=task,
            at_once=len(tasks),
            arm=planned.arm.label,
            expected_ms=expected_ms,
            took_ms=ms,
        )
        for task, planned, expected_ms, ms in zip(tasks, ahead, expected, times, strict=True)
    ]


def _config(folder: Path, name: str, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "role": name,
        "port": 0,
        "profile_file": str(folder / f"{name}.json"),
        **more,
    }


def _report(measured: Sequence[Forecasted], out: Path) -> None:
    groups = {
        "all tasks": measured,
        f"first {FIRST} requests after a start": [one for one in measured if one.request < FIRST],
        "requests with one task": [one for one in measured if one.at_once == 1],
        "tasks that run at once": [one for one in measured if one.at_once > 1],
    }
    errors = {name: [one.error for one in group] for name, group in groups.items()}
    figures = {
        name: {
            "tasks": len(of_group),
            "median": statistics.median(map(abs, of_group)),
            "p90": float(np.quantile(np.abs(of_group), 0.9)),
            "bias": statistics.median(of_group),
        }
        for name, of_group in errors.items()
    }
    rows = [
        [name, one["tasks"], f"{one['median']:.1%}", f"{one['p90']:.1%}", f"{one['bias']:+.1%}"]
        for name, one in figures.items()
    ]
    columns = ["forecast against measured", "tasks", "median error", "p90", "median deviation"]
    markdown = (
        f"Device slowed {SLOWDOWN:g} times, {RATE_KB_PER_S:g} KB/s, {DELAY_MS:g} ms each way; "
        f"{max(one.start for one in measured) + 1} starts of the device.\n\n" + table(columns, rows)
    )
    sys.stdout.write(markdown)

    def draw(axes: Axes) -> None:
        axes.plot([one.took_ms for one in measured], [one.expected_ms for one in measured], "o")
        limits = [0.0, max(one.took_ms for one in measured)]
        axes.plot(limits, limits, color="grey")
        axes.set_xlabel("measured, ms")
        axes.set_ylabel("forecast, ms")
        axes.set_title("Forecasts after a start")

    results = {"errors": figures, "tasks": [asdict(one) for one in measured]}
    write_results(out, "latency-forecasts", results, markdown, draw)


if __name__ == "__main__":
    sys.exit(main())
