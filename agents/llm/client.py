"""Client for an OpenAI-compatible chat model: messages in, a JSON object out, or a clear error.

OpenAI, Azure (its ``/openai/v1`` endpoint) and local servers differ in what they accept. The first
call requests structured output; if the endpoint rejects that, the request is repeated in its
plainest form and the object is read from the text. The prompt holds the schema either way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel

from edgewright.tools.errors import DeadlineError, EdgewrightError, LinkError, UnavailableError
from edgewright.tools.nodes.urls import shown_url
from edgewright.tools.settings import ChatModelSettings
from edgewright.tools.storage.documents import first_object

if TYPE_CHECKING:
    from openai import OpenAI

#: Maximum length of an answer, in tokens. A plan of twenty tasks takes about 1,500.
MAX_ANSWER_TOKENS = 2000
#: Maximum length of an answer, in characters; an endpoint need not observe the limit on tokens.
MAX_ANSWER_CHARACTERS = 20 * MAX_ANSWER_TOKENS

_Result = TypeVar("_Result")


class Message(BaseModel):
    """One message of the conversation with the model."""

    role: Literal["system", "user", "assistant"]
    content: str


class InvalidAnswerError(UnavailableError):
    """The model answered, but not with what was requested.

    Args:
        message: What is wrong with the answer, worded for the model.
        answer: The text of the answer, if it holds no JSON object.
        code: Overrides the class's code.
        retry_after_s: When trying again makes sense, if known.
    """

    code = "chat_model_nonsense"

    def __init__(
        self,
        message: str,
        *,
        answer: str = "",
        code: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, code=code, retry_after_s=retry_after_s)
        self.answer = answer


class ChatModel:
    """A configured chat model. Each call opens its own HTTP client and closes it.

    Args:
        settings: Model, endpoint, key and timeout.
    """

    def __init__(self, settings: ChatModelSettings) -> None:
        self.settings = settings

    def ask(
        self, messages: Sequence[Message], schema: dict[str, Any], *, deadline: float
    ) -> dict[str, Any]:
        """Request a JSON object.

        Args:
            messages: The conversation so far.
            schema: JSON schema of the object; the caller validates the answer against it.
            deadline: ``time.monotonic()`` by which the whole answer must have arrived.

        Returns:
            The object.

        Raises:
            DeadlineError: The answer was not complete by the deadline.
            LinkError: The endpoint cannot be reached.
            UnavailableError: The endpoint refused; the message says why.
            InvalidAnswerError: The answer holds no JSON object.
        """
        model = self.settings.model
        text = self.call(lambda client: _text(client, model, messages, schema), deadline=deadline)
        return _first_object(text)

    def call(self, use: Callable[[OpenAI], _Result], *, deadline: float) -> _Result:
        """Call the endpoint.

        It is called in a thread: the SDK's timeout limits each read, not the whole call.

        Args:
            use: Calls it through a client, and reads what it answers.
            deadline: ``time.monotonic()`` by which it must have returned.

        Raises:
            EdgewrightError: As for ``ask``.
        """
        outcome: list[_Result | Exception] = []
        client = self._client(max(deadline - time.monotonic(), 0.001))

        def call() -> None:
            with client:
                try:
                    outcome.append(use(client))
                except Exception as error:  # noqa: BLE001 - raised again in the waiting thread
                    outcome.append(error)

        thread = threading.Thread(target=call, name="chat-model", daemon=True)
        thread.start()
        thread.join(max(deadline - time.monotonic(), 0))
        if not outcome:
            client.close()  # ends the late call, whose answer is of no use
            raise _too_slow(self.settings)
        if isinstance(outcome[0], Exception):
            raise _translated(outcome[0], self.settings)
        return outcome[0]

    def _client(self, timeout_s: float) -> OpenAI:
        from openai import DefaultHttpxClient, OpenAI

        from edgewright.agents.llm.bounds import bounded

        return OpenAI(
            base_url=self.settings.base_url or None,
            api_key=self.settings.api_key or "none",
            timeout=timeout_s,
            max_retries=0,
            default_headers={"Accept-Encoding": "identity"},
            # A redirect would take the conversation and the key to another host.
            http_client=DefaultHttpxClient(
                follow_redirects=False, event_hooks={"response": [bounded]}
            ),
        )


def _text(client: OpenAI, model: str, messages: Sequence[Message], schema: dict[str, Any]) -> str:
    """Return the answer's text; if structured output is rejected, repeat without it."""
    from openai import BadRequestError, UnprocessableEntityError

    conversation: Any = [message.model_dump() for message in messages]
    try:
        completion = client.chat.completions.create(
            model=model,
            messages=conversation,
            max_completion_tokens=MAX_ANSWER_TOKENS,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema, "strict": True},
            },
        )
    except (BadRequestError, UnprocessableEntityError):
        completion = client.chat.completions.create(
            model=model, messages=conversation, max_tokens=MAX_ANSWER_TOKENS
        )
    choices = completion.choices or []
    return joined(choices[0].message.content)[:MAX_ANSWER_CHARACTERS] if choices else ""


def joined(content: Any) -> str:
    """Return the text of a message, which some endpoints send in parts."""
    if isinstance(content, list):
        return "".join(
            part["text"]
            for part in content
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return content or ""


def _translated(error: Exception, settings: ChatModelSettings) -> Exception:
    """Turn the SDK's errors into the package's own; any other error is a defect and stays."""
    from openai import (
        APIConnectionError,
        APIError,
        APIStatusError,
        APITimeoutError,
        OpenAIError,
    )

    endpoint = shown_url(settings.base_url) or "of the provider"
    if isinstance(error, EdgewrightError):
        return error
    if isinstance(error, APITimeoutError):
        return _too_slow(settings)
    if isinstance(error, APIConnectionError):
        return LinkError(
            f"the chat endpoint {endpoint} cannot be reached; check the connection and "
            "OPENAI_BASE_URL",
            code="chat_model_down",
        )
    if isinstance(error, APIStatusError):
        return UnavailableError(
            f"the chat endpoint {endpoint} answered with status {error.status_code}; "
            "check OPENAI_API_KEY and EDGEWRIGHT_CHAT_MODEL",
            code="chat_model_refused",
        )
    if isinstance(
        error, APIError | OpenAIError | ValueError | AttributeError | TypeError | RecursionError
    ):
        # The SDK does not validate bodies; reading one that is no chat completion fails.
        return InvalidAnswerError(
            "the chat endpoint's response is not a chat completion", answer=str(error)[:200]
        )
    return error


def _too_slow(settings: ChatModelSettings) -> DeadlineError:
    return DeadlineError(
        f"the chat model did not answer within {settings.timeout_s:g} s", code="chat_model_slow"
    )


def _no_object(answer: str) -> InvalidAnswerError:
    return InvalidAnswerError("the chat model's answer is not a JSON object", answer=answer)


def _first_object(text: str) -> dict[str, Any]:
    """Return the first JSON object in a text that may have prose or a code fence around it."""
    value = first_object(text)
    if value is None:
        raise _no_object(text)
    return value
