"""Whether an edge server under load answers as late as queueing theory says.

Run ``python -m edgewright.benchmarks.latency.queueing``. Poisson arrivals to a real node, at loads
from 0.3 to 0.9. The model is given what the node itself measures, arrivals and service times, and
the time that a request takes beside its service, measured without load. As a machine is not always
as fast, and a queue near its limit feels a percent, arrivals come the closer, the faster the node
says that it is: so the load stays. As a few thousand random arrivals are seldom average ones, their
luck is taken out with a control variate: the same arrivals at an ideal queue with the same
services, whose mean is known exactly.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.latency.rig import photograph
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.workers.pool import worker_from_config
from edgewright.tools.contracts.arms import ServerLoad
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.nodes.client import NodeClient, Transfer
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.offload.choice import Values
from edgewright.tools.offload.queueing import mean_response_s, mean_wait_s

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The measured mean may be so far from the model's.
LIMIT = 0.1
_MODEL = "efficientnet-lite0"
#: The server is slowed on purpose: who sends shares its two cores, and at hundreds of requests a
#: second that alone would double its waiting times. A service so takes some thirty milliseconds.
_SLOWDOWN = 12.0
_OPTIONS = InvokeOptions(expert="efficientnet-lite0-classifier", deadline_s=60)
#: Seconds for each load; the nearer to 1, the longer until a mean is one.
FULL = {0.3: 40.0, 0.4: 40.0, 0.5: 60.0, 0.6: 60.0, 0.7: 90.0, 0.8: 180.0, 0.9: 300.0}
QUICK = {0.5: 8.0}
_UNLOADED = 200
_UNLOADED_QUICK = 40


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What was measured at one load, in milliseconds.

    Attributes:
        aimed: Load that was aimed at.
        load: Arrivals in a service, as the node measured services.
        service_ms: Mean service time as the node measured it.
        service_scv: Squared coefficient of variation of the service times.
        model_ms: Mean response by the model.
        raw_ms: Mean response as measured.
        measured_ms: The same without the arrivals' luck.
        requests: How many.
    """

    aimed: float
    load: float
    service_ms: float
    service_scv: float
    model_ms: float
    raw_ms: float
    measured_ms: float
    requests: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write the results.

    Args:
        arguments: Instead of the process's own.

    Returns:
        0, or 1 when a mean is further than ``LIMIT`` from the model's.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--quick", action="store_true", help="one load only, for CI")
    options = parser.parse_args(arguments)
    measured = asyncio.run(_measure(quick=options.quick))
    off = [one.measured_ms / one.model_ms - 1 for one in measured]
    rows = [
        [
            f"{one.load:.2f}",
            one.requests,
            f"{one.service_ms:.2f}",
            f"{one.service_scv:.3f}",
            f"{one.model_ms:.2f}",
            f"{one.measured_ms:.2f}",
            f"{difference:+.1%}",
            f"{one.raw_ms:.2f}",
        ]
        for one, difference in zip(measured, off, strict=True)
    ]
    columns = ["load", "requests", "service ms", "its scv", "model ms", "measured ms", "off"]
    markdown = table([*columns, "measured, luck included, ms"], rows)
    sys.stdout.write(markdown)
    figures = {"limit": LIMIT, "loads": [asdict(one) for one in measured]}
    write_results(options.out, "queueing", figures, markdown, lambda axes: _draw(axes, measured))
    return int(max(abs(difference) for difference in off) > LIMIT)


async def _measure(*, quick: bool) -> list[Loaded]:
    config: dict[str, Any] = {
        "name": "edge",
        "role": "edge",
        "slowdown": _SLOWDOWN,
        "port": 0,
        "preload": [_MODEL],
        "limits": {"queue": 1000, "concurrency": 1000},
    }
    frame = await _frame(config)
    async with launch_node(config, timeout_s=300) as node, NodeClient(node.url) as client:
        await _profiled(client)
        beside_ms, service_ms = await _unloaded(client, frame, quick=quick)
        log(f"unloaded: {service_ms:.2f} ms of service, {beside_ms:.2f} ms beside it")
        measured: list[Loaded] = []
        for aimed, seconds in (QUICK if quick else FULL).items():
            one = await _at(client, frame, aimed, seconds, service_ms, beside_ms)
            measured.append(one)
            # Whoever sends takes processor time too, so services last longer under load.
            service_ms = one.service_ms
    return measured


async def _frame(config: dict[str, Any]) -> bytes:
    """Return the frame of the last cut, whose tail is short, so that much happens in a minute."""
    worker = worker_from_config(NodeConfig.model_validate(config), _MODEL)
    try:
        await worker.load()
        deadline = asyncio.get_running_loop().time() + 60
        parameters = {"point": len(worker.description["blocks"]) - 1, "ticket": "frame"}
        _, frame = await worker.call("head", parameters, photograph((224, 224)), deadline=deadline)
    finally:
        await worker.close()
    return frame


