"""Accuracy retention of EfficientNet-Lite0 under each encoding, and quantised.

No codec and no quantisation was fitted to the photographs.

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
from PIL import Image

from edgewright.benchmarks.common.progress import ProgressLogger
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.workloads import photographs
from edgewright.tools.codec_training.loop import EpochProgress
from edgewright.tools.codecs.frame import pack, unpack
from edgewright.tools.codecs.registry import codecs_at
from edgewright.tools.contracts.arms import Precision
from edgewright.tools.errors import NotFoundError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.memory import keep_freed_memory
from edgewright.tools.models.adapter import Features, PartitionAdapter
from edgewright.tools.models.engines.onnx.adapter import ExportedModel
from edgewright.tools.models.engines.torch import efficientnet
from edgewright.tools.models.engines.torch.export import export_chain
from edgewright.tools.offload.accuracy_retention import (
    ACCURACY_RETENTION,
    IMAGE_ENCODINGS,
    WHOLE,
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
        precision: Precision of the model.
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
    precision: Precision = "fp32"

    @property
    def family(self) -> str:
        """The encoding without its quality or rate point."""
        family = _RATE_POINT.sub("", self.encoding.split()[0])
        name = f"{family}, point {self.point}" if self.point else family
        return name if self.precision == "fp32" else f"{name}, {self.precision}"


class ReferenceModel:
    """The uncut model's predictions on images, to compare others with.

    Args:
        adapter: The model in ``fp32``.
        images: Images of any size.
    """

    def __init__(self, adapter: PartitionAdapter, images: Sequence[Image.Image]) -> None:
        self.preprocessed = [adapter.preprocess(image) for image in images]
        self.inputs = np.concatenate([adapter.array(image) for image in self.preprocessed])
        logits = run(adapter, self.inputs, 0, len(adapter.block_names)).astype(np.float64)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        self._scores = shares / shares.sum(1, keepdims=True)

    def retention(
        self, adapter: PartitionAdapter, decoded: Features, point: int
    ) -> dict[str, float]:
        """Compare predictions from decoded features with the uncut model's.

        Args:
            adapter: The model that continues, perhaps at another precision.
            decoded: Features of all images at a point, after encoding and decoding.
            point: The point; 0 for input images.

        Returns:
            ``share``, ``half`` and ``same`` of ``Retention``.
        """
        labels = run(adapter, decoded, point, len(adapter.block_names)).argmax(1)
        retained = self._scores[np.arange(len(labels)), labels]
        best = self._scores.max(1)
        drawn = np.random.default_rng(0).integers(len(best), size=(_DRAWS, len(best)))
        spread = (retained[drawn].sum(1) / best[drawn].sum(1)).std(ddof=1)
        return {
            "share": float(retained.sum() / best.sum()),
            "half": 1.96 * float(spread),
            "same": float((labels == self._scores.argmax(1)).mean()),
        }


def run(adapter: PartitionAdapter, features: Features, start: int, stop: int) -> Features:
    """Run blocks ``start`` to ``stop - 1`` on the features of all images, a few at a time."""
    parts = range(0, len(features), _BATCH)
    return np.concatenate([adapter.run(features[at : at + _BATCH], start, stop) for at in parts])


def measured(
    adapter: PartitionAdapter, reference: ReferenceModel, precision: Precision = "fp32"
) -> Iterator[Retention]:
    """Yield the retention of every lossy image encoding and of every codec at every cut.

    Args:
        adapter: The model at a precision, which computes heads and tails.
        reference: The uncut model in ``fp32``.
        precision: The precision; if it is another one, the whole model comes first.
    """
    if precision != "fp32":
        same = reference.retention(adapter, reference.inputs, 0)
        yield Retention(key=WHOLE, encoding="none", point=0, bytes=0.0, precision=precision, **same)
    for image_codec, quality in IMAGE_ENCODINGS:
        if quality is not None:
            encoded = [encode(image, image_codec, quality) for image in reference.preprocessed]
            received = np.concatenate([adapter.array(decode(data)) for data in encoded])
            key = image_key(image_codec, quality)
            figures = reference.retention(adapter, received, 0)
            yield Retention(
                key=key,
                encoding=key,
                point=0,
                bytes=float(np.mean([len(data) for data in encoded])),
                precision=precision,
                **figures,
            )
    features = reference.inputs
    for point in range(1, len(adapter.block_names)):
        features = run(adapter, features, point - 1, point)
        for codec in codecs_at(adapter, point).values():
            frames = [pack(codec.encode(np.ascontiguousarray(one)), codec) for one in features]
            decoded = np.stack([codec.decode(unpack(frame, codec)) for frame in frames])
            yield Retention(
                key=codec_key(codec),
                encoding=codec.name,
                point=point,
                bytes=float(np.mean([len(frame) for frame in frames])),
                precision=precision,
                **reference.retention(adapter, decoded, codec.resume_point),
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the results into the package.

    Returns:
        0, or 1 when the photographs are not installed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--package", type=Path, default=Path("tools/offload") / ACCURACY_RETENTION)
    parser.add_argument(
        "--precision", help="measure this one only, and keep the stored results of the others"
    )
    options = parser.parse_args(arguments)
    keep_freed_memory()
    try:
        _, validation, _ = photographs.load()
    except NotFoundError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    with tempfile.TemporaryDirectory() as empty:
        # Codecs trained on this machine are not part of the package.
        os.environ["EDGEWRIGHT_HOME"] = empty
        export_chain(efficientnet.load(), Path(empty) / "export")
        adapter = ExportedModel(Path(empty) / "export", threads=1)
        images = list(validation.read())
        results = _stored(options.out, without=options.precision) if options.precision else []
        results += _measured_with_progress(adapter, images, options.precision)
    # Those of detectors are measured by ``detector_retention``.
    others = json.loads(options.package.read_text("utf-8"))["models"]
    others = {key: values for key, values in others.items() if key.split()[0] != adapter.model}
    fingerprints = {name: variant.fingerprint for name, variant in adapter.variants.items()}
    stored = {
        "pictures": f"{validation.name}, {validation.count}",
        "models": {
            model_key(
                adapter.model, adapter.revision, precision, fingerprints.get(precision, "")
            ): {one.key: round(one.share, 4) for one in results if one.precision == precision}
            for precision in dict.fromkeys(one.precision for one in results)
        }
        | others,
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


def _stored(folder: Path, *, without: str) -> list[Retention]:
    """Return the results of an earlier run, without those of one precision."""
    figures = json.loads((folder / "accuracy-retention.json").read_text("utf-8"))
    found = [Retention(**one) for one in figures["encodings"]]
    return [one for one in found if one.precision != without]


def _measured_with_progress(
    adapter: PartitionAdapter, images: Sequence[Image.Image], only: str | None
) -> list[Retention]:
    """Measure every precision, or only one, and report progress."""
    reference = ReferenceModel(adapter, images)
    points = range(1, len(adapter.block_names))
    count = sum(len(codecs_at(adapter, point)) for point in points) + len(IMAGE_ENCODINGS) - 1
    report = ProgressLogger("accuracy-retention")
    results: list[Retention] = []
    variants = {name: variant.adapter for name, variant in adapter.variants.items()}
    models: dict[Precision, PartitionAdapter] = {"fp32": adapter, **variants}
    for precision, model in models.items():
        if only not in (None, precision):
            continue
        for done, one in enumerate(measured(model, reference, precision), 1):
            results.append(one)
            total = count + (precision != "fp32")
            report(EpochProgress(f"encodings, {precision}", done, total, 0.0))
    return results


def _markdown(figures: dict[str, Any]) -> str:
    rows = [
        [
            one["precision"],
            one["encoding"],
            f"features at point {one['point']}" if one["point"] else "image",
            f"{one['bytes']:.0f}" if one["bytes"] else "",
            f"{100 * one['share']:.2f} ± {100 * one['half']:.2f} %",
            f"{100 * one['same']:.1f} %",
        ]
        for one in figures["encodings"]
    ]
    return (
        f"{figures['count']} images ({figures['pictures']}), to which no codec and no "
        "quantisation was fitted. "
        "Accuracy is the uncut model's expectation. The 95 % intervals treat images as "
        "independent, although some show the same photograph.\n\n"
        + table(
            ["precision", "encoding", "sent as", "bytes", "accuracy retention", "same label"], rows
        )
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
    fp32 = [one for one in results if one.precision == "fp32"]
    general = [one for one in fp32 if one.encoding == "quantised8" and one.bytes < 50_000]
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
