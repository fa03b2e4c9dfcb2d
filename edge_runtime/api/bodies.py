"""Reading request bodies within their limits, and the options in the header."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope

from edgewright.edge_runtime.config import RequestLimits
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.invocation import (
    OPTIONS_HEADER,
    DecideRequest,
    InvokeOptions,
    InvokeRequest,
)
from edgewright.tools.errors import (
    DeadlineError,
    InputError,
    LinkError,
    MediaTypeError,
    TooLargeError,
)
from edgewright.tools.images.encoded import from_base64
from edgewright.tools.images.probe import probe

IMAGE_MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp", "image/avif")
#: Other names that clients give to these types.
_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/jfif": "image/jpeg",
    "image/x-png": "image/png",
}

#: Maximum number of digits of a number in a header: the server accepts lengths below 2**64.
_MAX_DIGITS = 20
#: Key in a request's scope for the time when its body was complete.
RECEIVED_AT = "edgewright.received_at"

_OPTIONS = OPTIONS_HEADER.lower().encode()
_Options = TypeVar("_Options", bound=BaseModel)


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return a request header's value, given its name in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


def count_in(value: bytes | None) -> int | None:
    """Return the number that a header holds.

    Args:
        value: The header's value; None if there is no such header.

    Returns:
        The number; None for anything else, and for more digits than any length or count has:
        Python refuses to convert thousands of them.
    """
    if value is None or not value.isdigit() or len(value) > _MAX_DIGITS:
        return None
    return int(value)


def media_type(scope: Scope) -> str:
    """Return the declared media type by its usual name, in lower case, without its parameters."""
    declared = (header(scope, b"content-type") or b"").split(b";")[0].strip().lower()
    return _ALIASES.get(name := declared.decode("latin-1"), name)


async def read_body(scope: Scope, receive: Receive, limits: RequestLimits) -> bytes:
    """Read a request's body; never more of it than the limit allows is held in memory.

    Args:
        scope: The request's scope.
        receive: The request's receive function.
        limits: The node's limits.

    Raises:
        MediaTypeError: It is compressed, so that its length says nothing of its size.
        TooLargeError: The declared or the actual length exceeds the limit (``body_too_large``).
        DeadlineError: The body did not arrive in time (``upload_too_slow``).
        LinkError: The caller disconnected.
    """
    encoding = header(scope, b"content-encoding")
    if encoding and encoding.strip().lower() != b"identity":
        raise MediaTypeError("the body is compressed; send it without a 'Content-Encoding'")
    declared = count_in(header(scope, b"content-length"))
    if declared is not None and declared > limits.body_bytes:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.upload_s):
            body = await _read(receive, limits)
    except TimeoutError:
        raise upload_too_slow(limits) from None
    scope[RECEIVED_AT] = time.perf_counter()
    return body


async def _read(receive: Receive, limits: RequestLimits) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise LinkError("the caller disconnected before the body was complete")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limits.body_bytes:
            raise _too_large(limits)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def read_options(scope: Scope) -> InvokeOptions:
    """Read the options that a header carries beside a raw body.

    Raises:
        InputError: It is not JSON, or a field is invalid (``invalid_options``).
    """
    text = header(scope, _OPTIONS)
    return InvokeOptions() if text is None else validated(InvokeOptions, text, "options header")


async def read_decision_request(
    scope: Scope, receive: Receive, limits: RequestLimits
) -> DecideRequest:
    """Read a request for a decision: JSON, with facts about the image instead of its bytes.

    Args:
        scope: The request's scope.
        receive: The request's receive function.
        limits: The node's limits.

    Raises:
        MediaTypeError: The body is not JSON.
        InputError: The JSON is invalid.
        TooLargeError: The body is too long.
    """
    declared = media_type(scope)
    if declared != "application/json":
        raise MediaTypeError(
            f"the body is declared as {declared[:100] or 'nothing'!r}; send application/json with "
            "the image's type and size, not its bytes"
        )
    return validated(DecideRequest, await read_body(scope, receive, limits), "body")


async def read_fields(
    model: type[_Options], scope: Scope, receive: Receive, limits: RequestLimits
) -> _Options:
    """Read a body of JSON that a model describes, or nothing for its defaults.

    Args:
        model: The model.
        scope: The request's scope.
        receive: The request's receive function.
        limits: The node's limits.

    Raises:
        InputError: The JSON is invalid.
        TooLargeError: The body is too long.
    """
    return validated(model, await read_body(scope, receive, limits) or b"{}", "body")


async def read_invocation(
    scope: Scope, receive: Receive, limits: RequestLimits
) -> tuple[InvokeOptions, bytes | None, ImageFacts | None]:
    """Read an invocation in either of its two forms: JSON, or a raw image.

    Args:
        scope: The request's scope.
        receive: The request's receive function.
        limits: The node's limits.

    Returns:
        The options, the image if one was sent, and its type and size if they are known already.

    Raises:
        MediaTypeError: The body is neither JSON nor an image, or not of the declared type.
        InputError: The JSON is invalid.
        TooLargeError: The body has too many bytes, or the image too many pixels.
    """
    declared = media_type(scope)
    if declared == "application/json":
        request = validated(InvokeRequest, await read_body(scope, receive, limits), "body")
        return request, _from_base64(request.image_base64), None
    if declared not in IMAGE_MEDIA_TYPES:
        raise MediaTypeError(
            f"the body is declared as {declared[:100] or 'nothing'!r}; send application/json or "
            f"one of {', '.join(IMAGE_MEDIA_TYPES)}"
        )
    options = read_options(scope)
    image = await read_body(scope, receive, limits)
    facts = probe(image, max_pixels=limits.pixels)
    if facts.mime != declared:
        raise MediaTypeError(
            f"the body is declared as {declared}, but it is {facts.mime}; correct the Content-Type"
        )
    return options, image, facts


def _from_base64(text: str | None) -> bytes | None:
    return None if text is None else from_base64(text, "image_base64", code="invalid_body")


def validated(model: type[_Options], given: bytes | Mapping[str, object], where: str) -> _Options:
    """Read JSON that a model describes.

    Args:
        model: The model.
        given: The JSON, or its fields if something else than JSON carried them.
        where: Where it was found, for the message of the error.

    Raises:
        InputError: It is not JSON, or a field is invalid.
    """
    try:
        if isinstance(given, bytes):
            return model.model_validate_json(given)
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{where}: {f'{field}: ' if field else ''}{first['msg']}",
            code=f"invalid_{where.split()[0]}",
        ) from None


def upload_too_slow(limits: RequestLimits) -> DeadlineError:
    """Return the error for a body that did not arrive in time.

    Args:
        limits: The node's limits.
    """
    return DeadlineError(
        f"the body did not arrive within {limits.upload_s:.3g} s; send it faster or send less",
        code="upload_too_slow",
    )


def _too_large(limits: RequestLimits) -> TooLargeError:
    return TooLargeError(
        f"the body is longer than {limits.body_bytes} bytes; send less", code="body_too_large"
    )
