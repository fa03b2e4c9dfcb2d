"""Response times of an edge server under load, compared with queueing theory.

Run ``python -m edgewright.benchmarks.latency.queueing``. Requests arrive at a real node as a
Poisson process, at loads from 0.3 to 0.9. The model gets the arrival rate and the service times
that the node itself measures, and the part of a response that is not service, measured without
load.

The speed of a machine varies, and a queue near saturation is sensitive to it, so gaps between
arrivals scale with the service time that the node reports; this holds the load constant. A few
thousand random arrivals are rarely typical, so the measured mean is corrected with a control
variate: the same arrivals at an ideal queue with the same services, whose mean is known exactly.
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

from edgewright.benchmarks.common.photographs import photograph
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.workers.pool import worker_from_config
from edgewright.tools.contracts.arms import ServerLoad
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.exchange import Transfer
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.offload.choice import FloatArray
from edgewright.tools.offload.queueing import mean_response_s, mean_wait_s

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Maximum relative difference of a measured mean from the model's.
LIMIT = 0.1
_MODEL = "efficientnet-lite0"
#: The server is slowed to some thirty milliseconds a service: the sender shares its two cores, and
#: at hundreds of requests a second would double the waiting times.
_SLOWDOWN = 12.0
_OPTIONS = InvokeOptions(expert="efficientnet-lite0-classifier", deadline_s=60)
#: Seconds for each load; close to 1, a mean takes longer to converge.
FULL = {0.3: 40.0, 0.4: 40.0, 0.5: 60.0, 0.6: 60.0, 0.7: 90.0, 0.8: 180.0, 0.9: 300.0}
QUICK = {0.5: 8.0}
_UNLOADED = 200
_UNLOADED_QUICK = 40


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Measurements at one load.

    Attributes:
        aimed: Intended load.
        load: Mean arrivals per service time.
        service_ms: Mean service time as the node measured it.
        service_scv: Squared coefficient of variation of the service times.
        model_ms: Mean response time of the model.
        raw_ms: Measured mean response time.
        measured_ms: The same, corrected by the control variate.
        requests: Number of requests.
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
        arguments: Command line; the process's own by default.

    Returns:
        0, or 1 when a measured mean differs from the model's by more than ``LIMIT``.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--quick", action="store_true", help="one load only, for CI")
    options = parser.parse_args(arguments)
    measured = asyncio.run(_measure(quick=options.quick))
    errors = [one.measured_ms / one.model_ms - 1 for one in measured]
    rows = [
        [
            f"{one.load:.2f}",
            one.requests,
            f"{one.service_ms:.2f}",
            f"{one.service_scv:.3f}",
            f"{one.model_ms:.2f}",
            f"{one.measured_ms:.2f}",
            f"{error:+.1%}",
            f"{one.raw_ms:.2f}",
        ]
        for one, error in zip(measured, errors, strict=True)
    ]
    columns = ["load", "requests", "service ms", "service SCV", "model ms", "measured ms", "error"]
    markdown = table([*columns, "measured ms, uncorrected"], rows)
    sys.stdout.write(markdown)
    figures = {"limit": LIMIT, "loads": [asdict(one) for one in measured]}
    write_results(options.out, "queueing", figures, markdown, lambda axes: _draw(axes, measured))
    return int(max(abs(error) for error in errors) > LIMIT)


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
        overhead_ms, service_ms = await _unloaded(client, frame, quick=quick)
        log(f"unloaded: {service_ms:.2f} ms of service, {overhead_ms:.2f} ms of overhead")
        measured: list[Loaded] = []
        for aimed, seconds in (QUICK if quick else FULL).items():
            one = await _at(client, frame, aimed, seconds, service_ms, overhead_ms)
            measured.append(one)
            # The sender takes processor time too, so services take longer under load.
            service_ms = one.service_ms
    return measured


async def _frame(config: dict[str, Any]) -> bytes:
    """Return a frame for the last cut, whose tail is short, so that many fit into a minute."""
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
    """Wait until the node has measured its profile, which is load too."""
    while not (await client.profile()).models:
        await asyncio.sleep(0.5)


async def _unloaded(client: NodeClient, frame: bytes, *, quick: bool) -> tuple[float, float]:
    """Return the mean overhead of a request and its service time, sending one at a time."""
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
    overhead_ms: float,
) -> Loaded:
    """Send Poisson arrivals at one load and compare their response times with the model."""
    log(f"load {aimed:g}: {seconds:g} s")
    rng = np.random.default_rng(round(100 * aimed))
    # Gaps between arrivals, in units of the service time.
    gaps = rng.exponential(1 / aimed, round(seconds * 1000 * aimed / service_ms))
    async with _sampled(client) as samples:
        responses_ms, services_s = await _send(client, frame, gaps, samples)
    service_s = float(services_s.mean())
    service_scv = statistics.fmean(one.service_scv for one in samples)
    load = len(gaps) / gaps.sum()
    # Waiting times scale with services and gaps, so the mean service time suffices.
    expected_s = mean_response_s(load / service_s, service_s, service_scv=service_scv)
    bias_s = _ideal_wait_s(gaps * services_s, services_s) - mean_wait_s(
        load / service_s, service_s, service_scv=0
    )
    raw_ms = statistics.fmean(responses_ms)
    return Loaded(
        aimed=aimed,
        load=load,
        service_ms=service_s * 1000,
        service_scv=service_scv,
        model_ms=expected_s * 1000 + overhead_ms,
        raw_ms=raw_ms,
        measured_ms=raw_ms - bias_s * 1000,
        requests=len(responses_ms),
    )


async def _send(
    client: NodeClient, frame: bytes, gaps: FloatArray, samples: Sequence[ServerLoad]
) -> tuple[list[float], FloatArray]:
    """Send a request after each gap, whether or not earlier ones were answered.

    Args:
        client: Client of the node.
        frame: The frame to send.
        gaps: Gaps in units of the service time.
        samples: Load that the node reported; the last sample is current.

    Returns:
        Milliseconds of each response, and the service time in seconds at each arrival.
    """
    loop = asyncio.get_running_loop()
    due = loop.time()
    services_s = np.empty(len(gaps))
    async with asyncio.TaskGroup() as group:
        responses = []
        for place, gap in enumerate(gaps):
            services_s[place] = samples[-1].service_ms / 1000
            due += gap * services_s[place]
            await asyncio.sleep(max(0.0, due - loop.time()))
            responses.append(group.create_task(_response_ms(client, frame)))
    return [one.result() for one in responses], services_s


async def _response_ms(client: NodeClient, frame: bytes) -> float:
    transfer = Transfer()
    await client.tail(_MODEL, frame, _OPTIONS, transfer=transfer)
    return transfer.server_ms


@asynccontextmanager
async def _sampled(client: NodeClient) -> AsyncIterator[list[ServerLoad]]:
    """Sample the node's load: at the start, every second, and at the end."""
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


def _ideal_wait_s(gaps_s: FloatArray, services_s: FloatArray) -> float:
    """Return the mean wait of these arrivals at a single server with these service times.

    By Lindley's recursion, a request waits for the previous one's wait and service, less the gap
    between the two.
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
    axes.plot(loads, raw_ms, "x", color="grey", label="measured, uncorrected")
    axes.set_xlabel("load of the edge server")
    axes.set_ylabel("mean response time, ms")
    axes.set_title("Poisson arrivals at a running edge server")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
