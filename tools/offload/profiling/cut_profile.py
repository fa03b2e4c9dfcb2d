"""Profiling a model on this node: its blocks, its cuts and the image encodings."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from edgewright.tools.codecs.frame import pack, unpack
from edgewright.tools.codecs.protocol import FeatureCodec
from edgewright.tools.contracts.arms import ImageCodec
from edgewright.tools.contracts.profiles import (
    BlockProfile,
    ImageCodecProfile,
    ModelProfile,
    PointProfile,
    PrecisionProfile,
)
from edgewright.tools.errors import UnavailableError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.models.adapter import Features, PartitionAdapter
from edgewright.tools.models.expert import OutputExpert
from edgewright.tools.offload.accuracy_retention import (
    IMAGE_ENCODINGS,
    codec_key,
    encodings_fingerprint,
    image_key,
    known_accuracy_retention,
)
from edgewright.tools.offload.profiling.decoding import Pieces, decoding_profiles
from edgewright.tools.offload.profiling.retained import retained
from edgewright.tools.offload.profiling.samples import shipped_photographs, views

#: Arguments for an expert that answers questions.
_ARGUMENTS = {"question": "what is in the picture?"}
#: Parts of an output that are compared in detail.
_COMPARED = ("labels", "perceptions")
#: Maximum number of images for other experts, since generating text takes seconds.
_MAX_TEXTS = 2

_Result = TypeVar("_Result")


def measure(
    adapter: PartitionAdapter,
    expert: OutputExpert,
    codecs_at: Callable[[int], Mapping[str, FeatureCodec]],
    photographs: Sequence[Image.Image],
    *,
    runs: int,
    threads: int = 1,
    slowdown: float = 1.0,
) -> Pieces[ModelProfile]:
    """Measure a model on this node in short pieces, between which a worker can serve calls.

    Accuracy retention is the share of the top-1 accuracy that an encoding keeps. It is estimated
    from the uncut model's own scores: the score of the label predicted after encoding, divided by
    the score of the uncut model's label. A change between two equally likely labels costs nothing,
    so a few photographs are more informative than a count of changed labels. For detectors it is
    the share of matched boxes, for poses that of joints in their place (``retained.py``), and 0 if
    the photographs show none; for experts without either, the share of unchanged texts. Values
    measured on hundreds of images (``accuracy_retention.py``) take precedence.

    Args:
        adapter: The model.
        expert: Interprets the model's output.
        codecs_at: Returns the feature codecs of a partition point by name.
        photographs: RGB images at the size that the node's camera produces; if empty, the
            photographs shipped with the package are used.
        runs: Number of runs of each block; the median is reported.
        threads: Number of threads that the engine was loaded with.
        slowdown: Factor by which the node is slowed deliberately; all times are multiplied by it.

    Yields:
        None after each piece, which takes about as long as one call of the model.

    Returns:
        The profile.
    """
    measurement = _Measurement(adapter, expert, codecs_at, photographs, slowdown)
    yield from measurement.prepare()
    image_codecs: list[ImageCodecProfile] = []
    for encoding in IMAGE_ENCODINGS:
        image_codecs += [(yield from measurement.image_codec(*encoding))]
    return ModelProfile(
        model=adapter.model,
        revision=adapter.revision,
        decoding=(yield from decoding_profiles(measurement.photographs, slowdown)),
        preprocess_ms=(yield from measurement.preprocess_ms()),
        preprocess_pixels=measurement.pixels,
        normalise_ms=(yield from measurement.normalise_ms()),
        blocks=(yield from measurement.blocks(runs)),
        heads_ms=(yield from measurement.heads(adapter, runs)),
        tails_ms=(yield from measurement.tails(adapter, runs)),
        postprocess_ms=measurement.postprocess_ms,
        points=(yield from measurement.points()),
        image_codecs=image_codecs,
        precisions=(yield from measurement.precisions(runs)),
        engine=adapter.engine,
        threads=threads,
        slowdown=slowdown,
        encodings=encodings_fingerprint(adapter, codecs_at),
    )


class _Measurement:
    """A model and the images it is measured with; see ``measure``."""

    def __init__(
        self,
        adapter: PartitionAdapter,
        expert: OutputExpert,
        codecs_at: Callable[[int], Mapping[str, FeatureCodec]],
        photographs: Sequence[Image.Image],
        slowdown: float,
    ) -> None:
        self._adapter = adapter
        self._expert = expert
        self._codecs_at = codecs_at
        self._slowdown = slowdown
        self._last = len(adapter.block_names)
        self.photographs = photographs or shipped_photographs()
        self.pixels = round(statistics.median(one.width * one.height for one in self.photographs))
        self._stored_retention: Mapping[str, float] = {}
        self._preprocessed: list[Image.Image] = []
        self._inputs: list[Features] = []
        self._expected: list[dict[str, Any]] = []
        self.postprocess_ms = 0.0

    def prepare(self) -> Pieces[None]:
        """Run the uncut model on all views of the photographs, for its answers."""
        samples = [view for image in self.photographs for view in views(image)]
        times: list[float] = []
        for view in samples:
            image = self._adapter.preprocess(view)
            features = self._adapter.array(image)
            answer, ms = self._timed(self._answer, self._run(features, 0, self._last))
            self._preprocessed.append(image)
            self._inputs.append(features)
            self._expected.append(answer)
            times.append(ms)
            yield
            if set(answer).isdisjoint(_COMPARED) and len(times) == _MAX_TEXTS:
                break
        self.postprocess_ms = statistics.median(times)
        if not set(self._expected[0]).isdisjoint(_COMPARED):
            adapter = self._adapter
            self._stored_retention = known_accuracy_retention(adapter.model, adapter.revision)

    def preprocess_ms(self) -> Pieces[float]:
        """Measure the time from a decoded to a preprocessed image."""
        return self._median_ms(self._adapter.preprocess, self.photographs)

    def normalise_ms(self) -> Pieces[float]:
        """Measure the time from a preprocessed image to the network's input."""
        return self._median_ms(self._adapter.array, self._preprocessed)

    def blocks(self, runs: int) -> Pieces[list[BlockProfile]]:
        """Measure the time of each block."""
        times: list[list[float]] = [[] for _ in range(self._last)]
        for index in range(runs):
            features = self._inputs[index % len(self._inputs)]
            for block in range(self._last):
                features, ms = self._timed(self._run, features, block, block + 1)
                times[block].append(ms)
            yield
        return [
            BlockProfile(name=name, ms=statistics.median(ms))
            for name, ms in zip(self._adapter.block_names, times, strict=True)
        ]

    def heads(self, adapter: PartitionAdapter, runs: int) -> Pieces[list[float]]:
        """Measure the time of each head of a variant, unless it is that of its blocks."""
        times: list[float] = []
        if _optimises_across_blocks(adapter):
            for point in range(self._last + 1):
                times += [(yield from self._range_ms(adapter, self._inputs[0], 0, point, runs))]
        return times

    def tails(self, adapter: PartitionAdapter, runs: int) -> Pieces[list[float]]:
        """Measure the time of each tail of a variant, unless it is that of its blocks."""
        times: list[float] = []
        if _optimises_across_blocks(adapter):
            features = self._inputs[0]
            for point in range(self._last + 1):
                features = self._run(features, max(point - 1, 0), point)
                times += [(yield from self._range_ms(adapter, features, point, self._last, runs))]
        return times

    def precisions(self, runs: int) -> Pieces[list[PrecisionProfile]]:
        """Measure the other precisions, unless their accuracy retention is unknown."""
        found: list[PrecisionProfile] = []
        for precision, variant in self._adapter.variants.items():
            retention = known_accuracy_retention(
                self._adapter.model, self._adapter.revision, precision, variant.fingerprint
            )
            if retention:
                measured = PrecisionProfile(
                    precision=precision,
                    fingerprint=variant.fingerprint,
                    heads_ms=(yield from self.heads(variant.adapter, runs)),
                    tails_ms=(yield from self.tails(variant.adapter, runs)),
                    accuracy_retention=dict(retention),
                )
                found.append(measured)
        return found

    def points(self) -> Pieces[list[PointProfile]]:
        """Measure every codec at every cut that leaves blocks on both sides."""
        points: list[PointProfile] = []
        features = self._inputs
        for point in range(1, self._last):
            features = [self._run(one, point - 1, point) for one in features]
            yield
            arrays = [np.ascontiguousarray(one[0]) for one in features]
            for codec in self._codecs_at(point).values():
                # A codec with only one half on this node can be used but not measured.
                with suppress(UnavailableError):
                    points.append((yield from self._point(codec, arrays)))
        return points

    def image_codec(self, name: ImageCodec, quality: int | None) -> Pieces[ImageCodecProfile]:
        """Measure one image encoding."""
        encoded = [encode(image, name, quality) for image in self._preprocessed]
        yield

        def received(data: bytes) -> Features:
            return self._adapter.array(self._adapter.preprocess(decode(data)))

        retention = 1.0
        if quality is not None:
            key = image_key(name, quality)
            retention = yield from self._accuracy_retention(key, received, encoded, 0)
        return ImageCodecProfile(
            image_codec=name,
            quality=quality,
            bytes=_median_bytes(encoded),
            encode_ms=(
                yield from self._median_ms(
                    lambda one: encode(one, name, quality), self._preprocessed
                )
            ),
            decode_ms=(
                yield from self._median_ms(lambda data: self._adapter.array(decode(data)), encoded)
            ),
            accuracy_retention=retention,
        )

    def _point(self, codec: FeatureCodec, features: Sequence[Features]) -> Pieces[PointProfile]:
        frames = [pack(codec.encode(one), codec) for one in features]
        yield

        def received(frame: bytes) -> Features:
            return codec.decode(unpack(frame, codec))[np.newaxis]

        return PointProfile(
            point=codec.point,
            resume_point=codec.resume_point,
            name=self._adapter.block_names[codec.point - 1],
            frame_bytes=_median_bytes(frames),
            encode_ms=(
                yield from self._median_ms(lambda one: pack(codec.encode(one), codec), features)
            ),
            decode_ms=(
                yield from self._median_ms(lambda frame: codec.decode(unpack(frame, codec)), frames)
            ),
            codec=codec.name,
            accuracy_retention=(
                yield from self._accuracy_retention(
                    codec_key(codec), received, frames, codec.resume_point
                )
            ),
            fingerprint=codec.fingerprint.hex(),
        )

    def _accuracy_retention(
        self,
        key: str,
        received: Callable[[bytes], Features],
        encoded: Sequence[bytes],
        point: int,
    ) -> Pieces[float]:
        """Compare the answers for encoded and decoded features with those for the exact ones.

        Args:
            key: Key of the encoding, for which a value may be stored.
            received: Decodes features at ``point``.
            encoded: The encoded features.
            point: Point at which the model resumes with them.
        """
        if key in self._stored_retention:
            return self._stored_retention[key]
        kept = total = 0.0
        for expected, data in zip(self._expected, encoded, strict=True):
            answer = self._answer(self._run(received(data), point, self._last))
            yield
            one_kept, of = retained(expected, answer)
            kept, total = kept + one_kept, total + of
        return kept / total if total else 0.0

    def _answer(self, output: Features) -> dict[str, Any]:
        return self._expert.postprocess(output, _ARGUMENTS)

    def _run(self, features: Features, start: int, stop: int) -> Features:
        return self._adapter.run(features, start, stop)

    def _range_ms(
        self, adapter: PartitionAdapter, features: Features, start: int, stop: int, runs: int
    ) -> Pieces[float]:
        adapter.run(features, start, stop)  # loads the graph
        yield
        return (
            yield from self._median_ms(lambda one: adapter.run(one, start, stop), [features] * runs)
        )

    def _median_ms(self, work: Callable[[Any], object], samples: Sequence[Any]) -> Pieces[float]:
        times: list[float] = []
        for sample in samples:
            times.append(self._timed(work, sample)[1])
            yield
        return statistics.median(times)

    def _timed(self, work: Callable[..., _Result], *arguments: Any) -> tuple[_Result, float]:
        start = time.perf_counter()
        result = work(*arguments)
        return result, (time.perf_counter() - start) * 1000 * self._slowdown


def _optimises_across_blocks(adapter: PartitionAdapter) -> bool:
    return adapter.engine.name == "onnx"


def _median_bytes(encoded: Sequence[bytes]) -> int:
    return round(statistics.median(len(one) for one in encoded))
