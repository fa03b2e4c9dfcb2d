"""The HTTP client for nodes, used by graphs, the command line and devices with an edge peer."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from edgewright.tools.contracts.arms import Decision
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.invocation import (
    OPTIONS_HEADER,
    REQUEST_ID_HEADER,
    DecideRequest,
    InvokeOptions,
    InvokeResponse,
    LinkProbe,
    TailResult,
)
from edgewright.tools.contracts.problems import Problem
from edgewright.tools.contracts.profiles import NodeProfile
from edgewright.tools.contracts.views import CardView, ModelView, SensorView
from edgewright.tools.errors import (
    DeadlineError,
    EdgewrightError,
    ErrorInfo,
    LinkError,
    UnavailableError,
    from_info,
)
from edgewright.tools.images.probe import probe

FRAME_MEDIA_TYPE = "application/vnd.edgewright.frame"
_ANY_MEDIA_TYPE = "application/octet-stream"
_CONNECT_TIMEOUT_S = 3.0
#: Extra wait after the deadline, so that a node that misses it can report so itself.
_GRACE_S = 0.25
_MAX_ANSWER_BYTES = 16_000_000
#: Granularity at which the bytes of an interrupted upload are counted.
_CHUNK_BYTES = 4096

_Answer = TypeVar("_Answer")


@dataclass
class Transfer:
    """Bytes and times of one call, updated as it runs so that failed calls are counted too.

    Attributes:
        bytes_up: Body bytes passed to the socket.
        bytes_down: Body bytes received.
        upload_ms: From the start of the call to the first byte of the response, minus
            ``server_ms``.
        server_ms: Time the node took after receiving the body, as it reports.
        download_ms: From the first byte of the response to the last.
    """

    bytes_up: int = 0
    bytes_down: int = 0
    upload_ms: float = 0.0
    server_ms: float = 0.0
    download_ms: float = 0.0

    @property
    def link_ms(self) -> float:
        """Return the time spent on the link, without the node's own time."""
        return self.upload_ms + self.download_ms


@dataclass(frozen=True)
class _Body:
    """A request body and the headers that describe it."""

    data: bytes
    media_type: str
    options: InvokeOptions | None = None


