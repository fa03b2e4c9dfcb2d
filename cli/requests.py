"""Files of requests: rows that can be planned, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.tools.errors import EdgewrightError, InputError, NotFoundError, TooLargeError
from edgewright.tools.storage.documents import DocumentError, parse_rows
from edgewright.tools.storage.reading import decode

if TYPE_CHECKING:
    from edgewright.tools.contracts.images import ImageRef

#: Maximum size of a file of requests, in bytes.
MAX_BYTES = 100_000_000


@dataclass(frozen=True, kw_only=True)
class RequestRow:
    """A row of a file of requests.

    Attributes:
        number: Number of its line, from 1.
        id: Its id, any JSON value; None if the row is wrong.
        text: The request.
        image: Location of an image; empty if there is none.
        wrong: What is wrong with the row; None if it is a request.
    """

    number: int
    id: Any = None
    text: str = ""
    image: str = ""
    wrong: InputError | None = None


def read_requests(source: Path) -> list[RequestRow]:
    """Read requests, one JSON object a line, in any usual encoding; pipes are read too.

    Args:
        source: The file: lines of ``{"id", "request"[, "image"]}``, or an array of such objects.

    Raises:
        InputError: The file cannot be read (``file_missing``).
        TooLargeError: It has more than ``MAX_BYTES`` bytes (``file_too_large``).
    """
    try:
        with source.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"cannot read {str(source)!r}: {error.strerror}; check the path", code="file_missing"
        ) from None
    if len(data) > MAX_BYTES:
        raise TooLargeError(
            f"{str(source)!r} has more than {MAX_BYTES} bytes; split it", code="file_too_large"
        )
    return [_row(source, number, value) for number, value in parse_rows(decode(data))]


def _row(source: Path, number: int, value: Any) -> RequestRow:
    reason = f": {value}" if isinstance(value, DocumentError) else ""
    if isinstance(value, dict) and "id" in value:
        text, image = value.get("request"), value.get("image")
        if isinstance(text, str) and isinstance(image, str | None):
            return RequestRow(number=number, id=value["id"], text=text, image=image or "")
    wrong = InputError(
        f'line {number} of {str(source)!r} is not {{"id": …, "request": "…"}}, optionally with '
        f'"image": "FILE"{reason}',
        code="requests_invalid",
    )
    return RequestRow(number=number, wrong=wrong)


def resolve_images(locations: Sequence[str]) -> list[ImageRef]:
    """Return references to images given by a person.

    Args:
        locations: Paths of files, or ``camera:NAME``.

    Raises:
        InputError: An image cannot be used; the message names all such images.
    """
    from edgewright.graphs.services.local import image_store
    from edgewright.tools.images.files import resolve_image

    images: list[ImageRef] = []
    wrong: list[EdgewrightError] = []
    for location in locations:
        try:
            images.append(resolve_image(location, image_store()))
        except (InputError, NotFoundError) as error:
            wrong.append(error)
    if wrong:
        message = "; ".join(error.message for error in wrong)
        raise type(wrong[0])(message, code=wrong[0].info().code)
    return images
