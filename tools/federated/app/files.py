"""Names of the files that an app writes: checkpoints, client states, results of one program."""

from __future__ import annotations

import re
from pathlib import Path

#: What a sandboxed program gets from the host, or leaves in its scratch folder for it.
WEIGHTS, UPDATE, LOGITS = "weights.safetensors", "update.bin", "logits.npy"
#: The server's part of the clients' corrections, for a sandboxed round.
CONTROL = "control.safetensors"

_CHECKPOINT = re.compile(r"round-([0-9]{4})")
_STATE = re.compile(r"round-([0-9]{4})\.safetensors")
_CLIENT = re.compile(r"0|[1-9][0-9]{0,5}")


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


def newest_states(folder: Path, round_number: int, clients: int) -> dict[int, Path]:
    """Return the file of each client's newest state up to a round.

    Args:
        folder: Folder of the states.
        round_number: The round.
        clients: Number of clients of the run; folders of any others are ignored.
    """
    found: dict[int, Path] = {}
    for client in folder.glob("[0-9]*"):
        if not _CLIENT.fullmatch(client.name) or int(client.name) >= clients:
            continue
        earlier = [number for number in state_rounds(client) if number <= round_number]
        if earlier:
            found[int(client.name)] = state_file(client, earlier[-1])
    return found


def _numbers(folder: Path, pattern: re.Pattern[str]) -> list[int]:
    names = (pattern.fullmatch(path.name) for path in folder.glob("round-*"))
    return sorted(int(name.group(1)) for name in names if name)
