"""Resolving an image location given by a person: a local file, or an image held by a camera."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import InputError, TooLargeError
from edgewright.tools.images.conversion import to_accepted_format
from edgewright.tools.images.store import ImageStore

#: Maximum size of a file; also a node's default limit on request bodies.
MAX_FILE_BYTES = 16_000_000


def resolve_image(location: str | Path, store: ImageStore) -> ImageRef:
    """Return a reference to an image, storing it first if it is a local file.

    Args:
        location: Path of a file, or ``camera:<name>``.
        store: Store for local files.

    Returns:
        The reference.

    Raises:
        InputError: There is no such file (``file_missing``), or it is not an image.
        TooLargeError: The file has too many bytes or pixels.
        StorageError: The image cannot be stored.
    """
    location = str(location)
    if location.startswith("camera:"):
        try:
            return ImageRef.camera(location.removeprefix("camera:"))
        except ValidationError:
            raise InputError(
                f"{location[:100]!r} is not a valid name of a camera's image; use 'camera:NAME'",
                code="image_unknown",
            ) from None
    path = Path(location).expanduser()
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise TooLargeError(
                f"{location!r} has {size} bytes, more than the limit of {MAX_FILE_BYTES}; "
                "choose a smaller file",
                code="file_too_large",
            )
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read the image {location!r}: {error.strerror}; check the path",
            code="file_missing" if isinstance(error, FileNotFoundError) else "file_unreadable",
        ) from None
    try:
        return store.put(to_accepted_format(data), path.name)
    except InputError as error:
        # With several images, the message must say which one failed.
        raise type(error)(f"{location!r}: {error.message}", code=error.info().code) from None
