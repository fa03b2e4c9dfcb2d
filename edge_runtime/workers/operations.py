"""The operations of a model worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgewright.edge_runtime.workers.photographs import photographs
from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.tools.codecs.frame import pack, unpack
from edgewright.tools.codecs.registry import codecs_at
from edgewright.tools.contracts.arms import ImageCodec
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.errors import UnavailableError
from edgewright.tools.images.encode import encode
from edgewright.tools.library import load_adapter, output_experts
from edgewright.tools.memory import keep_freed_memory
from edgewright.tools.offload.accuracy_retention import encodings_fingerprint
from edgewright.tools.offload.profiling.cut_profile import measure
from edgewright.tools.offload.profiling.decoding import Pieces
from edgewright.tools.sensing.camera import Camera
from edgewright.tools.split.executor import EncodedInput, Outcome, SplitExecutor

#: Images for the first run of each decoder, encoder and resizing.
_WARM_UP_SIZE = (640, 480)
_WARM_UP_IMAGES: tuple[tuple[ImageCodec, int | None], ...] = (
    ("png", None),
    ("webp", 90),
    ("jpeg", 90),
)
#: For experts that answer questions; any question that they do not refuse.
_WARM_UP_ARGUMENTS = {"question": "what is in the picture?"}

#: How long a piece of measuring takes, which a call may have to wait for.
_PIECE_S = 0.02

Reply = tuple[dict[str, Any], bytes]


class ModelOperations:
    """A loaded model with the experts that read its output.

    Args:
        settings: The worker's settings.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        keep_freed_memory()
        self._settings = settings
        self._adapter = load_adapter(settings.model, threads=settings.threads)
        known = output_experts(lambda model: self._adapter, threads=settings.threads)
        self._experts = {
            name: expert for name, expert in known.items() if expert.model == settings.model
        }
        self._codecs_at = cache(partial(codecs_at, self._adapter))
        self._measuring: Pieces[ModelProfile] | None = None
        self._warm_up()
        self._executor = SplitExecutor(
            self._adapter,
            self._experts,
            self._codecs_at,
            slowdown=settings.slowdown,
            max_pixels=settings.max_pixels,
        )
        self._operations: dict[str, Callable[[dict[str, Any], bytes], Reply]] = {
            "whole": self._whole,
            "head": self._head,
            "tail": self._tail,
            "resume": self._resume,
            "recode": self._recode,
            "infer": self._infer,
            "profile": self._profile,
        }

    def _warm_up(self) -> None:
        """Run each path once without slowdown, so that first calls are not slower than others."""
        executor = SplitExecutor(self._adapter, self._experts, self._codecs_at)
        expert = next(iter(self._experts))
        pixels = Image.new("RGB", _WARM_UP_SIZE, "grey")
        for image_codec, quality in _WARM_UP_IMAGES:
            image = encode(pixels, image_codec, quality)
            executor.recode(image, image_codec, quality)
        executor.whole(image, expert, _WARM_UP_ARGUMENTS)
        for point in range(1, len(self._adapter.block_names)):
            for codec in self._codecs_at(point).values():
                with suppress(UnavailableError):  # a codec with only one half on this node
                    payload = pack(codec.encode(np.zeros(codec.shape, np.float32)), codec)
                    codec.decode(unpack(payload, codec))

    def describe(self) -> dict[str, Any]:
        """Return the model's engine, revision, blocks, input size and encodings."""
        return {
            "engine": self._adapter.engine.model_dump(),
            "revision": self._adapter.revision,
            "blocks": list(self._adapter.block_names),
            "input_size": list(self._adapter.input_size),
            "output_shape": list(self._adapter.feature_shape(len(self._adapter.block_names))),
            "encodings": encodings_fingerprint(self._adapter, self._codecs_at),
        }

    def run(self, operation: str, parameters: dict[str, Any], blob: bytes) -> Reply:
        """Execute one operation.

        Args:
            operation: ``whole``, ``head``, ``tail``, ``resume``, ``recode``, ``infer`` or
                ``profile``, which does a short piece of measuring.
            parameters: JSON values, by the parameter names of ``SplitExecutor``.
            blob: Image or frame.
        """
        return self._operations[operation](parameters, blob)

    def _whole(self, parameters: dict[str, Any], blob: bytes) -> Reply:
        return _outcome(self._executor.whole(blob, **parameters))

    def _head(self, parameters: dict[str, Any], blob: bytes) -> Reply:
        return _encoded(self._executor.head(blob, **parameters))

    def _tail(self, parameters: dict[str, Any], blob: bytes) -> Reply:
        return _outcome(self._executor.tail(blob, **parameters))

    def _resume(self, parameters: dict[str, Any], blob: bytes) -> Reply:
        return _outcome(self._executor.resume(**parameters))

    def _recode(self, parameters: dict[str, Any], blob: bytes) -> Reply:
        return _encoded(self._executor.recode(blob, **parameters))

    def _infer(self, parameters: dict[str, Any], blob: bytes) -> Reply:
        """Run the whole model on images, or on its own input, without any expert."""
        output = self._executor.infer(blob, **parameters)
        return {"shape": list(output.shape)}, output.tobytes()

    def _profile(self, parameters: dict[str, Any], blob: bytes) -> Reply:
        """Measure for a short time; the reply holds the profile once it is complete."""
        if self._measuring is None:
            camera = parameters["camera"]
            self._measuring = measure(
                self._adapter,
                next(iter(self._experts.values())),
                self._codecs_at,
                photographs(Camera(Path(camera) if camera else None)),
                runs=parameters["runs"],
                threads=self._settings.threads,
                slowdown=self._settings.slowdown,
            )
        until = time.monotonic() + _PIECE_S
        try:
            while time.monotonic() < until:
                next(self._measuring)
        except StopIteration as end:
            self._measuring = None
            return {"profile": end.value.model_dump()}, b""
        return {"profile": None}, b""


def _outcome(outcome: Outcome) -> Reply:
    return {"output": outcome.output, "stages_ms": outcome.stages_ms}, b""


def _encoded(encoded: EncodedInput) -> Reply:
    return {"stages_ms": encoded.stages_ms}, encoded.frame
