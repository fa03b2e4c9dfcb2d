"""The camera, simulated by a folder of photographs."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from edgewright.tools.contracts.views import SensorView
from edgewright.tools.errors import NotFoundError, TooLargeError
from edgewright.tools.sensing.protocol import MAX_WINDOW_BYTES, Photograph, Privacy, Window
from edgewright.tools.storage.reading import read_file, typed

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif"})


class Camera:
    """A folder of photographs; implements ``Sensor``.

    Args:
        folder: The folder; None for a node without a camera.
        name: Name of the sensor.
    """

    kind = "camera"
    privacy: Privacy = "content"

    def __init__(self, folder: Path | None, name: str = "camera") -> None:
        self.name = name
        self._folder = folder

    def view(self) -> SensorView:
        """Return what it is, with the names of its photographs."""
        return SensorView(
            kind=self.kind,
            name=self.name,
            items=self.names(),
            unit="photograph",
            privacy=self.privacy,
            source="folder",
        )

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

    def photograph(self, name: str, *, max_bytes: int) -> bytes:
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

    def read(
        self, seconds: float, *, max_bytes: int = MAX_WINDOW_BYTES, item: str | None = None
    ) -> Window:
        """Read the photograph of a name, or the first one."""
        names = self.names()
        if item is None and not names:
            raise NotFoundError("the camera has no photograph", code="unknown_photograph")
        name = names[0] if item is None else item
        photograph = Photograph(name, self.photograph(name, max_bytes=max_bytes))
        return Window(sensor=self.name, kind=self.kind, seconds=0.0, values=photograph)
