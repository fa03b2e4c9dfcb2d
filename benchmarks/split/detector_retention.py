"""Accuracy retention of detectors and pose networks under each encoding, on unseen photographs.

What the uncut model finds is the reference: objects count if a box of the same label overlaps by
half, joints if they stay within 5 % of the person's size
(``tools/offload/profiling/retained.py``). Tables were calibrated on other photographs. The results
go into the package, where every node's policy reads them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.workloads.scenes import images as scenes
from edgewright.tools.codec_training.calibration import crops
from edgewright.tools.codecs.frame import pack, unpack
from edgewright.tools.codecs.protocol import FeatureCodec
from edgewright.tools.codecs.registry import codecs_at
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.library import load_adapter, output_experts
from edgewright.tools.models.adapter import Features, PartitionAdapter
from edgewright.tools.models.expert import OutputExpert
from edgewright.tools.offload.accuracy_retention import (
    ACCURACY_RETENTION,
    IMAGE_ENCODINGS,
    codec_key,
    image_key,
    model_key,
)
from edgewright.tools.offload.profiling.retained import retained

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODELS = ("ssd-openimages", "movenet-thunder")
#: Crops of each photograph.
_EACH = 2


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What an encoding keeps of a model's output.

    Attributes:
        model: Model id.
        key: Key of the encoding, as the package stores it.
        encoding: Name of the encoding.
        point: Partition point of a codec; 0 if the image is sent.
        bytes: Mean size of file or frame.
        share: Share of boxes or joints that is kept.
        of: Number of boxes or joints.
    """

    model: str
    key: str
    encoding: str
    point: int
    bytes: float
    share: float
    of: int


def measured(
    adapter: PartitionAdapter, expert: OutputExpert, images: Sequence[Image.Image]
) -> Iterator[Kept]:
    """Yield what every lossy image encoding and every codec at every cut keeps."""
    last = len(adapter.block_names)
    preprocessed = [adapter.preprocess(image) for image in images]
    inputs = [adapter.array(image) for image in preprocessed]

    def answer(features: Features, point: int) -> dict[str, Any]:
        return expert.postprocess(adapter.run(features, point, last), {})

    expected = [answer(one, 0) for one in inputs]

    def kept(
        name: str,
        key: str,
        point: int,
        encoded: list[bytes],
        received: Callable[[bytes], Features],
        resume: int,
    ) -> Kept:
        pairs = [
            retained(before, answer(received(data), resume))
            for before, data in zip(expected, encoded, strict=True)
        ]
        total = sum(of for _, of in pairs)
        return Kept(
            model=adapter.model,
            key=key,
            encoding=name,
            point=point,
            bytes=float(np.mean([len(data) for data in encoded])),
            share=sum(part for part, _ in pairs) / total if total else 0.0,
            of=round(total),
        )

    for image_codec, quality in IMAGE_ENCODINGS:
        if quality is not None:
            key = image_key(image_codec, quality)
            data = [encode(image, image_codec, quality) for image in preprocessed]
            yield kept(key, key, 0, data, lambda one: adapter.array(decode(one)), 0)
    features = inputs
    for point in range(1, last):
        features = [adapter.run(one, point - 1, point) for one in features]
        for codec in codecs_at(adapter, point).values():
            frames = [pack(codec.encode(np.ascontiguousarray(one[0])), codec) for one in features]
            decoded = partial(_decoded, codec)
            yield kept(codec.name, codec_key(codec), point, frames, decoded, codec.resume_point)


def _decoded(codec: FeatureCodec, frame: bytes) -> Features:
    return codec.decode(unpack(frame, codec))[np.newaxis]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the results into the package.

    Args:
        arguments: Command line; the process's own by default.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--package", type=Path, default=Path("tools/offload") / ACCURACY_RETENTION)
    parser.add_argument("--unpacked", type=Path, help="folder of packages that were unpacked")
    parser.add_argument("--models", nargs="+", default=MODELS, help="model ids")
    parser.add_argument("--each", type=int, default=_EACH, help="crops of each photograph")
    options = parser.parse_args(arguments)
    images = crops(scenes("test", options.unpacked), each=options.each)
    results: list[Kept] = []
    for model in options.models:
        adapter = load_adapter(model, threads=1)
        expert = next(one for one in output_experts().values() if one.model == model)
        found: list[Kept] = []
        for one in measured(adapter, expert, images):
            found.append(one)
            log(f"{model} {one.key[:24]}: {one.share:.3f} of {one.of}, {one.bytes:.0f} bytes")
        _store(options.package, model_key(model, adapter.revision), found)
        results += found
    markdown = _markdown(results, len(images))
    sys.stdout.write(markdown)
    figures = {"images": len(images), "encodings": [asdict(one) for one in results]}
    write_results(
        options.out, "detector-retention", figures, markdown, lambda axes: _draw(axes, results)
    )
    return 0


def _store(path: Path, key: str, found: Sequence[Kept]) -> None:
    """Write a model's retention into the package; other models stay as they are."""
    stored = json.loads(path.read_text("utf-8"))
    stored["models"] = {
        name: values
        for name, values in stored["models"].items()
        if name.partition(" ")[0] != key.partition(" ")[0]
    }
    stored["models"][key] = {one.key: round(one.share, 4) for one in found}
    path.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")


def _markdown(results: Sequence[Kept], images: int) -> str:
    rows = [
        [
            one.model,
            one.encoding,
            f"features at point {one.point}" if one.point else "image",
            f"{one.bytes:.0f}",
            f"{100 * one.share:.1f} % of {one.of}",
        ]
        for one in results
    ]
    return f"{images} crops of photographs on which nothing was calibrated.\n\n" + table(
        ["model", "encoding", "sent as", "bytes", "boxes or joints kept"], rows
    )


def _draw(axes: Axes, results: Sequence[Kept]) -> None:
    for model in dict.fromkeys(one.model for one in results):
        for cut in (False, True):
            shown = [one for one in results if one.model == model and bool(one.point) == cut]
            axes.plot(
                [one.bytes for one in shown],
                [100 * one.share for one in shown],
                "x" if cut else ".",
                label=f"{model}, {'features' if cut else 'image'}",
            )
    axes.set_xscale("log")
    axes.set_xlabel("bytes sent per image")
    axes.set_ylabel("boxes or joints kept, %")
    axes.legend(fontsize="x-small")


if __name__ == "__main__":
    raise SystemExit(main())
