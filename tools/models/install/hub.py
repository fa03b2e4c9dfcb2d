"""Fetching a model from the hub, at the commit that its revision means at this moment."""

from __future__ import annotations

import os
import shutil
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.catalogue import HubSource
from edgewright.tools.models.install.archives import sha256_of
from edgewright.tools.models.install.fetching import Progress

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

_TIMEOUT_S = 20.0


def fetch_snapshot(source: HubSource, folder: Path, *, progress: Progress) -> str:
    """Fetch the files of a repository.

    They pass through the hub's own cache, which continues downloads that were interrupted. Nothing
    but safetensors and text is taken, so nothing can be executed when it is loaded.

    Args:
        source: The repository.
        folder: Folder to write the files to.
        progress: Receives what is being done.

    Returns:
        Where the files come from, with the commit: ``hub NAME@COMMIT``.

    Raises:
        UnavailableError: A package is missing (``packages_missing``), the hub cannot be reached or
            does not have the files (``hub_unreachable``), or a file has another digest than the hub
            states (``digest_mismatch``).
        OSError: The files cannot be written.
    """
    try:
        import httpx2
        from huggingface_hub import HfApi, constants, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise UnavailableError(
            f"{error.name} is needed to fetch from the hub: pip install 'edgewright[vision]'",
            code="packages_missing",
        ) from None
    if constants.HF_HUB_OFFLINE:
        raise UnavailableError(
            f"{source} cannot be fetched while HF_HUB_OFFLINE is set; unset it, or set it to 0",
            code="hub_unreachable",
        )
    try:
        progress(f"asking the hub for {source.hub}")
        info = HfApi().model_info(
            source.hub, revision=source.revision, files_metadata=True, timeout=_TIMEOUT_S
        )
        commit = info.sha or source.revision
        wanted = _wanted(source, info)
        for number, (name, size) in enumerate(wanted.items(), 1):
            progress(
                f"fetching {source} at {commit[:10]}: {name}, {size / 1e6:.1f} MB "
                f"({number} of {len(wanted)})"
            )
            cached = hf_hub_download(source.hub, name, revision=commit, etag_timeout=_TIMEOUT_S)
            _place(Path(cached), folder / name)
    except (HfHubHTTPError, LocalEntryNotFoundError, httpx2.HTTPError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UnavailableError(
            f"{source} cannot be fetched: {reason[0][:200]}; connect to the hub and run the "
            "command again, which continues where it was",
            code="hub_unreachable",
        ) from None
    _check(source, info, folder)
    return f"{source}@{commit}"


def _wanted(source: HubSource, info: ModelInfo) -> dict[str, int]:
    """Return the sizes of the files to take, in bytes, by name."""
    found = {
        one.rfilename: one.size or 0
        for one in info.siblings or ()
        if any(fnmatch(one.rfilename, pattern) for pattern in source.files)
    }
    if not any(name.endswith(".safetensors") for name in found):
        raise UnavailableError(
            f"{source} has no safetensors at {str(info.sha)[:10]}; nothing was installed",
            code="model_not_safetensors",
        )
    return found


def _check(source: HubSource, info: ModelInfo, folder: Path) -> None:
    """Compare large files with the digests that the hub states."""
    stated: dict[str, Any] = {one.rfilename: one.lfs for one in info.siblings or () if one.lfs}
    for name, stored in stated.items():
        path = folder / name
        if path.is_file() and sha256_of(path) != stored.sha256:
            raise UnavailableError(
                f"{name} of {source} is damaged: it does not have the digest that the hub states; "
                "remove it from the hub's cache and run the command again",
                code="digest_mismatch",
            )


def _place(cached: Path, target: Path) -> None:
    """Put a file of the cache into a folder, without copying it if both are on one disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(cached.resolve(), target)
    except OSError:
        shutil.copyfile(cached, target)
