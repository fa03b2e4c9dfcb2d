"""The report of the serving benchmark."""

import json
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest

from edgewright.benchmarks.serving.processes import RunningServer
from edgewright.benchmarks.serving.run import NODE, Measured, _report
from edgewright.benchmarks.serving.streams import Streamed


def test_the_report_compares_the_node_with_the_same_engine(tmp_path: Any, capsys: Any) -> None:
    def measured(ms: float, per_s: float) -> Measured:
        return Measured(
            alone_ms=[ms] * 3,
            per_s={4: [per_s], 16: [per_s]},
            answers={4: [3, 4, 4, 5], 16: [8] * 15 + [12]},
            cpu_ms={4: [ms], 16: [ms, 2 * ms, 2 * ms]},
            memory_mb=20 * ms,
        )

    servers = {
        NODE: measured(11.0, 90.0),
        "FastAPI, onnx": measured(10.0, 100.0),
        "FastAPI, torch": measured(30.0, 30.0),
    }
    pressed = {
        "obedient": {"clients": 16, "per_s": 90.0, "refused": 0, "left": 0},
        "asking again at once": {"clients": 32, "per_s": 81.0, "refused": 7, "left": 0},
    }
    _report(servers, pressed, tmp_path)
    figures = json.loads((tmp_path / "serving.json").read_text("utf-8"))
    assert figures["p50_ratio"] == pytest.approx(1.1)
    assert figures["throughput_ratios"] == pytest.approx({"4": 0.9, "16": 0.9})
    assert figures["fairness"] == pytest.approx(1.5)
    assert figures["goodput"]["asking again at once"] == pytest.approx(0.9)
    assert (
        "node / FastAPI, onnx | 1.10 | 0.90 | 0.90 | 1.10 | 1.10 | 1.10" in capsys.readouterr().out
    )


def test_what_a_server_has_started_counts() -> None:
    child = "import time; time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        server = RunningServer(0, process.pid)
        while len(list(server._processes())) < 2:
            time.sleep(0.01)
        (child_process,) = psutil.Process(process.pid).children()
        alone = RunningServer(0, child_process.pid)
        assert 1 < alone.memory_mb() < server.memory_mb() < 200
        assert 0 <= alone.cpu_s() < server.cpu_s() < 60
        server.stop()
    assert not psutil.pid_exists(server.pid)
    _, alive = psutil.wait_procs([child_process], 5)
    assert not alive


def test_streams_are_reported_by_the_clients_that_got_least_and_most() -> None:
    found = Streamed(slow_readers=8, tokens=[20, 30, 24], times_s=[1.0, 3.0, 2.0])
    assert found.row() == ["3 clients, 8 slow readers", 20, 30, "1.50", "2.00", "2.00"]
    nothing = Streamed(slow_readers=0, tokens=[0, 3], times_s=[1.0])
    assert nothing.row()[3] == "3.00"
