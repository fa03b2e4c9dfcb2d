"""The content-addressed image store: each image is written once under its digest."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edgewright.tools.contracts.images import ImageFacts, ImageRef
from edgewright.tools.errors import NotFoundError, StorageError
from edgewright.tools.images.probe import MAX_PIXELS, probe
from edgewright.tools.storage.atomic import write_file
from edgewright.tools.storage.limits import Stored

_SIZE = "size"
_DIGITS = 20


class ImageStore:
    """Stores images in a folder by their SHA-256 digest.

    The time of a file is when its image was last put in. The file ``size`` holds the bytes of all
    images, so that a limit can be checked without listing them; its lock keeps an image from being
    removed while it is put in again.

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
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked() as add:
                if path.exists():
                    os.utime(path)
                else:
                    write_file(path, data)
                    add(len(data))
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

    def size(self) -> int:
        """Return the bytes of all images, without listing them."""
        try:
            return int((self._folder / _SIZE).read_bytes() or b"0")
        except FileNotFoundError:
            return 0

    def stored(self) -> list[Stored]:
        """List the files of the store, by digest; this also corrects ``size``."""
        if not self._folder.exists():
            return []
        with self._locked() as add:
            found = [
                Stored(used_at=facts.st_mtime, name=entry.name, bytes=facts.st_size)
                for shard in self._folder.glob("[0-9a-f][0-9a-f]")
                for entry in os.scandir(shard)
                for facts in [entry.stat()]
            ]
            add(sum(each.bytes for each in found) - self.size())
        return found

    def remove(self, images: Iterable[Stored]) -> None:
        """Remove images, except those that were put in again since they were listed.

        Args:
            images: The images, as ``stored`` listed them.
        """
        for image in images:
            path = self._path(image.name)
            with self._locked() as add:
                if path.exists() and path.stat().st_mtime == image.used_at:
                    path.unlink()
                    add(-image.bytes)

    @contextmanager
    def _locked(self) -> Iterator[Callable[[int], None]]:
        """Let no other process change the store; yields a function that adds to its size."""
        handle = os.open(self._folder / _SIZE, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield lambda count: _add(handle, count)
        finally:
            os.close(handle)

    def _path(self, digest: str) -> Path:
        # A file that a killed process left behind has the digest after a dot.
        return self._folder / digest.lstrip(".")[:2] / digest


def _add(handle: int, count: int) -> None:
    total = int(os.pread(handle, _DIGITS, 0) or b"0") + count
    os.pwrite(handle, b"%0*d" % (_DIGITS, total), 0)
