"""The interface of a codec's networks, whatever engine runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from edgewright.tools.codecs.learned.files import CodecFiles
from edgewright.tools.models.adapter import Features, PartitionAdapter

if TYPE_CHECKING:
    from edgewright.tools.models.engines.torch.chain import Chain


class CodecNetworks(Protocol):
    """A small encoder on the device, and a decoder at the edge; each is loaded on first use."""

    def encode(self, features: Features) -> Features:
        """Convert features ``[B, *shape]`` to latents ``[B, channels, positions]``.

        Raises:
            UnavailableError: The device half is not on this machine (``codec_half_missing``).
        """
        ...

    def decode(self, latents: Features) -> Features:
        """Convert latents ``[B, channels, positions]`` to features at the codec's resume point.

        Raises:
            UnavailableError: The edge half is not on this machine (``codec_half_missing``).
        """
        ...


def codec_networks(codec: CodecFiles, adapter: PartitionAdapter) -> CodecNetworks:
    """Return a codec's networks for the engine that runs its model.

    Args:
        codec: The files of the codec.
        adapter: The model that it was made for.

    Raises:
        UnavailableError: They were not exported for this engine (``codec_not_exported``).
    """
    if adapter.engine.name == "onnx":
        from edgewright.tools.codecs.learned.exported import ExportedNetworks

        return ExportedNetworks(codec)
    from edgewright.tools.codecs.learned.torch.halves import TorchNetworks

    return TorchNetworks(codec, cast("Chain", adapter))
