"""The content-addressed image store: each image is written once under its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edgewright.tools.contracts.images import ImageFacts, ImageRef
from edgewright.tools.errors import NotFoundError, StorageError
from edgewright.tools.images.probe import MAX_PIXELS, probe
from edgewright.tools.storage.atomic import write_file


class ImageStore:
    """Stores images in a folder by their SHA-256 digest.

    Args:
        folder: The folder; created when the first image is stored.
        max_pixels: Maximum number of pixels (width times height).
    """

    def __init__(self, folder: Path, *, max_pixels: int = MAX_PIXELS) -> None:
        self._folder = folder
        self._max_pixels = max_pixels

    def put(self, data: bytes, name: str = "") -> ImageRef:
        """Store an image and return its reference; identical bytes are stored once.

        Args:
            data: The encoded image.
            name: The person's name for it, used in answers.

        Raises:
            InputError: The bytes are not an accepted image.
            StorageError: The disk is full or the folder is not writable.
        """
        header = probe(data, max_pixels=self._max_pixels)
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_file(path, data)
        except OSError as error:
            raise StorageError(
                f"the image cannot be stored ({error.strerror}); free some disk space or set "
                "EDGEWRIGHT_HOME to a writable folder"
            ) from error
        return ImageRef(
            uri=f"store:{digest}",
            sha256=digest,
            mime=header.mime,
            width=header.width,
            height=header.height,
            name=name,
        )

    def get(self, ref: ImageRef) -> bytes:
        """Return an image's bytes, verified against its digest.

        Raises:
            NotFoundError: The image is missing or damaged (``image_missing``).
        """
        try:
            data = self._path(ref.sha256).read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            raise NotFoundError(
                f"the image {ref.name or ref.sha256[:12]!r} is no longer in the store; "
                "attach it again",
                code="image_missing",
            )
        return data

    def facts(self, ref: ImageRef) -> ImageFacts:
        """Return an image's type and size, read from its header.

        Raises:
            NotFoundError: As for ``get``.
        """
        return probe(self.get(ref), max_pixels=self._max_pixels)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest
