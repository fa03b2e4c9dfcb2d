"""Runs a model whole, its head or its tail, and times every stage."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from edgewright.tools.codecs.frame import pack, read_header, unpack
from edgewright.tools.codecs.protocol import FeatureCodec
from edgewright.tools.codecs.quantised import QuantisedCodec
from edgewright.tools.codecs.registry import codec_named
from edgewright.tools.contracts.arms import ImageCodec
from edgewright.tools.errors import FrameError, NotFoundError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.images.probe import MAX_PIXELS
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.expert import Expert

# Heads whose tail is still out: a device asks for few things at once, and features are large.
_CACHED_HEADS = 8


@dataclass(frozen=True)
class Outcome:
    """An expert's answer and what it took.

    Attributes:
        output: The expert's output, JSON values only.
        stages_ms: Milliseconds by stage, in the order they happened.
    """

    output: dict[str, Any]
    stages_ms: dict[str, float]


@dataclass(frozen=True)
class EncodedInput:
    """Bytes that are ready to be sent, and what it took to make them.

    Attributes:
        frame: A feature frame, or an encoded picture.
        stages_ms: Milliseconds by stage, in the order they happened.
    """

    frame: bytes
    stages_ms: dict[str, float]


@dataclass
class _Stages:
    """A stop-watch that also slows its stages down, honestly: by sleeping.

    Attributes:
        slowdown: Factor by which each stage is to take longer.
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
    """Executes one model on this node, cut or uncut.

    The exact features of a head are kept under its ticket until the tail's answer is here, so
    that a lost link costs only the remaining blocks; finishing from them equals running whole.

    Args:
        adapter: The model.
        experts: Experts by id; those of other models are left out.
        codecs_at: Returns the feature codecs of a partition point by name.
        slowdown: Factor by which this node is slowed on purpose; 1 means not.
        max_pixels: Largest picture that is decoded.
    """

    def __init__(
        self,
        adapter: PartitionAdapter,
        experts: Mapping[str, Expert],
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
        self._heads: OrderedDict[str, tuple[int, torch.Tensor]] = OrderedDict()

    def whole(self, image: bytes, expert: str, args: Mapping[str, str]) -> Outcome:
        """Run the whole model on an encoded picture.

        Raises:
            InputError: The picture cannot be used.
            NotFoundError: The model has no such expert (``unknown_expert``).
            RefusedError: The expert cannot know this.
        """
        reader = self._checked(expert, args)
        stages = _Stages(self._slowdown)
        features = self._input(image, stages)
        return self._postprocess(features, 0, "whole", reader, args, stages)

    def head(self, image: bytes, point: int, ticket: str, codec: str | None = None) -> EncodedInput:
        """Run the blocks before a partition point and code their output into a frame.

        Args:
            image: The encoded picture.
            point: Number of blocks to run.
            ticket: Name under which ``resume`` finds the exact features again.
            codec: Name of the feature codec; ``quantised8`` if None.

        Raises:
            InputError: The picture cannot be used.
            NotFoundError: The model has no such point (``unknown_point``) or codec there
                (``unknown_codec``).
        """
        coder = codec_named(self._codecs_at(point), codec or QuantisedCodec.name)
        stages = _Stages(self._slowdown)
        features = self._input(image, stages)
        with stages.stage("head"), torch.inference_mode():
            features = self._adapter.run(features, 0, point)
        with stages.stage("encode"):
            frame = pack(coder.encode(np.ascontiguousarray(features[0].numpy())), coder)
        self._heads[ticket] = (point, features)
        while len(self._heads) > _CACHED_HEADS:
            self._heads.popitem(last=False)
        return EncodedInput(frame, stages.ms)

    def tail(self, frame: bytes, expert: str, args: Mapping[str, str]) -> Outcome:
        """Decode a frame and run the blocks behind its partition point.

        Raises:
            FrameError: The frame failed a check; nothing of it was decoded.
            NotFoundError: The model has no such expert (``unknown_expert``).
            RefusedError: The expert cannot know this.
        """
        reader = self._checked(expert, args)
        stages = _Stages(self._slowdown)
        with stages.stage("tail_decode"):
            codec = self._codec_of(frame)
            features = torch.from_numpy(codec.decode(unpack(frame, codec)))[None]
        return self._postprocess(features, codec.resume_point, "tail", reader, args, stages)

    def resume(self, ticket: str, expert: str, args: Mapping[str, str]) -> Outcome:
        """Run the blocks behind a head's partition point here, from its exact features.

        Raises:
            NotFoundError: The features are gone (``ticket_unknown``), or the model has no such
                expert (``unknown_expert``).
            RefusedError: The expert cannot know this.
        """
        reader = self._checked(expert, args)
        if ticket not in self._heads:
            raise NotFoundError(
                "the features of this head are no longer kept; run the whole model instead",
                code="ticket_unknown",
            )
        point, features = self._heads[ticket]
        return self._postprocess(features, point, "resume", reader, args, _Stages(self._slowdown))

    def recode(self, image: bytes, image_codec: ImageCodec, quality: int | None) -> EncodedInput:
        """Fit a picture to the network's input and encode it for sending.

        Raises:
            InputError: The picture cannot be used.
        """
        stages = _Stages(self._slowdown)
        with stages.stage("decode"):
            picture = decode(image, max_pixels=self._max_pixels)
        with stages.stage("preprocess"):
            fitted = self._adapter.preprocess(picture)
        with stages.stage("encode"):
            data = encode(fitted, image_codec, quality)
        return EncodedInput(data, stages.ms)

    def drop(self, ticket: str) -> None:
        """Forget a head's features; forgetting twice is fine."""
        self._heads.pop(ticket, None)

    def _checked(self, expert: str, args: Mapping[str, str]) -> Expert:
        """Find an expert and let it refuse before any work is done."""
        try:
            reader = self._experts[expert]
        except KeyError:
            raise NotFoundError(
                f"{self._adapter.model} has no expert {expert[:100]!r}; it has "
                f"{', '.join(self._experts)}",
                code="unknown_expert",
            ) from None
        reader.check(args)
        return reader

    def _codec_of(self, frame: bytes) -> FeatureCodec:
        """Return the codec whose fingerprint a frame carries; any, to be refused, if none has."""
        header = read_header(frame)
        point = header.point
        if point > len(self._adapter.block_names):
            raise FrameError(
                f"the frame is for partition point {point}, which {self._adapter.model} does not "
                "have; run the same model on both nodes",
                code="frame_point",
            )
        codecs = self._codecs_at(point)
        known = {codec.fingerprint: codec for codec in codecs.values()}
        return known.get(header.fingerprint, codecs[QuantisedCodec.name])

    def _input(self, image: bytes, stages: _Stages) -> torch.Tensor:
        with stages.stage("decode"):
            picture = decode(image, max_pixels=self._max_pixels)
        with stages.stage("preprocess"):
            return self._adapter.tensor(self._adapter.preprocess(picture))

    def _postprocess(
        self,
        features: torch.Tensor,
        point: int,
        stage: str,
        reader: Expert,
        args: Mapping[str, str],
        stages: _Stages,
    ) -> Outcome:
        with torch.inference_mode():
            with stages.stage(stage):
                output = self._adapter.run(features, point, len(self._adapter.block_names))
            with stages.stage("postprocess"):
                return Outcome(reader.postprocess(output, args), stages.ms)
