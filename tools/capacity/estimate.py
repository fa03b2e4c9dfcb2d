"""Capacity on paper: servers of each tier, latencies and energy, by M/M/c and its corrections."""

from __future__ import annotations

import math
from collections.abc import Callable

from pydantic import BaseModel

from edgewright.tools.capacity.response import Queue
from edgewright.tools.capacity.scenario import Demand, Scenario, Tier
from edgewright.tools.errors import RefusedError

#: More GPUs at a site than this are not looked for.
_MAX_UNITS = 1_000_000
_DAY_S = 86_400


class TierEstimate(BaseModel):
    """What a tier needs.

    Attributes:
        arrivals_per_s: Requests a second at each site.
        service_ms: Mean service time.
        units: GPUs, or groups of GPUs that share a model, of each site: the ``c`` of M/M/c.
        gpus_per_unit: GPUs that hold one copy of the model.
        jobs_per_gpu: Whole requests that fit into a GPU's memory; 0 if one needs several GPUs.
        servers: Servers of each site.
        utilisation: Share of time that a GPU is busy.
        waiting: Probability that a request waits.
        mean_wait_ms: Mean wait.
        mean_ms: Mean latency, round trip and sending included.
        p50_ms: Latency that half of the requests meet.
        p95_ms: Latency that 95 % of the requests meet.
        kilowatts: Power of all GPUs of the tier.
        joules_per_request: Energy of a request, with its share of idle power.
        kwh_per_day: Energy of the tier in a day.
    """

    arrivals_per_s: float
    service_ms: float
    units: int
    gpus_per_unit: int
    jobs_per_gpu: int
    servers: int
    sites: int
    utilisation: float
    waiting: float
    mean_wait_ms: float
    mean_ms: float
    p50_ms: float
    p95_ms: float
    kilowatts: float
    joules_per_request: float
    kwh_per_day: float


class Estimate(BaseModel):
    """What a scenario needs.

    Attributes:
        tiers: By name, in the scenario's order.
        servers: Servers of all tiers and sites.
        kwh_per_day: Energy of all GPUs in a day.
    """

    tiers: dict[str, TierEstimate]
    servers: int
    kwh_per_day: float


def estimate(scenario: Scenario) -> Estimate:
    """Answer how many servers a scenario needs, how quickly they respond, and their energy.

    Args:
        scenario: The scenario.

    Raises:
        OverloadedError: A tier's number of servers is fixed, and too small (``load_too_high``).
        RefusedError: No number of servers meets the target (``out_of_reach``).
    """
    tiers = {name: _tier(scenario, name, tier) for name, tier in scenario.tiers.items()}
    return Estimate(
        tiers=tiers,
        servers=sum(one.servers * one.sites for one in tiers.values()),
        kwh_per_day=sum(one.kwh_per_day for one in tiers.values()),
    )


def gpus_per_unit(demand: Demand, tier: Tier) -> int:
    """Return the number of GPUs that hold one copy of the model: whole ones."""
    return math.ceil(demand.memory_gb / tier.gpu.memory_gb)


def service_s(demand: Demand, tier: Tier) -> float:
    """Return the mean service time: the longer of computing and of reading memory.

    Requests that share a GPU share its speed, so memory for more than one of them does not add to
    the rate at which it serves.
    """
    speed = tier.efficiency * gpus_per_unit(demand, tier)
    computing_s = demand.gflops / (1000 * tier.gpu.tflops * speed)
    return max(computing_s, demand.read_gb / (tier.gpu.gb_per_s * speed))


def overhead_ms(demand: Demand, tier: Tier) -> float:
    """Return the round trip and the time to send the request and its answer."""
    if tier.rate_kb_per_s is None:
        return tier.rtt_ms
    return tier.rtt_ms + 1000 * (demand.input_kb + demand.output_kb) / tier.rate_kb_per_s


def units_of(demand: Demand, tier: Tier, servers: int) -> int:
    """Return how many copies of the model some servers hold."""
    return servers * tier.gpus_per_server // gpus_per_unit(demand, tier)


def _tier(scenario: Scenario, name: str, tier: Tier) -> TierEstimate:
    demand, group = scenario.demand, gpus_per_unit(scenario.demand, tier)
    arrivals = scenario.arrivals_per_s(tier) / tier.sites
    seconds, extra_ms = service_s(demand, tier), overhead_ms(demand, tier)
    if tier.servers is None:
        units = _needed(scenario, name, arrivals, seconds, extra_ms)
        servers = math.ceil(units * group / tier.gpus_per_server)
    else:
        servers = tier.servers
    units = units_of(demand, tier, servers)
    if not units:
        raise RefusedError(
            f"{name}: the model needs {group} GPUs, and a site has "
            f"{servers * tier.gpus_per_server}; add servers",
            code="out_of_reach",
        )
    queue = Queue(arrivals, seconds, units, demand.scv)
    load = arrivals * seconds / units
    total = servers * tier.gpus_per_server * tier.sites
    used = units * group * tier.sites
    watts = used * load * tier.gpu.watts + (total - used * load) * tier.gpu.idle_watts
    return TierEstimate(
        arrivals_per_s=arrivals,
        service_ms=1000 * seconds,
        units=units,
        gpus_per_unit=group,
        jobs_per_gpu=int(tier.gpu.memory_gb // demand.memory_gb),
        servers=servers,
        sites=tier.sites,
        utilisation=load,
        waiting=queue.waits,
        mean_wait_ms=1000 * queue.mean_wait_s,
        mean_ms=1000 * queue.mean_s + extra_ms,
        p50_ms=1000 * queue.quantile_s(0.5) + extra_ms,
        p95_ms=1000 * queue.quantile_s(0.95) + extra_ms,
        kilowatts=watts / 1000,
        joules_per_request=watts / (arrivals * tier.sites),
        kwh_per_day=watts * _DAY_S / 3.6e6,
    )


def _needed(scenario: Scenario, name: str, arrivals: float, seconds: float, extra_ms: float) -> int:
    """Return the smallest number of units that is stable, not too busy, and quick enough."""
    scv, target = scenario.demand.scv, scenario.p95_ms

    def enough(units: int) -> bool:
        if arrivals * seconds > scenario.max_utilisation * units:
            return False
        if target is None:
            return True
        queue = Queue(arrivals, seconds, units, scv)
        return 1000 * queue.quantile_s(0.95) + extra_ms <= target

    least = max(1, math.ceil(arrivals * seconds / scenario.max_utilisation))
    if least > _MAX_UNITS or not enough(_plenty := 4 * least + 100):
        alone_ms = 1000 * Queue(1e-9, seconds, 1, scv).quantile_s(0.95) + extra_ms
        raise RefusedError(
            f"{name}: no number of servers answers 95 % within {target or 0:g} ms; even an idle "
            f"one takes {alone_ms:.3g} ms: use faster GPUs, a nearer site or a smaller model",
            code="out_of_reach",
        )
    return _smallest(enough, least, _plenty)


def _smallest(enough: Callable[[int], bool], low: int, high: int) -> int:
    """Return the smallest number in a range for which a monotone condition holds."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low
