"""Reading a person's message: its text, and images that a chat interface embedded in it."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence

from langchain_core.messages import AnyMessage, HumanMessage

from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import InputError
from edgewright.tools.images.store import ImageStore

MAX_REQUEST_CHARACTERS = 4000


async def read_request(
    messages: Sequence[AnyMessage], images: ImageStore
) -> tuple[HumanMessage, list[ImageRef]]:
    """Read the last message of a thread.

    Args:
        messages: The thread.
        images: The store for images embedded in the message.

    Returns:
        The message with its text alone, and the images. The message keeps its id, so that it
        replaces the one that holds the images' bytes.

    Raises:
        InputError: The text is missing or too long, or an attachment is not an image.
    """
    message = messages[-1] if messages else None
    if not isinstance(message, HumanMessage) or not message.text.strip():
        raise InputError("the request is empty; write what you need", code="request_empty")
    if len(message.text) > MAX_REQUEST_CHARACTERS:
        raise InputError(
            f"the request is longer than {MAX_REQUEST_CHARACTERS} characters; shorten it",
            code="request_too_long",
        )
    embedded: list[ImageRef] = []
    for block in message.content_blocks:
        if block["type"] == "image":
            if "base64" not in block:
                raise InputError(
                    "images are not fetched from a URL; attach the file", code="image_remote"
                )
            data = _bytes(block["base64"])
            embedded.append(await asyncio.to_thread(images.put, data))
        elif block["type"] != "text":
            raise InputError(
                f"a message can hold text and images, not {block['type']!r}; remove it",
                code="attachment_unknown",
            )
    return HumanMessage(message.text, id=message.id), embedded


def _bytes(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise InputError(
            "the image in the message is not valid base64; attach it again", code="not_an_image"
        ) from None
