"""What admits a request and records it, whatever carries it: HTTP or gRPC."""

from __future__ import annotations

import logging
import re
import secrets
from http import HTTPStatus
from typing import Self

from edgewright.edge_runtime.keys import Caller
from edgewright.edge_runtime.served import Served
from edgewright.tools.errors import UnavailableError
from edgewright.tools.tracing import request_id

log = logging.getLogger(__name__)

#: Time for which a caller that is turned away is held; its body and its place are free already.
HOLD_S = 0.5
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def identity_of(given: bytes | None) -> str:
    """Return the id of a request: the caller's, if it sent a usable one.

    Args:
        given: What the caller sent.
    """
    return given.decode() if given and _ID.fullmatch(given) else secrets.token_hex(8)


class TakenPlace:
    """A place for a request, held while the block runs or until it is freed before.

    Args:
        node: What is served.
        caller: Whose request it is.

    Raises:
        UnavailableError: It is stopping (``draining``).
        OverloadedError: There is no place for this caller.
    """

    def __init__(self, node: Served, caller: Caller) -> None:
        if node.draining:
            raise UnavailableError("this server is stopping; try again later", code="draining")
        node.requests.take(caller.name, usual_s=lambda: node.mean_service_s)
        self._places, self._caller, self._held = node.requests, caller.name, True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.free()

    def free(self) -> None:
        """Free the place, unless that was done before."""
        if self._held:
            self._held = False
            self._places.free(self._caller)


def record(
    node: Served, method: str, route: str, status: int, seconds: float, *, caller: str
) -> None:
    """Count a request that was answered, and log it if it failed.

    Args:
        node: What is served.
        method: Method of HTTP; gRPC's is always ``POST``.
        route: The route that served it, which names no caller's data.
        status: Status of HTTP, or that of the error for gRPC.
        seconds: Time that it took.
        caller: Name of the caller; empty if it is unknown.
    """
    node.metrics.requests(route, str(status)).inc()
    node.metrics.seconds(route).observe(seconds)
    if status < HTTPStatus.BAD_REQUEST:
        return
    ms = seconds * 1000
    fields = {
        "method": method,
        "route": route,
        "status": status,
        "ms": round(ms, 1),
        "caller": caller,
    }
    log.info(
        "%s %s -> %d in %.1f ms, request %s, caller %r",
        method,
        route,
        status,
        ms,
        request_id(),
        caller,
        extra={"kind": (route, status), "fields": fields},
    )
