"""What came of a simulation: latencies, waits, how busy the servers were, and energy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from edgewright.tools.capacity.scenario import Scenario
from edgewright.tools.offload.arms import ProfiledArm
from edgewright.tools.offload.objective import EnergyModel

_DEVICE = "device"


class TierOutcome(BaseModel):
    """What came of a tier's requests.

    Attributes:
        requests: Number of requests it served.
        mean_ms: Mean latency.
        p50_ms: Latency that half of them meet.
        p95_ms: Latency that 95 % of them meet.
        mean_wait_ms: Mean wait before service; 0 on devices.
        mean_service_ms: Mean service time.
        utilisation: Share of time that a copy of the model is busy; 0 on devices.
    """

    requests: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    mean_wait_ms: float = 0.0
    mean_service_ms: float = 0.0
    utilisation: float = 0.0


class Outcome(BaseModel):
    """What came of a simulation.

    Attributes:
        requests: Requests that were answered after the warm-up.
        mean_ms: Mean latency.
        p50_ms: Latency that half of them meet.
        p95_ms: Latency that 95 % of them meet.
        p99_ms: Latency that 99 % of them meet.
        device_j: Energy of a device for a request, computing and radio.
        arms: Requests by kind of arm.
        tiers: By tier, and ``device`` for requests that stayed there.
    """

    requests: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    device_j: float
    arms: dict[str, int]
    tiers: dict[str, TierOutcome]


class Recorder:
    """Collects answered requests.

    Args:
        scenario: The scenario.
        warm_up_s: Requests before this time are not counted.
    """

    def __init__(self, scenario: Scenario, warm_up_s: float) -> None:
        self._scenario, self._warm_up_s = scenario, warm_up_s
        self._index = {name: index for index, name in enumerate(("", *scenario.tiers))}
        self._energy = EnergyModel()
        self._joules = 0.0
        self._arms: dict[str, int] = {}
        self._rows: list[tuple[int, float, float, float]] = []

    def add(
        self,
        began_s: float,
        latency_s: float,
        arm: ProfiledArm,
        tier: str,
        waited_s: float,
        served_s: float,
    ) -> None:
        """Count an answered request.

        Args:
            began_s: When it was made.
            latency_s: Time until its answer.
            arm: How it was carried out.
            tier: The tier that served it; empty for the device alone.
            waited_s: Time before service.
            served_s: Service time.
        """
        if began_s < self._warm_up_s:
            return
        self._rows.append((self._index[tier], latency_s, waited_s, served_s))
        self._arms[arm.arm.kind] = self._arms.get(arm.arm.kind, 0) + 1
        answer = 1000 * self._scenario.demand.output_kb if tier else 0.0
        self._joules += self._energy.joules(arm.device_ms, float(arm.bytes_up), answer)

    def outcome(self, seconds: float, units: Mapping[str, int]) -> Outcome:
        """Summarise.

        Args:
            seconds: Simulated seconds.
            units: Copies of the model of each tier, all sites together.
        """
        rows = np.array(self._rows, float).reshape(-1, 4)
        counted_s = max(1e-9, seconds - self._warm_up_s)
        tiers = {}
        for name, index in self._index.items():
            own = rows[rows[:, 0] == index]
            if len(own):
                tiers[name or _DEVICE] = _tier(own, counted_s, units.get(name, 0))
        mean_ms, (p50_ms, p95_ms, p99_ms) = _latencies(rows[:, 1])
        return Outcome(
            requests=len(rows),
            mean_ms=mean_ms,
            p50_ms=p50_ms,
            p95_ms=p95_ms,
            p99_ms=p99_ms,
            device_j=self._joules / max(1, len(rows)),
            arms=self._arms,
            tiers=tiers,
        )


def _tier(rows: NDArray[np.float64], seconds: float, units: int) -> TierOutcome:
    mean_ms, (p50_ms, p95_ms, _) = _latencies(rows[:, 1])
    return TierOutcome(
        requests=len(rows),
        mean_ms=mean_ms,
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        mean_wait_ms=float(1000 * rows[:, 2].mean()),
        mean_service_ms=float(1000 * rows[:, 3].mean()),
        utilisation=float(rows[:, 3].sum() / (seconds * units)) if units else 0.0,
    )


def _latencies(seconds: NDArray[np.float64]) -> tuple[float, tuple[float, float, float]]:
    """Return the mean, and the quantiles at 50, 95 and 99 %, in milliseconds."""
    if not len(seconds):
        return 0.0, (0.0, 0.0, 0.0)
    p50, p95, p99 = (1000 * np.quantile(seconds, (0.5, 0.95, 0.99))).tolist()
    return float(1000 * seconds.mean()), (p50, p95, p99)
