"""The report of the serving benchmark."""

import json
from typing import Any

import pytest

from edgewright.benchmarks.serving.run import NODE, Measured, _report
from edgewright.benchmarks.serving.streams import Streamed


def test_the_report_compares_the_node_with_the_same_engine(tmp_path: Any, capsys: Any) -> None:
    def measured(ms: float, per_s: float) -> Measured:
        counts = {4: [3, 4, 4, 5], 16: [8] * 15 + [12]}
        return Measured(alone_ms=[ms] * 3, per_s={4: [per_s], 16: [per_s]}, answers=counts)

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
    assert "node / FastAPI, onnx | 1.10 | 0.90 | 0.90" in capsys.readouterr().out


def test_streams_are_reported_by_the_clients_that_got_least_and_most() -> None:
    found = Streamed(slow_readers=8, tokens=[20, 30, 24], times_s=[1.0, 3.0, 2.0])
    assert found.row() == ["3 clients, 8 slow readers", 20, 30, "1.50", "2.00", "2.00"]
    nothing = Streamed(slow_readers=0, tokens=[0, 3], times_s=[1.0])
    assert nothing.row()[3] == "3.00"
