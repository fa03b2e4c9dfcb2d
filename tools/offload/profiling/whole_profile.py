"""Profiling experts that look at whole images: nothing is cut, so an image is all that is sent."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from PIL import Image

from edgewright.tools.contracts.arms import ImageCodec
from edgewright.tools.contracts.profiles import (
    BlockProfile,
    EngineInfo,
    ImageCodecProfile,
    ModelProfile,
)
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.offload.profiling.decoding import Pieces, decoding_profiles
from edgewright.tools.offload.profiling.retained import retained
from edgewright.tools.offload.profiling.samples import shipped_photographs

#: Encodings that are measured: each costs a look at every photograph.
ENCODINGS: tuple[tuple[ImageCodec, int | None], ...] = (
    ("png", None),
    ("jpeg", 80),
    ("jpeg", 95),
    ("webp", 80),
    ("webp", 95),
)
#: Experts look at no more than this, so no more is sent.
LONG_SIDE = 1280
_BLOCK = "networks"
#: Number of photographs that further experts look at; recognising texts takes a second for each.
_OTHER_LOOKS = 2


def reduced(image: Image.Image) -> Image.Image:
    """Return an image as it is sent: its long side has at most ``LONG_SIDE`` pixels."""
    scale = LONG_SIDE / max(image.size)
    if scale >= 1:
        return image
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3)


def measure_whole(
    model: str,
    revision: str,
    looks: Mapping[str, Callable[[Image.Image], dict[str, Any]]],
    photographs: Sequence[Image.Image],
    *,
    engine: EngineInfo,
    threads: int,
    slowdown: float,
) -> Pieces[ModelProfile]:
    """Measure experts that look at whole images, in pieces.

    The networks of the first expert count as one block that cannot be cut; of the others only the
    time is measured, and nothing of those that cannot run here. Accuracy retention of an encoding
    is the share of what the expert saw in the original that it sees after encoding (``retained``).

    Args:
        model: Model id of the experts.
        revision: Fingerprint of the networks.
        looks: Runs each expert on an RGB image, remembering nothing, and returns its output, by
            the expert's id.
        photographs: RGB images; if empty, those shipped with the package are used.
        engine: The engine that runs the networks.
        threads: Number of threads of each operation.
        slowdown: Factor by which the node is slowed deliberately.

    Yields:
        None after each look.

    Returns:
        The profile.
    """
    stopwatch = _Stopwatch(slowdown)
    photographs = photographs or shipped_photographs()
    first, *others = looks
    look = looks[first]
    decoding = yield from decoding_profiles(photographs, slowdown)
    images = [stopwatch.timed("preprocess", reduced, one) for one in photographs]
    look(images[0])  # loads the networks
    expected = []
    for image in images:
        expected.append(stopwatch.timed("look", look, image))
        yield
    codecs: list[ImageCodecProfile] = []
    for name, quality in ENCODINGS:
        key = f"{name} {quality}"
        kept = total = 0.0
        sizes = []
        for image, before in zip(images, expected, strict=True):
            data = stopwatch.timed(f"encode {key}", encode, image, name, quality)
            sizes.append(len(data))
            received = stopwatch.timed(f"decode {key}", decode, data)
            if quality is not None:
                one_kept, of = retained(before, look(received))
                kept, total = kept + one_kept, total + of
            yield
        codecs.append(
            ImageCodecProfile(
                image_codec=name,
                quality=quality,
                bytes=round(statistics.median(sizes)),
                encode_ms=stopwatch.median_ms(f"encode {key}"),
                decode_ms=stopwatch.median_ms(f"decode {key}"),
                accuracy_retention=1.0 if quality is None else kept / total if total else 0.0,
            )
        )
    look_ms = stopwatch.median_ms("look")
    experts_ms = {first: look_ms}
    for expert in others:
        with suppress(EdgewrightError):  # it cannot run here, or not answer about such images
            looks[expert](images[0])  # loads the networks
            yield
            for image in images[:_OTHER_LOOKS]:
                stopwatch.timed(expert, looks[expert], image)
                yield
            experts_ms[expert] = stopwatch.median_ms(expert)
    return ModelProfile(
        model=model,
        revision=revision,
        decoding=decoding,
        preprocess_ms=stopwatch.median_ms("preprocess"),
        preprocess_pixels=round(statistics.median(one.width * one.height for one in photographs)),
        blocks=[BlockProfile(name=_BLOCK, ms=look_ms)],
        heads_ms=[0.0, look_ms],
        tails_ms=[look_ms, 0.0],
        postprocess_ms=0.0,
        experts_ms=experts_ms,
        points=[],
        image_codecs=codecs,
        engine=engine,
        threads=threads,
        slowdown=slowdown,
    )


class _Stopwatch:
    def __init__(self, slowdown: float) -> None:
        self._slowdown = slowdown
        self._times_ms: dict[str, list[float]] = {}

    def timed(self, name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        """Return what some work returns, and note its time."""
        began = time.perf_counter()
        result = work(*arguments)
        took_ms = (time.perf_counter() - began) * 1000 * self._slowdown
        self._times_ms.setdefault(name, []).append(took_ms)
        return result

    def median_ms(self, name: str) -> float:
        """Return the median time of some work in milliseconds."""
        return statistics.median(self._times_ms[name])
