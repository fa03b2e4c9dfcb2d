"""Where the weights of a configured model come from: a local folder, or the hub at a revision."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from edgewright.tools.errors import UnavailableError

_HUB_ID = re.compile(r"^[\w.-]+/[\w.-]+$")
# Weights as safetensors and text files only: nothing that runs code when it is opened.
_WANTED = ["*.safetensors", "*.json", "*.txt"]


@dataclass(frozen=True)
class ModelSource:
    """A local folder, or a hub id with its revision.

    Attributes:
        location: Path of the folder, or the hub id ``owner/name``.
        revision: Tag or commit on the hub; empty for a folder.
    """

    location: str
    revision: str = ""

    @classmethod
    def parse(cls, text: str) -> ModelSource:
        """Read ``folder`` or ``hub-id@revision``.

        Raises:
            UnavailableError: No such folder (``model_missing``), or a hub id without a revision
                (``model_not_pinned``).
        """
        folder = Path(text).expanduser()
        if folder.is_dir():
            return cls(str(folder))
        location, _, revision = text.partition("@")
        if not _HUB_ID.match(location):
            raise UnavailableError(
                "neither a folder of this machine nor hub-id@revision is named; name one of them",
                code="model_missing",
            )
        if not revision:
            raise UnavailableError(
                f"a hub id needs a revision; write {location}@<tag or commit>, or name a folder",
                code="model_not_pinned",
            )
        return cls(location, revision)

    def folder(self) -> Path:
        """Return the folder with the files, fetched from the hub if need be.

        Raises:
            UnavailableError: The hub cannot be reached or does not have it (``hub_unreachable``),
                or there are no safetensors (``model_not_safetensors``).
        """
        folder = self._snapshot() if self.revision else Path(self.location)
        if not any(folder.glob("*.safetensors")):
            raise UnavailableError(
                f"{self.name!r} holds no *.safetensors; convert its weights with "
                "save_pretrained() of a current transformers release",
                code="model_not_safetensors",
            )
        return folder

    @property
    def name(self) -> str:
        """Return the hub id, or the folder's own name without the path to it."""
        return self.location if self.revision else Path(self.location).name

    @property
    def at_hand(self) -> bool:
        """Whether the files lie on this machine, or may be fetched when they are needed."""
        if not self.revision:
            return True
        if importlib.util.find_spec("huggingface_hub") is None:
            return False
        from huggingface_hub import constants, try_to_load_from_cache

        if not constants.HF_HUB_OFFLINE:
            return True
        cached = try_to_load_from_cache(self.location, "config.json", revision=self.revision)
        return isinstance(cached, str)

    def _snapshot(self) -> Path:
        import httpx
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )

        try:
            return Path(
                snapshot_download(
                    self.location, revision=self.revision, allow_patterns=_WANTED, etag_timeout=10
                )
            )
        except (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
            httpx.HTTPError,
            OSError,
        ):
            raise UnavailableError(
                f"{self.location}@{self.revision} could not be fetched from the hub; connect this "
                "machine to it, or download the model elsewhere and name its local folder",
                code="hub_unreachable",
            ) from None


def unreadable(source: ModelSource, error: BaseException) -> UnavailableError:
    """Say that a model's files cannot be used, without a path of this machine."""
    return UnavailableError(
        f"the files of {source.name!r} cannot be read ({type(error).__name__}); fetch the model "
        "again",
        code="model_unreadable",
    )
