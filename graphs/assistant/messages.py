"""Reading a person's message: its words, and images in every form that chat clients send."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import InputError, TooLargeError
from edgewright.tools.images.conversion import to_accepted_format
from edgewright.tools.images.encoded import from_base64
from edgewright.tools.images.files import MAX_FILE_BYTES
from edgewright.tools.images.store import ImageStore

MAX_REQUEST_CHARACTERS = 4000
#: Maximum number of images of one message.
MAX_IMAGES = 32
#: Maximum length of a name that a client gives to an attachment.
_MAX_NAME = 200

_TEXT = frozenset({"text", "input_text", "output_text"})
#: Kinds of blocks that may hold an image. Anthropic and LangChain write ``image``, OpenAI
#: ``image_url`` and ``input_image``, Google ``media``; any client may send one as a file.
_ATTACHED = frozenset({"image", "image_url", "input_image", "media", "file", "input_file"})
#: Where such a block holds its data: base64 or a data URI.
_DATA = ("base64", "data", "url", "image_url", "file_data")
#: Where it holds them one level down, as ``{"source": {"data": …}}`` does.
_INNER = ("source", "image_url", "file", "image")
_MIME = ("mimeType", "mime_type", "media_type")
_NAMES = ("name", "filename", "title")


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """An image as a message holds it.

    Attributes:
        encoded: Base64 or a data URI.
        name: Name that the client gave it; empty if it gave none.
    """

    encoded: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Content:
    """The content of a message.

    Attributes:
        texts: Its texts, in order.
        attachments: Its images, in order.
    """

    texts: tuple[str, ...]
    attachments: tuple[Attachment, ...] = ()

    @property
    def text(self) -> str:
        """Its texts as one: the words of two blocks stay apart."""
        return "\n".join(text for text in self.texts if text.strip()).strip()


def read_content(content: Any) -> Content:
    """Read the content of a message, which is a text or a list of blocks.

    Args:
        content: The content, in the form of any current chat client.

    Raises:
        InputError: It holds something else than text and images (``attachment_unknown``), or an
            image that would have to be fetched (``image_remote``).
        TooLargeError: It holds too many images (``too_many_images``).
    """
    texts: list[str] = []
    attachments: list[Attachment] = []
    for block in [content] if isinstance(content, str | Mapping) else content or ():
        kind = block.get("type") if isinstance(block, Mapping) else None
        if isinstance(block, str):
            texts.append(block)
        elif kind in _TEXT:
            texts.append(str(block.get("text") or ""))
        elif kind in _ATTACHED:
            attachments.append(_attachment(block))
        else:
            raise _unknown(str(kind or type(block).__name__))
    if len(attachments) > MAX_IMAGES:
        raise TooLargeError(
            f"the message has {len(attachments)} images; send at most {MAX_IMAGES} at once",
            code="too_many_images",
        )
    return Content(texts=tuple(texts), attachments=tuple(attachments))


def text_of(content: Any) -> str:
    """Return the words of a message's content and leave out everything else."""
    blocks = [content] if isinstance(content, str | Mapping) else content or ()
    texts = [
        block if isinstance(block, str) else str(block.get("text") or "")
        for block in blocks
        if isinstance(block, str) or (isinstance(block, Mapping) and block.get("type") in _TEXT)
    ]
    return Content(texts=tuple(texts)).text


def check_request(text: str) -> None:
    """Check the length of a request.

    Raises:
        InputError: It is empty (``request_empty``) or too long (``request_too_long``).
    """
    if not text:
        raise InputError("the request is empty; write what you need", code="request_empty")
    if len(text) > MAX_REQUEST_CHARACTERS:
        raise InputError(
            f"the request is longer than {MAX_REQUEST_CHARACTERS} characters; shorten it",
            code="request_too_long",
        )


def default_question(images: int) -> str:
    """Return the question of a message that has images and no words."""
    return "What is this?" if images == 1 else "What is in each of these images?"


async def store_attachments(
    attachments: Sequence[Attachment], images: ImageStore
) -> list[ImageRef]:
    """Store the images of a message, in formats that nodes accept.

    Args:
        attachments: The images.
        images: The store.

    Raises:
        InputError: One is not an image, or damaged.
        TooLargeError: One has too many bytes or pixels.
        StorageError: One cannot be stored.
    """

    def store() -> list[ImageRef]:
        # All are read before the first is stored: a refused message leaves nothing behind.
        read = [(_image(each), each.name) for each in attachments]
        return [images.put(data, name) for data, name in read]

    return await asyncio.to_thread(store) if attachments else []


def _image(attachment: Attachment) -> bytes:
    limit = TooLargeError(
        f"an image of the message has more than {MAX_FILE_BYTES} bytes; send a smaller one",
        code="body_too_large",
    )
    if len(attachment.encoded) > 2 * MAX_FILE_BYTES:  # base64, wrapped, is less than that
        raise limit
    data = from_base64(attachment.encoded, "an image of the message", code="not_an_image")
    if len(data) > MAX_FILE_BYTES:
        raise limit
    return to_accepted_format(data)


def _attachment(block: Mapping[str, Any]) -> Attachment:
    parts = list(_parts(block))
    mime = next((str(part[key]) for part in parts for key in _MIME if part.get(key)), "")
    encoded = next(
        (part[key] for part in parts for key in _DATA if isinstance(part.get(key), str)), None
    )
    if encoded is None or not encoded.strip():
        raise InputError(
            "an image of the message is named but not sent; attach the file itself",
            code="image_remote",
        )
    declared, separator, _ = encoded[:200].partition(",")
    if separator and declared[:5].lower() == "data:":
        mime = declared[5:].partition(";")[0] or mime
    elif "://" in encoded[:100]:
        raise InputError("images are not fetched from a URL; attach the file", code="image_remote")
    # A file without a type may be an image; its bytes decide.
    if mime and not mime.lower().startswith("image/") and mime != "application/octet-stream":
        raise _unknown(mime[:100])
    return Attachment(encoded=encoded, name=_name(parts))


def _parts(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a block and what it nests."""
    yield block
    for key in (*_INNER, "metadata"):
        if isinstance(inner := block.get(key), Mapping):
            yield inner


def _name(parts: Sequence[Mapping[str, Any]]) -> str:
    found = (part[key] for part in parts for key in _NAMES if isinstance(part.get(key), str))
    printable = "".join(char for char in next(found, "") if char.isprintable())
    return printable.replace("\\", "/").rpartition("/")[2][:_MAX_NAME]


def _unknown(kind: str) -> InputError:
    return InputError(
        f"a message can hold text and images, not {kind!r}; remove it", code="attachment_unknown"
    )
