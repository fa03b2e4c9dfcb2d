"""The split executor: runs a model, its head or its tail, and times each stage."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np

from edgewright.tools.codecs.frame import Frame, pack, read_frame
from edgewright.tools.codecs.protocol import FeatureCodec
from edgewright.tools.codecs.quantised import QuantisedCodec
from edgewright.tools.codecs.registry import codec_named
from edgewright.tools.contracts.arms import ImageCodec, Precision
from edgewright.tools.errors import FrameError, NotFoundError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.images.probe import MAX_PIXELS
from edgewright.tools.models.adapter import Features, PartitionAdapter
from edgewright.tools.models.expert import OutputExpert

# Maximum number of heads awaiting their tail: devices run few requests at once, and features are
# large.
_CACHED_HEADS = 8


@dataclass(frozen=True)
class Outcome:
    """An expert's output and the time it took.

    Attributes:
        output: The expert's output, JSON values only.
        stages_ms: Milliseconds by stage, in order of execution.
    """

    output: dict[str, Any]
    stages_ms: dict[str, float]


@dataclass(frozen=True)
class EncodedInput:
    """Bytes ready to be sent, and the time it took to produce them.

    Attributes:
        frame: A feature frame or an encoded image.
        stages_ms: Milliseconds by stage, in order of execution.
    """

    frame: bytes
    stages_ms: dict[str, float]


@dataclass
class _Stages:
    """A stopwatch that also slows its stages down, by sleeping.

    Attributes:
        slowdown: Factor by which each stage is slowed.
        ms: Milliseconds by stage, sleep included.
    """

    slowdown: float
    ms: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        if self.slowdown > 1:
            time.sleep((self.slowdown - 1) * (time.perf_counter() - start))
        self.ms[name] = (time.perf_counter() - start) * 1000


class SplitExecutor:
    """Runs one model on this node, cut or uncut.

    The exact features of a head are cached under its ticket until the tail's result arrives. After
    a lost link, only the remaining blocks have to run, with exactly the result of the uncut model.

    Args:
        adapter: The model.
        experts: Experts by id; those of other models are ignored.
        codecs_at: Returns the feature codecs of a partition point by name.
        slowdown: Factor by which this node is slowed deliberately; 1 means full speed.
        max_pixels: Maximum number of pixels of an image.
    """

    def __init__(
        self,
        adapter: PartitionAdapter,
        experts: Mapping[str, OutputExpert],
        codecs_at: Callable[[int], Mapping[str, FeatureCodec]],
        *,
        slowdown: float = 1.0,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self._adapter = adapter
        self._experts = {
            name: expert for name, expert in experts.items() if expert.model == adapter.model
        }
        self._codecs_at = codecs_at
        self._slowdown = slowdown
        self._max_pixels = max_pixels
        #: Adapter, partition point and features by ticket.
        self._heads: OrderedDict[str, tuple[PartitionAdapter, int, Features]] = OrderedDict()

    def infer(
        self, data: bytes, *, sizes: Sequence[int] = (), samples: int | None = None
    ) -> Features:
        """Run the uncut model, and return its output as it is.

        Args:
            data: Encoded images, one after another, or the network's input as float32.
            sizes: Length of each image; empty for the network's input.
            samples: Number of samples of the network's input.

        Returns:
            The output, float32, one row for each image or sample.

        Raises:
            InputError: An image cannot be decoded.
            TooLargeError: An image has too many pixels.
        """
        adapter, stages = self._adapter, _Stages(self._slowdown)
        if samples is None:
            ends = list(accumulate(sizes))
            images = [data[end - size : end] for end, size in zip(ends, sizes, strict=True)]
            arrays = [
                adapter.array(adapter.preprocess(decode(image, max_pixels=self._max_pixels)))
                for image in images
            ]
            features = np.concatenate(arrays)
        else:
            height, width = adapter.input_size
            features = np.frombuffer(data, np.float32).reshape(samples, 3, height, width)
        last = len(adapter.block_names)
        adapter.prepare(0, last)
        with stages.stage("whole"):
            # One at a time, as everywhere: a larger batch saves little, and others wait for it.
            rows = [adapter.run(features[i : i + 1], 0, last) for i in range(len(features))]
        return np.ascontiguousarray(np.concatenate(rows), np.float32)

    def whole(
        self, image: bytes, expert: str, args: Mapping[str, str], precision: Precision = "fp32"
    ) -> Outcome:
        """Run the whole model on an encoded image.

        Raises:
            InputError: The image cannot be used.
            NotFoundError: The model has no such expert (``unknown_expert``), or does not have this
                precision (``unknown_precision``).
            RefusedError: The expert cannot answer the request.
        """
        selected, adapter = self._checked_expert(expert, args), self._at(precision)
        stages = _Stages(self._slowdown)
        features = self._input(image, stages)
        return self._postprocess(adapter, features, 0, "whole", selected, args, stages)

    def head(
        self,
        image: bytes,
        point: int,
        ticket: str,
        codec: str | None = None,
        precision: Precision = "fp32",
    ) -> EncodedInput:
        """Run the blocks before a partition point and encode their output to a frame.

        Args:
            image: The encoded image.
            point: Number of blocks to run.
            ticket: Key under which ``resume`` finds the exact features.
            codec: Name of the feature codec; None means ``quantised8``.
            precision: Precision of the blocks, for ``resume`` too.

        Raises:
            InputError: The image cannot be used.
            NotFoundError: The model has no such point (``unknown_point``), or no such codec there
                (``unknown_codec``), or does not have this precision (``unknown_precision``).
        """
        adapter = self._at(precision)
        coder = codec_named(self._codecs_at(point), codec or QuantisedCodec.name)
        stages = _Stages(self._slowdown)
        features = self._input(image, stages)
        adapter.prepare(0, point)
        with stages.stage("head"):
            features = adapter.run(features, 0, point)
        with stages.stage("encode"):
            frame = pack(coder.encode(np.ascontiguousarray(features[0])), coder)
        self._heads[ticket] = (adapter, point, features)
        while len(self._heads) > _CACHED_HEADS:
            self._heads.popitem(last=False)
        return EncodedInput(frame, stages.ms)

    def tail(
        self, frame: bytes, expert: str, args: Mapping[str, str], precision: Precision = "fp32"
    ) -> Outcome:
        """Decode a frame and run the blocks after its partition point.

        Raises:
            FrameError: The frame failed a check; none of it was decoded.
            NotFoundError: The model has no such expert (``unknown_expert``), or does not have this
                precision (``unknown_precision``).
            RefusedError: The expert cannot answer the request.
        """
        selected, adapter = self._checked_expert(expert, args), self._at(precision)
        stages = _Stages(self._slowdown)
        with stages.stage("tail_decode"):
            received = read_frame(frame)
            codec = self._codec_of(received)
            features = codec.decode(received.payload_for(codec))[np.newaxis]
        return self._postprocess(
            adapter, features, codec.resume_point, "tail", selected, args, stages
        )

    def resume(self, ticket: str, expert: str, args: Mapping[str, str]) -> Outcome:
        """Run the blocks after a head's partition point on this node, from its exact features.

        Raises:
            NotFoundError: The features are no longer cached (``ticket_unknown``), or the model has
                no such expert (``unknown_expert``).
            RefusedError: The expert cannot answer the request.
        """
        selected = self._checked_expert(expert, args)
        if ticket not in self._heads:
            raise NotFoundError(
                "the features of this head are no longer cached; run the whole model instead",
                code="ticket_unknown",
            )
        adapter, point, features = self._heads[ticket]
        stages = _Stages(self._slowdown)
        return self._postprocess(adapter, features, point, "resume", selected, args, stages)

    def recode(self, image: bytes, image_codec: ImageCodec, quality: int | None) -> EncodedInput:
        """Preprocess an image for the network and encode it for sending.

        Raises:
            InputError: The image cannot be used.
        """
        stages = _Stages(self._slowdown)
        with stages.stage("decode"):
            decoded = decode(image, max_pixels=self._max_pixels)
        with stages.stage("preprocess"):
            preprocessed = self._adapter.preprocess(decoded)
        with stages.stage("encode"):
            data = encode(preprocessed, image_codec, quality)
        return EncodedInput(data, stages.ms)

    def drop(self, ticket: str) -> None:
        """Remove a head's features from the cache, if they are there."""
        self._heads.pop(ticket, None)

    def _checked_expert(self, expert: str, args: Mapping[str, str]) -> OutputExpert:
        """Return an expert after it has checked the arguments, before any work is done."""
        try:
            selected = self._experts[expert]
        except KeyError:
            raise NotFoundError(
                f"{self._adapter.model} has no expert {expert[:100]!r}; choose one of "
                f"{', '.join(self._experts)}",
                code="unknown_expert",
            ) from None
        selected.check(args)
        return selected

    def _at(self, precision: Precision) -> PartitionAdapter:
        """Return the model at a precision."""
        if precision == "fp32":
            return self._adapter
        if precision not in self._adapter.variants:
            raise NotFoundError(
                f"{self._adapter.model} is not quantised to {precision} here; leave the precision "
                "out, or export the model again",
                code="unknown_precision",
            )
        return self._adapter.variants[precision].adapter

    def _codec_of(self, frame: Frame) -> FeatureCodec:
        """Return the codec whose fingerprint a frame carries; any, to be refused, if none has."""
        point = frame.point
        if point > len(self._adapter.block_names):
            raise FrameError(
                f"the frame is for partition point {point}, which {self._adapter.model} does not "
                "have; run the same model on both nodes",
                code="frame_point",
            )
        codecs = self._codecs_at(point)
        known = {codec.fingerprint: codec for codec in codecs.values()}
        return known.get(frame.fingerprint, codecs[QuantisedCodec.name])

    def _input(self, image: bytes, stages: _Stages) -> Features:
        with stages.stage("decode"):
            decoded = decode(image, max_pixels=self._max_pixels)
        with stages.stage("preprocess"):
            return self._adapter.array(self._adapter.preprocess(decoded))

    def _postprocess(
        self,
        adapter: PartitionAdapter,
        features: Features,
        point: int,
        stage: str,
        selected: OutputExpert,
        args: Mapping[str, str],
        stages: _Stages,
    ) -> Outcome:
        last = len(adapter.block_names)
        adapter.prepare(point, last)
        with stages.stage(stage):
            output = adapter.run(features, point, last)
        with stages.stage("postprocess"):
            return Outcome(selected.postprocess(output, args), stages.ms)
