"""Accuracy retention of EfficientNet-Lite0 under each encoding, on photographs unseen by codecs.

Accuracy is the uncut model's expectation: the probability that it assigns to the labels predicted
after encoding, over the probability that it assigns to its own. A change between two labels that it
considers equally likely costs nothing. The results go into the package, where every node's
offloading policy reads them (``tools/offload/accuracy_retention.py``); measure them again when a
codec changes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from edgewright.benchmarks.common.progress import ProgressLogger
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.workloads import photographs
from edgewright.tools.codec_training.loop import EpochProgress
from edgewright.tools.codecs.frame import pack, unpack
from edgewright.tools.codecs.registry import codecs_at
from edgewright.tools.errors import NotFoundError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.memory import keep_freed_memory
from edgewright.tools.models.engines.torch import efficientnet
from edgewright.tools.models.engines.torch.chain import Chain
from edgewright.tools.offload.accuracy_retention import (
    ACCURACY_RETENTION,
    IMAGE_ENCODINGS,
    codec_key,
    image_key,
    model_key,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BATCH = 8
#: Resamplings of the bootstrap.
_DRAWS = 200
_RATE_POINT = re.compile(r"-\d+$")


@dataclass(frozen=True, kw_only=True)
class Retention:
    """The accuracy retention of an encoding.

    Attributes:
        key: Key of the encoding, as the package stores it.
        encoding: Name of the encoding.
        point: Partition point of a codec; 0 if the image is sent.
        bytes: Mean size of file or frame.
        share: Retained share of the accuracy.
        half: Half-width of its 95 % interval by bootstrap, with images treated as independent.
        same: Share of images whose first label is unchanged.
    """

    key: str
    encoding: str
    point: int
    bytes: float
    share: float
    half: float
    same: float

    @property
    def family(self) -> str:
        """The encoding without its quality or rate point."""
        family = _RATE_POINT.sub("", self.encoding.split()[0])
        return f"{family}, point {self.point}" if self.point else family


class ReferenceModel:
    """The uncut model's predictions on images, to compare others with.

    Args:
        adapter: The model.
        images: Images of any size.
    """

    def __init__(self, adapter: Chain, images: Sequence[Image.Image]) -> None:
        self._adapter = adapter
        self._last = len(adapter.block_names)
        self.preprocessed = [adapter.preprocess(image) for image in images]
        self.inputs = torch.cat([adapter.tensor(image) for image in self.preprocessed])
        self._scores = self.run(self.inputs, 0, self._last).softmax(1)

    def run(self, features: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Run blocks ``start`` to ``stop`` on the features of all images."""
        with torch.inference_mode():
            parts = torch.split(features, _BATCH)
            return torch.cat([self._adapter.forward(part, start, stop) for part in parts])

    def retention(self, decoded: torch.Tensor, point: int) -> dict[str, float]:
        """Compare predictions from decoded features with the uncut model's.

        Args:
            decoded: Features of all images at a point, after encoding and decoding.
            point: The point; 0 for input images.

        Returns:
            ``share``, ``half`` and ``same`` of ``Retention``.
        """
        labels = self.run(decoded, point, self._last).argmax(1)
        retained = self._scores.gather(1, labels[:, None])[:, 0].double()
        best = self._scores.amax(1).double()
        random = torch.Generator().manual_seed(0)
        resampled = torch.randint(len(best), (_DRAWS, len(best)), generator=random)
        spread = (retained[resampled].sum(1) / best[resampled].sum(1)).std()
        return {
            "share": float(retained.sum() / best.sum()),
            "half": 1.96 * float(spread),
            "same": float((labels == self._scores.argmax(1)).double().mean()),
        }


