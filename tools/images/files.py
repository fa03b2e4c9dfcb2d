"""Taking a picture that a person names: a file on this machine, or one that a camera holds."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import InputError, TooLargeError
from edgewright.tools.images.foreign import recoded
from edgewright.tools.images.store import ImageStore

#: Longest file that is read; a node accepts no longer body by default.
MAX_FILE_BYTES = 16_000_000


def take_image(where: str | Path, store: ImageStore) -> ImageRef:
    """Put a file into the store, or name a camera's picture.

    Args:
        where: Path of a file, or ``camera:<name>``.
        store: Where files are kept.

    Returns:
        The reference.

    Raises:
        InputError: There is no such file (``file_missing``), or it is not a picture.
        TooLargeError: The file is too long, or has too many pixels.
        StorageError: The picture cannot be kept.
    """
    where = str(where)
    if where.startswith("camera:"):
        try:
            return ImageRef.camera(where.removeprefix("camera:"))
        except ValidationError:
            raise InputError(
                f"{where[:100]!r} names no picture of a camera; write 'camera:NAME'",
                code="image_unknown",
            ) from None
    path = Path(where).expanduser()
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise TooLargeError(
                f"{where!r} has {size} bytes, more than the limit of {MAX_FILE_BYTES}; "
                "send a smaller one",
                code="file_too_large",
            )
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read the picture {where!r}: {error.strerror}; check the path",
            code="file_missing" if isinstance(error, FileNotFoundError) else "file_unreadable",
        ) from None
    try:
        return store.put(recoded(data), path.name)
    except InputError as error:
        # With several pictures, a person must know which one it is.
        raise type(error)(f"{where!r}: {error.message}", code=error.info().code) from None
