"""The overhead of engines and sandboxes, with clients and programs that do nothing.

The exchange, from the first message to the last reply, is the engine's own time, since the clients
reply immediately. The round adds Flower's strategy before and after it, which both engines share.
Each engine is measured in a process of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table
from edgewright.tools.errors import UnavailableError
from edgewright.tools.federated.grids.in_process import InProcessGrid
from edgewright.tools.sandbox.backends import BACKENDS
from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.storage.scratch import scratch_folder

Engine = Literal["in-process", "ray"]

CLIENTS, ROUNDS, STARTS = 10, 6, 21
SIZES = {"10 k": 10_000, "1 M": 1_000_000, "11 M": 11_000_000}
_LIMIT_S = 300.0
_PARTS = ("exchange", "round")


def measure(sizes: Iterable[str] = SIZES) -> dict[str, dict[str, dict[str, float]]]:
    """Time both engines at each model size.

    Args:
        sizes: Names of the sizes.

    Returns:
        Median seconds of the ``round`` and the ``exchange``, by size and engine.
    """
    measured: dict[str, dict[str, dict[str, float]]] = {}
    for label in sizes:
        measured[label] = {}
        for engine in ("in-process", "ray"):
            log(f"rounds of the engine {engine} with {label} weights")
            measured[label][engine] = _measured(engine, SIZES[label])
    return measured


def sandbox_starts() -> dict[str, float]:
    """Return the median seconds from a sandbox's start to its program's first output, by name.

    Sandboxes that this machine lacks are skipped.
    """
    command = [sys.executable, "-I", "-S", "-c", "print('up')"]
    results = {}
    for backend in BACKENDS:
        times = []
        with scratch_folder() as folder:
            try:
                for _ in range(STARTS):
                    started_at = time.perf_counter()
                    with backend.start(command, Policy(scratch=folder)) as confined:
                        if confined.receive(_LIMIT_S) != "up":
                            raise UnavailableError(confined.errors, code="no_sandbox")
                        times.append(time.perf_counter() - started_at)
            except (ImportError, OSError, RuntimeError, UnavailableError):
                continue
        results[backend.name] = statistics.median(times)
    return results


def sandbox_table(results: dict[str, float]) -> str:
    """Return the Markdown table of start-up times."""
    rows = [[name, f"{1000 * seconds:.0f}"] for name, seconds in results.items()]
    return f"Start-up time of a sandbox, median of {STARTS} starts:\n\n" + table(
        ["sandbox", "ms"], rows
    )


def overhead_table(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """Return the Markdown table of both engines, with Ray's time relative to the in-process one."""
    columns = ["weights"]
    columns += [
        f"{part}, {where}" for part in _PARTS for where in ("in-process, ms", "Ray, ms", "ratio")
    ]
    rows = [
        [label, *(cell for part in _PARTS for cell in _cells(engines, part))]
        for label, engines in results.items()
    ]
    return (
        f"Engine overhead with {CLIENTS} clients that reply immediately. The exchange is the "
        "engine's own time; the round includes Flower's FedAvg, which both engines share:\n\n"
        + table(columns, rows)
    )


def _cells(engines: dict[str, dict[str, float]], part: str) -> list[str]:
    ours, ray = engines["in-process"][part], engines["ray"][part]
    return [f"{1000 * ours:.2f}", f"{1000 * ray:.1f}", f"{ray / ours:.0f}"]


def _measured(engine: Engine, size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="edgewright-") as home:
        environment = os.environ | {
            "FLWR_HOME": home,
            "FLWR_TELEMETRY_ENABLED": "0",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        out = Path(home) / "times.json"
        process = subprocess.run(  # noqa: S603 - every argument is ours
            [sys.executable, "-m", __spec__.name, engine, str(size), str(out)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
        if not out.is_file():
            raise RuntimeError(f"the {engine} engine returned no times: {process.stderr[-2000:]}")
        times: dict[str, float] = json.loads(out.read_text("utf-8"))
        return times


client_app = ClientApp()


@client_app.train()
def _reply(message: Message, context: Context) -> Message:
    """Return the model unchanged."""
    del context
    content = RecordDict(
        {"arrays": message.content["arrays"], "metrics": MetricRecord({"num-examples": 1})}
    )
    return Message(content, reply_to=message)


def _rounds(grid: Grid, size: int) -> dict[str, float]:
    """Return the median times of the rounds after the first, in which Ray starts its actors."""
    strategy = FedAvg(min_train_nodes=CLIENTS, min_available_nodes=CLIENTS)
    arrays = ArrayRecord([np.ones(size, np.float32)])
    whole, exchange = [], []
    for number in range(1, ROUNDS + 2):
        started_at = time.perf_counter()
        messages = list(strategy.configure_train(number, arrays, ConfigRecord(), grid))
        sent_at = time.perf_counter()
        replies = list(grid.send_and_receive(messages))
        received_at = time.perf_counter()
        mean, _ = strategy.aggregate_train(number, replies)
        finished_at = time.perf_counter()
        if mean is None:
            raise RuntimeError("a round returned no model")
        arrays = mean
        whole.append(finished_at - started_at)
        exchange.append(received_at - sent_at)
    return {"round": statistics.median(whole[1:]), "exchange": statistics.median(exchange[1:])}


def _measure_in_process(engine: str, size: int, out: Path) -> None:
    times: dict[str, Any] = {}
    if engine == "in-process":
        times = _rounds(InProcessGrid(client_app, CLIENTS, {}), size)
    else:
        from flwr.simulation import run_simulation

        server_app = ServerApp()

        @server_app.main()
        def main(grid: Grid, context: Context) -> None:
            del context
            times.update(_rounds(grid, size))

        run_simulation(
            server_app,
            client_app,
            CLIENTS,
            backend_config={"client_resources": {"num_cpus": 1, "num_gpus": 0.0}},
        )
    out.write_text(json.dumps(times), "utf-8")


if __name__ == "__main__":
    _measure_in_process(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
