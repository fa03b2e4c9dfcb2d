"""Reading request bodies within their limits, and the options in the header."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import time
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope

from edgewright.edge_runtime.config import RequestLimits
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
from edgewright.tools.images.probe import probe

IMAGE_MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp", "image/avif")
#: Other names that clients give to these types.
_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/jfif": "image/jpeg",
    "image/x-png": "image/png",
}
_DATA_URI = re.compile(r"data:[^,]{0,200},")
_URL_SAFE = str.maketrans("-_", "+/")

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
        TooLargeError: The declared or the actual length exceeds the limit (``body_too_large``).
        DeadlineError: The body did not arrive in time (``upload_too_slow``).
        LinkError: The caller disconnected.
    """
    declared = header(scope, b"content-length")
    if declared is not None and declared.isdigit() and int(declared) > limits.body_bytes:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.upload_s):
            body = await _read(receive, limits)
    except TimeoutError:
        raise DeadlineError(
            f"the body did not arrive within {limits.upload_s:.3g} s; send it faster or send less",
            code="upload_too_slow",
        ) from None
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
    return InvokeOptions() if text is None else _validated(InvokeOptions, text, "options header")


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
    return _validated(DecideRequest, await read_body(scope, receive, limits), "body")


async def read_invocation(
    scope: Scope, receive: Receive, limits: RequestLimits
) -> tuple[InvokeOptions, bytes | None]:
    """Read an invocation in either of its two forms: JSON, or a raw image.

    Args:
        scope: The request's scope.
        receive: The request's receive function.
        limits: The node's limits.

    Returns:
        The options, and the image if one was sent.

    Raises:
        MediaTypeError: The body is neither JSON nor an image, or not of the declared type.
        InputError: The JSON is invalid.
        TooLargeError: The body has too many bytes, or the image too many pixels.
    """
    declared = media_type(scope)
    if declared == "application/json":
        request = _validated(InvokeRequest, await read_body(scope, receive, limits), "body")
        return request, _from_base64(request.image_base64)
    if declared not in IMAGE_MEDIA_TYPES:
        raise MediaTypeError(
            f"the body is declared as {declared[:100] or 'nothing'!r}; send application/json or "
            f"one of {', '.join(IMAGE_MEDIA_TYPES)}"
        )
    options = read_options(scope)
    image = await read_body(scope, receive, limits)
    found = probe(image, max_pixels=limits.pixels).mime
    if found != declared:
        raise MediaTypeError(
            f"the body is declared as {declared}, but it is {found}; correct the Content-Type"
        )
    return options, image


def _from_base64(text: str | None) -> bytes | None:
    """Decode base64 in any usual form: wrapped, URL-safe, without padding, or in a data URI."""
    if text is None:
        return None
    if prefix := _DATA_URI.match(text):
        text = text[prefix.end() :]
    plain = "".join(text.split()).rstrip("=").translate(_URL_SAFE)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InputError(
            "image_base64 is not valid base64; encode the image again", code="invalid_body"
        ) from None


def _validated(model: type[_Options], text: bytes, where: str) -> _Options:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{where}: {f'{field}: ' if field else ''}{first['msg']}",
            code=f"invalid_{where.split()[0]}",
        ) from None


def _too_large(limits: RequestLimits) -> TooLargeError:
    return TooLargeError(
        f"the body is longer than {limits.body_bytes} bytes; send less", code="body_too_large"
    )
