"""The HTTP client for nodes, used by graphs, the command line and nodes with peers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from edgewright.tools.contracts.arms import Decision
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.invocation import (
    OPTIONS_HEADER,
    DecideRequest,
    InvokeOptions,
    InvokeResponse,
    LinkProbe,
    PlannedTask,
    TailResult,
)
from edgewright.tools.contracts.profiles import NodeProfile
from edgewright.tools.contracts.views import (
    CardView,
    ModelView,
    OfferedModel,
    SensorRequest,
    SensorView,
)
from edgewright.tools.errors import DeadlineError, EdgewrightError, LinkError, UnavailableError
from edgewright.tools.nodes.exchange import (
    Body,
    Transfer,
    counted,
    identity_headers,
    invocation_body,
    json_body,
    parse,
    problem_of,
    server_ms_of,
    whole_bytes_of,
)
from edgewright.tools.nodes.pinning import MISMATCH, tls_context
from edgewright.tools.nodes.urls import checked_url, shown_url
from edgewright.tools.tracing import span

FRAME_MEDIA_TYPE = "application/vnd.edgewright.frame"
_ANY_MEDIA_TYPE = "application/octet-stream"
_CONNECT_TIMEOUT_S = 3.0
#: Extra wait after the deadline, so that a node that misses it can report so itself.
_GRACE_S = 0.25
_MAX_ANSWER_BYTES = 16_000_000
#: Maximum time for a part of a file, on a slow link.
_PART_S = 120.0
#: Seconds until an idle connection is closed: shorter than nodes keep theirs open, and longer than
#: people pause. A new one costs a round trip, or several with TLS.
_KEEP_ALIVE_S = 60.0


class NodeClient:
    """HTTP client for one node; an async context manager.

    Every failure is an ``EdgewrightError``: the node's own error if it rejects the request,
    ``LinkError`` if it cannot be reached, ``DeadlineError`` if it is too slow.

    Args:
        url: Base URL, such as ``http://127.0.0.1:8760``.
        api_key: API key to send; None for a node without keys.
        timeout_s: Maximum time for a call without its own deadline.
        ca: Certificate to trust, for a node with a self-signed certificate.
        fingerprint: SHA-256 of the only certificate to trust; then ``ca`` does not count.
        transport: Transport to use instead of sockets, such as ``httpx.ASGITransport`` for an
            application in the same process.

    Raises:
        InputError: The URL is malformed (``invalid_url``).
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 30.0,
        ca: Path | None = None,
        fingerprint: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        address = checked_url(url)
        self.url = shown_url(address)
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            verify=tls_context(self.url, ca, fingerprint),
            # Nodes are nearby; a proxy from the environment would only expose the images.
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=20, keepalive_expiry=_KEEP_ALIVE_S),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def clients(self) -> tuple[NodeClient, ...]:
        """Return the clients of the nodes that are used through this object: itself alone."""
        return (self,)

    async def ready(self) -> bool:
        """Return whether the node is ready for requests."""
        try:
            await self._call("GET", "/v2/health/ready")
        except EdgewrightError:
            return False
        return True

    async def tools(self) -> list[CardView]:
        """List the node's cards."""
        return parse(list[CardView], await self._call("GET", "/v1/tools"))

    async def offered_models(self) -> list[OfferedModel]:
        """List the exported models that the node offers."""
        return parse(list[OfferedModel], await self._call("GET", "/v1/artifacts"))

    async def artifact(self, digest: str, start: int, stop: int) -> tuple[bytes, int]:
        """Fetch a part of a file that the node offers.

        Args:
            digest: Hexadecimal SHA-256 of the file.
            start: Offset of the first byte.
            stop: Offset behind the last byte; the file may end before it.

        Returns:
            The bytes, and the size of the whole file.
        """
        transfer = Transfer()
        part = {"Range": f"bytes={start}-{stop - 1}"}
        path = f"/v1/artifacts/{digest}"
        piece = await self._call("GET", path, timeout_s=_PART_S, transfer=transfer, headers=part)
        return piece, transfer.whole_bytes or start + len(piece)

    async def sensors(self) -> list[SensorView]:
        """List the node's sensors."""
        return parse(list[SensorView], await self._call("GET", "/v1/sensors"))

    async def read_sensor(
        self, sensor: str, request: SensorRequest, *, timeout_s: float = 60.0
    ) -> dict[str, Any]:
        """Read a window of one of the node's sensors, if its configuration allows that.

        Args:
            sensor: Name of the sensor.
            request: Length of the window, and the item.
            timeout_s: Maximum time.
        """
        answer = await self._call(
            "POST", f"/v1/sensors/{sensor}/read", json_body(request), timeout_s
        )
        return parse(dict[str, Any], answer)

    async def models(self) -> list[ModelView]:
        """List the node's models."""
        return parse(list[ModelView], await self._call("GET", "/v2/models"))

    async def profile(self, *, peers: bool = True, transfer: Transfer | None = None) -> NodeProfile:
        """Fetch the node's profile: its speed, its load and its peers.

        Args:
            peers: Whether to include the peers.
            transfer: Receives the bytes and times of the call.
        """
        path = "/v1/profile" if peers else "/v1/profile?peers=false"
        return parse(NodeProfile, await self._call("GET", path, transfer=transfer))

    async def probe(self, size: int, *, transfer: Transfer | None = None) -> LinkProbe:
        """Send dummy bytes to time the link, and return the load of the node's models.

        Args:
            size: Number of bytes.
            transfer: Receives the bytes and times of the call, even if it fails.
        """
        body = Body(bytes(size), _ANY_MEDIA_TYPE)
        return parse(LinkProbe, await self._call("POST", "/v1/probe", body, transfer=transfer))

    async def decide(
        self,
        card: str,
        options: InvokeOptions,
        image: ImageFacts | None,
        ahead: Sequence[PlannedTask] = (),
    ) -> Decision:
        """Ask which arm the node would take, without running anything.

        Args:
            card: Card id.
            options: As for ``invoke``.
            image: Facts about the image, whose bytes only ``invoke`` sends; None when
                ``options.camera`` names one.
            ahead: Tasks that will be invoked just before this one.
        """
        request = DecideRequest(**dict(options), image=image, ahead=tuple(ahead))
        answer = await self._call(
            "POST", f"/v1/tools/{card}:decide", json_body(request), options.deadline_s
        )
        return parse(Decision, answer)

    async def invoke(
        self,
        card: str,
        options: InvokeOptions,
        image: bytes | None,
        *,
        transfer: Transfer | None = None,
    ) -> InvokeResponse:
        """Run a card on the node.

        Args:
            card: Card id.
            options: Arguments, deadline and optional constraints such as the arm.
            image: Encoded image; None when ``options.camera`` names one.
            transfer: Receives the bytes and times of the call, even if it fails.
        """
        answer = await self._call(
            "POST",
            f"/v1/tools/{card}:invoke",
            invocation_body(options, image),
            options.deadline_s,
            transfer=transfer,
        )
        return parse(InvokeResponse, answer)

    async def tail(
        self,
        model: str,
        frame: bytes,
        options: InvokeOptions,
        *,
        transfer: Transfer | None = None,
    ) -> TailResult:
        """Run the tail of a model on a frame.

        Args:
            model: Model id.
            frame: The complete frame.
            options: Expert, arguments and deadline.
            transfer: Receives the bytes and times of the call, even if it fails.
        """
        answer = await self._call(
            "POST",
            f"/v1/split/{model}/tail",
            Body(frame, FRAME_MEDIA_TYPE, options),
            options.deadline_s,
            transfer=transfer,
        )
        return parse(TailResult, answer)

    async def _call(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        timeout_s: float | None = None,
        *,
        transfer: Transfer | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        transfer = Transfer() if transfer is None else transfer
        try:
            async with asyncio.timeout(limit_s + _GRACE_S):
                with span(f"{method} {self.url}", {"url.path": path}, kind="client"):
                    sent = {**identity_headers(), **(headers or {})}
                    return await self._exchange(method, path, body, transfer, sent)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if MISMATCH in str(error):
                raise LinkError(
                    f"{self.url} shows another certificate than the pinned one; if that is "
                    "intended, correct the fingerprint",
                    code="fingerprint_mismatch",
                ) from None
            raise LinkError(
                f"no node answers at {self.url}; start it, or correct its URL",
                code="link_refused",
            ) from None
        except (TimeoutError, httpx.TimeoutException):
            raise DeadlineError(f"{self.url} took over {limit_s:.3g} s; allow more time") from None
        except (httpx.TransportError, AttributeError) as error:
            # anyio asks a connection that broke as it was made for its peer's name, and has none.
            if isinstance(error, AttributeError) and error.name != "getpeername":
                raise
            raise LinkError(
                f"the connection to {self.url} was interrupted; try again", code="link_broken"
            ) from None

    async def _exchange(
        self,
        method: str,
        path: str,
        body: Body | None,
        transfer: Transfer,
        headers: dict[str, str],
    ) -> bytes:
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
                content=None if body is None else counted(body.data, transfer),
                headers=headers,
                timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT_S),
            ) as response:
                answered = time.perf_counter()
                transfer.server_ms = server_ms_of(response.headers.get("Server-Timing", ""))
                transfer.whole_bytes = whole_bytes_of(response.headers.get("Content-Range", ""))
                answer = await self._read(response, transfer)
        finally:
            ended = time.perf_counter()
            first = ended if answered is None else answered
            transfer.upload_ms = max(0.0, (first - began) * 1000 - transfer.server_ms)
            transfer.download_ms = (ended - first) * 1000
        if response.status_code >= 400:
            raise problem_of(self.url, response, answer)
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
