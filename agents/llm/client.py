"""One call to an OpenAI-compatible chat model: messages in, a JSON object out, or a clear error.

OpenAI, Azure (its ``/openai/v1`` endpoint) and local servers differ in what they accept. A first
call asks for structured output; an endpoint that rejects it is asked again in the plainest form,
and the object is then read from the text. The schema stands in the prompt in any case.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from edgewright.tools.errors import DeadlineError, LinkError, UnavailableError
from edgewright.tools.settings import ChatModelSettings

if TYPE_CHECKING:
    from openai import OpenAI

#: Longest answer that is waited for, in tokens. A plan of twenty tasks takes about 1,500.
MAX_ANSWER_TOKENS = 2000


class Message(BaseModel):
    """One message of the conversation with the model."""

    role: Literal["system", "user", "assistant"]
    content: str


class NonsenseError(UnavailableError):
    """The model answered, but not with a JSON object.

    Args:
        answer: What it said instead.
    """

    code = "chat_model_nonsense"

    def __init__(self, answer: str) -> None:
        super().__init__("the chat model's answer is not a JSON object")
        self.answer = answer


class ChatModel:
    """A configured chat model.

    Args:
        settings: Model, endpoint, key and time limit.
    """

    def __init__(self, settings: ChatModelSettings) -> None:
        self.settings = settings

    def ask(
        self, messages: Sequence[Message], schema: dict[str, Any], *, deadline: float
    ) -> dict[str, Any]:
        """Ask for a JSON object.

        Args:
            messages: The conversation so far.
            schema: JSON schema that the object should follow; the caller checks that it does.
            deadline: ``time.monotonic()`` after which the answer is of no use.

        Returns:
            The object.

        Raises:
            DeadlineError: The time is over, however slowly the answer was dripping in.
            LinkError: The endpoint cannot be reached.
            UnavailableError: The endpoint refused; the message says why.
            NonsenseError: The answer holds no JSON object.
        """
        return _first_object(self._within(deadline, messages, schema))

    def _within(self, deadline: float, messages: Sequence[Message], schema: dict[str, Any]) -> str:
        """Call the endpoint in a thread of its own: the SDK's time limit is per read, not whole."""
        outcome: list[str | Exception] = []
        client = self._client(max(deadline - time.monotonic(), 0.001))

        def call() -> None:
            try:
                outcome.append(_text(client, self.settings.model, messages, schema))
            except Exception as error:  # noqa: BLE001 - handed over to the waiting thread
                outcome.append(error)

        thread = threading.Thread(target=call, name="chat-model", daemon=True)
        thread.start()
        thread.join(max(deadline - time.monotonic(), 0))
        if not outcome:
            client.close()
            raise DeadlineError(
                f"the chat model did not answer within {self.settings.timeout_s:g} s",
                code="chat_model_slow",
            )
        if isinstance(outcome[0], Exception):
            raise _translated(outcome[0], self.settings)
        return outcome[0]

    def _client(self, timeout_s: float) -> OpenAI:
        from openai import OpenAI

        return OpenAI(
            base_url=self.settings.base_url or None,
            api_key=self.settings.api_key or "none",
            timeout=timeout_s,
            max_retries=0,
        )


def _text(client: OpenAI, model: str, messages: Sequence[Message], schema: dict[str, Any]) -> str:
    """Return the answer's text, asking the plain way when structured output is rejected."""
    from openai import BadRequestError, UnprocessableEntityError

    said: Any = [message.model_dump() for message in messages]
    try:
        completion = client.chat.completions.create(
            model=model,
            messages=said,
            max_completion_tokens=MAX_ANSWER_TOKENS,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema, "strict": True},
            },
        )
    except (BadRequestError, UnprocessableEntityError):
        completion = client.chat.completions.create(
            model=model, messages=said, max_tokens=MAX_ANSWER_TOKENS
        )
    choices = completion.choices or []
    return (choices[0].message.content or "") if choices else ""


def _translated(error: Exception, settings: ChatModelSettings) -> Exception:
    """Turn the SDK's errors into the package's own; anything else is a defect and stays."""
    from openai import (
        APIConnectionError,
        APIError,
        APIStatusError,
        APITimeoutError,
        OpenAIError,
    )

    where = settings.base_url or "the provider's endpoint"
    if isinstance(error, APITimeoutError):
        return DeadlineError(
            f"the chat model did not answer within {settings.timeout_s:g} s", code="chat_model_slow"
        )
    if isinstance(error, APIConnectionError):
        return LinkError(
            f"the chat endpoint {where} cannot be reached; check OPENAI_BASE_URL",
            code="chat_model_down",
        )
    if isinstance(error, APIStatusError):
        return UnavailableError(
            f"the chat endpoint {where} answered with status {error.status_code}; "
            "check OPENAI_API_KEY and EDGEWRIGHT_CHAT_MODEL",
            code="chat_model_refused",
        )
    if isinstance(error, APIError | OpenAIError | ValueError | AttributeError | TypeError):
        # The SDK does not validate bodies: what is not a chat completion fails where it is read.
        return NonsenseError(str(error)[:200])
    return error


def _first_object(text: str) -> dict[str, Any]:
    """Read the first JSON object in a text that may have prose or a code fence around it."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            value, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
            continue
        if isinstance(value, dict):
            return value
        start = text.find("{", start + 1)
    raise NonsenseError(text)
