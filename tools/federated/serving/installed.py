"""Installed models: models trained on this machine, stored in the state folder with their cards.

An installed model is a folder with ``card.yaml``, ``manifest.json``, the app with the model's code,
and the weights. These folders are the only registry of trained models. The code is generated and
runs only in the sandbox.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgewright.tools.cards.registry import read_card
from edgewright.tools.contracts.cards import ToolCard
from edgewright.tools.errors import InputError
from edgewright.tools.settings import home
from edgewright.tools.storage.atomic import new_folder
from edgewright.tools.storage.reading import read_file

_LOG = logging.getLogger(__name__)
_MAX_MANIFEST_BYTES = 1_000_000


class TrainedModelManifest(BaseModel):
    """Description of a trained model, as needed to run it.

    Attributes:
        model: Model id; also the id of its card and the name of its folder.
        run: Name of the run that trained it.
        classes: Class names, in the order of the logits.
        height: Height of its input in pixels.
        width: Width of its input in pixels.
        channels: 1 for grey, 3 for colour.
        heads: Number of personal heads; 0 for a single global head.
        revision: Hexadecimal fingerprint of the weights.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    run: str
    classes: tuple[str, ...] = Field(min_length=2)
    height: int = Field(gt=0)
    width: int = Field(gt=0)
    channels: int = Field(ge=1, le=3)
    heads: int = Field(default=0, ge=0)
    revision: str


@dataclass(frozen=True)
class InstalledModel:
    """An installed model.

    Args:
        folder: Its folder.
        manifest: Its manifest.
    """

    folder: Path
    manifest: TrainedModelManifest

    @property
    def app(self) -> Path:
        """The generated Flower app with the model's code."""
        return self.folder / "app"

    @property
    def weights(self) -> Path:
        """Folder with ``weights.safetensors`` and the personal heads, if any."""
        return self.folder / "weights"

    @cached_property
    def card(self) -> ToolCard:
        """The card it serves."""
        return read_card(self.folder / "card.yaml")


def models_folder() -> Path:
    """Return the folder of installed models, which may not exist."""
    return home() / "models"


def installed_models() -> list[InstalledModel]:
    """List the installed models by id; a damaged one is logged and left out."""
    return read_models()[0]


def read_models() -> tuple[list[InstalledModel], list[InputError]]:
    """Read the folders of the installed models.

    Returns:
        The models by id, and an error for each damaged folder, which is logged too.
    """
    found, faults = [], []
    for path in sorted(models_folder().glob("[a-z]*/manifest.json")):
        try:
            found.append(_read(path))
        except InputError as error:
            _LOG.warning("left out: %s", error.message)
            faults.append(error)
    return found, faults


def _read(path: Path) -> InstalledModel:
    name = path.parent.name
    try:
        manifest = TrainedModelManifest.model_validate_json(read_file(path, _MAX_MANIFEST_BYTES))
        model = InstalledModel(path.parent, manifest)
        if model.card.id == manifest.model == name:
            return model
        reason = "its card or manifest is of another model"
    except ValidationError:
        reason = "its manifest is damaged"
    except InputError as error:
        reason = error.message
    raise InputError(f"model {name}: {reason}; train it again", code="model_damaged")


def installed_at() -> int:
    """Return a number that changes whenever a model is installed or removed."""
    try:
        return models_folder().stat().st_mtime_ns
    except OSError:
        return 0


def installed_revisions() -> dict[str, str]:
    """Return the revision of each installed model, by id."""
    return {model.manifest.model: model.manifest.revision for model in installed_models()}


def install(
    card: ToolCard, manifest: TrainedModelManifest, app: Path, weights: Path
) -> InstalledModel:
    """Install a model; it replaces an earlier one with the same id.

    Args:
        card: The card it serves.
        manifest: Its manifest.
        app: Folder of the generated app; it is copied.
        weights: Folder with its weights; it is copied.
    """
    folder = models_folder() / manifest.model
    text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    with new_folder(folder) as part:
        shutil.copytree(app, part / "app")
        shutil.copytree(weights, part / "weights")
        (part / "card.yaml").write_text(text, "utf-8")
        (part / "manifest.json").write_text(manifest.model_dump_json(indent=2), "utf-8")
    return InstalledModel(folder, manifest)
