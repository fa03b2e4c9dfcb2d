"""Completions, chunks and responses: what clients receive of a reply."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from edgewright.agents.llm.tool_calls import ToolCall
from edgewright.graphs.assistant.session import Reply
from edgewright.servers.openai.requests import ChatRequest
from edgewright.servers.openai.schema import answer_schema

Json = dict[str, Any]

#: Name of the model, and of the field with what OpenAI's API has no place for.
MODEL = EXTENSION = "edgewright"
_PIECE = re.compile(r"\s*\S+|\s+$")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to a request, before it takes the form of an endpoint.

    Attributes:
        content: Its text, or JSON in the requested form.
        calls: Calls of the client's tools, which the client carries out.
        finish: ``stop``, or ``length`` when the text was cut.
        asked: Number of words of the request.
        extension: What ``edgewright`` reports: status, plan, results and their cost reports.
        id: Random part of its id.
        created: Time in seconds since the epoch.
    """

    content: str
    calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    asked: int = 0
    extension: Json = field(default_factory=dict)
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def finish_reason(self) -> str:
        """Why a completion ends."""
        return "tool_calls" if self.calls else self.finish

    @property
    def usage(self) -> Json:
        """Words of request and answer, in the fields for tokens: nothing here is a token."""
        said = len(self.content.split())
        return {
            "prompt_tokens": self.asked,
            "completion_tokens": said,
            "total_tokens": self.asked + said,
        }

    def pieces(self) -> Iterator[str]:
        """Yield the content word by word."""
        yield from (match[0] for match in _PIECE.finditer(self.content))


def answer_of(reply: Reply, request: ChatRequest, *, prompt: str) -> Answer:
    """Return the answer that a reply gives, in the form that was requested.

    Args:
        reply: The reply.
        request: The request.
        prompt: The text that the request stands for; see ``Asked``.

    Raises:
        RequestError: The requested schema cannot be used.
    """
    extension: Json = {"status": reply.status, **reply.as_json()}
    if prompt:
        extension["read_as"] = reply.plan.request
    form = request.response_format
    content, finish = reply.answer, "stop"
    if form is not None and form.type != "text":
        value, unanswered = answer_schema(form.described, reply)
        content = json.dumps(value, ensure_ascii=False)
        extension["unanswered"] = unanswered
    elif request.most_tokens is not None:
        content, finish = _cut(content, request.most_tokens)
    asked = len((prompt or reply.plan.request).split())
    return Answer(content=content, finish=finish, asked=asked, extension=extension)


def completion(answer: Answer, choices: int) -> Json:
    """Return the body of a chat completion."""
    message: Json = {"role": "assistant", "content": answer.content, "refusal": None}
    if answer.calls:
        message["content"] = answer.content or None
        message["tool_calls"] = [_call(each) for each in answer.calls]
    return {
        "id": f"chatcmpl-{answer.id}",
        "object": "chat.completion",
        "created": answer.created,
        "model": MODEL,
        "choices": [
            {
                "index": index,
                "message": message,
                "finish_reason": answer.finish_reason,
                "logprobs": None,
            }
            for index in range(choices)
        ],
        "usage": answer.usage,
        EXTENSION: answer.extension,
    }


class Chunks:
    """The chunks of one streamed completion.

    Args:
        request: The request.
    """

    def __init__(self, request: ChatRequest) -> None:
        self._choices = request.n or 1
        self._id = f"chatcmpl-{secrets.token_hex(12)}"
        self._created = int(time.time())
        options = request.stream_options
        self._with_usage = options is not None and bool(options.include_usage)

    def first(self) -> Iterator[Json]:
        """Yield the chunks that say who answers."""
        yield from self._all({"role": "assistant", "content": ""})

    def rest(self, answer: Answer) -> Iterator[Json]:
        """Yield the chunks of the answer, its end and, if requested, the usage."""
        for piece in answer.pieces():
            yield from self._all({"content": piece})
        for place, call in enumerate(answer.calls):
            yield from self._all({"tool_calls": [{"index": place, **_call(call)}]})
        *others, last = self._all({}, answer.finish_reason)
        yield from others
        yield {**last, EXTENSION: answer.extension}
        if self._with_usage:
            yield {**self._chunk([]), "usage": answer.usage}

    def _all(self, delta: Json, finish: str | None = None) -> Iterator[Json]:
        for index in range(self._choices):
            choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": None}
            yield self._chunk([choice])

    def _chunk(self, choices: list[Json]) -> Json:
        chunk: Json = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": MODEL,
            "choices": choices,
        }
        return {**chunk, "usage": None} if self._with_usage else chunk


def _call(call: ToolCall) -> Json:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _cut(text: str, words: int) -> tuple[str, str]:
    pieces = [match[0] for match in _PIECE.finditer(text)]
    if len(pieces) <= words:
        return text, "stop"
    return "".join(pieces[:words]), "length"
