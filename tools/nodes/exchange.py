"""One exchange with a node: its bytes and times, its body, and reading the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from edgewright.tools.contracts.invocation import REQUEST_ID_HEADER, InvokeOptions
from edgewright.tools.contracts.problems import Problem
from edgewright.tools.errors import EdgewrightError, ErrorInfo, UnavailableError, from_info
from edgewright.tools.images.probe import probe
from edgewright.tools.tracing import request_id, trace_headers

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
        wait_ms: Time before the call in which earlier ones used the link.
        whole_bytes: Size of the whole file if the response is a part of one; 0 otherwise.
    """

    bytes_up: int = 0
    bytes_down: int = 0
    upload_ms: float = 0.0
    server_ms: float = 0.0
    download_ms: float = 0.0
    wait_ms: float = 0.0
    whole_bytes: int = 0

    @property
    def link_ms(self) -> float:
        """Return the time spent on the link, without the node's own time."""
        return self.upload_ms + self.download_ms


@dataclass(frozen=True)
class Body:
    """A request body and the headers that describe it."""

    data: bytes
    media_type: str
    options: InvokeOptions | None = None


def invocation_body(options: InvokeOptions, image: bytes | None) -> Body:
    """Return the body of an invocation: the image with the options beside it, or JSON."""
    return json_body(options) if image is None else Body(image, probe(image).mime, options)


def json_body(request: BaseModel) -> Body:
    """Return a body of JSON."""
    return Body(request.model_dump_json(exclude_defaults=True).encode(), "application/json")


async def counted(data: bytes, transfer: Transfer) -> AsyncIterator[bytes]:
    """Yield the body in small chunks and count those that the socket has accepted."""
    for start in range(0, len(data), _CHUNK_BYTES):
        chunk = data[start : start + _CHUNK_BYTES]
        yield chunk
        transfer.bytes_up += len(chunk)


def server_ms_of(timing: str) -> float:
    """Return the ``app;dur=1.25`` value of a Server-Timing header; 0 if it is missing."""
    for entry in timing.split(","):
        name, _, duration = entry.strip().partition(";dur=")
        if name == "app":
            try:
                return max(0.0, float(duration))
            except ValueError:
                return 0.0
    return 0.0


def whole_bytes_of(content_range: str) -> int:
    """Return the size in a header like ``bytes 0-9/1234``; 0 if it has none."""
    size = content_range.rpartition("/")[2]
    return int(size) if size.isascii() and size.isdigit() else 0


def problem_of(url: str, response: httpx.Response, answer: bytes) -> EdgewrightError:
    """Return the error that a response with a status of 400 or more reports."""
    try:
        problem = Problem.model_validate_json(answer)
    except ValidationError:
        return UnavailableError(
            f"{url} answered {response.status_code}, but is not a node; correct the URL",
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


def parse(kind: type[_Answer], answer: bytes) -> _Answer:
    """Read an answer.

    Raises:
        UnavailableError: It is not the answer of a node of this version (``not_a_node``).
    """
    try:
        return TypeAdapter(kind).validate_json(answer)
    except ValidationError:
        raise UnavailableError(
            "the answer is not that of a node of this version; correct the URL or upgrade",
            code="not_a_node",
        ) from None


def identity_headers() -> dict[str, str]:
    """Return the headers that name the request that is served here, and its trace."""
    identity = request_id()
    return trace_headers() | ({REQUEST_ID_HEADER: identity} if identity else {})
