"""Ask a chat model for JSON, validate the answer, and have it repaired if it is invalid."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from edgewright.agents.llm.client import MAX_ANSWER_TOKENS, ChatModel, InvalidAnswerError, Message

#: Maximum length of an invalid answer that is quoted in a repair round, in characters.
MAX_QUOTED_ANSWER = 4 * MAX_ANSWER_TOKENS

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


def ask_validated(
    model: ChatModel,
    messages: Sequence[Message],
    schema: dict[str, Any],
    validate: Callable[[dict[str, Any]], T],
    *,
    repair: Callable[[str], str],
    max_repairs: int = 1,
) -> T:
    """Ask for a JSON object until it validates. All rounds share the model's timeout.

    Args:
        model: The chat model.
        messages: The conversation so far.
        schema: JSON schema of the object.
        validate: Returns the value that an answer stands for, or raises ``InvalidAnswerError``
            with a message that tells the model what to correct.
        repair: Returns the user message of a repair round, given that message.
        max_repairs: Maximum number of repair rounds.

    Returns:
        What ``validate`` returned.

    Raises:
        InvalidAnswerError: The last answer is still invalid.
        EdgewrightError: The endpoint cannot be reached, refused or was too slow.
    """
    deadline = time.monotonic() + model.settings.timeout_s
    conversation = list(messages)
    for _ in range(max_repairs):
        answer: dict[str, Any] | None = None
        try:
            answer = model.ask(conversation, schema, deadline=deadline)
            return validate(answer)
        except InvalidAnswerError as error:
            quoted = error.answer if answer is None else json.dumps(answer)
            complaint = error.message
        conversation += [
            Message(role="assistant", content=quoted[:MAX_QUOTED_ANSWER]),
            Message(role="user", content=repair(complaint)),
        ]
    return validate(model.ask(conversation, schema, deadline=deadline))


def parse(expected: type[M], answer: dict[str, Any]) -> M:
    """Read an answer as a Pydantic model.

    Raises:
        InvalidAnswerError: It does not fit the model; the message names the first wrong field.
    """
    try:
        return expected.model_validate(answer)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "answer"
        raise InvalidAnswerError(f"its field {field!r} is wrong: {first['msg']}") from None


def object_schema(**properties: dict[str, Any]) -> dict[str, Any]:
    """Return an object schema for strict structured output: all fields required, no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
