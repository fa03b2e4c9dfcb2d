"""Conversations with tools that the caller has: the chat model answers, or chooses what to call."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgewright.agents.llm.client import (
    MAX_ANSWER_CHARACTERS,
    MAX_ANSWER_TOKENS,
    ChatModel,
    InvalidAnswerError,
    joined,
)
from edgewright.tools.storage.documents import DocumentError, parse_json

if TYPE_CHECKING:
    from openai import OpenAI

Json = dict[str, Any]

#: Maximum number of calls in one answer.
MAX_CALLS = 32
#: Maximum length of a call's id, in characters.
MAX_ID = 100


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A call that the chat model chose.

    Attributes:
        id: Its id, which the result of the call names.
        name: Name of the tool.
        arguments: Its arguments, a JSON object as text.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, kw_only=True)
class ToolAnswer:
    """What the chat model says next: a text, calls, or both.

    Attributes:
        text: The text.
        calls: The calls, which the caller carries out.
        cut: Whether the text reached the limit on tokens.
    """

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class ToolQuestion:
    """What the chat model is asked.

    Attributes:
        messages: The conversation, in OpenAI's form.
        tools: The tools, in OpenAI's form.
        options: Further fields of the request: ``tool_choice``, ``response_format`` and the like.
        most_tokens: Maximum number of tokens of the answer.
    """

    messages: Sequence[Json]
    tools: Sequence[Json] = ()
    options: Json = field(default_factory=dict)
    most_tokens: int = MAX_ANSWER_TOKENS


def ask_with_tools(model: ChatModel, question: ToolQuestion) -> ToolAnswer:
    """Ask a chat model that may choose tools to call; nothing is called here.

    Args:
        model: The chat model; its timeout limits the whole call.
        question: The question.

    Raises:
        InvalidAnswerError: It says nothing, or calls a tool that was not given or with arguments
            that are no JSON object.
        EdgewrightError: The endpoint cannot be reached, refused or was too slow.
    """
    deadline = time.monotonic() + model.settings.timeout_s
    return model.call(lambda client: _asked(client, model, question), deadline=deadline)


def _asked(client: OpenAI, model: ChatModel, question: ToolQuestion) -> ToolAnswer:
    """Ask; if the request is rejected, repeat it with the older name of the limit on tokens."""
    from openai import BadRequestError, UnprocessableEntityError

    fields: Any = {
        "model": model.settings.model,
        "messages": list(question.messages),
        **({"tools": list(question.tools)} if question.tools else {}),
        **question.options,
    }
    limit = min(question.most_tokens, MAX_ANSWER_TOKENS)
    try:
        completion = client.chat.completions.create(**fields, max_completion_tokens=limit)
    except (BadRequestError, UnprocessableEntityError):
        completion = client.chat.completions.create(**fields, max_tokens=limit)
    if not completion.choices:
        raise InvalidAnswerError("the chat model's answer has no choices")
    choice = completion.choices[0]
    functions = (each.get("function") for each in question.tools)
    names = {each.get("name") for each in functions if isinstance(each, dict)}
    text = joined(choice.message.content)[:MAX_ANSWER_CHARACTERS]
    answer = ToolAnswer(
        text=text.encode("utf-8", "replace").decode(),  # JSON can hold half a character
        calls=tuple(_call(each, names) for each in choice.message.tool_calls or ()),
        cut=choice.finish_reason == "length",
    )
    if not answer.text and not answer.calls:
        raise InvalidAnswerError("the chat model's answer has neither text nor tool calls")
    if len(answer.calls) > MAX_CALLS:
        raise InvalidAnswerError(f"the chat model's answer has more than {MAX_CALLS} tool calls")
    return answer


def _call(call: Any, names: set[str | None]) -> ToolCall:
    """Read a call; what the SDK returns is not validated."""
    name, arguments = call.function.name, call.function.arguments or "{}"
    if name not in names:
        raise InvalidAnswerError(f"the chat model called {str(name)[:100]!r}, which is not a tool")
    if isinstance(arguments, dict):  # as some local servers send them
        arguments = json.dumps(arguments)
    try:
        value = parse_json(arguments)
    except DocumentError:
        value = None
    if not isinstance(value, dict):
        raise InvalidAnswerError(
            f"the chat model called {name[:100]!r} with arguments that are no JSON object"
        )
    return ToolCall(
        id=call.id if _is_id(call.id) else f"call_{secrets.token_hex(12)}",
        name=name,
        arguments=json.dumps(value, ensure_ascii=False),
    )


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isascii()
