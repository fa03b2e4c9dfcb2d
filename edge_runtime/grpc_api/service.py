"""The service of the Open Inference Protocol: what its methods do, and who may call them.

No check of a web page's origin, as over HTTP: browsers send no gRPC without a preflight request,
which this server does not answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import grpc
from google.protobuf.message import DecodeError

from edgewright.edge_runtime.api.admission import HOLD_S, TakenPlace, identity_of, record
from edgewright.edge_runtime.api.bodies import upload_too_slow
from edgewright.edge_runtime.api.open_inference import described, infer, server_view, worker_of
from edgewright.edge_runtime.grpc_api.conversions import read_request, write_model, write_response
from edgewright.edge_runtime.grpc_api.messages import SERVICE, message_classes
from edgewright.edge_runtime.grpc_api.status import REQUEST_ID, code_of, trailers_of
from edgewright.edge_runtime.keys import ANONYMOUS, Caller
from edgewright.edge_runtime.node import Node
from edgewright.tools.errors import EdgewrightError, InputError, LinkError, OverloadedError
from edgewright.tools.tracing import identified, request_id

log = logging.getLogger(__name__)

#: Methods that need no key and no place, as their routes.
_OPEN = frozenset({"ServerLive", "ServerReady"})
_TRACE_METADATA = ("traceparent", "tracestate")
#: Time in which a call that gRPC has ended is cancelled here.
_ENDED_S = 0.1


@dataclass
class _Call:
    """A call.

    Attributes:
        method: Its method.
        requests: What the client sends: one message.
        context: gRPC's own view of it.
        metadata: Its metadata, as sent; the first value of each name.
        caller: Who calls, once that is known.
        message: The message, once it was read.
    """

    method: str
    requests: AsyncIterator[bytes]
    context: Any
    metadata: Mapping[str, bytes]
    caller: Caller = ANONYMOUS
    message: Any = None

    @property
    def route(self) -> str:
        """What serves it, for metrics, logs and traces."""
        return f"/{SERVICE}/{self.method}"


class InferenceService:
    """The service of a node.

    Args:
        node: The node.
        calls: Where calls in progress are counted, by the number of their connection.
    """

    def __init__(self, node: Node, calls: Counter[str]) -> None:
        self._node = node
        self._calls = calls
        self._methods: Mapping[str, Callable[[_Call], Awaitable[Any]]] = {
            "ServerLive": self._server_live,
            "ServerReady": self._server_ready,
            "ServerMetadata": self._server_metadata,
            "ModelReady": self._model_ready,
            "ModelMetadata": self._model_metadata,
            "ModelInfer": self._model_infer,
        }

    def handler(self) -> Any:
        """Return the handler of all methods, for a server of gRPC."""
        return grpc.method_handlers_generic_handler(
            SERVICE, {method: self._handler_of(method) for method in self._methods}
        )

    def _handler_of(self, method: str) -> Any:
        async def serve(requests: AsyncIterator[bytes], context: Any) -> None:
            connection = context.peer().rpartition(":")[2]
            self._calls[connection] += 1
            try:
                await self._serve(_Call(method, requests, context, _metadata(context)))
            finally:
                self._calls[connection] -= 1
                if not self._calls[connection]:
                    del self._calls[connection]

        # For clients a method with one request and one response. Here both are streams, so that a
        # caller is checked before its message is read, and reading and sending have limits.
        return grpc.stream_stream_rpc_method_handler(serve)

    async def _serve(self, call: _Call) -> None:
        """Answer a call, whatever happens."""
        began = time.perf_counter()
        identity = identity_of(call.metadata.get(REQUEST_ID))
        error: EdgewrightError | None = None
        with identified(identity):
            try:
                await self._admit(call)
            except EdgewrightError as raised:
                error = raised
                if isinstance(error, OverloadedError):
                    # A client that asks again at once must not take the time that others need.
                    await asyncio.sleep(HOLD_S)
            except asyncio.CancelledError:
                self._record(call, LinkError("the call was ended before its answer"), began)
                raise
            except Exception:  # no traceback may reach a caller
                log.exception("request %s failed", identity)
                error = EdgewrightError(
                    "internal error; the node's log has the details under the request id"
                )
            self._record(call, error, began)
        if error is not None:
            await call.context.abort(code_of(error), error.message, trailers_of(error, identity))

    def _record(self, call: _Call, error: EdgewrightError | None, began: float) -> None:
        status = HTTPStatus.OK if error is None else error.info().status
        seconds = time.perf_counter() - began
        record(self._node, "POST", call.route, int(status), seconds, caller=call.caller.name)

    async def _admit(self, call: _Call) -> None:
        """Check the key and the concurrency limit, then serve the call."""
        node = self._node
        if call.method in _OPEN:
            await self._answer(call)
            return
        address = caller_address(call.context.peer())
        call.caller = node.keys.check(call.metadata.get("authorization"), "infer", address)
        trace = {
            name: call.metadata[name].decode("latin-1")
            for name in _TRACE_METADATA
            if name in call.metadata
        }
        known = {
            "rpc.system": "grpc",
            "rpc.service": SERVICE,
            "rpc.method": call.method,
            "edgewright.request_id": request_id(),
        }
        with TakenPlace(node, call.caller), node.tracing.trace(call.route, trace, known):
            await self._answer(call)

    async def _answer(self, call: _Call) -> None:
        """Carry out a call, and send its response.

        The call has its place until the client has taken the response: gRPC keeps what cannot be
        sent, and has no limit on how much.
        """
        call.message = message_classes()[f"{call.method}Request"]()
        try:
            call.message.ParseFromString(await self._body(call))
        except DecodeError:
            raise InputError(
                f"the message is no {call.method}Request; correct the request", code="invalid_body"
            ) from None
        reply = await self._methods[call.method](call)
        call.context.set_trailing_metadata(trailers_of(None, request_id()))
        await call.context.write(bytes(reply.SerializeToString()))

    async def _body(self, call: _Call) -> bytes:
        limits = self._node.config.limits
        try:
            async with asyncio.timeout(limits.upload_s):
                return await anext(call.requests)
        except TimeoutError:
            raise upload_too_slow(limits) from None
        except StopAsyncIteration:
            # If the message was too long, gRPC has ended the call, which is about to be cancelled.
            await asyncio.sleep(_ENDED_S)
            raise InputError(
                "the call has no message; send one request", code="invalid_body"
            ) from None

    async def _server_live(self, call: _Call) -> Any:
        return message_classes()["ServerLiveResponse"](live=True)

    async def _server_ready(self, call: _Call) -> Any:
        return message_classes()["ServerReadyResponse"](ready=self._node.ready)

    async def _server_metadata(self, call: _Call) -> Any:
        return message_classes()["ServerMetadataResponse"](**server_view().model_dump())

    async def _model_ready(self, call: _Call) -> Any:
        wanted = call.message
        worker = worker_of(self._node, wanted.name, wanted.version or None)
        return message_classes()["ModelReadyResponse"](ready=worker.loaded)

    async def _model_metadata(self, call: _Call) -> Any:
        wanted = call.message
        return write_model(await described(self._node, wanted.name, wanted.version or None))

    async def _model_infer(self, call: _Call) -> Any:
        message = call.message
        wanted, binary = read_request(message)
        result = await infer(
            self._node,
            message.model_name,
            message.model_version or None,
            wanted,
            binary,
            caller=call.caller,
            remaining_s=call.context.time_remaining(),
        )
        return write_response(result, wanted.id or "", raw=bool(message.raw_input_contents))


def _metadata(context: Any) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    for name, value in context.invocation_metadata():
        found.setdefault(name, value if isinstance(value, bytes) else value.encode())
    return found


def caller_address(peer: str) -> str:
    """Return a caller's address, as HTTP names it.

    Args:
        peer: gRPC's name of the caller: that of the relay's socket, such as ``unix:FOLDER/::1:7``.
    """
    return unquote(peer).rpartition("/")[2].rpartition(":")[0]
