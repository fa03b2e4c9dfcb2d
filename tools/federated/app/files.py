"""Names of the files that an app writes: checkpoints and client states."""

from __future__ import annotations

import re
from pathlib import Path

_CHECKPOINT = re.compile(r"^round-(\d{4})$")
_STATE = re.compile(r"^round-(\d{4})\.safetensors$")


def round_folder(checkpoints: Path, round_number: int) -> Path:
    """Return the folder of a round's checkpoint."""
    return checkpoints / f"round-{round_number:04d}"


def finished_rounds(checkpoints: Path) -> list[int]:
    """List the rounds that have a checkpoint, in order."""
    return _numbers(checkpoints, _CHECKPOINT)


def state_file(client: Path, round_number: int) -> Path:
    """Return the file of a client's state after a round."""
    return client / f"round-{round_number:04d}.safetensors"


def state_rounds(client: Path) -> list[int]:
    """List the rounds for which a client has stored its state, in order."""
    return _numbers(client, _STATE)


def newest_states(clients: Path, round_number: int) -> dict[int, Path]:
    """Return the file of each client's newest state up to a round."""
    found: dict[int, Path] = {}
    for folder in clients.glob("[0-9]*"):
        earlier = [number for number in state_rounds(folder) if number <= round_number]
        if earlier and folder.name.isdecimal():
            found[int(folder.name)] = state_file(folder, earlier[-1])
    return found


def _numbers(folder: Path, pattern: re.Pattern[str]) -> list[int]:
    names = (pattern.match(path.name) for path in folder.glob("round-*"))
    return sorted(int(name.group(1)) for name in names if name)
