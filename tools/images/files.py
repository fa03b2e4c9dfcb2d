"""Resolving an image location given by a person: a local file, or an image held by a camera."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from pydantic import ValidationError

from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import InputError
from edgewright.tools.images.conversion import to_accepted_format
from edgewright.tools.images.store import ImageStore
from edgewright.tools.storage.paths import existing_path
from edgewright.tools.storage.reading import read_file, typed

#: Maximum size of a file; also a node's default limit on request bodies.
MAX_FILE_BYTES = 16_000_000

#: Number of folders of a file's path that its reference keeps.
FOLDERS = 2


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
    location = typed(str(location))
    if location.startswith("camera:"):
        try:
            name = location.removeprefix("camera:")
            return ImageRef.camera(unicodedata.normalize("NFC", name))
        except ValidationError:
            raise InputError(
                f"{location[:100]!r} is not a valid name of a camera's image; use 'camera:NAME'",
                code="image_unknown",
            ) from None
    path = existing_path(location)
    data = read_file(path, MAX_FILE_BYTES)
    try:
        image = store.put(to_accepted_format(data), unicodedata.normalize("NFC", path.name))
    except InputError as error:
        # With several images, the message must say which one failed.
        raise type(error)(f"{location!r}: {error.message}", code=error.info().code) from None
    folder = "/".join(Path(location).parts[-FOLDERS - 1 : -1])
    return image.model_copy(update={"folder": unicodedata.normalize("NFC", folder)})
