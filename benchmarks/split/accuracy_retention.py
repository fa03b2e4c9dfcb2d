"""How much accuracy each coding leaves EfficientNet-Lite0 on photographs that no codec has seen.

Accuracy is what the uncut model expects of it: the probability that it gives to the labels named
after coding, over the probability that it gives to its own. A change between two labels that it
holds equally likely costs nothing. The shares go into the package, where every node's offloading
policy reads them (``tools/offload/accuracy_retention.py``); measure them again when a codec
changes.
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
    codec_key,
    image_key,
    model_key,
)
from edgewright.tools.offload.profile import IMAGE_ENCODINGS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BATCH = 8
#: Resamplings of the bootstrap.
_DRAWS = 200
_RATE_POINT = re.compile(r"-\d+$")


@dataclass(frozen=True, kw_only=True)
class Retained:
    """What a coding leaves of the accuracy.

    Attributes:
        key: Key of the coding, as the package stores it.
        encoding: Its name.
        point: Partition point of a codec; 0 where the picture is sent.
        bytes: Mean size of file or frame.
        share: Share of the accuracy.
        half: Half of its 95 % interval by bootstrap, the pictures taken to be independent.
        same: Share of unchanged first labels.
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
        """The coding without its quality or rate point."""
        family = _RATE_POINT.sub("", self.encoding.split()[0])
        return f"{family}, point {self.point}" if self.point else family


class ReferenceModel:
    """The uncut model's answers to pictures, and how far others are from them.

    Args:
        adapter: The model.
        images: The pictures, any size.
    """

    def __init__(self, adapter: Chain, images: Sequence[Image.Image]) -> None:
        self._adapter = adapter
        self._last = len(adapter.block_names)
        self.fitted = [adapter.preprocess(image) for image in images]
        self.inputs = torch.cat([adapter.tensor(image) for image in self.fitted])
        self._scores = self.run(self.inputs, 0, self._last).softmax(1)

    def run(self, features: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Run blocks on all pictures."""
        with torch.inference_mode():
            parts = torch.split(features, _BATCH)
            return torch.cat([self._adapter.run(part, start, stop) for part in parts])

    def kept(self, arrived: torch.Tensor, point: int) -> dict[str, float]:
        """Compare the answers to what arrived at a point with the uncut model's.

        Returns:
            ``share``, ``half`` and ``same`` of ``Retained``.
        """
        named = self.run(arrived, point, self._last).argmax(1)
        kept = self._scores.gather(1, named[:, None])[:, 0].double()
        best = self._scores.amax(1).double()
        random = torch.Generator().manual_seed(0)
        drawn = torch.randint(len(best), (_DRAWS, len(best)), generator=random)
        spread = (kept[drawn].sum(1) / best[drawn].sum(1)).std()
        return {
            "share": float(kept.sum() / best.sum()),
            "half": 1.96 * float(spread),
            "same": float((named == self._scores.argmax(1)).double().mean()),
        }


def measured(adapter: Chain, judge: ReferenceModel) -> Iterator[Retained]:
    """Yield what every lossy coding of the picture and every codec of every cut leaves."""
    for image_codec, quality in IMAGE_ENCODINGS:
        if quality is not None:
            coded = [encode(image, image_codec, quality) for image in judge.fitted]
            arrived = torch.cat([adapter.tensor(decode(data)) for data in coded])
            key = image_key(image_codec, quality)
            size = float(np.mean([len(data) for data in coded]))
            yield Retained(key=key, encoding=key, point=0, bytes=size, **judge.kept(arrived, 0))
    features = judge.inputs
    for point in range(1, len(adapter.block_names)):
        features = judge.run(features, point - 1, point)
        for codec in codecs_at(adapter, point).values():
            frames = [pack(codec.encode(np.ascontiguousarray(one)), codec) for one in features]
            decoded = np.stack([codec.decode(unpack(frame, codec)) for frame in frames])
            yield Retained(
                key=codec_key(codec),
                encoding=codec.name,
                point=point,
                bytes=float(np.mean([len(frame) for frame in frames])),
                **judge.kept(torch.from_numpy(decoded), codec.resume_point),
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the shares into the package."""
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
        # Codecs that somebody trained on this machine are no part of the package.
        os.environ["EDGEWRIGHT_HOME"] = empty
        found = _told(adapter, ReferenceModel(adapter, list(validation.read())))
    shares = {one.key: round(one.share, 4) for one in found}
    stored = {
        "pictures": f"{validation.name}, {validation.count}",
        "models": {model_key(adapter.model, adapter.revision): shares},
    }
    options.package.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
    figures = {
        "pictures": validation.name,
        "count": validation.count,
        "encodings": [asdict(one) for one in found],
    }
    markdown = _markdown(figures)
    sys.stdout.write(markdown)
    write_results(
        options.out, "accuracy-retention", figures, markdown, lambda axes: _draw(axes, found)
    )
    return 0


def _told(adapter: Chain, judge: ReferenceModel) -> list[Retained]:
    """Measure, and say how far that is."""
    points = range(1, len(adapter.block_names))
    count = sum(len(codecs_at(adapter, point)) for point in points) + len(IMAGE_ENCODINGS) - 1
    tell = ProgressLogger("accuracy-retention")
    found: list[Retained] = []
    for one in measured(adapter, judge):
        found.append(one)
        tell(EpochProgress("encodings", len(found), count, 0.0))
    return found


def _markdown(figures: dict[str, Any]) -> str:
    rows = [
        [
            one["encoding"],
            f"features at point {one['point']}" if one["point"] else "picture",
            f"{one['bytes']:.0f}",
            f"{100 * one['share']:.2f} ± {100 * one['half']:.2f} %",
            f"{100 * one['same']:.1f} %",
        ]
        for one in figures["encodings"]
    ]
    return (
        f"{figures['count']} pictures ({figures['pictures']}), of which no codec was made. "
        "Accuracy is what the uncut model expects; the 95 % intervals take pictures to be "
        "independent, which several of one photograph are not.\n\n"
        + table(["encoding", "sent", "bytes", "accuracy kept", "same label"], rows)
    )


def _draw(axes: Axes, found: Sequence[Retained]) -> None:
    for family in dict.fromkeys(one.family for one in found):
        mine = sorted((one for one in found if one.family == family), key=lambda one: one.bytes)
        if len(mine) > 1:  # the calibrated codec has one rate at each of seventeen points
            axes.plot(
                [one.bytes for one in mine],
                [100 * one.share for one in mine],
                marker="o" if mine[0].point else ".",
                label=family,
            )
    general = [one for one in found if one.encoding == "quantised8" and one.bytes < 50_000]
    axes.plot(
        [one.bytes for one in general],
        [100 * one.share for one in general],
        "x",
        color="grey",
        label="quantised8, all points",
    )
    axes.axhline(99, color="grey", linewidth=0.5)
    axes.set_xscale("log")
    axes.set_xlabel("bytes sent for each picture")
    axes.set_ylabel("accuracy kept, %")
    axes.legend(fontsize="x-small")


if __name__ == "__main__":
    raise SystemExit(main())
