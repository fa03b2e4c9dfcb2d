"""Responses of the Responses API, whole and as the events of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgewright.servers.openai.replies import EXTENSION, MODEL, Answer
from edgewright.servers.openai.responses_input import ResponsesRequest, TextFormat, TextOptions

Json = dict[str, Any]

_TEXT = TextOptions(format=TextFormat())


def response(answer: Answer, request: ResponsesRequest, *, begun: bool = False) -> Json:
    """Return a response.

    Args:
        answer: The answer.
        request: The request, some of whose fields a response repeats.
        begun: Whether the answer is not there yet.
    """
    cut = answer.finish_reason == "length"
    status = "in_progress" if begun else "incomplete" if cut else "completed"
    usage = answer.usage
    return {
        "id": f"resp_{answer.id}",
        "object": "response",
        "created_at": answer.created,
        "status": status,
        "model": MODEL,
        "output": [] if begun else _items(answer),
        "usage": None
        if begun
        else {
            "input_tokens": usage["prompt_tokens"],
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": usage["completion_tokens"],
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage["total_tokens"],
        },
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": request.instructions,
        "metadata": request.metadata or {},
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "temperature": None,
        # Clients read from it that the text is JSON.
        "text": (request.text or _TEXT).model_dump(by_alias=True, exclude_none=True),
        "tool_choice": request.tool_choice or "auto",
        "tools": request.tools or [],
        "top_p": None,
        EXTENSION: answer.extension,
    }


def response_events(answer: Answer, request: ResponsesRequest) -> Iterator[Json]:
    """Yield the events of a streamed response, from its first output on.

    Args:
        answer: The answer.
        request: The request.
    """
    for index, item in enumerate(_items(answer)):
        place = {"item_id": item["id"], "output_index": index}
        empty: Json = {"arguments": ""} if item["type"] == "function_call" else {"content": []}
        added = {**item, **empty, "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": index, "item": added}
        if item["type"] == "function_call":
            yield from _call_events(item, place)
        else:
            yield from _text_events(answer, {**place, "content_index": 0})
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    whole = response(answer, request)
    yield {"type": f"response.{whole['status']}", "response": whole}


def _text_events(answer: Answer, place: Json) -> Iterator[Json]:
    text = answer.content
    yield {"type": "response.content_part.added", **place, "part": _part("")}
    for piece in answer.pieces():
        yield {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **place, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": _part(text)}


def _call_events(item: Json, place: Json) -> Iterator[Json]:
    name, arguments = item["name"], item["arguments"]
    kind = "response.function_call_arguments"
    yield {"type": f"{kind}.delta", **place, "delta": arguments}
    yield {"type": f"{kind}.done", **place, "name": name, "arguments": arguments}


def _items(answer: Answer) -> list[Json]:
    """Return the items of the output: the text, unless there are calls alone, and the calls."""
    items: list[Json] = []
    if answer.content or not answer.calls:
        items.append(
            {
                "id": f"msg_{answer.id}",
                "type": "message",
                "role": "assistant",
                "status": "incomplete" if answer.finish_reason == "length" else "completed",
                "content": [_part(answer.content)],
            }
        )
    items += [
        {
            "id": f"fc_{answer.id}_{number}",
            "type": "function_call",
            "status": "completed",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
        for number, call in enumerate(answer.calls)
    ]
    return items


def _part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
