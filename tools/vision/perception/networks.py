"""The networks of one process, loaded on first use within a limit."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from edgewright.tools.models.engines.onnx.manifest import WEIGHTS
from edgewright.tools.models.engines.onnx.sessions import Session
from edgewright.tools.models.installed import installed_file, read_installed
from edgewright.tools.settings import perception_bytes


class Networks:
    """Networks of the catalogue; beyond a limit, the least recently used are unloaded.

    Args:
        threads: Number of threads that run each operation; None means one per core.
        limit_bytes: Maximum size of the files of all loaded networks together; None takes it from
            the settings. A larger network is loaded alone.
        locate: Returns the file of a part of a model.
    """

    def __init__(
        self,
        *,
        threads: int | None = None,
        limit_bytes: int | None = None,
        locate: Callable[[str, str], Path] = installed_file,
    ) -> None:
        self._threads = threads
        self._limit_bytes = perception_bytes() if limit_bytes is None else limit_bytes
        self._locate = locate
        self._loaded: OrderedDict[tuple[str, str], tuple[Session, int]] = OrderedDict()

    def session(self, model: str, part: str = "model") -> Session:
        """Return a network, loaded.

        Args:
            model: Name of the model in the catalogue.
            part: Name of the graph, for models with several.

        Raises:
            UnavailableError: It is not installed (``model_not_installed``), or cannot be loaded.
        """
        key = (model, part)
        if key not in self._loaded:
            path = self._locate(model, part)
            size = _bytes_of(path)
            self._make_room(size)
            self._loaded[key] = Session(path, threads=self._threads, shared=True), size
        self._loaded.move_to_end(key)
        return self._loaded[key][0]

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of the models that are loaded, the least recently used first."""
        return tuple(dict.fromkeys(model for model, _ in self._loaded))

    def _make_room(self, size: int) -> None:
        while self._loaded and size + sum(own for _, own in self._loaded.values()) > (
            self._limit_bytes
        ):
            self._loaded.popitem(last=False)


def _bytes_of(path: Path) -> int:
    """Return the size of a graph and of the weights that may lie beside it."""
    weights = path.with_name(WEIGHTS)
    return path.stat().st_size + (weights.stat().st_size if weights.is_file() else 0)


def revision(models: Iterable[str]) -> str:
    """Return the fingerprint of the installed files of models."""
    digest = hashlib.sha256()
    for name in sorted(models):
        manifest = read_installed(name)
        digest.update(f"{name} {sorted(manifest.files.items()) if manifest else ''}\n".encode())
    return digest.hexdigest()[:16]
