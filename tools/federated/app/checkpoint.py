"""Checkpoints: one folder per finished round, written atomically."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.federated.app.files import finished_rounds, round_folder
from edgewright.tools.federated.app.weights import Arrays, load_arrays, save_arrays
from edgewright.tools.federated.records.trial import RoundRecord
from edgewright.tools.storage.atomic import new_folder, write_file
from edgewright.tools.storage.removal import remove


@dataclass(frozen=True)
class Checkpoint:
    """The state needed to resume after a round.

    Attributes:
        record: The server's record of the round.
        weights: All tensors of the model after the round.
        optimiser: State of the server optimiser; empty if it has none.
    """

    record: RoundRecord
    weights: Arrays
    optimiser: dict[str, NDArray[np.float32]]


def save_checkpoint(folder: Path, checkpoint: Checkpoint, *, keep: int) -> None:
    """Write a checkpoint atomically, and remove old ones.

    Args:
        folder: Folder of the checkpoints.
        checkpoint: The checkpoint.
        keep: Number of newest checkpoints to keep; 0 keeps all.
    """
    number = checkpoint.record.round_number
    with new_folder(round_folder(folder, number)) as part:
        save_arrays(part / "weights.safetensors", checkpoint.weights)
        if checkpoint.optimiser:
            save_arrays(part / "optimiser.safetensors", checkpoint.optimiser)
        write_file(part / "record.json", checkpoint.record.model_dump_json().encode())
    for old in finished_rounds(folder)[:-keep] if keep else []:
        remove(round_folder(folder, old))


def load_newest(folder: Path) -> Checkpoint | None:
    """Load the newest checkpoint; None if there is none."""
    rounds = finished_rounds(folder)
    if not rounds:
        return None
    path = round_folder(folder, rounds[-1])
    optimiser = path / "optimiser.safetensors"
    return Checkpoint(
        record=RoundRecord.model_validate_json((path / "record.json").read_text("utf-8")),
        weights=load_arrays(path / "weights.safetensors"),
        optimiser=load_arrays(optimiser) if optimiser.exists() else {},
    )
