"""A file cache for arrays, keyed by everything they depend on."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from edgewright.tools.storage.atomic import write_file

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredArrays:
    """The content of a cache file.

    Attributes:
        arrays: Arrays by name.
        notes: Metadata strings by name.
    """

    arrays: Mapping[str, NDArray[Any]]
    notes: Mapping[str, str] = field(default_factory=dict)


def read_arrays(path: Path) -> StoredArrays | None:
    """Read a file. Return None if it is missing or damaged; damage is logged.

    Args:
        path: A ``safetensors`` file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return StoredArrays(arrays, file.metadata() or {})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, SafetensorError):
        _LOG.warning("%s is damaged; its content will be computed again", path.name)
        return None


def mark_used(path: Path) -> None:
    """Note that a file was used, so that it is not removed as one that nobody needs."""
    with suppress(OSError):
        os.utime(path)


def write_arrays(path: Path, stored: StoredArrays) -> None:
    """Write a file. A failure is logged, not raised: without the file, arrays are recomputed.

    Args:
        path: A ``safetensors`` file; its folder is created if missing.
        stored: The content.
    """
    from safetensors.numpy import save

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, save(dict(stored.arrays), dict(stored.notes)))
    except OSError as error:
        _LOG.warning("%s cannot be written: %s", path.name, error.strerror)


def cached(
    key: str, folder: Path, make: Callable[[], StoredArrays], *, shipped: Path | None = None
) -> StoredArrays:
    """Return the arrays shipped or cached under a key; otherwise compute and cache them.

    Args:
        key: Identifies everything the arrays depend on; also the file's name in ``folder``.
        folder: The cache folder. If it is not writable, arrays are computed again each time.
        make: Computes the arrays; called in one process at a time.
        shipped: A file that comes with the package; used if its key is the same and its digest is
            that of the manifest beside it.
    """
    if shipped and (stored := read_arrays(shipped)) and stored.notes.get("key") == key:
        if is_unchanged(shipped):
            return stored
        _LOG.warning("%s was changed; its content will be computed again", shipped.name)
    path = folder / f"{key}.safetensors"
    if stored := read_arrays(path):
        mark_used(path)
        return stored
    with _one_process_at_a_time(folder):
        if stored := read_arrays(path):
            return stored  # computed by another process in the meantime
        computed = make()
        stored = replace(computed, notes={**computed.notes, "key": key})
        write_arrays(path, stored)
        return stored


def is_unchanged(shipped: Path) -> bool:
    """Return whether a file has the digest that the manifest beside it names."""
    try:
        digests = json.loads((shipped.parent / "manifest.json").read_bytes())["sha256"]
    except FileNotFoundError:
        return True  # it is being made
    return bool(digests.get(shipped.name) == hashlib.sha256(shipped.read_bytes()).hexdigest())


@contextmanager
def _one_process_at_a_time(folder: Path) -> Iterator[None]:
    """Lock a folder so that no two processes compute the same arrays."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "computing.lock").open("w")
    except OSError:
        yield  # not writable, so there is no cache to protect
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