async def _profiled(client: NodeClient) -> None:
    """Wait until the node has measured itself, which would be load of its own."""
    while not (await client.profile()).models:
        await asyncio.sleep(0.5)


async def _unloaded(client: NodeClient, frame: bytes, *, quick: bool) -> tuple[float, float]:
    """Return what a request takes beside its service, and its service, one after another."""
    times = []
    for _ in range(_UNLOADED_QUICK if quick else _UNLOADED):
        transfer = Transfer()
        await client.tail(_MODEL, frame, _OPTIONS, transfer=transfer)
        times.append(transfer.server_ms)
    service_ms = (await _load(client)).service_ms
    return statistics.fmean(times[-64:]) - service_ms, service_ms


async def _at(
    client: NodeClient,
    frame: bytes,
    aimed: float,
    seconds: float,
    service_ms: float,
    beside_ms: float,
) -> Loaded:
    """Send Poisson arrivals for a while and compare."""
    log(f"load {aimed:g}: {seconds:g} s")
    chance = np.random.default_rng(round(100 * aimed))
    # Gaps between arrivals, counted in services.
    gaps = chance.exponential(1 / aimed, round(seconds * 1000 * aimed / service_ms))
    async with _sampled(client) as samples:
        responses_ms, services_s = await _send(client, frame, gaps, samples)
    service_s = float(services_s.mean())
    service_scv = statistics.fmean(one.service_scv for one in samples)
    load = len(gaps) / gaps.sum()
    # Every time of a queue is as much longer as its services and gaps are, so the mean will do.
    expected_s = mean_response_s(load / service_s, service_s, service_scv=service_scv)
    luck_s = _ideal_wait_s(gaps * services_s, services_s) - mean_wait_s(
        load / service_s, service_s, service_scv=0
    )
    raw_ms = statistics.fmean(responses_ms)
    return Loaded(
        aimed=aimed,
        load=load,
        service_ms=service_s * 1000,
        service_scv=service_scv,
        model_ms=expected_s * 1000 + beside_ms,
        raw_ms=raw_ms,
        measured_ms=raw_ms - luck_s * 1000,
        requests=len(responses_ms),
    )


async def _send(
    client: NodeClient, frame: bytes, gaps: Values, samples: Sequence[ServerLoad]
) -> tuple[list[float], Values]:
    """Send a request after each gap, whether or not the last one was answered.

    Args:
        client: Of the node.
        frame: What is sent.
        gaps: In services.
        samples: What the node says of its load; the last one counts.

    Returns:
        Milliseconds of each response, and seconds of a service when it was sent.
    """
    loop = asyncio.get_running_loop()
    due = loop.time()
    services_s = np.empty(len(gaps))
    async with asyncio.TaskGroup() as group:
        sent = []
        for place, gap in enumerate(gaps):
            services_s[place] = samples[-1].service_ms / 1000
            due += gap * services_s[place]
            await asyncio.sleep(max(0.0, due - loop.time()))
            sent.append(group.create_task(_response_ms(client, frame)))
    return [one.result() for one in sent], services_s


async def _response_ms(client: NodeClient, frame: bytes) -> float:
    transfer = Transfer()
    await client.tail(_MODEL, frame, _OPTIONS, transfer=transfer)
    return transfer.server_ms


@asynccontextmanager
async def _sampled(client: NodeClient) -> AsyncIterator[list[ServerLoad]]:
    """Collect what the node says of its load: now, every second, and once at the end."""
    samples = [await _load(client)]

    async def sample() -> None:
        while True:
            await asyncio.sleep(1)
            samples.append(await _load(client))

    sampling = asyncio.create_task(sample())
    try:
        yield samples
    finally:
        sampling.cancel()
        await asyncio.wait([sampling])
        samples.append(await _load(client))


async def _load(client: NodeClient) -> ServerLoad:
    return (await client.probe(0)).load[_MODEL]


def _ideal_wait_s(gaps_s: Values, services_s: Values) -> float:
    """Return the mean wait of these arrivals at a single server that takes just so long.

    Lindley's recursion: who comes next waits for what the last one had to, and for its service,
    less the gap between them.
    """
    wait_s = total_s = 0.0
    for gap_s, service_s in zip(gaps_s[1:], services_s[:-1], strict=True):
        wait_s = max(0.0, wait_s + service_s - gap_s)
        total_s += wait_s
    return float(total_s / len(gaps_s))


def _draw(axes: Axes, measured: Sequence[Loaded]) -> None:
    loads = [one.load for one in measured]
    axes.plot(loads, [one.model_ms for one in measured], label="model")
    measured_ms = [one.measured_ms for one in measured]
    axes.plot(loads, measured_ms, "o", color="black", label="measured")
    raw_ms = [one.raw_ms for one in measured]
    axes.plot(loads, raw_ms, "x", color="grey", label="measured, the arrivals' luck included")
    axes.set_xlabel("load of the edge server")
    axes.set_ylabel("mean milliseconds to the answer")
    axes.set_title("Poisson arrivals to a running edge server")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
