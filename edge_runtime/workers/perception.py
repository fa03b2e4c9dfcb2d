"""The operations of the worker whose networks look at whole images."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from edgewright.edge_runtime.workers.photographs import photographs
from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.tools.contracts.arms import ImageCodec
from edgewright.tools.contracts.perceptions import Perceptions
from edgewright.tools.contracts.profiles import EngineInfo, ModelProfile
from edgewright.tools.errors import EdgewrightError, NotFoundError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.images.probe import probe
from edgewright.tools.library import scene_experts
from edgewright.tools.models.engines.onnx.sessions import providers
from edgewright.tools.models.expert import PERCEPTION
from edgewright.tools.offload.profiling.decoding import Pieces
from edgewright.tools.offload.profiling.whole_profile import measure_whole, reduced
from edgewright.tools.sensing.camera import Camera
from edgewright.tools.vision.perception.networks import Networks, revision
from edgewright.tools.vision.perception.perceivers import Perceivers
from edgewright.tools.vision.scene import Scenes

#: The expert with which encodings are measured, and a question for those that answer any.
_MEASURED = "object-detector"
_ARGUMENTS = {"question": "is there a person in the picture?"}
_WARM_UP_SIZE = (640, 480)


class PerceptionOperations:
    """The scene experts of a node: they share networks, and what was seen in the last images.

    Args:
        settings: The worker's settings.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._experts = scene_experts()
        self._scenes = Scenes(
            Perceivers(Networks(threads=settings.threads), threads=settings.threads).by_kind()
        )
        self._engine = EngineInfo(name="onnx", provider=providers()[0])
        self._measuring: Pieces[ModelProfile] | None = None
        self._warm_up()

    def _warm_up(self) -> None:
        """Load the networks that most experts need, so that the first call is as fast as others."""
        with suppress(EdgewrightError):  # they are not installed
            self._look(_MEASURED, Image.new("RGB", _WARM_UP_SIZE, "grey"))

    def describe(self) -> dict[str, Any]:
        """Return engine and revision; there are no blocks, since nothing here is cut."""
        needed = {name for expert in self._experts.values() for name in expert.needs}
        return {
            "engine": self._engine.model_dump(),
            "revision": revision(needed),
            "blocks": [],
            "input_size": [0, 0],
            "encodings": "",
        }

    def run(
        self, operation: str, parameters: dict[str, Any], blob: bytes
    ) -> tuple[dict[str, Any], bytes]:
        """Execute one operation.

        Args:
            operation: ``whole``, ``recode`` or ``profile``; nothing here can be cut.
            parameters: JSON values: ``expert`` and ``args``, ``image_codec`` and ``quality``, or
                ``camera``.
            blob: The encoded image.

        Raises:
            NotFoundError: No such operation (``unknown_point``), precision
                (``unknown_precision``) or expert (``unknown_expert``).
            InputError: The image cannot be used.
            RefusedError: The expert cannot answer the request.
            UnavailableError: A network is not installed.
        """
        if operation == "recode":
            return self._recode(parameters["image_codec"], parameters["quality"], blob)
        if operation == "profile":
            return self._profile(parameters["camera"]), b""
        if operation != "whole":
            raise NotFoundError(
                "experts that look at a whole image have no partition points; run them on the "
                "device or on the edge server",
                code="unknown_point",
            )
        if (precision := parameters.get("precision", "fp32")) != "fp32":
            raise NotFoundError(
                f"networks that look at a whole image are not quantised to {precision}; leave the "
                "precision out",
                code="unknown_precision",
            )
        return self._whole(parameters["expert"], parameters["args"], blob), b""

    def _recode(
        self, image_codec: ImageCodec, quality: int | None, blob: bytes
    ) -> tuple[dict[str, Any], bytes]:
        """Encode an image for sending, at the size that experts look at."""
        stages_ms: dict[str, float] = {}
        began = time.perf_counter()
        image = decode(blob, max_pixels=self._settings.max_pixels)
        stages_ms["decode"] = (time.perf_counter() - began) * 1000
        began = time.perf_counter()
        image = reduced(image)
        stages_ms["preprocess"] = (time.perf_counter() - began) * 1000
        began = time.perf_counter()
        data = encode(image, image_codec, quality)
        stages_ms["encode"] = (time.perf_counter() - began) * 1000
        return {"stages_ms": self._slowed(stages_ms)}, data

    def _profile(self, camera: str | None) -> dict[str, Any]:
        """Measure for a short time; the reply holds the profile once it is complete."""
        if self._measuring is None:
            self._measuring = measure_whole(
                PERCEPTION,
                self.describe()["revision"],
                {name: partial(self._look, name) for name in (_MEASURED, *self._experts)},
                photographs(Camera(Path(camera) if camera else None)),
                engine=self._engine,
                threads=self._settings.threads,
                slowdown=self._settings.slowdown,
            )
        try:
            next(self._measuring)
        except StopIteration as end:
            self._measuring = None
            return {"profile": end.value.model_dump()}
        return {"profile": None}

    def _look(self, name: str, image: Image.Image) -> dict[str, Any]:
        """Run an expert on an image, as if it was not seen before."""
        return self._experts[name].answer(self._scenes.unknown(image), _ARGUMENTS)

    def _whole(self, name: str, args: dict[str, str], blob: bytes) -> dict[str, Any]:
        if name not in self._experts:
            raise NotFoundError(
                f"there is no expert {name[:100]!r}; choose one of {', '.join(self._experts)}",
                code="unknown_expert",
            )
        expert = self._experts[name]
        expert.check(args)
        began = time.perf_counter()
        image = decode(blob, max_pixels=self._settings.max_pixels)
        stages_ms = {"decode": (time.perf_counter() - began) * 1000}
        digest = hashlib.sha256(blob).hexdigest()
        scene = self._scenes.scene(image, digest)
        began = time.perf_counter()
        output = expert.answer(scene, args)
        took_ms = (time.perf_counter() - began) * 1000
        self._scenes.remember(digest, scene)
        stages_ms |= scene.stages_ms
        stages_ms["postprocess"] = max(0.0, took_ms - sum(scene.stages_ms.values()))
        return {
            "output": _in_original_pixels(output, blob, image),
            "stages_ms": self._slowed(stages_ms),
            "cached": list(scene.cached),
        }

    def _slowed(self, stages_ms: dict[str, float]) -> dict[str, float]:
        """Sleep as long as a weaker device would take, and return the stages with that time."""
        slowdown = self._settings.slowdown
        if slowdown > 1:
            time.sleep((slowdown - 1) * sum(stages_ms.values()) / 1000)
        return {stage: ms * slowdown for stage, ms in stages_ms.items()}


def _in_original_pixels(output: dict[str, Any], blob: bytes, image: Image.Image) -> dict[str, Any]:
    """Scale an output's perceptions if the image was decoded at a reduced size."""
    facts = probe(blob)
    if "perceptions" not in output or facts.width * facts.height == image.width * image.height:
        return output
    scale = (facts.width * facts.height / (image.width * image.height)) ** 0.5
    size = (round(image.width * scale), round(image.height * scale))
    return Perceptions.model_validate(output["perceptions"]).resized(*size).in_output(output)
