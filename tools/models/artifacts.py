"""Exported models as artifacts: files that a node offers by digest, and that others fetch."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from edgewright.tools.contracts.views import OfferedModel
from edgewright.tools.errors import DeadlineError, LinkError, UnavailableError
from edgewright.tools.models.exports import FORMAT, export_folder
from edgewright.tools.settings import cache_folder
from edgewright.tools.storage.atomic import new_folder
from edgewright.tools.storage.locks import exclusive

if TYPE_CHECKING:
    from edgewright.tools.models.specification import ModelSpec
    from edgewright.tools.nodes.client import NodeClient

_LOG = logging.getLogger(__name__)
_MANIFEST = "manifest.json"
#: Files of an export: graphs and weights of a precision. Nothing else is written.
_NAME = re.compile(r"(fp32|int8)/[A-Za-z0-9_-]{1,64}\.(onnx|bin)")
_MAX_MANIFEST_BYTES = 4_000_000
_MAX_FILE_BYTES = 4_000_000_000
#: A request fetches this much, so that little is lost with a connection.
_PIECE_BYTES = 256_000
#: Digest of an empty file, such as the weights of a small model whose graphs hold them.
_EMPTY = hashlib.sha256().hexdigest()
#: Failures in a row after which fetching ends, and seconds between attempts.
_ATTEMPTS, _PAUSE_S = 5, 0.5
_REPORT_S = 2.0


class _Manifest(BaseModel):
    """What fetching needs of an export's manifest."""

    format: int
    model: str
    files: dict[str, str]


def offered(specs: Iterable[ModelSpec]) -> list[OfferedModel]:
    """List the exports of this machine that others may fetch.

    Args:
        specs: The models that may be exported.
    """
    found = []
    for folder, manifest, digest in _exports(specs):
        size = sum((folder / name).stat().st_size for name in manifest.files)
        size += (folder / _MANIFEST).stat().st_size
        found.append(OfferedModel(model=manifest.model, manifest=digest, bytes=size))
    return found


def artifact(specs: Iterable[ModelSpec], digest: str) -> Path | None:
    """Return the file of an export with a digest; None if there is none.

    Args:
        specs: The models that may be exported.
        digest: Hexadecimal SHA-256.
    """
    for folder, manifest, of_manifest in _exports(specs):
        names = {of_file: name for name, of_file in manifest.files.items()}
        if name := {**names, of_manifest: _MANIFEST}.get(digest):
            return folder / name
    return None


def _exports(specs: Iterable[ModelSpec]) -> Iterator[tuple[Path, _Manifest, str]]:
    """Yield folder, manifest and the manifest's digest of each export that is complete."""
    for spec in specs:
        if spec.exportable and (folder := spec.found_export()) is not None:
            text = (folder / _MANIFEST).read_bytes()
            try:
                yield folder, _read(text, spec.id), hashlib.sha256(text).hexdigest()
            except UnavailableError as error:
                _LOG.warning("not offered: %s", error.message)


async def fetch(model: str, client: NodeClient) -> Path:
    """Fetch a model's export from another node.

    Every file is compared with its digest before the model can be used. What was fetched before an
    interruption is not fetched again, even by a later process.

    Args:
        model: Model id.
        client: Client of the node that offers it.

    Returns:
        The folder of the export.

    Raises:
        UnavailableError: The node does not offer the model (``model_missing``), or what it sends is
            not what it offers (``artifact_damaged``).
        LinkError: The node cannot be reached.
    """
    offers = {offer.model: offer for offer in await client.offered_models()}
    if model not in offers:
        raise UnavailableError(
            f"{client.url} does not offer {model!r}; export it there", code="model_missing"
        )
    folder, parts = export_folder(model), cache_folder() / "downloads"
    parts.mkdir(parents=True, exist_ok=True)
    download = _Download(client, model, offers[model].bytes)
    with exclusive(parts / f".{model}.lock"):
        manifest = await download.file(offers[model].manifest, parts, _MAX_MANIFEST_BYTES)
        files = _read(manifest.read_bytes(), model).files
        fetched = {
            name: await download.file(digest, parts, _MAX_FILE_BYTES)
            for name, digest in files.items()
        }
        with new_folder(folder) as part:
            for name, path in {**fetched, _MANIFEST: manifest}.items():
                (part / name).parent.mkdir(exist_ok=True)
                path.rename(part / name)
    return folder


class _Download:
    """Fetches files piece by piece, and logs the progress."""

    def __init__(self, client: NodeClient, model: str, total_bytes: int) -> None:
        self._client = client
        self._model = model
        self._total_bytes = total_bytes
        self._bytes = 0
        self._reported_at = time.monotonic()

    async def file(self, digest: str, folder: Path, max_bytes: int) -> Path:
        """Fetch a file, unless that was done before; return its path, verified."""
        path, part = folder / digest, folder / f"{digest}.part"
        if path.exists():
            return path
        with part.open("ab") as file:
            while digest != _EMPTY:
                piece, size = await self._piece(digest, file.tell())
                if size > max_bytes:
                    raise self._damaged(digest)
                file.write(piece)
                self._report(len(piece))
                if file.tell() >= size:
                    break
        if hashlib.sha256(part.read_bytes()).hexdigest() != digest:
            part.unlink()
            raise self._damaged(digest)
        return part.rename(path)

    async def _piece(self, digest: str, start: int) -> tuple[bytes, int]:
        """Fetch a piece, again if the link fails; return it and the size of the whole file."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._client.artifact(digest, start, start + _PIECE_BYTES)
            except (LinkError, DeadlineError):
                if attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(_PAUSE_S * attempt)
        raise AssertionError("unreachable")

    def _damaged(self, digest: str) -> UnavailableError:
        return UnavailableError(
            f"the file {digest[:16]} of {self._model!r} from {self._client.url} is not what its "
            "digest says; export the model there again",
            code="artifact_damaged",
        )

    def _report(self, size: int) -> None:
        self._bytes += size
        if time.monotonic() - self._reported_at >= _REPORT_S:
            self._reported_at = time.monotonic()
            done, total = self._bytes / 1e6, self._total_bytes / 1e6
            _LOG.info("fetching %s: %.1f of %.1f MB", self._model, done, total)


def _read(text: bytes, model: str) -> _Manifest:
    """Read a manifest; another node may have sent it."""
    try:
        manifest = _Manifest.model_validate_json(text)
    except ValidationError:
        manifest = None
    safe = manifest is not None and all(map(_NAME.fullmatch, manifest.files))
    if manifest is None or not safe or (manifest.format, manifest.model) != (FORMAT, model):
        raise UnavailableError(
            f"the export of {model!r} has a manifest that is damaged or of another release; "
            "export it again",
            code="export_unreadable",
        )
    return manifest
