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
        path = self.folder / f"{name}.json"
        if path.exists():
            log(f"{name}: measured before")
            return json.loads(path.read_bytes())
        value = await measure()
        write_file(path, json.dumps(value).encode())
        return value
