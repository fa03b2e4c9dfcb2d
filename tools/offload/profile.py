"""Measures what a model costs on this node: blocks, cuts, and the codings of a picture."""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image

from edgewright.tools.codecs.frame import pack, unpack
from edgewright.tools.codecs.protocol import FeatureCodec
from edgewright.tools.contracts.arms import ImageCodec
from edgewright.tools.contracts.profiles import (
    BlockProfile,
    ImageCodecProfile,
    ModelProfile,
    PointProfile,
)
from edgewright.tools.errors import UnavailableError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.expert import Expert
from edgewright.tools.offload.accuracy_retention import (
    codec_key,
    image_key,
    known_accuracy_retention,
)

#: Codings of a picture that are measured.
IMAGE_ENCODINGS: tuple[tuple[ImageCodec, int | None], ...] = (
    ("png", None),
    *(("jpeg", quality) for quality in (50, 80, 90, 95)),
    *(("webp", quality) for quality in (50, 80, 90, 95)),
    *(("avif", quality) for quality in (40, 60, 80, 90, 95)),
)
#: Cameras deliver JPEG at about this quality; used to time the decoding of a picture.
_CAMERA_QUALITY = 92
#: What an expert that answers questions is asked while it is measured.
_ARGUMENTS = {"question": "what is in the picture?"}
#: Writing a text takes seconds, so an expert without labels is asked about this many pictures.
_MOST_TEXTS = 2

_Result = TypeVar("_Result")


def measure(
    adapter: PartitionAdapter,
    expert: Expert,
    codecs_at: Callable[[int], Mapping[str, FeatureCodec]],
    photographs: Sequence[Image.Image],
    *,
    runs: int,
    slowdown: float = 1.0,
) -> ModelProfile:
    """Measure a model on this node.

    Agreement is the share of the top-1 accuracy that coding leaves, as the uncut model itself
    expects it: the score it gives to the labels named after coding, over the score it gives to
    its own. A change between two labels that it holds equally likely thus costs nothing, and a
    handful of photographs tells more than a count of changed labels would. Where it was measured
    on hundreds of images already (``accuracy_retention.py``), that is taken. For experts without
    labels it is the share of unchanged texts.

    Args:
        adapter: The model.
        expert: Reads the model's output.
        codecs_at: Returns the feature codecs of a partition point by name.
        photographs: RGB pictures at the size in which the node's camera makes them; when there
            are none, a few that ship with the package are taken.
        runs: Times that each block is run; the median counts.
        slowdown: Factor by which the node is slowed on purpose; all times are multiplied by it.
    """
    measurement = _Measurement(adapter, expert, codecs_at, photographs, slowdown)
    return ModelProfile(
        model=adapter.model,
        revision=adapter.revision,
        preprocess_ms=measurement.preprocess_ms(),
        preprocess_pixels=measurement.pixels,
        normalise_ms=measurement.normalise_ms(),
        blocks=measurement.blocks(runs),
        postprocess_ms=measurement.postprocess_ms,
        points=measurement.points(),
        image_codecs=[measurement.image_codec(*encoding) for encoding in IMAGE_ENCODINGS],
        threads=torch.get_num_threads(),
        slowdown=slowdown,
        encodings=encodings_of(adapter, codecs_at),
    )


def encodings_of(
    adapter: PartitionAdapter, codecs_at: Callable[[int], Mapping[str, FeatureCodec]]
) -> str:
    """Return what tells apart everything that can be sent, and what is known of its accuracy.

    A profile that is on file is worth nothing once this has changed.

    Args:
        adapter: The model.
        codecs_at: Returns the feature codecs of a partition point by name.
    """
    points = range(1, len(adapter.block_names))
    codecs = [codec_key(codec) for point in points for codec in codecs_at(point).values()]
    known = sorted(known_accuracy_retention(adapter.model, adapter.revision).items())
    told = json.dumps([codecs, [image_key(*encoding) for encoding in IMAGE_ENCODINGS], known])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


