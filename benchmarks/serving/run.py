"""Serving: a node beside the same model behind plain servers.

Run ``python -m edgewright.benchmarks.serving.run``. Each server runs on one core and the clients on
another, if there are two; servers take turns, so that a busy machine slows all of them. Where other
programs take turns on these cores too, the processor time of an answer says more than a clock.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.benchmarks.common.photographs import photograph
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.serving.baselines import servers
from edgewright.benchmarks.serving.clients import Client, request, run_all
from edgewright.benchmarks.serving.predictor import MODEL
from edgewright.benchmarks.serving.processes import RunningServer
from edgewright.tools.nodes.launch import launch_node

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NODE = "node"
#: Engines of the baselines; the first is also the node's.
_ENGINES = ("onnx", "torch")
_INVOKE = "/v1/tools/image-classification:invoke"
_CLIENTS = (4, 16)
#: Places of the node that impatient clients press: fewer than there are clients.
_FEW_PLACES, _MANY_CLIENTS = 16, 32
#: A client that gives up does so after this many times the latency of a lone client, which is
#: less than a queue of all clients takes.
_PATIENCE = 10.0


@dataclass(frozen=True, kw_only=True)
class Extent:
    """The size of the benchmark.

    Attributes:
        rounds: Turns of each server.
        requests: Requests of the lone client in each turn.
        seconds: Seconds of each load in each turn.
    """

    rounds: int
    requests: int
    seconds: float


FULL = Extent(rounds=5, requests=60, seconds=6.0)
QUICK = Extent(rounds=2, requests=10, seconds=1.5)


@dataclass
class Measured:
    """What was measured of one server.

    Attributes:
        alone_ms: Times of a lone client's requests.
        per_s: Answers per second in each turn, by number of clients.
        answers: Answers of each client in all turns, by number of clients.
        cpu_ms: Processor time of an answer in each turn, by number of clients.
        memory_mb: Memory of its processes after the last turn.
    """

    alone_ms: list[float] = field(default_factory=list)
    per_s: dict[int, list[float]] = field(default_factory=dict)
    answers: dict[int, list[int]] = field(default_factory=dict)
    cpu_ms: dict[int, list[float]] = field(default_factory=dict)
    memory_mb: float = 0.0

    @property
    def p50_ms(self) -> float:
        """Median time of a lone client's requests."""
        return statistics.median(self.alone_ms)

    def throughput(self, clients: int) -> float:
        """Return the median of answers per second."""
        return statistics.median(self.per_s[clients])

    def processor_ms(self, clients: int) -> float:
        """Return the median of the processor time of an answer."""
        return statistics.median(self.cpu_ms[clients])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write the results.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--quick", action="store_true", help="measure little, for CI")
    options = parser.parse_args(arguments)
    extent = QUICK if options.quick else FULL
    measured, pressed = asyncio.run(_measure(extent))
    _report(measured, pressed, options.out)
    return 0


async def _measure(
    extent: Extent,
) -> tuple[dict[str, Measured], dict[str, dict[str, float]]]:
    cores = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        with _pinned(cores[:1]):
            log("starting the node")
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            running = {NODE: _node(stack, folder, {})}
            pressed_node = _node(stack, folder, {"limits": {"queue": _FEW_PLACES}})
            for engine, server in itertools.product(_ENGINES, servers()):
                log(f"starting {server} with {engine}")
                running[f"{server}, {engine}"] = stack.enter_context(_baseline(server, engine))
        with _pinned(cores[-1:]):
            measured = {name: Measured() for name in running}
            for turn in range(1, extent.rounds + 1):
                log(f"turn {turn} of {extent.rounds}")
                for name, started in running.items():
                    await _turn(measured[name], started, _request_of(name), extent)
            pressed = await _pressed(pressed_node.port, measured[NODE], extent)
    return measured, pressed


async def _turn(measured: Measured, server: RunningServer, sent: bytes, extent: Extent) -> None:
    alone = Client(server.port, sent)
    while len(alone.times_ms) < extent.requests:
        await run_all([alone], 0.2)
    measured.alone_ms += alone.times_ms
    for number in _CLIENTS:
        clients = [Client(server.port, sent) for _ in range(number)]
        before_s = server.cpu_s()
        measured.per_s.setdefault(number, []).append(await run_all(clients, extent.seconds))
        answers = measured.answers.setdefault(number, [0] * number)
        for place, client in enumerate(clients):
            answers[place] += len(client.times_ms)
        given = sum(len(client.times_ms) for client in clients)
        cpu_ms = 1000 * (server.cpu_s() - before_s) / max(1, given)
        measured.cpu_ms.setdefault(number, []).append(cpu_ms)
    measured.memory_mb = server.memory_mb()


async def _pressed(port: int, node: Measured, extent: Extent) -> dict[str, dict[str, float]]:
    """Press a node with impatient clients, in turns with obedient ones that show its capacity."""
    patience_s = _PATIENCE * node.p50_ms / 1000
    sent, hurried = _request_of(NODE), _request_of(NODE, deadline_s=patience_s)
    makers: dict[str, tuple[int, Callable[[], Client]]] = {
        "obedient": (_FEW_PLACES, lambda: Client(port, sent)),
        "asking again at once": (_MANY_CLIENTS, lambda: Client(port, sent, obedient=False)),
        "with a short deadline": (_FEW_PLACES, lambda: Client(port, hurried)),
        "giving up": (_FEW_PLACES, lambda: Client(port, sent, patience_s=patience_s)),
    }
    figures: dict[str, dict[str, list[float]]] = {
        kind: {"per_s": [], "refused": [], "left": []} for kind in makers
    }
    for turn in range(1, extent.rounds + 1):
        log(f"pressure: turn {turn} of {extent.rounds}")
        for kind, (number, make) in makers.items():
            clients = [make() for _ in range(number)]
            figures[kind]["per_s"].append(await run_all(clients, extent.seconds))
            figures[kind]["refused"].append(sum(client.refused for client in clients))
            figures[kind]["left"].append(sum(client.left for client in clients))
    return {
        kind: {
            "clients": makers[kind][0],
            "per_s": statistics.median(of_kind["per_s"]),
            "refused": sum(of_kind["refused"]),
            "left": sum(of_kind["left"]),
        }
        for kind, of_kind in figures.items()
    }


