"""What the console's routes have in common: who calls, JSON that is read, and streams of events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, TypeVar

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from edgewright.edge_runtime.api.bodies import count_in, header, media_type, read_body, validated
from edgewright.edge_runtime.config import RequestLimits
from edgewright.servers.console.journal import Journal
from edgewright.tools.errors import MediaTypeError

#: Time between two signs of life of a stream, in seconds.
_ALIVE_S = 10.0
_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
#: Number of events that a page knows already.
Known = Annotated[int, Query(ge=0, le=10**9)]
_Body = TypeVar("_Body", bound=BaseModel)


def caller_of(request: Request) -> str:
    """Return the name of a request's caller."""
    return str(request.scope["caller"].name)


async def read_json(kind: type[_Body], request: Request, limits: RequestLimits) -> _Body:
    """Read a request's body.

    Args:
        kind: What it is.
        request: The request.
        limits: The server's limits.

    Raises:
        MediaTypeError: It is not JSON, which pages of other sites cannot send.
        InputError: The JSON is invalid.
    """
    if media_type(request.scope) != "application/json":
        raise MediaTypeError("JSON was expected; send application/json")
    return validated(kind, await read_body(request.scope, request.receive, limits), "request")


def event_stream(journal: Journal, request: Request, after: int) -> StreamingResponse:
    """Stream the events of a journal; a page that was reloaded takes up where it was.

    Args:
        journal: The journal.
        request: The request.
        after: Number of events that the page knows, unless its header says so.
    """
    last = count_in(header(request.scope, b"last-event-id"))
    known = after if last is None else last
    return StreamingResponse(
        _stream(journal, known), headers=_STREAM_HEADERS, media_type="text/event-stream"
    )


async def _stream(journal: Journal, after: int) -> AsyncIterator[str]:
    async with aclosing(journal.follow(after, alive_s=_ALIVE_S)) as events:
        async for number, event in events:
            if event is None:
                yield ": working\n\n"
            else:
                yield f"id: {number}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"
    # Without it a browser would connect again, and again be told nothing.
    yield "event: end\ndata: {}\n\n"
