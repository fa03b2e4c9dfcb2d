"""Exported models against PyTorch: every partition point, on all photographs of the benchmarks.

Run ``python -m edgewright.benchmarks.split.parity``. For each photograph and each partition point
an exported head and an exported tail run one after another; their logits are compared with those of
the uncut model in PyTorch.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.workloads.labelled_photographs import photographs
from edgewright.tools.errors import UnavailableError
from edgewright.tools.images.decode import decode
from edgewright.tools.library import models
from edgewright.tools.models.adapter import Features, PartitionAdapter
from edgewright.tools.models.catalogue_models import CatalogueSpec
from edgewright.tools.models.engines.onnx.adapter import ExportedModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL import Image

#: Maximum difference of logits from those of PyTorch, relative to the largest of them.
LIMIT = 1e-4
#: Smallest difference that the plot shows; a logarithmic one has no place for equality.
_SHOWN = 1e-8


@dataclass(kw_only=True)
class Compared:
    """A model's comparison.

    Attributes:
        points: Names of the blocks that a cut can follow; the first is the uncut model.
        photographs: Number of photographs.
        differences: Largest difference of a logit at each point, relative to the largest logit.
        changed: Number of photographs whose label differs at some point.
        quantised_alike: Photographs with the same label at each other precision, uncut.
    """

    points: list[str]
    photographs: int = 0
    differences: list[float] = field(default_factory=list)
    changed: int = 0
    quantised_alike: dict[str, int] = field(default_factory=dict)

    @property
    def largest(self) -> float:
        """Largest relative difference of all."""
        return max(self.differences)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the table, and write the results.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0, or 1 if a difference exceeds ``LIMIT`` or a label changes.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--photographs", type=Path, help="folder in which packages are unpacked")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    options = parser.parse_args(arguments)
    folders = [options.photographs] if options.photographs else []
    images = [
        decode(one.data)
        for part in ("development", "test", "further")
        for one in photographs(part, folders)
    ]
    found: dict[str, Compared] = {}
    for original, exported in _pairs():
        log(f"{exported.model}: {len(images)} photographs")
        found[exported.model] = compare(original, exported, images)
    _report(found, options.out)
    return int(any(one.changed or one.largest > LIMIT for one in found.values()))


def compare(
    original: PartitionAdapter, exported: ExportedModel, images: Sequence[Image.Image]
) -> Compared:
    """Compare an exported model with the original at every partition point.

    Args:
        original: The model in PyTorch.
        exported: Its export.
        images: RGB images.
    """
    last = len(original.block_names)
    compared = Compared(points=["uncut", *original.block_names[:-1]], differences=[0.0] * last)
    compared.quantised_alike = dict.fromkeys(exported.variants, 0)
    for image in images:
        inputs = original.array(original.preprocess(image))
        expected = original.run(inputs, 0, last)
        scale, label = np.abs(expected).max(), expected.argmax()
        labels = set()
        for point in range(last):
            found = _cut(exported, inputs, point, last)
            difference = float(np.abs(found - expected).max() / scale)
            compared.differences[point] = max(compared.differences[point], difference)
            labels.add(found.argmax())
        compared.changed += labels != {label}
        for precision, variant in exported.variants.items():
            alike = variant.adapter.run(inputs, 0, last).argmax() == label
            compared.quantised_alike[precision] += int(alike)
        compared.photographs += 1
    return compared


def _cut(model: PartitionAdapter, inputs: Features, point: int, last: int) -> Features:
    features = model.run(inputs, 0, point) if point else inputs
    return model.run(features, point, last)


def _pairs() -> Iterator[tuple[PartitionAdapter, ExportedModel]]:
    """Yield the models of PyTorch that are configured here, each with its export."""
    for spec in models():
        if not spec.exportable or spec.exporter or isinstance(spec, CatalogueSpec):
            continue
        with suppress(UnavailableError):  # not configured on this machine
            exported = spec.load(threads=1)
            if isinstance(exported, ExportedModel):
                yield spec.load_original(threads=1), exported


def _report(found: Mapping[str, Compared], out: Path) -> None:
    rows: list[list[object]] = [
        [
            name,
            one.photographs,
            len(one.points),
            f"{one.largest:.1e}",
            one.changed,
            "; ".join(f"{name}: {count}" for name, count in one.quantised_alike.items()) or "-",
        ]
        for name, one in found.items()
    ]
    columns = ["model", "photographs", "partition points", "largest difference of a logit",
               "labels changed", "same label at other precisions"]  # fmt: skip
    markdown = (
        "ONNX Runtime against eager PyTorch, one thread. Differences are relative to the largest "
        f"logit of the photograph; at most {LIMIT:g} is allowed.\n\n{table(columns, rows)}"
    )
    sys.stdout.write(markdown)

    def draw(axes: Axes) -> None:
        for name, one in found.items():
            axes.semilogy(np.maximum(one.differences, _SHOWN), marker="o", label=name)
        axes.axhline(LIMIT, color="grey", linestyle="--")
        axes.set_xlabel("blocks before the cut")
        axes.set_ylabel("largest relative difference of a logit")
        axes.set_title("Exported models against PyTorch")
        axes.legend()

    figures = {"limit": LIMIT, "models": {name: asdict(one) for name, one in found.items()}}
    write_results(out, "parity", figures, markdown, draw)


if __name__ == "__main__":
    sys.exit(main())
