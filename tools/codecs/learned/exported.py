"""Running a codec's networks with ONNX Runtime."""

from __future__ import annotations

from functools import cached_property

from edgewright.tools.codecs.learned.files import CodecFiles
from edgewright.tools.codecs.learned.manifest import (
    DECODER_GRAPH,
    DEVICE_HALF,
    EDGE_HALF,
    ENCODER_GRAPH,
)
from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.adapter import Features
from edgewright.tools.models.engines.onnx.sessions import Session


class ExportedNetworks:
    """A codec's networks as graphs beside its halves; implements ``CodecNetworks``.

    Args:
        codec: The files of the codec.

    Raises:
        UnavailableError: The codec has no graphs (``codec_not_exported``).
    """

    def __init__(self, codec: CodecFiles) -> None:
        if not codec.manifest.graphs:
            raise UnavailableError(
                f"the codec {codec.manifest.name!r} has no graphs for ONNX Runtime; train it again "
                "with this release, or set EDGEWRIGHT_ENGINE=torch",
                code="codec_not_exported",
            )
        self._codec = codec

    def encode(self, features: Features) -> Features:
        """Convert features to latents; see ``CodecNetworks``."""
        return self._encoder.run(features)

    def decode(self, latents: Features) -> Features:
        """Convert latents to features; see ``CodecNetworks``."""
        return self._decoder.run(latents)

    @cached_property
    def _encoder(self) -> Session:
        return self._session(ENCODER_GRAPH, DEVICE_HALF, self._codec.manifest.device_digest)

    @cached_property
    def _decoder(self) -> Session:
        return self._session(DECODER_GRAPH, EDGE_HALF, self._codec.manifest.edge_digest)

    def _session(self, graph: str, half: str, digest: str) -> Session:
        """Load a graph, after its digest and that of the half with its weights were verified."""
        self._codec.read(half, digest)
        self._codec.read(graph, self._codec.manifest.graphs[graph])
        # The networks are small, and a second thread would only wait for the first.
        return Session(self._codec.folder / graph, threads=1)
