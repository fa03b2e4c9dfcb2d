"""Arrays in files that are named by what they depend on, and never half written."""

from __future__ import annotations

import fcntl
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

#: Files that come with the package, so that nothing has to be computed for the cards built in.
SHIPPED = Path(str(files("edgewright.agents.planner") / "fitted"))

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """What a file holds.

    Attributes:
        arrays: Arrays by their names.
        notes: Texts by their names.
    """

    arrays: Mapping[str, NDArray[Any]]
    notes: Mapping[str, str] = field(default_factory=dict)


def read_kept(path: Path) -> Kept | None:
    """Read a file; None if there is none, or if it is damaged, which is logged.

    Args:
        path: A ``safetensors`` file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return Kept(arrays, file.metadata() or {})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, SafetensorError):
        _LOG.warning("%s is damaged; what it held is computed again", path.name)
        return None


def write_kept(path: Path, kept: Kept) -> None:
    """Write beside its place and move it there, so that no reader sees half a file.

    Costs only time later if it cannot be written, which is logged.

    Args:
        path: A ``safetensors`` file; its folder is made if it is missing.
        kept: What it is to hold.
    """
    from safetensors.numpy import save

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(save(dict(kept.arrays), dict(kept.notes)))
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        _LOG.warning("%s cannot be kept: %s", path.name, error.strerror)


def made_once(
    name: str, folder: Path, make: Callable[[], Kept], *, shipped: Path | None = SHIPPED
) -> Kept:
    """Return what ships or was made before; otherwise make it, and keep it.

    Args:
        name: Name of the file, which tells all that its content depends on.
        folder: Where it is kept. One that cannot be written costs only the time to make it again.
        make: Makes it; called in one process at a time.
        shipped: A folder of others, which is only read; None for none.
    """
    for place in filter(None, (shipped, folder)):
        if kept := read_kept(place / name):
            return kept
    with _alone(folder):
        if kept := read_kept(folder / name):
            return kept  # another process has made it meanwhile
        kept = make()
        write_kept(folder / name, kept)
        return kept


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time fit in a folder, so that none repeats what another does."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "fitting.lock").open("w")
    except OSError:
        yield  # nothing can be kept there anyway
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
