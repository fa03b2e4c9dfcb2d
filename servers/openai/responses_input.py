"""Requests of the Responses API, as the chat completions that ask the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import Field

from edgewright.servers.openai.errors import RequestError
from edgewright.servers.openai.requests import ChatRequest, Fields, MostTokens, validated

Json = dict[str, Any]


class TextFormat(Fields):
    """The form of a response's text, as the Responses API nests it.

    Attributes:
        type: Text, any JSON object, or one that a schema describes.
        name: Name of the schema.
        schema_: The JSON schema.
    """

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str = "answer"
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")


class TextOptions(Fields):
    """Options of a response's text.

    Attributes:
        format: Its form.
    """

    format: TextFormat | None = None


class FunctionCall(Fields):
    """A call of the client's tools that an earlier response chose.

    Attributes:
        call_id: Its id.
        name: Name of the tool.
        arguments: Its arguments, JSON as text.
    """

    call_id: str
    name: str
    arguments: str


class FunctionCallOutput(Fields):
    """The result of such a call.

    Attributes:
        call_id: Id of the call.
        output: A text or a list of blocks.
    """

    call_id: str
    output: str | list[dict[str, Any]]


class ResponsesRequest(Fields):
    """A request of the Responses API.

    Attributes:
        model: Name of the model; ``edgewright``.
        input: The request, or the conversation.
        instructions: What a system message says; no instruction to the planner.
        stream: Whether to stream the response.
        text: Options of its text.
        max_output_tokens: Maximum number of tokens of a text; here a token is a word.
        metadata: Returned with the response.
        tools: The client's tools, as ``ChatRequest`` has them. Only functions are used: others are
            carried out by OpenAI.
        tool_choice: As ``ChatRequest`` has it.
        parallel_tool_calls: Whether several calls may be chosen at once.
        previous_response_id: Not supported: nothing is stored.
        conversation: Not supported: nothing is stored.
    """

    model: str = Field(min_length=1, max_length=200)
    input: str | list[dict[str, Any]] = Field(min_length=1)
    instructions: str | list[dict[str, Any]] | None = None
    stream: bool | None = None
    text: TextOptions | None = None
    max_output_tokens: MostTokens = None
    metadata: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    conversation: str | dict[str, Any] | None = None

    def as_chat(self) -> ChatRequest:
        """Return the chat completion that asks the same.

        Raises:
            RequestError: The conversation is kept by the server (``unsupported``), or an item of
                the input cannot be read.
        """
        for stored in ("previous_response_id", "conversation"):
            if getattr(self, stored):
                raise _not_stored(stored)
        items = [{"role": "user", "content": self.input}]
        messages = list(_messages(items if isinstance(self.input, str) else self.input))
        if isinstance(self.instructions, str):
            messages.insert(0, {"role": "system", "content": self.instructions})
        tools = [_tool(each) for each in self.tools or () if each.get("type") == "function"]
        return validated(
            ChatRequest,
            {
                "model": self.model,
                "messages": messages,
                "stream": self.stream,
                "max_tokens": self.max_output_tokens,
                "response_format": self._form(),
                "tools": tools or None,
                "tool_choice": _choice(self.tool_choice),
                "parallel_tool_calls": self.parallel_tool_calls,
            },
        )

    def _form(self) -> Json | None:
        """Return the form of the answer, as chat completions have it."""
        form = self.text.format if self.text else None
        if form is None or form.type == "text":
            return None
        if form.type == "json_object":
            return {"type": form.type}
        return {"type": form.type, "json_schema": {"name": form.name, "schema": form.schema_ or {}}}


def _messages(items: Sequence[Json]) -> Iterator[Json]:
    """Yield the messages of an input; what is neither message nor call is left out.

    Text and calls of one response are several items here, and one message there.
    """
    answer: Json = {}
    for index, item in enumerate(items):
        kind, at = item.get("type", "message"), f"input.{index}."
        if kind == "item_reference":
            raise _not_stored(f"input.{index}")
        if kind == "function_call":
            answer.setdefault("role", "assistant")
            call = validated(FunctionCall, item, at=at)
            answer.setdefault("tool_calls", []).append(_call(call))
            continue
        if kind not in ("message", "function_call_output"):
            continue
        if answer:
            yield answer
            answer = {}
        if kind == "function_call_output":
            result = validated(FunctionCallOutput, item, at=at)
            yield {"role": "tool", "tool_call_id": result.call_id, "content": result.output}
        elif item.get("role") == "assistant":
            answer = {"role": "assistant", "content": item.get("content")}
        else:
            yield item
    if answer:
        yield answer


def _call(call: FunctionCall) -> Json:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.call_id, "type": "function", "function": function}


def _tool(tool: Json) -> Json:
    """Return a tool in the form of chat completions, which nests the function."""
    function = {key: value for key, value in tool.items() if key != "type" and value is not None}
    return {"type": "function", "function": function}


def _choice(choice: str | Json | None) -> str | Json | None:
    if isinstance(choice, dict) and choice.get("type") == "function":
        return {"type": "function", "function": {"name": choice.get("name")}}
    return choice


def _not_stored(param: str) -> RequestError:
    return RequestError(
        "responses are not stored; send the whole conversation as 'input', which some clients do "
        "when 'store' is false",
        param=param,
        code="unsupported",
    )
