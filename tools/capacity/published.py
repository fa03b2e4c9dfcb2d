"""A published example recomputed: LLaMA-7B on a cloud and an edge server, and its slips.

The example is in section V of Wang, Xue, Wei and Kuo, "An Overview on Generative AI at Scale with
Edge-Cloud Computing", IEEE Open Journal of the Communications Society 4, 2023: 100 A100 GPUs get
1,000 requests a second, 8 V100 GPUs get 20; a request takes 13.1 GFLOPs and 28 GB.
"""

from __future__ import annotations

import math

from pydantic import BaseModel

from edgewright.tools.capacity.response import Queue
from edgewright.tools.capacity.scenario import gpus

SOURCE = (
    'Wang, Xue, Wei and Kuo, "An Overview on Generative AI at Scale with Edge-Cloud Computing", '
    "IEEE Open Journal of the Communications Society 4, 2023, section V"
)

_GFLOPS, _MEMORY_GB = 13.1, 28.0
#: Tokens of an answer of two or three paragraphs; 13.1 GFLOPs are those of one.
TOKENS = 500

SLIPS = (
    "The edge server is called an M/M/2. Its own formula, memory over memory of a job, gives 9 for "
    "8 x 32 GB pooled; whole jobs on each GPU give 8.",
    "Pooling 100 x 80 GB gives 285 servers for the cloud, but a job lies on one GPU: 2 whole jobs "
    "on each are 200.",
    "Each of the 285 then gets the speed of a whole GPU, 2.85 times the speed that is there. "
    "Requests that share a GPU share its speed, so 100 GPUs serve like an M/M/100.",
    "The cloud is said to have the higher utilisation. By the published figures it is the edge "
    "server's that is higher, more than sevenfold.",
    "W is called the average service time; it is the mean response time, waiting included. The "
    "formulas of W and of Erlang's C are right.",
    f"13.1 GFLOPs are two operations for each of the 7 billion parameters, which is one token. At "
    f"that, all servers are idle 99.9 % of the time and nobody ever waits. An answer of {TOKENS} "
    "tokens reads all 28 GB for each, which takes longer than the arithmetic: without batches, "
    "neither tier can serve its requests.",
)


class Reading(BaseModel):
    """One way to read the example.

    Attributes:
        tier: ``cloud`` or ``edge``.
        reading: What is assumed.
        servers: ``c`` of M/M/c.
        arrivals_per_s: Arrival rate.
        rate_per_s: Requests a second that one of the servers completes.
        utilisation: Share of time that a server is busy; at 1 or more, the queue only grows.
        mean_ms: Mean response time; None if the queue only grows.
        servers_needed: Smallest number of servers for which it does not grow.
    """

    tier: str
    reading: str
    servers: int
    arrivals_per_s: float
    rate_per_s: float
    utilisation: float
    mean_ms: float | None
    servers_needed: int


def readings() -> list[Reading]:
    """Return the example as published, and recomputed."""
    found = []
    for tier, name, count, arrivals, published in (
        ("cloud", "a100", 100, 1000.0, 285),
        ("edge", "v100", 8, 20.0, 2),
    ):
        gpu = gpus()[name]
        rate = 1000 * gpu.tflops / _GFLOPS
        whole = int(gpu.memory_gb // _MEMORY_GB)
        pooled = int(count * gpu.memory_gb // _MEMORY_GB)
        token_s = max(1 / rate, _MEMORY_GB / gpu.gb_per_s)
        found += [
            _reading(tier, "as published", published, arrivals, rate),
            _reading(tier, "its formula: pooled memory", pooled, arrivals, rate),
            _reading(tier, "whole jobs, sharing a GPU", count * whole, arrivals, rate / whole),
            _reading(tier, "one server a GPU", count, arrivals, rate),
            _reading(tier, f"answers of {TOKENS} tokens", count, arrivals, 1 / (TOKENS * token_s)),
        ]
    return found


def _reading(tier: str, reading: str, servers: int, arrivals: float, rate: float) -> Reading:
    stable = arrivals < servers * rate
    return Reading(
        tier=tier,
        reading=reading,
        servers=servers,
        arrivals_per_s=arrivals,
        rate_per_s=rate,
        utilisation=arrivals / (servers * rate),
        mean_ms=1000 * Queue(arrivals, 1 / rate, servers, 1.0).mean_s if stable else None,
        servers_needed=math.floor(arrivals / rate) + 1,
    )
