"""Middleware for every request: request id, API key, concurrency limit, errors and metrics.

Plain ASGI, because every frame passes through it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edgewright.edge_runtime import config
from edgewright.edge_runtime.api.bodies import RECEIVED_AT, header
from edgewright.edge_runtime.api.problems import problem_response
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.invocation import REQUEST_ID_HEADER
from edgewright.tools.errors import EdgewrightError, OverloadedError, UnavailableError

log = logging.getLogger(__name__)

_ID_HEADER = REQUEST_ID_HEADER.lower().encode()
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
#: Paths that need no key and do not count towards the concurrency limit.
OPEN_PATHS = frozenset({"/v2/health/live", "/v2/health/ready", "/openapi.json"})
METRICS_PATH = "/metrics"
#: Time for which a caller that is turned away is held; its body and its place are free already.
_HOLD_S = 0.5


class NodeMiddleware:
    """Admits requests and records them.

    Args:
        app: The application behind it.
        node: The node that is served.
    """

    def __init__(self, app: ASGIApp, node: Node) -> None:
        self._app = app
        self._node = node
        node.metrics.in_flight.set_function(lambda: len(node.requests))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        given = header(scope, _ID_HEADER)
        identity = given if given and _ID.fullmatch(given) else secrets.token_hex(8).encode()
        scope["request_id"] = identity.decode()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # A device subtracts this from the time that it measures; the difference is the
                # time on the link.
                own_ms = (time.perf_counter() - scope.get(RECEIVED_AT, began)) * 1000
                timing = (b"server-timing", b"app;dur=%.3f" % own_ms)
                message["headers"] = [*message["headers"], (_ID_HEADER, identity), timing]
            await send(message)

        try:
            await self._admit(scope, receive, answer)
        except EdgewrightError as error:
            if isinstance(error, OverloadedError):
                # A client that asks again at once must not take the time that others need.
                await asyncio.sleep(_HOLD_S)
            await problem_response(error, scope["request_id"])(scope, receive, answer)
        except Exception:  # no traceback may reach a caller
            log.exception("request %s failed", scope["request_id"])
            if not status:
                fault = EdgewrightError(
                    "internal error; the node's log has the details under the request id"
                )
                await problem_response(fault, scope["request_id"])(scope, receive, answer)
        self._record(scope, status, time.perf_counter() - began)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the key and the concurrency limit, then serve the request."""
        node = self._node
        path: str = scope["path"]
        if path in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        scope_needed: config.Scope = "admin" if path == METRICS_PATH else "infer"
        address = scope["client"][0] if scope.get("client") else ""
        caller = node.keys.check(header(scope, b"authorization"), scope_needed, address)
        scope["caller"] = caller
        if node.draining:
            raise UnavailableError("this node is stopping; use another one", code="draining")
        node.requests.take(caller.name, usual_s=node.workers.mean_service_s)
        try:
            await self._app(scope, receive, send)
        finally:
            node.requests.free(caller.name)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self._node.metrics.requests.labels(route, str(status)).inc()
        self._node.metrics.seconds.labels(route).observe(seconds)
        if status >= HTTPStatus.BAD_REQUEST:
            log.info(
                "%s %s -> %d in %.1f ms, request %s, caller %r",
                scope["method"],
                route,
                status,
                seconds * 1000,
                scope["request_id"],
                scope["caller"].name if "caller" in scope else "",
            )
