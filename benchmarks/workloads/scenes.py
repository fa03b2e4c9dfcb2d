"""Photographs of whole scenes: found in packages by path and digest, in two halves."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from edgewright.benchmarks.common.data import DATA
from edgewright.tools.errors import NotFoundError
from edgewright.tools.images.decode import decode

#: Words, thresholds and tables may be chosen on the development half; nothing on the other.
Half = Literal["development", "test"]

#: Package whose photographs lie beside its Python modules.
_PYTHON_PACKAGE = "scikit-image"


class MissingPhotographsError(NotFoundError):
    """Packages with photographs are not installed; the message names them."""


def listed(half: Half, data: Path = DATA / "experts") -> list[dict[str, Any]]:
    """Return the listed photographs of one half.

    Args:
        half: Which half.
        data: Folder of the list.
    """
    return of_half(lines(data / "photographs.jsonl"), half)


def contents(entries: Sequence[dict[str, Any]], folders: Iterable[Path]) -> list[bytes]:
    """Return the encoded files of listed photographs.

    Args:
        entries: Lines of ``photographs.jsonl``.
        folders: Where packages are unpacked, beside this machine's root.

    Raises:
        MissingPhotographsError: Some are not there, or are other files than those listed
            (``data_missing``).
    """
    places = [*folders, Path("/")]
    found = [_content(entry, places) for entry in entries]
    missing = {entry["package"] for entry, data in zip(entries, found, strict=True) if data is None}
    if missing:
        raise MissingPhotographsError(
            f"photographs of these packages are missing: {', '.join(sorted(missing))}. Install "
            "them; or unpack them in a folder (apt-get download NAME; dpkg-deb -x FILE FOLDER) and "
            "pass PHOTOGRAPHS=FOLDER",
            code="data_missing",
        )
    return [data for data in found if data is not None]


def images(half: Half, unpacked: Path | None = None) -> list[Image.Image]:
    """Return the photographs of one half, decoded.

    Args:
        half: Which half.
        unpacked: Folder in which packages were unpacked, each in a folder of its name; None takes
            those that are installed.

    Raises:
        MissingPhotographsError: As for ``contents``.
    """
    return [decode(data) for data in contents(listed(half), [unpacked] if unpacked else [])]


def of_half(entries: Iterable[dict[str, Any]], half: Half) -> list[dict[str, Any]]:
    """Return the photographs of one half: every other one in the order of their names' digests."""
    ordered = sorted(entries, key=lambda each: hashlib.sha256(each["name"].encode()).hexdigest())
    return ordered[0 if half == "development" else 1 :: 2]


def lines(file: Path) -> list[dict[str, Any]]:
    """Return the values of a file with one JSON value a line."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def _content(entry: dict[str, Any], folders: Iterable[Path]) -> bytes | None:
    for path in _places(entry, folders):
        if path.is_file():
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() == entry["sha256"]:
                return content
    return None


def _places(entry: dict[str, Any], folders: Iterable[Path]) -> Iterable[Path]:
    if entry["package"] == _PYTHON_PACKAGE:
        spec = importlib.util.find_spec("skimage")
        if spec and spec.origin:
            yield Path(spec.origin).parents[1] / entry["path"]
    for folder in folders:
        yield folder / entry["path"]
        yield folder / entry["package"] / entry["path"]
