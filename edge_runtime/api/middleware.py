"""Middleware for every request: request id, API key, concurrency limit, errors and metrics.

Plain ASGI, because every frame passes through it.
"""

from __future__ import annotations

import asyncio
import logging
import time

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edgewright.edge_runtime import config
from edgewright.edge_runtime.api.admission import HOLD_S, TakenPlace, identity_of, record
from edgewright.edge_runtime.api.bodies import RECEIVED_AT, header
from edgewright.edge_runtime.api.origin import check_origin
from edgewright.edge_runtime.api.problems import problem_response
from edgewright.edge_runtime.exposure import is_loopback
from edgewright.edge_runtime.served import Served
from edgewright.tools.contracts.invocation import REQUEST_ID_HEADER
from edgewright.tools.errors import EdgewrightError, OverloadedError
from edgewright.tools.tracing import identified, note, rename, request_id

log = logging.getLogger(__name__)

_ID_HEADER = REQUEST_ID_HEADER.lower().encode()
#: Paths that need no key and do not count towards the concurrency limit.
OPEN_PATHS = frozenset({"/v2/health/live", "/v2/health/ready", "/openapi.json"})
METRICS_PATH = "/metrics"
_TRACE_HEADERS = (b"traceparent", b"tracestate")
ARTIFACTS_PATH = "/v1/artifacts"
#: Where labels of moods are kept and trained on.
MOODS_PATH = "/v1/moods"


class NodeMiddleware:
    """Admits requests and records them.

    Args:
        app: The application behind it.
        node: What is served.

    Attributes:
        not_traced: Paths that begin no trace, because programs call them all the time.
    """

    not_traced = frozenset({METRICS_PATH, "/v1/probe", "/v1/profile"})

    def __init__(self, app: ASGIApp, node: Served) -> None:
        self._app = app
        self._node = node
        # Anybody may call such a node, as long as they are on this machine.
        self._by_address = not node.config.keys and is_loopback(node.config.host)
        node.metrics.in_flight.set_function(lambda: len(node.requests))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = identity_of(header(scope, _ID_HEADER))
        with identified(scope["request_id"]):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request that has an id, whatever happens."""
        began, identity = time.perf_counter(), scope["request_id"].encode()
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
                await asyncio.sleep(HOLD_S)
            await self.response(error, scope)(scope, receive, answer)
        except Exception:  # no traceback may reach a caller
            log.exception("request %s failed", scope["request_id"])
            if not status:
                fault = EdgewrightError(
                    "internal error; the node's log has the details under the request id"
                )
                await self.response(fault, scope)(scope, receive, answer)
        self._record(scope, status, time.perf_counter() - began)

    def scope_of(self, path: str) -> config.Scope | None:
        """Return the scope that a path requires; None if it needs no key."""
        if path in OPEN_PATHS:
            return None
        if path == METRICS_PATH:
            return "admin"
        if path.startswith(MOODS_PATH):
            return "train"
        return "artifacts" if path.startswith(ARTIFACTS_PATH) else "infer"

    def authorization(self, scope: Scope) -> bytes | None:
        """Return what authorises a request, in the form of an ``Authorization`` header.

        Args:
            scope: The request's scope.
        """
        return header(scope, b"authorization")

    def response(self, error: EdgewrightError, scope: Scope) -> Response:
        """Return the response that reports an error.

        Args:
            error: The error.
            scope: The request's scope.
        """
        return problem_response(error, scope["request_id"])

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the key and the concurrency limit, then serve the request."""
        node = self._node
        scope_needed = self.scope_of(scope["path"])
        if scope_needed is None:
            await self._app(scope, receive, send)
            return
        check_origin(scope, by_address=self._by_address)
        address = scope["client"][0] if scope.get("client") else ""
        caller = node.keys.check(self.authorization(scope), scope_needed, address)
        scope["caller"] = caller
        with TakenPlace(node, caller) as place:

            async def answer(message: Message) -> None:
                # Once the work has ended, a caller that takes its answer slowly needs no place.
                if _ends_work(message):
                    place.free()
                await send(message)

            if not node.tracing.on or scope["path"] in self.not_traced:
                await self._app(scope, receive, answer)
            else:
                await self._traced(scope, receive, answer)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request as a span, in its caller's trace if it has one."""
        given = {
            name.decode(): value.decode("latin-1")
            for name in _TRACE_HEADERS
            if (value := header(scope, name)) is not None
        }
        known = {"http.request.method": scope["method"], "edgewright.request_id": request_id()}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                note("http.response.status_code", message["status"])
            await send(message)

        with self._node.tracing.trace(scope["method"], given, known):
            try:
                await self._app(scope, receive, answer)
            finally:
                note("http.route", _route(scope))
                rename(f"{scope['method']} {_route(scope)}")

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        caller = scope["caller"].name if "caller" in scope else ""
        record(self._node, scope["method"], _route(scope), status, seconds, caller=caller)


def _route(scope: Scope) -> str:
    """Return the route that served a request, which names no caller's data."""
    return str(getattr(scope.get("route"), "path", "other"))


def _ends_work(message: Message) -> bool:
    """Return whether nothing is computed any more: the whole response is there, or its last part.

    A response of unknown length is a stream, whose parts are computed while it is sent.
    """
    if message["type"] == "http.response.start":
        return any(name.lower() == b"content-length" for name, _ in message["headers"])
    return not message.get("more_body", False)
