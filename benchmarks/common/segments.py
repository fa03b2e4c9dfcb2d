"""Long measurements in parts that are stored one by one, so that they can be interrupted."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from edgewright.benchmarks.common.progress import log
from edgewright.tools.storage.atomic import write_file


class Segments:
    """The parts that were measured so far.

    Args:
        folder: Folder with a file for each part; created if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def measured(self, name: str, measure: Callable[[], Awaitable[Any]]) -> Any:
        """Return a part: what is stored, or else what is measured now.

        Args:
            name: Name of the part.
            measure: Measures it; returns JSON values.
        """
        if self.has(name):
            log(f"{name}: measured before")
            return self.stored(name)
        value = await measure()
        write_file(self._path(name), json.dumps(value).encode())
        return value

    def has(self, name: str) -> bool:
        """Return whether a part was measured."""
        return self._path(name).exists()

    def stored(self, name: str) -> Any:
        """Return a part that was measured."""
        return json.loads(self._path(name).read_bytes())

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"
