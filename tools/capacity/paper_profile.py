"""A model's profile on hardware that nobody has measured: from arithmetic and speed alone."""

from __future__ import annotations

from itertools import pairwise

from edgewright.tools.capacity.scenario import Demand, Gpu
from edgewright.tools.contracts.profiles import (
    BlockProfile,
    DecodingProfile,
    ImageCodecProfile,
    ModelProfile,
    PointProfile,
)

_MODEL = "planned-model"
# The policy needs an image's size; decoding and resizing take no time on paper.
_PIXELS = 50_000


def paper_profile(demand: Demand, gpu: Gpu, efficiency: float, gpus: int = 1) -> ModelProfile:
    """Return the profile that the offloading policy gets.

    Args:
        demand: What a request asks of the model.
        gpu: What runs it.
        efficiency: Share of its peak speed that the model reaches.
        gpus: Number of GPUs that share the work.
    """
    whole_ms = demand.gflops / (gpu.tflops * efficiency * gpus)
    whole_ms = max(whole_ms, 1000 * demand.read_gb / (gpu.gb_per_s * efficiency * gpus))
    ends = [0.0, *(cut.share for cut in demand.cuts), 1.0]
    size = round(1000 * demand.input_kb)
    return ModelProfile(
        model=_MODEL,
        revision=_MODEL,
        decoding=[
            DecodingProfile(
                mime="image/jpeg",
                ms_per_megapixel=0.0,
                ms_per_megabyte=0.0,
                pixels=_PIXELS,
                bytes=max(1, size),
            )
        ],
        preprocess_ms=0.0,
        preprocess_pixels=_PIXELS,
        blocks=[
            BlockProfile(name=f"part{number}", ms=(end - begin) * whole_ms)
            for number, (begin, end) in enumerate(pairwise(ends), start=1)
        ],
        postprocess_ms=0.0,
        points=[
            PointProfile(
                point=number,
                name=f"part{number}",
                frame_bytes=round(1000 * cut.kb),
                encode_ms=0.0,
                decode_ms=0.0,
                accuracy_retention=1.0,
            )
            for number, cut in enumerate(demand.cuts, start=1)
        ],
        image_codecs=[
            ImageCodecProfile(
                image_codec="jpeg",
                quality=90,
                bytes=size,
                encode_ms=0.0,
                decode_ms=0.0,
                accuracy_retention=1.0,
            )
        ],
    )