class NodeClient:
    """HTTP client for one node; an async context manager.

    Every failure is an ``EdgewrightError``: the node's own error if it rejects the request,
    ``LinkError`` if it cannot be reached, ``DeadlineError`` if it is too slow.

    Args:
        url: Base URL, such as ``http://127.0.0.1:8760``.
        api_key: API key to send; None for a node without keys.
        timeout_s: Maximum time for a call without its own deadline.
        ca: Certificate to trust, for a node with a self-signed certificate.
        transport: Transport to use instead of sockets, such as ``httpx.ASGITransport`` for an
            application in the same process.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 30.0,
        ca: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        secure = self.url.startswith("https:")
        self._http = httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            # Loading the system's certificates takes longer than a whole call to a nearby node.
            verify=ssl.create_default_context(cafile=ca)
            if secure
            else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            # Nodes are nearby; a proxy from the environment would only expose the images.
            trust_env=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ready(self) -> bool:
        """Return whether the node is ready for requests."""
        try:
            await self._call("GET", "/v2/health/ready")
        except EdgewrightError:
            return False
        return True

    async def tools(self) -> list[CardView]:
        """List the node's cards."""
        return _parse(list[CardView], await self._call("GET", "/v1/tools"))

    async def sensors(self) -> list[SensorView]:
        """List the node's sensors."""
        return _parse(list[SensorView], await self._call("GET", "/v1/sensors"))

    async def models(self) -> list[ModelView]:
        """List the node's models."""
        return _parse(list[ModelView], await self._call("GET", "/v2/models"))

    async def profile(self, *, transfer: Transfer | None = None) -> NodeProfile:
        """Fetch the node's profile: its speed, load and link.

        Args:
            transfer: Receives the bytes and times of the call.
        """
        return _parse(NodeProfile, await self._call("GET", "/v1/profile", transfer=transfer))

    async def probe(self, size: int, *, transfer: Transfer | None = None) -> LinkProbe:
        """Send dummy bytes to time the link, and return the load of the node's models.

        Args:
            size: Number of bytes.
            transfer: Receives the bytes and times of the call, even if it fails.
        """
        body = _Body(bytes(size), _ANY_MEDIA_TYPE)
        return _parse(LinkProbe, await self._call("POST", "/v1/probe", body, transfer=transfer))

    async def decide(self, card: str, options: InvokeOptions, image: ImageFacts | None) -> Decision:
        """Ask which arm the node would take, without running anything.

        Args:
            card: Card id.
            options: As for ``invoke``.
            image: Facts about the image, whose bytes only ``invoke`` sends; None when
                ``options.camera`` names one.
        """
        request = DecideRequest(**dict(options), image=image)
        answer = await self._call(
            "POST", f"/v1/tools/{card}:decide", _json(request), options.deadline_s
        )
        return _parse(Decision, answer)

    async def invoke(
        self,
        card: str,
        options: InvokeOptions,
        image: bytes | None,
        *,
        transfer: Transfer | None = None,
        request_id: str = "",
    ) -> InvokeResponse:
        """Run a card on the node.

        Args:
            card: Card id.
            options: Arguments, deadline and optional constraints such as the arm.
            image: Encoded image; None when ``options.camera`` names one.
            transfer: Receives the bytes and times of the call, even if it fails.
            request_id: Identifies the call on all nodes.
        """
        answer = await self._call(
            "POST",
            f"/v1/tools/{card}:invoke",
            _invocation(options, image),
            options.deadline_s,
            transfer=transfer,
            request_id=request_id,
        )
        return _parse(InvokeResponse, answer)

    async def tail(
        self,
        model: str,
        frame: bytes,
        options: InvokeOptions,
        *,
        transfer: Transfer | None = None,
        request_id: str = "",
    ) -> TailResult:
        """Run the tail of a model on a frame.

        Args:
            model: Model id.
            frame: The complete frame.
            options: Expert, arguments and deadline.
            transfer: Receives the bytes and times of the call, even if it fails.
            request_id: Identifies the call on all nodes.
        """
        answer = await self._call(
            "POST",
            f"/v1/split/{model}/tail",
            _Body(frame, FRAME_MEDIA_TYPE, options),
            options.deadline_s,
            transfer=transfer,
            request_id=request_id,
        )
        return _parse(TailResult, answer)

    async def _call(
        self,
        method: str,
        path: str,
        body: _Body | None = None,
        timeout_s: float | None = None,
        *,
        transfer: Transfer | None = None,
        request_id: str = "",
    ) -> bytes:
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        transfer = Transfer() if transfer is None else transfer
        try:
            async with asyncio.timeout(limit_s + _GRACE_S):
                return await self._exchange(method, path, body, transfer, request_id)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise LinkError(
                f"no node answers at {self.url}; start it, or correct its URL",
                code="link_refused",
            ) from None
        except (TimeoutError, httpx.TimeoutException):
            raise DeadlineError(f"{self.url} did not answer within {limit_s:.3g} s") from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise UnavailableError(
                f"{self.url[:200]!r} is no URL of a node; give one like http://127.0.0.1:8760",
                code="invalid_url",
            ) from None
        except httpx.TransportError:
            raise LinkError(
                f"the connection to {self.url} broke off; try again", code="link_broken"
            ) from None

    async def _exchange(
        self, method: str, path: str, body: _Body | None, transfer: Transfer, request_id: str
    ) -> bytes:
        headers = {REQUEST_ID_HEADER: request_id} if request_id else {}
        if body is not None:
            headers["Content-Type"] = body.media_type
            headers["Content-Length"] = str(len(body.data))
            if body.options is not None:
                chosen = body.options.model_dump_json(exclude_defaults=True, ensure_ascii=True)
                headers[OPTIONS_HEADER] = chosen
        began = time.perf_counter()
        answered: float | None = None
        try:
            async with self._http.stream(
                method,
                path,
                content=None if body is None else _counted(body.data, transfer),
                headers=headers,
                timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT_S),
            ) as response:
                answered = time.perf_counter()
                transfer.server_ms = _server_ms(response.headers.get("Server-Timing", ""))
                answer = await self._read(response, transfer)
        finally:
            ended = time.perf_counter()
            first = ended if answered is None else answered
            transfer.upload_ms = max(0.0, (first - began) * 1000 - transfer.server_ms)
            transfer.download_ms = (ended - first) * 1000
        if response.status_code >= 400:
            raise _problem(self.url, response, answer)
        return answer

    async def _read(self, response: httpx.Response, transfer: Transfer) -> bytes:
        chunks = bytearray()
        async for chunk in response.aiter_raw():
            transfer.bytes_down += len(chunk)
            chunks += chunk
            if len(chunks) > _MAX_ANSWER_BYTES:
                raise UnavailableError(
                    f"{self.url} sent an answer of more than {_MAX_ANSWER_BYTES} bytes",
                    code="answer_too_large",
                )
        return bytes(chunks)


async def _counted(data: bytes, transfer: Transfer) -> AsyncIterator[bytes]:
    """Yield the body in small chunks and count those that the socket has accepted."""
    for start in range(0, len(data), _CHUNK_BYTES):
        chunk = data[start : start + _CHUNK_BYTES]
        yield chunk
        transfer.bytes_up += len(chunk)


def _invocation(options: InvokeOptions, image: bytes | None) -> _Body:
    if image is not None:
        return _Body(image, probe(image).mime, options)
    return _json(options)


def _json(request: InvokeOptions) -> _Body:
    return _Body(request.model_dump_json(exclude_defaults=True).encode(), "application/json")


def _server_ms(timing: str) -> float:
    """Return the ``app;dur=1.25`` value of a Server-Timing header; 0 if it is missing."""
    for entry in timing.split(","):
        name, _, duration = entry.strip().partition(";dur=")
        if name == "app":
            try:
                return max(0.0, float(duration))
            except ValueError:
                return 0.0
    return 0.0


def _problem(url: str, response: httpx.Response, answer: bytes) -> EdgewrightError:
    try:
        problem = Problem.model_validate_json(answer)
    except ValidationError:
        return UnavailableError(
            f"{url} answered {response.status_code}, and not as a node does; correct its URL",
            code="not_a_node",
        )
    error = from_info(
        ErrorInfo(
            code=problem.code,
            message=problem.detail,
            retryable=problem.retryable,
            status=problem.status,
        )
    )
    wait = response.headers.get("Retry-After", "")
    error.retry_after_s = float(wait) if wait.isdigit() else None
    return error


def _parse(kind: type[_Answer], answer: bytes) -> _Answer:
    try:
        return TypeAdapter(kind).validate_json(answer)
    except ValidationError:
        raise UnavailableError(
            "the answer is not one that a node of this version gives; correct the URL or upgrade",
            code="not_a_node",
        ) from None
