"""Installed models: models trained on this machine, stored in the state folder with their cards.

An installed model is a folder with ``card.yaml``, ``manifest.json``, the app with the model's code,
the weights, and the exported graph if there is one. These folders are the only registry of trained
models. The code is generated and runs only in the sandbox; the graph is data.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgewright.tools.cards.added import cards_folder
from edgewright.tools.cards.registry import read_card
from edgewright.tools.contracts.cards import ToolCard
from edgewright.tools.errors import InputError, UnavailableError
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.settings import home
from edgewright.tools.settings import models_folder as catalogue_folder
from edgewright.tools.storage.atomic import new_folder
from edgewright.tools.storage.reading import read_file

_LOG = logging.getLogger(__name__)
_MAX_MANIFEST_BYTES = 1_000_000
_GRAPH = "graph/model.onnx"
_FAMILIARITY = "familiarity/images.npz"


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
        trained_at: When it was trained, in seconds since 1970; 0 if not recorded.
        test_accuracy: Accuracy on its run's test split; None if not recorded.
        files: Hexadecimal SHA-256 of each file of the app, the weights, the graph and what its
            images look like, by its path; set when the model is installed.
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
    trained_at: float = 0.0
    test_accuracy: float | None = None
    files: dict[str, str] = Field(default_factory=dict)

    def is_for(self, data: DataCard) -> bool:
        """Return whether it has the classes and the image format of data."""
        shape = (self.height, self.width, self.channels)
        return self.classes == data.classes and shape == (data.height, data.width, data.channels)


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

    @property
    def graph(self) -> Path | None:
        """The exported graph, which needs no sandbox; None if the model could not be exported."""
        return self.folder / _GRAPH if _GRAPH in self.manifest.files else None

    @property
    def familiarity(self) -> Path | None:
        """What its images look like; None if that is not known."""
        known = _FAMILIARITY in self.manifest.files
        return self.folder / _FAMILIARITY if known else None

    def verify(self) -> None:
        """Compare its files with their digests.

        Raises:
            UnavailableError: A file was changed, added or removed (``model_damaged``).
        """
        if not self.manifest.files or _digests(self.folder) != self.manifest.files:
            raise UnavailableError(
                f"the files of the model {self.manifest.model!r} are not those that were "
                "installed; train it again",
                code="model_damaged",
            )

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
            found.append(read_model(path))
        except InputError as error:
            _LOG.warning("left out: %s", error.message)
            faults.append(error)
    return found, faults


def read_model(path: Path, *, model: str | None = None) -> InstalledModel:
    """Read a model's folder.

    Args:
        path: Its manifest.
        model: Id of the model; None means the name of the folder.

    Raises:
        InputError: Its card or manifest is damaged (``model_damaged``).
    """
    name = model or path.parent.name
    try:
        manifest = TrainedModelManifest.model_validate_json(read_file(path, _MAX_MANIFEST_BYTES))
        found = InstalledModel(path.parent, manifest)
        if found.card.id == manifest.model == name:
            return found
        reason = "its card or manifest is of another model"
    except ValidationError:
        reason = "its manifest is damaged"
    except InputError as error:
        reason = error.message
    raise InputError(f"model {name}: {reason}; train it again", code="model_damaged")


def installed_at() -> int:
    """Return a number that changes whenever models or cards are installed, added or removed."""
    return sum(map(changed_at, (models_folder(), catalogue_folder(), cards_folder())))


def changed_at(folder: Path) -> int:
    """Return a number that changes whenever something is put into a folder, or removed."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def installed_revisions() -> dict[str, str]:
    """Return the revision of each installed model, by id."""
    return {model.manifest.model: model.manifest.revision for model in installed_models()}


def install(
    card: ToolCard,
    manifest: TrainedModelManifest,
    app: Path,
    weights: Path,
    graph: bytes | None = None,
    *,
    familiarity: bytes | None = None,
    folder: Path | None = None,
) -> InstalledModel:
    """Install a model; ``install_version`` also keeps the one that it replaces.

    Args:
        card: The card it serves.
        manifest: Its manifest.
        app: Folder of the generated app; it is copied.
        weights: Folder with its weights; it is copied.
        graph: The model as an ONNX graph; None if it could not be exported.
        familiarity: What its images look like, from ``Familiarity.to_bytes``; None if unknown.
        folder: Where it is written; None means the folder of the model's id.
    """
    folder = folder or models_folder() / manifest.model
    text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    with new_folder(folder) as part:
        shutil.copytree(app, part / "app", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(weights, part / "weights")
        if graph is not None:
            (part / _GRAPH).parent.mkdir()
            (part / _GRAPH).write_bytes(graph)
        if familiarity is not None:
            (part / _FAMILIARITY).parent.mkdir()
            (part / _FAMILIARITY).write_bytes(familiarity)
        manifest = manifest.model_copy(update={"files": _digests(part)})
        (part / "card.yaml").write_text(text, "utf-8")
        (part / "manifest.json").write_text(manifest.model_dump_json(indent=2), "utf-8")
    return InstalledModel(folder, manifest)


def _digests(folder: Path) -> dict[str, str]:
    """Return the digest of each file that was copied or written for a model."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in ("app", "weights", "graph", "familiarity")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }
