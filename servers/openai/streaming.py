"""Server-sent events: a stream begins at once, and gives signs of life until it has an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from starlette.responses import StreamingResponse

from edgewright.servers.openai.errors import error_body
from edgewright.servers.openai.replies import Answer
from edgewright.tools.errors import EdgewrightError

Json = dict[str, Any]

#: Time between two signs of life, in seconds.
_ALIVE_S = 10.0
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def stream(
    work: asyncio.Task[Answer],
    first: Iterable[Json],
    rest: Callable[[Answer], Iterable[Json]],
    *,
    named: bool = False,
) -> StreamingResponse:
    """Return a response that streams an answer.

    If the client disconnects, the work is cancelled.

    Args:
        work: Finds the answer.
        first: Events before it.
        rest: Returns the events that make up the answer.
        named: Whether each event is named by its ``type``, and the end by none, as the Responses
            API has it.
    """
    events = _events(work, first, rest, named=named)
    return StreamingResponse(events, headers=_HEADERS, media_type="text/event-stream")


async def _events(
    work: asyncio.Task[Answer],
    first: Iterable[Json],
    rest: Callable[[Answer], Iterable[Json]],
    *,
    named: bool,
) -> AsyncIterator[str]:
    number = 0

    def event(values: Json) -> str:
        nonlocal number
        if not named:
            return f"data: {json.dumps(values, ensure_ascii=False)}\n\n"
        numbered = {**values, "sequence_number": number}
        number += 1
        return f"event: {values['type']}\ndata: {json.dumps(numbered, ensure_ascii=False)}\n\n"

    try:
        for values in first:
            yield event(values)
        while not (await asyncio.wait({work}, timeout=_ALIVE_S))[0]:
            yield ": working\n\n"
        for values in rest(work.result()):
            yield event(values)
    except EdgewrightError as error:
        body = error_body(error)
        yield event({"type": "error", **body["error"]} if named else body)
    finally:
        work.cancel()
    if not named:
        yield "data: [DONE]\n\n"
