"""Requests of OpenAI's API: the fields that are read; all others are accepted and ignored."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from edgewright.servers.openai.errors import RequestError
from edgewright.tools.storage.documents import DocumentError, parse_json

#: Maximum number of messages of one request.
MAX_MESSAGES = 1000
_DETAILS = ("auto", "low", "high", "original")


class Fields(BaseModel):
    """Some fields of a request; null stands for one that is left out, as clients write it."""

    model_config = ConfigDict(extra="ignore", frozen=True)


#: Maximum number of tokens; local servers have -1 for no limit.
MostTokens = Annotated[int, Field(ge=1)] | Literal[-1] | None


class Message(Fields):
    """A message.

    Attributes:
        role: Who wrote it. What a system or a developer says is no instruction to the planner.
        content: A text or a list of blocks.
        tool_calls: The calls of the client's tools that an answer chose.
        tool_call_id: The call whose result it is, of a tool's message.
    """

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any] | str] | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None

    @field_validator("content")
    @classmethod
    def _check_details(cls, content: Any) -> Any:
        """Check the ``detail`` of images, which has no effect: offloading decides what is sent."""
        for block in content if isinstance(content, list) else ():
            for part in (block, block.get("image_url")) if isinstance(block, dict) else ():
                detail = part.get("detail") if isinstance(part, dict) else None
                if detail is not None and detail not in _DETAILS:
                    raise ValueError(f"the detail of an image is one of {', '.join(_DETAILS)}")
        return content


class JsonSchema(Fields):
    """A named schema.

    Attributes:
        name: Its name.
        schema_: The JSON schema.
    """

    name: str = "answer"
    schema_: dict[str, Any] = Field(default_factory=dict, alias="schema")


class ResponseFormat(Fields):
    """The form of the answer.

    Attributes:
        type: Text, any JSON object, or one that a schema describes.
        json_schema: The schema.
        schema_: The schema, where local servers have it.
    """

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: JsonSchema | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")

    @property
    def described(self) -> dict[str, Any]:
        """The schema, wherever it is; empty if there is none."""
        return self.json_schema.schema_ if self.json_schema else self.schema_ or {}


class StreamOptions(Fields):
    """Options of a stream.

    Attributes:
        include_usage: Whether its last chunk has the usage.
    """

    include_usage: bool | None = None


class ChatRequest(Fields):
    """A chat completion.

    Attributes:
        model: Name of the model; ``edgewright``.
        messages: The conversation; its last words are the request.
        stream: Whether to stream the answer.
        stream_options: Options of the stream.
        response_format: The form of the answer.
        n: Number of choices; they are equal, because nothing is left to chance.
        max_tokens: Maximum number of tokens of a text; here a token is a word.
        max_completion_tokens: The newer name of ``max_tokens``.
        tools: The client's tools, which a chat model may choose to call; ignored without one.
        tool_choice: Whether it may, must or must not; a tool's name means that it calls this one.
        parallel_tool_calls: Whether it may choose several at once.
    """

    model: str = Field(min_length=1, max_length=200)
    messages: list[Message] = Field(min_length=1, max_length=MAX_MESSAGES)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    n: int | None = Field(default=None, ge=1, le=16)
    max_tokens: MostTokens = None
    max_completion_tokens: MostTokens = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None

    @property
    def most_tokens(self) -> int | None:
        """Maximum number of tokens; None for no limit."""
        limit = self.max_completion_tokens or self.max_tokens
        return limit if limit and limit > 0 else None


_Request = TypeVar("_Request", bound=BaseModel)


def parse(model: type[_Request], body: bytes) -> _Request:
    """Read a request's body.

    Args:
        model: Its model.
        body: JSON.

    Raises:
        RequestError: It is not JSON (``invalid_json``), or a field is missing or wrong.
    """
    try:
        values = parse_json(body)
    except DocumentError as error:
        raise RequestError(f"the body is {error}; send JSON", code="invalid_json") from None
    return validated(model, values)


def validated(model: type[_Request], values: Any, *, at: str = "") -> _Request:
    """Return a request of some values.

    Args:
        model: Its model.
        values: The values.
        at: Where they are in the request, such as ``input.3.``.

    Raises:
        RequestError: A field is missing or wrong.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = at + ".".join(str(part) for part in first["loc"])
        raise RequestError(
            f"{f'{field}: ' if field else ''}{first['msg']}; correct it", param=field or None
        ) from None
