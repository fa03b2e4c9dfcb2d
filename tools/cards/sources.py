"""Opening a card catalogue from a file or folder in any supported format."""

from __future__ import annotations

from pathlib import Path

from edgewright.tools.cards.registry import CardRegistry, read_card
from edgewright.tools.cards.taskbench import read_catalogue
from edgewright.tools.errors import InputError


def open_catalogue(path: Path) -> CardRegistry:
    """Read a catalogue.

    Args:
        path: A folder of YAML cards, one YAML card, or a ``tools.json`` in TaskBench's format.

    Raises:
        InputError: The path does not exist or does not validate; the message says where.
    """
    if path.is_dir():
        return CardRegistry.from_folder(path)
    if not path.is_file():
        raise InputError(
            f"no cards at {str(path)!r}: give a YAML card, a folder of them, or a tools.json",
            code="file_missing",
        )
    if path.suffix.lower() in (".yaml", ".yml"):
        return CardRegistry([read_card(path)])
    return read_catalogue(path)
