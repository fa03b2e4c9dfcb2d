"""Models installed from the catalogue: where their files are.

Imports nothing heavy, so that a light client can call it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.catalogue import catalogued
from edgewright.tools.settings import models_folder

#: Version of the format; what was installed in another one is installed again.
FORMAT = 2


class InstalledManifest(BaseModel):
    """What was installed: ``NAME.json`` in the folder of models, which is written last.

    Attributes:
        format: Version of this format.
        model: Name of the model.
        folder: Name of the folder with its files, beside this file.
        source: Where it was fetched from, such as ``npm NAME VERSION`` or ``hub NAME@REVISION``.
        licence: Licence of the weights.
        packed_by: Who put it into the package.
        parts: Paths of its ONNX graphs in its folder, by their names.
        files: Hexadecimal SHA-256 of each file, by its path in its folder.
        bytes: Size of all files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FORMAT
    model: str
    folder: str = Field(pattern=r"^[A-Za-z0-9][\w.@-]*$")
    source: str
    licence: str
    packed_by: str
    parts: dict[str, str] = Field(default_factory=dict)
    files: dict[str, str]
    bytes: int

    @property
    def path(self) -> Path:
        """Folder with its files."""
        return models_folder() / self.folder


def manifest_path(name: str) -> Path:
    """Return the file that says what is installed of a model; it may not exist."""
    return models_folder() / f"{name}.json"


def read_installed(name: str) -> InstalledManifest | None:
    """Return the manifest of an installed model; None if it is not installed."""
    try:
        manifest = InstalledManifest.model_validate_json(manifest_path(name).read_bytes())
    except (OSError, ValidationError):
        return None
    return manifest if manifest.format == FORMAT and manifest.model == name else None


def installed_file(name: str, part: str = "model") -> Path:
    """Return the path of an installed model's ONNX graph, which may have its weights beside it.

    Each process compares the digests of the model's files once.

    Args:
        name: Name of the model in the catalogue.
        part: Name of the graph, for models with several.

    Raises:
        NotFoundError: The catalogue has no such model (``unknown_model``).
        UnavailableError: It is not installed (``model_not_installed``), or a file is missing or
            damaged (``model_damaged``).
    """
    title = catalogued(name).title
    manifest = read_installed(name)
    if manifest is None or part not in manifest.parts:
        raise _not_installed(name, title)
    check_installed(manifest)
    return manifest.path / manifest.parts[part]


def installed_folder(name: str) -> Path:
    """Return the folder of an installed model, such as one from the hub.

    Each process compares the digests of the model's files once.

    Args:
        name: Name of the model in the catalogue.

    Raises:
        NotFoundError: The catalogue has no such model (``unknown_model``).
        UnavailableError: It is not installed (``model_not_installed``), or a file is missing or
            damaged (``model_damaged``).
    """
    title = catalogued(name).title
    manifest = read_installed(name)
    if manifest is None:
        raise _not_installed(name, title)
    check_installed(manifest)
    return manifest.path


def check_installed(manifest: InstalledManifest) -> None:
    """Check the files of an installed model, once in each process.

    Raises:
        UnavailableError: A file is missing or damaged (``model_damaged``).
    """
    if wrong := _faults(manifest.model_dump_json()):
        raise UnavailableError(
            f"{catalogued(manifest.model).title}: {wrong[0]}; run "
            f"'edgewright models install {manifest.model}' to repair it",
            code="model_damaged",
        )


def faults(manifest: InstalledManifest) -> tuple[str, ...]:
    """Return what is wrong with the files of an installed model; nothing if it is sound."""
    found: list[str] = []
    for path, digest in manifest.files.items():
        try:
            with (manifest.path / path).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    found.append(f"{path} is damaged")
        except FileNotFoundError:
            found.append(f"{path} is missing")
        except OSError as error:
            found.append(f"{path} cannot be read: {error.strerror}")
    return tuple(found)


def _not_installed(name: str, title: str) -> UnavailableError:
    return UnavailableError(
        f"{title} is not installed: run 'edgewright models install {name}'",
        code="model_not_installed",
    )


@cache
def _faults(manifest: str) -> tuple[str, ...]:
    return faults(InstalledManifest.model_validate_json(manifest))
