"""The initial weights of a deployment's model, stored for a server that runs none of its code."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from edgewright.tools.federated.app.files import WEIGHTS
from edgewright.tools.federated.app.weights import InitialModel, load_arrays, save_arrays


class _Names(BaseModel):
    """Names of the tensors; a safetensors file does not keep their order.

    Attributes:
        names: All of them, in the order in which clients concatenate their updates.
        trainable: Those that an optimiser changes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: tuple[str, ...]
    trainable: frozenset[str]


def write_initial_model(folder: Path, model: InitialModel) -> None:
    """Store a model's initial weights in a new folder."""
    save_arrays(folder / WEIGHTS, model.weights)
    names = _Names(names=tuple(model.weights), trainable=model.trainable)
    (folder / "names.json").write_text(names.model_dump_json(indent=2), "utf-8")


def read_initial_model(folder: Path) -> InitialModel:
    """Read what ``write_initial_model`` stored."""
    names = _Names.model_validate_json((folder / "names.json").read_text("utf-8"))
    weights = load_arrays(folder / WEIGHTS)
    return InitialModel({name: weights[name] for name in names.names}, names.trainable)