class _Measurement:
    """One model and the pictures that it is measured with; see ``measure``."""

    def __init__(
        self,
        adapter: PartitionAdapter,
        expert: Expert,
        codecs_at: Callable[[int], Mapping[str, FeatureCodec]],
        photographs: Sequence[Image.Image],
        slowdown: float,
    ) -> None:
        self._adapter = adapter
        self._expert = expert
        self._codecs_at = codecs_at
        self._slowdown = slowdown
        self._last = len(adapter.block_names)
        self._pictures = photographs or _shipped_photographs()
        views = [view for picture in self._pictures for view in _views(picture)]
        named = "labels" in self._answer_to(views[0])
        if not named:
            views = views[:_MOST_TEXTS]
        self._known = known_accuracy_retention(adapter.model, adapter.revision) if named else {}
        self._fitted = [adapter.preprocess(view) for view in views]
        self._inputs = [adapter.tensor(fitted) for fitted in self._fitted]
        outputs = [self._run(features, 0, self._last) for features in self._inputs]
        finished = [self._timed(self._answer, output) for output in outputs]
        self._expected = [answer for answer, _ in finished]
        self.postprocess_ms = statistics.median(ms for _, ms in finished)
        self.pixels = round(statistics.median(one.width * one.height for one in self._pictures))

    def preprocess_ms(self) -> float:
        """Time from a camera's bytes to a picture of the network's size."""
        pictures = [
            encode(one, "jpeg", _CAMERA_QUALITY, full_chroma=False) for one in self._pictures
        ]
        return self._median_ms(lambda data: self._adapter.preprocess(decode(data)), pictures)

    def normalise_ms(self) -> float:
        """Time from such a picture to the network's input."""
        return self._median_ms(self._adapter.tensor, self._fitted)

    def blocks(self, runs: int) -> list[BlockProfile]:
        """Time every block."""
        times: list[list[float]] = [[] for _ in range(self._last)]
        for index in range(runs):
            features = self._inputs[index % len(self._inputs)]
            for block in range(self._last):
                features, ms = self._timed(self._run, features, block, block + 1)
                times[block].append(ms)
        return [
            BlockProfile(name=name, ms=statistics.median(ms))
            for name, ms in zip(self._adapter.block_names, times, strict=True)
        ]

    def points(self) -> list[PointProfile]:
        """Measure every codec of every cut that leaves something to run on both sides."""
        points: list[PointProfile] = []
        features = self._inputs
        for point in range(1, self._last):
            features = [self._run(one, point - 1, point) for one in features]
            arrays = [np.ascontiguousarray(one[0]) for one in features]
            for codec in self._codecs_at(point).values():
                # A codec with one half here can be used, but not measured.
                with suppress(UnavailableError):
                    points.append(self._point(codec, arrays))
        return points

    def image_codec(self, name: ImageCodec, quality: int | None) -> ImageCodecProfile:
        """Measure one coding of a picture."""
        pictures = [encode(fitted, name, quality) for fitted in self._fitted]

        def sent() -> list[torch.Tensor]:
            return [
                self._adapter.tensor(self._adapter.preprocess(decode(data))) for data in pictures
            ]

        return ImageCodecProfile(
            image_codec=name,
            quality=quality,
            bytes=_median_bytes(pictures),
            encode_ms=self._median_ms(lambda one: encode(one, name, quality), self._fitted),
            decode_ms=self._median_ms(lambda data: self._adapter.tensor(decode(data)), pictures),
            accuracy_retention=1.0
            if quality is None
            else self._accuracy_retention(image_key(name, quality), sent, 0),
        )

    def _point(self, codec: FeatureCodec, features: list[np.ndarray[Any, Any]]) -> PointProfile:
        frames = [pack(codec.encode(one), codec) for one in features]

        def sent() -> list[torch.Tensor]:
            return [torch.from_numpy(codec.decode(unpack(one, codec)))[None] for one in frames]

        return PointProfile(
            point=codec.point,
            resume_point=codec.resume_point,
            name=self._adapter.block_names[codec.point - 1],
            frame_bytes=_median_bytes(frames),
            encode_ms=self._median_ms(lambda one: pack(codec.encode(one), codec), features),
            decode_ms=self._median_ms(lambda frame: codec.decode(unpack(frame, codec)), frames),
            codec=codec.name,
            accuracy_retention=self._accuracy_retention(codec_key(codec), sent, codec.resume_point),
            fingerprint=codec.fingerprint.hex(),
        )

    def _accuracy_retention(
        self, key: str, sent: Callable[[], list[torch.Tensor]], point: int
    ) -> float:
        """Compare the answers to features that were coded with those to the exact ones.

        Args:
            key: The coding's, by which its share may be known.
            sent: Returns the features at ``point`` as they arrive.
            point: Point at which the model goes on with them.
        """
        if key in self._known:
            return self._known[key]
        kept = whole = 0.0
        for expected, features in zip(self._expected, sent(), strict=True):
            answer = self._answer(self._run(features, point, self._last))
            if "labels" in expected:
                scores = {entry["label"]: entry["score"] for entry in expected["labels"]}
                kept += scores.get(answer["labels"][0]["label"], 0.0)
                whole += max(scores.values())
            else:
                kept += answer["text"] == expected["text"]
                whole += 1.0
        return kept / whole

    def _answer_to(self, picture: Image.Image) -> dict[str, Any]:
        features = self._adapter.tensor(self._adapter.preprocess(picture))
        return self._answer(self._run(features, 0, self._last))

    def _answer(self, output: torch.Tensor) -> dict[str, Any]:
        return self._expert.postprocess(output, _ARGUMENTS)

    def _run(self, features: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        with torch.inference_mode():
            return self._adapter.run(features, start, stop)

    def _median_ms(self, work: Callable[[Any], object], samples: Sequence[Any]) -> float:
        return statistics.median(self._timed(work, sample)[1] for sample in samples)

    def _timed(self, work: Callable[..., _Result], *arguments: Any) -> tuple[_Result, float]:
        start = time.perf_counter()
        result = work(*arguments)
        return result, (time.perf_counter() - start) * 1000 * self._slowdown


def _views(picture: Image.Image) -> list[Image.Image]:
    """Return a picture, its mirror image and its middle, so that few photographs tell more."""
    width, height = picture.size
    middle = picture.crop((width // 6, height // 6, width - width // 6, height - height // 6))
    return [picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), middle]


def _shipped_photographs() -> list[Image.Image]:
    folder = files("edgewright.tools.offload") / "photographs"
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return [decode(entry.read_bytes()) for entry in entries if entry.name.endswith(".jpg")]


def _median_bytes(coded: Sequence[bytes]) -> int:
    return round(statistics.median(len(one) for one in coded))