def _request_of(name: str, *, deadline_s: float | None = None) -> bytes:
    image = photograph((320, 240))
    if name == NODE:
        return request(_INVOKE, image, deadline_s=deadline_s)
    if name.startswith("LitServe"):
        body = json.dumps({"image": base64.b64encode(image).decode()}).encode()
        return request("/predict", body, kind="application/json")
    return request("/predict", image)


def _node(stack: ExitStack, folder: Path, more: Mapping[str, Any]) -> RunningServer:
    """Start a node that has measured itself; the first one does it for all."""
    config = {
        "name": NODE,
        "role": "edge",
        "port": 0,
        "preload": [MODEL],
        "environment": {"EDGEWRIGHT_ENGINE": _ENGINES[0]},
        "profile_file": str(folder / "profile.json"),
        "profile_runs": 1,
        "measure": "before-ready",
        **more,
    }
    node = stack.enter_context(launch_node(config, timeout_s=300))
    return RunningServer(int(node.url.rpartition(":")[2]), node.pid)


@contextmanager
def _baseline(server: str, engine: str) -> Iterator[RunningServer]:
    command = [sys.executable, "-m", "edgewright.benchmarks.serving.baselines", server]
    environment = {**os.environ, "EDGEWRIGHT_ENGINE": engine}
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        port = int(json.loads(process.stdout.readline())["port"])
        running = RunningServer(port, process.pid)
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def _pinned(cores: Sequence[int]) -> Iterator[None]:
    """Run this process, and what it starts, on some cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _report(
    measured: Mapping[str, Measured], pressed: Mapping[str, Mapping[str, float]], out: Path
) -> None:
    same_engine = measured[f"FastAPI, {_ENGINES[0]}"]
    node = measured[NODE]
    answers = node.answers[_CLIENTS[-1]]
    fairness = max(answers) / max(1, min(answers))
    capacity = pressed["obedient"]["per_s"]
    rows: list[list[object]] = [
        [
            name,
            f"{one.p50_ms:.1f}",
            *(f"{one.throughput(number):.1f}" for number in _CLIENTS),
            *(f"{one.processor_ms(number):.1f}" for number in _CLIENTS),
            f"{one.memory_mb:.0f}",
        ]
        for name, one in measured.items()
    ]
    cpu_ratios = [
        node.processor_ms(number) / same_engine.processor_ms(number) for number in _CLIENTS
    ]
    ratios = [node.throughput(number) / same_engine.throughput(number) for number in _CLIENTS]
    rows.append(
        [
            f"node / FastAPI, {_ENGINES[0]}",
            f"{node.p50_ms / same_engine.p50_ms:.2f}",
            *(f"{ratio:.2f}" for ratio in (*ratios, *cpu_ratios)),
            f"{node.memory_mb / same_engine.memory_mb:.2f}",
        ]
    )
    columns = [
        "server",
        "p50 ms, 1 client",
        *(f"per s, {number} clients" for number in _CLIENTS),
        *(f"CPU ms an answer, {number} clients" for number in _CLIENTS),
        "memory, MB",
    ]
    pressure = [
        [
            f"{one['clients']:.0f} clients, {kind}",
            f"{one['per_s']:.1f}",
            f"{one['per_s'] / capacity:.2f}",
            f"{one['refused']:.0f}",
            f"{one['left']:.0f}",
        ]
        for kind, one in pressed.items()
    ]
    markdown = (
        f"{MODEL}, one thread, one core for each server.\n\n{table(columns, rows)}\n"
        f"Of the node's {len(answers)} clients, the one with the most answers had {fairness:.2f} "
        f"times as many as the one with the fewest.\n\n"
        f"A node with {_FEW_PLACES} places under pressure:\n\n"
        + table(["clients", "answers per s", "of its capacity", "turned away", "gave up"], pressure)
    )
    sys.stdout.write(markdown)
    figures = {
        "engine": _ENGINES[0],
        "p50_ratio": node.p50_ms / same_engine.p50_ms,
        "throughput_ratios": dict(zip(map(str, _CLIENTS), ratios, strict=True)),
        "cpu_ratios": dict(zip(map(str, _CLIENTS), cpu_ratios, strict=True)),
        "fairness": fairness,
        "goodput": {kind: one["per_s"] / capacity for kind, one in pressed.items()},
        "pressed": {kind: dict(one) for kind, one in pressed.items()},
        "servers": {name: asdict(one) for name, one in measured.items()},
    }
    write_results(out, "serving", figures, markdown, lambda axes: _draw(axes, measured))


def _draw(axes: Axes, measured: Mapping[str, Measured]) -> None:
    for name, one in measured.items():
        ordered = sorted(one.alone_ms)
        shares = [(index + 1) / len(ordered) for index in range(len(ordered))]
        axes.plot(ordered, shares, label=name)
    axes.set_xlabel("latency of a lone client, ms")
    axes.set_ylabel("share of requests")
    axes.set_title(MODEL)
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