def measured(adapter: Chain, reference: ReferenceModel) -> Iterator[Retention]:
    """Yield the retention of every lossy image encoding and of every codec at every cut."""
    for image_codec, quality in IMAGE_ENCODINGS:
        if quality is not None:
            encoded = [encode(image, image_codec, quality) for image in reference.preprocessed]
            received = torch.cat([adapter.tensor(decode(data)) for data in encoded])
            key = image_key(image_codec, quality)
            size = float(np.mean([len(data) for data in encoded]))
            yield Retention(
                key=key, encoding=key, point=0, bytes=size, **reference.retention(received, 0)
            )
    features = reference.inputs
    for point in range(1, len(adapter.block_names)):
        features = reference.run(features, point - 1, point)
        for codec in codecs_at(adapter, point).values():
            frames = [pack(codec.encode(np.ascontiguousarray(one)), codec) for one in features]
            decoded = np.stack([codec.decode(unpack(frame, codec)) for frame in frames])
            yield Retention(
                key=codec_key(codec),
                encoding=codec.name,
                point=point,
                bytes=float(np.mean([len(frame) for frame in frames])),
                **reference.retention(torch.from_numpy(decoded), codec.resume_point),
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the results into the package.

    Returns:
        0, or 1 when the photographs are not installed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--package", type=Path, default=Path("tools/offload") / ACCURACY_RETENTION)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    keep_freed_memory()
    try:
        _, validation, _ = photographs.load()
    except NotFoundError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    adapter = efficientnet.load()
    with tempfile.TemporaryDirectory() as empty:
        # Codecs trained on this machine are not part of the package.
        os.environ["EDGEWRIGHT_HOME"] = empty
        results = _measured_with_progress(adapter, ReferenceModel(adapter, list(validation.read())))
    shares = {one.key: round(one.share, 4) for one in results}
    stored = {
        "pictures": f"{validation.name}, {validation.count}",
        "models": {model_key(adapter.model, adapter.revision): shares},
    }
    options.package.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
    figures = {
        "pictures": validation.name,
        "count": validation.count,
        "encodings": [asdict(one) for one in results],
    }
    markdown = _markdown(figures)
    sys.stdout.write(markdown)
    write_results(
        options.out, "accuracy-retention", figures, markdown, lambda axes: _draw(axes, results)
    )
    return 0


def _measured_with_progress(adapter: Chain, reference: ReferenceModel) -> list[Retention]:
    """Measure everything and report progress."""
    points = range(1, len(adapter.block_names))
    count = sum(len(codecs_at(adapter, point)) for point in points) + len(IMAGE_ENCODINGS) - 1
    report = ProgressLogger("accuracy-retention")
    results: list[Retention] = []
    for one in measured(adapter, reference):
        results.append(one)
        report(EpochProgress("encodings", len(results), count, 0.0))
    return results


def _markdown(figures: dict[str, Any]) -> str:
    rows = [
        [
            one["encoding"],
            f"features at point {one['point']}" if one["point"] else "image",
            f"{one['bytes']:.0f}",
            f"{100 * one['share']:.2f} ± {100 * one['half']:.2f} %",
            f"{100 * one['same']:.1f} %",
        ]
        for one in figures["encodings"]
    ]
    return (
        f"{figures['count']} images ({figures['pictures']}), to which no codec was fitted. "
        "Accuracy is the uncut model's expectation. The 95 % intervals treat images as "
        "independent, although some show the same photograph.\n\n"
        + table(["encoding", "sent as", "bytes", "accuracy retention", "same label"], rows)
    )


def _draw(axes: Axes, results: Sequence[Retention]) -> None:
    for family in dict.fromkeys(one.family for one in results):
        points = sorted((one for one in results if one.family == family), key=lambda one: one.bytes)
        if len(points) > 1:  # the calibrated codec has a single rate at each point
            axes.plot(
                [one.bytes for one in points],
                [100 * one.share for one in points],
                marker="o" if points[0].point else ".",
                label=family,
            )
    general = [one for one in results if one.encoding == "quantised8" and one.bytes < 50_000]
    axes.plot(
        [one.bytes for one in general],
        [100 * one.share for one in general],
        "x",
        color="grey",
        label="quantised8, all points",
    )
    axes.axhline(99, color="grey", linewidth=0.5)
    axes.set_xscale("log")
    axes.set_xlabel("bytes sent per image")
    axes.set_ylabel("accuracy retention, %")
    axes.legend(fontsize="x-small")


if __name__ == "__main__":
    raise SystemExit(main())
