"""Sources of model weights: a local folder, or a hub repository at a pinned revision."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from edgewright.tools.errors import UnavailableError

_HUB_ID = re.compile(r"^[\w.-]+/[\w.-]+$")
# Only safetensors and text files: nothing that can execute code when it is loaded.
_ALLOWED_FILES = ["*.safetensors", "*.json", "*.txt"]

#: One of these describes a model or a pipeline.
_INDEX_FILES = ("config.json", "model_index.json")


@dataclass(frozen=True)
class ModelSource:
    """A local folder, or a hub id with a revision.

    Attributes:
        location: Path of the folder, or the hub id ``owner/name``.
        revision: Tag or commit on the hub; empty for a folder.
    """

    location: str
    revision: str = ""

    @classmethod
    def parse(cls, text: str) -> ModelSource:
        """Parse ``folder`` or ``hub-id@revision``.

        Raises:
            UnavailableError: There is no such folder (``model_missing``), or a hub id has no
                revision (``model_not_pinned``).
        """
        folder = Path(text).expanduser()
        if folder.is_dir():
            return cls(str(folder))
        location, _, revision = text.partition("@")
        if not _HUB_ID.match(location):
            raise UnavailableError(
                "not a local folder or hub-id@revision; set it to one of them",
                code="model_missing",
            )
        if not revision:
            raise UnavailableError(
                f"the hub id has no revision; use {location}@<tag or commit> or a local folder",
                code="model_not_pinned",
            )
        return cls(location, revision)

    def folder(self) -> Path:
        """Return the folder with the files, downloading them from the hub if necessary.

        Raises:
            UnavailableError: The hub cannot be reached or does not have the model
                (``hub_unreachable``), or there are no safetensors (``model_not_safetensors``).
        """
        folder = self._snapshot() if self.revision else Path(self.location)
        if not any(folder.rglob("*.safetensors")):  # a pipeline has them in folders
            raise UnavailableError(
                f"{self.name!r} contains no *.safetensors; convert its weights with "
                "save_pretrained() of a current transformers release",
                code="model_not_safetensors",
            )
        return folder

    @property
    def name(self) -> str:
        """Return the hub id, or the folder's name without its path."""
        return self.location if self.revision else Path(self.location).name

    @property
    def identity(self) -> str:
        """Return what changes with the weights: the revision, or the state of the folder's files.

        Reading the contents of large models would take seconds at each start.
        """
        if self.revision:
            return f"{self.location}@{self.revision}"
        files = [path for path in Path(self.location).iterdir() if path.is_file()]
        states = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
        return hashlib.sha256(repr(sorted(states)).encode()).hexdigest()[:16]

    @property
    def available(self) -> bool:
        """Whether the files are on this machine or can be downloaded when needed."""
        if not self.revision:
            return True
        if importlib.util.find_spec("huggingface_hub") is None:
            return False
        from huggingface_hub import constants, try_to_load_from_cache

        if not constants.HF_HUB_OFFLINE:
            return True
        return any(
            isinstance(try_to_load_from_cache(self.location, name, revision=self.revision), str)
            for name in _INDEX_FILES
        )

    def _snapshot(self) -> Path:
        import httpx2
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )

        try:
            return Path(
                snapshot_download(
                    self.location,
                    revision=self.revision,
                    allow_patterns=_ALLOWED_FILES,
                    etag_timeout=10,
                )
            )
        except (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
            httpx2.HTTPError,
            OSError,
        ):
            raise UnavailableError(
                f"{self.location}@{self.revision} could not be downloaded from the hub; connect to "
                "the hub, or download the model elsewhere and set its local folder",
                code="hub_unreachable",
            ) from None


def unreadable_error(source: ModelSource, error: BaseException) -> UnavailableError:
    """Return the error for unusable model files, without a path on this machine."""
    return UnavailableError(
        f"the files of {source.name!r} cannot be read ({type(error).__name__}); download the "
        "model again",
        code="model_unreadable",
    )
