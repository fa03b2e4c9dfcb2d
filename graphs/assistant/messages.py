"""Reading a person's message: its text, and pictures that a chat interface put inside it."""

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
        images: Where pictures inside the message are put.

    Returns:
        The message with its text alone, under its old id so that it takes the place of the one
        with the pictures' bytes; and the pictures.

    Raises:
        InputError: There is no text, too much of it, or something that is no picture.
    """
    message = messages[-1] if messages else None
    if not isinstance(message, HumanMessage) or not message.text.strip():
        raise InputError("the request is empty; say what is wanted", code="request_empty")
    if len(message.text) > MAX_REQUEST_CHARACTERS:
        raise InputError(
            f"the request is longer than {MAX_REQUEST_CHARACTERS} characters; shorten it",
            code="request_too_long",
        )
    pictures: list[ImageRef] = []
    for block in message.content_blocks:
        if block["type"] == "image":
            if "base64" not in block:
                raise InputError(
                    "pictures are not fetched from elsewhere; attach the file", code="image_remote"
                )
            data = _bytes(block["base64"])
            pictures.append(await asyncio.to_thread(images.put, data))
        elif block["type"] != "text":
            raise InputError(
                f"a message can hold text and pictures, not {block['type']!r}",
                code="attachment_unknown",
            )
    return HumanMessage(message.text, id=message.id), pictures


def _bytes(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise InputError(
            "the picture in the message is not valid base64; attach it again", code="not_an_image"
        ) from None
