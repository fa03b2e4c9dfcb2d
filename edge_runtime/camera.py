"""The camera, simulated by a folder of photographs."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from edgewright.tools.errors import NotFoundError, TooLargeError
from edgewright.tools.storage.reading import read_file, typed

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif"})


class Camera:
    """A folder of photographs.

    Args:
        folder: The folder; None for a node without a camera.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """List the photographs by name: that of the file, as composed Unicode."""
        return sorted(self._files())

    def _files(self) -> dict[str, Path]:
        if self._folder is None or not self._folder.is_dir():
            return {}
        return {
            unicodedata.normalize("NFC", typed(entry.name)): entry
            for entry in self._folder.iterdir()
            if entry.suffix.lower() in _SUFFIXES and entry.is_file()
        }

    def read(self, name: str, *, max_bytes: int) -> bytes:
        """Read a photograph.

        Args:
            name: A name from ``names``; no other file can be read.
            max_bytes: Maximum size of the file.

        Raises:
            NotFoundError: No such photograph (``unknown_photograph``).
            TooLargeError: The file is too large.
        """
        path = self._files().get(unicodedata.normalize("NFC", name))
        if path is None:
            raise NotFoundError(
                f"the camera has no photograph {name[:100]!r}; GET /v1/sensors lists them",
                code="unknown_photograph",
            )
        try:
            return read_file(path, max_bytes)
        except TooLargeError:
            raise TooLargeError(
                f"the photograph {name!r} has more than {max_bytes} bytes; use a smaller one",
                code="body_too_large",
            ) from None
