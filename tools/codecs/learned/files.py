"""The files of a learned codec: its manifest, and the two halves that are read on first use."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from edgewright.tools.codecs.learned.manifest import DEVICE_HALF, EDGE_HALF, read_manifest
from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.adapter import PartitionAdapter

#: Prefixes of weight names in the files of the two halves.
ENCODER, DECODER, TAIL = "encoder.", "decoder.", "tail."
#: Names in both files: frequency tables uint32 ``[rates, channels, alphabet]`` (stored as int32),
#: and gains float32 ``[rates, channels]``.
TABLES, GAINS = "tables", "gains"

_Tensors = Mapping[str, NDArray[Any]]


class CodecFiles:
    """The folder of a codec with one or both halves; its rate points share it.

    Args:
        folder: Folder with the manifest and the halves.
        adapter: The model that the codec must be for.

    Raises:
        UnavailableError: There is no codec (``codec_unreadable``), or it was made for another
            model (``codec_of_other_model``).
    """

    def __init__(self, folder: Path, adapter: PartitionAdapter) -> None:
        self.folder = folder
        self.manifest = manifest = read_manifest(folder)
        if (manifest.model, manifest.revision) != (adapter.model, adapter.revision):
            raise UnavailableError(
                f"the codec {manifest.name!r} is for {manifest.model} {manifest.revision}, not for "
                f"{adapter.model} {adapter.revision}; train it again for this model",
                code="codec_of_other_model",
            )

    @property
    def gains(self) -> NDArray[np.float32]:
        """Factors ``[rates, channels]`` by which latents are multiplied before rounding."""
        gains: NDArray[np.float32] = self._shared[GAINS]
        return gains

    @property
    def tables(self) -> NDArray[np.uint32]:
        """Frequencies ``[rates, channels, alphabet]`` of the symbols."""
        return self._shared[TABLES].astype(np.uint32)

    @cached_property
    def device(self) -> _Tensors:
        """The tensors of the device half."""
        return load(self.read(DEVICE_HALF, self.manifest.device_digest))

    @cached_property
    def edge(self) -> _Tensors:
        """The tensors of the edge half."""
        return load(self.read(EDGE_HALF, self.manifest.edge_digest))

    def read(self, name: str, digest: str) -> bytes:
        """Read and verify a file.

        Args:
            name: Name of the file.
            digest: Its hexadecimal SHA-256.

        Raises:
            UnavailableError: It is not on this machine (``codec_half_missing``), or it is damaged
                (``codec_unreadable``).
        """
        try:
            data = (self.folder / name).read_bytes()
        except FileNotFoundError:
            raise UnavailableError(
                f"{name} of the codec {self.manifest.name!r} is not on this machine; copy it to "
                "the manifest's folder",
                code="codec_half_missing",
            ) from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise UnavailableError(
                f"{name} of the codec {self.manifest.name!r} is damaged or from another training "
                "run; copy it again",
                code="codec_unreadable",
            )
        return data

    @property
    def _shared(self) -> _Tensors:
        """Tables and gains, from whichever half is on this machine."""
        return self.device if (self.folder / DEVICE_HALF).exists() else self.edge
