"""How long work waits for a busy server: Erlang's formulas, corrected for uneven traffic."""

from __future__ import annotations

from edgewright.tools.errors import InputError, OverloadedError


def erlang_b(servers: int, offered: float) -> float:
    """Return the share of arrivals that a system without a queue turns away (Erlang B).

    Computed by the recursion ``1/B(c, a) = 1 + c/a * 1/B(c-1, a)``, which adds positive terms only
    and so loses no digits however many servers there are.

    Args:
        servers: Number of servers ``c``, at least 1.
        offered: Offered traffic ``a``: arrival rate times mean service time, in Erlang.

    Raises:
        InputError: No server, or traffic that is not a number from 0 on (``invalid_traffic``).
    """
    if servers < 1 or not 0 <= offered < float("inf"):
        raise InputError(
            f"{servers} servers and {offered} Erlang are no traffic; give at least one server and "
            "a finite rate from 0 on",
            code="invalid_traffic",
        )
    if not offered:
        return 0.0
    inverse = 1.0
    for busy in range(1, servers + 1):
        inverse = 1 + busy / offered * inverse
    return 1 / inverse


def erlang_c(servers: int, offered: float) -> float:
    """Return the share of arrivals that have to wait (Erlang C), from ``erlang_b``.

    Args:
        servers: Number of servers, at least 1.
        offered: Offered traffic in Erlang, less than ``servers``.

    Raises:
        InputError: As ``erlang_b``.
        OverloadedError: The load is 1 or more, so the queue grows without end (``load_too_high``).
    """
    blocked = erlang_b(servers, offered)
    load = offered / servers
    if load >= 1:
        raise OverloadedError(
            f"the load is {load:.2f} of what the server can do, and below 1 it has to be; send "
            "less, or give it more servers",
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

    For M/M/c this is ``C(c, a) / (c mu - lambda)``. Other arrivals and services scale it by the
    mean of their squared coefficients of variation (Allen and Cunneen's approximation, which is
    exact for Poisson arrivals at a single server).

    Args:
        arrivals_per_s: Arrival rate ``lambda``.
        service_s: Mean service time ``1/mu``.
        servers: Number of servers ``c``.
        arrival_scv: Squared coefficient of variation of the times between arrivals; 1 for Poisson.
        service_scv: The same of the service times; 1 for exponential ones, 0 for constant ones.

    Raises:
        InputError: As ``erlang_b``.
        OverloadedError: As ``erlang_c``.
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
    """Return the mean time from arrival to answer, ``W = 1/mu + C/(c mu - lambda)`` for M/M/c.

    Args:
        arrivals_per_s: As for ``mean_wait_s``.
        service_s: As for ``mean_wait_s``.
        servers: As for ``mean_wait_s``.
        arrival_scv: As for ``mean_wait_s``.
        service_scv: As for ``mean_wait_s``.

    Raises:
        InputError: As ``erlang_b``.
        OverloadedError: As ``erlang_c``.
    """
    return service_s + mean_wait_s(
        arrivals_per_s, service_s, servers, arrival_scv=arrival_scv, service_scv=service_scv
    )
