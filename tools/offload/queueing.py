"""Queueing formulas: Erlang B and C, with a correction for general arrivals and services."""

from __future__ import annotations

from edgewright.tools.errors import InputError, OverloadedError


def erlang_b(servers: int, offered: float) -> float:
    """Return the blocking probability of a system without a queue (Erlang B).

    Computed by the recursion ``1/B(c, a) = 1 + c/a * 1/B(c-1, a)``, which adds only positive terms
    and is therefore numerically stable for any number of servers.

    Args:
        servers: Number of servers ``c``, at least 1.
        offered: Offered traffic ``a``: arrival rate times mean service time, in Erlang.

    Raises:
        InputError: There is no server, or the traffic is negative or not finite
            (``invalid_traffic``).
    """
    if servers < 1 or not 0 <= offered < float("inf"):
        raise InputError(
            f"servers={servers} and offered={offered} are invalid; pass at least one server and a "
            "finite, non-negative traffic",
            code="invalid_traffic",
        )
    if not offered:
        return 0.0
    inverse = 1.0
    for busy in range(1, servers + 1):
        inverse = 1 + busy / offered * inverse
    return 1 / inverse


def erlang_c(servers: int, offered: float) -> float:
    """Return the probability that an arrival has to wait (Erlang C), computed from ``erlang_b``.

    Args:
        servers: Number of servers, at least 1.
        offered: Offered traffic in Erlang, less than ``servers``.

    Raises:
        InputError: As for ``erlang_b``.
        OverloadedError: The load is at least 1, so the queue grows without bound
            (``load_too_high``).
    """
    blocked = erlang_b(servers, offered)
    load = offered / servers
    if load >= 1:
        raise OverloadedError(
            f"the load is {load:.2f} and must be below 1; reduce the traffic or add servers",
            code="load_too_high",
        )
    return blocked / (1 - load * (1 - blocked))


def mean_wait_s(
    arrivals_per_s: float,
    service_s: float,
    servers: int = 1,
    *,
    arrival_scv: float = 1.0,
    service_scv: float = 1.0,
) -> float:
    """Return the mean time from arrival to the start of service.

    For M/M/c this is ``C(c, a) / (c mu - lambda)``. For general arrivals and services it is scaled
    by the mean of their squared coefficients of variation (the Allen-Cunneen approximation, which
    is exact for Poisson arrivals at a single server).

    Args:
        arrivals_per_s: Arrival rate ``lambda``.
        service_s: Mean service time ``1/mu``.
        servers: Number of servers ``c``.
        arrival_scv: Squared coefficient of variation of the interarrival times; 1 for Poisson.
        service_scv: Squared coefficient of variation of the service times; 1 for exponential, 0 for
            constant ones.

    Raises:
        InputError: As for ``erlang_b``.
        OverloadedError: As for ``erlang_c``.
    """
    waiting = erlang_c(servers, arrivals_per_s * service_s)
    if not waiting:
        return 0.0
    spare_per_s = servers / service_s - arrivals_per_s
    return waiting / spare_per_s * (arrival_scv + service_scv) / 2


def mean_response_s(
    arrivals_per_s: float,
    service_s: float,
    servers: int = 1,
    *,
    arrival_scv: float = 1.0,
    service_scv: float = 1.0,
) -> float:
    """Return the mean time from arrival to response, ``W = 1/mu + C/(c mu - lambda)`` for M/M/c.

    Args:
        arrivals_per_s: As for ``mean_wait_s``.
        service_s: As for ``mean_wait_s``.
        servers: As for ``mean_wait_s``.
        arrival_scv: As for ``mean_wait_s``.
        service_scv: As for ``mean_wait_s``.

    Raises:
        InputError: As for ``erlang_b``.
        OverloadedError: As for ``erlang_c``.
    """
    return service_s + mean_wait_s(
        arrivals_per_s, service_s, servers, arrival_scv=arrival_scv, service_scv=service_scv
    )
