"""The ideal queue that corrects for random arrivals, and the report of the measurements."""

import json
from pathlib import Path

import numpy as np
import pytest

from edgewright.benchmarks.latency import queueing
from edgewright.benchmarks.latency.queueing import Loaded, _ideal_wait_s
from edgewright.tools.offload.queueing import mean_wait_s


def test_the_ideal_queue_has_the_theoretical_mean_wait() -> None:
    gaps_s = np.random.default_rng(2).exponential(1.0, 200_000)
    expected_s = mean_wait_s(1 / gaps_s.mean(), 0.7, service_scv=0)
    assert _ideal_wait_s(gaps_s, np.full(len(gaps_s), 0.7)) == pytest.approx(expected_s, rel=0.03)


def test_a_request_waits_only_for_those_still_in_the_queue() -> None:
    assert _ideal_wait_s(np.array([5.0, 2.0, 2.0]), np.ones(3)) == 0
    assert _ideal_wait_s(np.array([5.0, 0.5, 0.5]), np.ones(3)) == pytest.approx((0.5 + 1.0) / 3)


@pytest.mark.parametrize(("measured_ms", "ended"), [(11.5, 0), (12.5, 1)])
def test_a_mean_too_far_from_the_model_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured_ms: float, ended: int
) -> None:
    one = Loaded(
        aimed=0.5, load=0.51, service_ms=5.1, service_scv=0.02, model_ms=11.0, raw_ms=13.0,
        measured_ms=measured_ms, requests=100,
    )  # fmt: skip

    async def measure(*, quick: bool) -> list[Loaded]:
        return [one]

    monkeypatch.setattr(queueing, "_measure", measure)
    assert queueing.main(["--out", str(tmp_path)]) == ended
    figures = json.loads((tmp_path / "queueing.json").read_text("utf-8"))
    assert figures["loads"][0]["measured_ms"] == measured_ms
    assert "| 0.51 | 100 |" in (tmp_path / "queueing.md").read_text("utf-8")
