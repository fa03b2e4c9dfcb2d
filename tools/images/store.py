"""The content-addressed store: a picture is written once and named by its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import NotFoundError, StorageError
from edgewright.tools.images.probe import MAX_PIXELS, probe
from edgewright.tools.storage.atomic import write_file


class ImageStore:
    """Pictures in a folder, by SHA-256.

    Args:
        folder: Where the pictures lie; made when the first one is put.
        max_pixels: Largest width times height that is accepted.
    """

    def __init__(self, folder: Path, *, max_pixels: int = MAX_PIXELS) -> None:
        self._folder = folder
        self._max_pixels = max_pixels

    def put(self, data: bytes, name: str = "") -> ImageRef:
        """Keep a picture and return its reference; the same bytes are kept once.

        Args:
            data: The encoded picture.
            name: What the person called it, for answers.

        Raises:
            InputError: The bytes are not a picture that is accepted.
            StorageError: The disk is full or the folder cannot be written.
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
                f"the picture cannot be kept ({error.strerror}); free some space or set "
                "EDGEWRIGHT_HOME to a folder that can be written"
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
        """Return a picture's bytes, checked against its digest.

        Raises:
            NotFoundError: The store does not hold it, or holds it damaged (``image_missing``).
        """
        try:
            data = self._path(ref.sha256).read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            raise NotFoundError(
                f"the picture {ref.name or ref.sha256[:12]!r} is no longer in the store; "
                "attach it again",
                code="image_missing",
            )
        return data

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest
