"""Where this machine keeps threads and images."""

from __future__ import annotations

from pathlib import Path

from edgewright.tools.images.store import ImageStore
from edgewright.tools.settings import home


def image_store() -> ImageStore:
    """Return the image store in the state folder."""
    return ImageStore(home() / "images")


def threads_file() -> Path:
    """Return the SQLite file of the threads in the state folder."""
    return home() / "threads.sqlite"
