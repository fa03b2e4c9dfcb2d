"""How much accuracy each coding leaves EfficientNet-Lite0 on photographs that no codec has seen.

Accuracy is what the uncut model expects of it: the probability that it gives to the labels named
after coding, over the probability that it gives to its own. A change between two labels that it
holds equally likely costs nothing. The shares go into the package, where every node's offloading
policy takes them from (``tools/offload/agreement.py``); they have to be measured again when a codec
changes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from edgewright.benchmarks import photographs
from edgewright.benchmarks.progress import tell
from edgewright.benchmarks.results import table, write_results
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.memory import keep_freed_memory
from edgewright.tools.offload.agreement import AGREEMENTS, codec_key, image_key, model_key
from edgewright.tools.offload.profile import IMAGE_CODINGS
from edgewright.tools.split.adapters import efficientnet
from edgewright.tools.split.adapters.chain import Chain
from edgewright.tools.split.codec import FeatureCodec
from edgewright.tools.split.codecs import codecs_at
from edgewright.tools.split.frame import pack, unpack
from edgewright.tools.split.learned.loop import Progress

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BATCH = 8
_DRAWS = 200  # of the bootstrap


@dataclass(frozen=True, kw_only=True)
class Left:
    """What a coding leaves.

    Attributes:
        key: Key of the coding.
        kind: ``jpeg``, ``webp``, ``avif``, or the codec's name without its rate point.
        bytes: Mean size of file or frame.
        share: Share of the accuracy.
        half: Half of its 95 % interval over the pictures, by bootstrap.
        same: Share of unchanged first labels.
    """

    key: str
    kind: str
    bytes: float
    share: float
    half: float
    same: float


class Pictures:
    """The pictures, and what the uncut model says of them.

    Args:
        adapter: The model.
        images: The pictures, any size.
    """

    def __init__(self, adapter: Chain, images: Sequence[Image.Image]) -> None:
        self._adapter = adapter
        self._last = len(adapter.block_names)
        self.fitted = [adapter.fit(image) for image in images]
        self.inputs = torch.cat([adapter.tensor(image) for image in self.fitted])
        self._scores = self.run(self.inputs, 0, self._last).softmax(1)

    def run(self, features: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Run blocks on all pictures."""
        with torch.inference_mode():
            parts = torch.split(features, _BATCH)
            return torch.cat([self._adapter.run(part, start, stop) for part in parts])

    def left(
        self, key: str, kind: str, sizes: Sequence[int], arrived: torch.Tensor, point: int
    ) -> Left:
        """Compare the answers to what arrived at a point with the uncut model's."""
        named = self.run(arrived, point, self._last).argmax(1)
        kept = self._scores.gather(1, named[:, None])[:, 0].double()
        best = self._scores.amax(1).double()
        drawn = torch.randint(
            len(best), (_DRAWS, len(best)), generator=torch.Generator().manual_seed(0)
        )
        spread = (kept[drawn].sum(1) / best[drawn].sum(1)).std()
        return Left(
            key=key,
            kind=kind,
            bytes=float(np.mean(sizes)),
            share=float(kept.sum() / best.sum()),
            half=1.96 * float(spread),
            same=float((named == self._scores.argmax(1)).double().mean()),
        )


def codings_of(adapter: Chain, pictures: Pictures) -> Iterator[Left]:
    """Yield what every lossy coding of the picture and every codec of every cut leaves."""
    for image_codec, quality in IMAGE_CODINGS:
        if quality is not None:
            coded = [encode(image, image_codec, quality) for image in pictures.fitted]
            arrived = torch.cat([adapter.tensor(decode(data)) for data in coded])
            sizes = [len(data) for data in coded]
            yield pictures.left(image_key(image_codec, quality), image_codec, sizes, arrived, 0)
    features = pictures.inputs
    for point in range(1, len(adapter.block_names)):
        features = pictures.run(features, point - 1, point)
        for codec in codecs_at(adapter, point).values():
            frames = [pack(codec.encode(np.ascontiguousarray(one)), codec) for one in features]
            sizes = [len(frame) for frame in frames]
            kind = f"point {point}, {codec.name.rstrip('-0123456789')}"
            arrived = _arrived(codec, frames)
            yield pictures.left(codec_key(codec), kind, sizes, arrived, codec.resume_point)


def _arrived(codec: FeatureCodec, frames: Sequence[bytes]) -> torch.Tensor:
    return torch.from_numpy(np.stack([codec.decode(unpack(frame, codec)) for frame in frames]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the shares into the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--package", type=Path, default=Path("tools/offload") / AGREEMENTS)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    keep_freed_memory()
    adapter = efficientnet.load()
    _, validation, _ = photographs.load()
    pictures = Pictures(adapter, list(validation.read()))
    found: list[Left] = []
    codings = len([quality for _, quality in IMAGE_CODINGS if quality]) + sum(
        len(codecs_at(adapter, point)) for point in range(1, len(adapter.block_names))
    )
    for one in codings_of(adapter, pictures):
        found.append(one)
        tell(Progress("codings", len(found), codings, 0.0))
    shares = {one.key: round(one.share, 4) for one in found}
    stored = {
        "pictures": f"{validation.name}, {validation.count}",
        "models": {model_key(adapter.model, adapter.revision): shares},
    }
    options.package.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
    figures = {
        "pictures": validation.name,
        "count": validation.count,
        "points": [asdict(one) for one in found],
    }
    markdown = _markdown(figures)
    sys.stdout.write(markdown)
    write_results(options.out, "agreements", figures, markdown, lambda axes: _draw(axes, found))
    return 0


def _markdown(figures: dict[str, Any]) -> str:
    rows = [
        [
            point["key"].rsplit(" ", 1)[0] if point["kind"].startswith("point") else point["key"],
            point["kind"].split(",")[0] if point["kind"].startswith("point") else "picture",
            f"{point['bytes']:.0f}",
            f"{100 * point['share']:.2f} ± {100 * point['half']:.2f} %",
            f"{100 * point['same']:.1f} %",
        ]
        for point in figures["points"]
    ]
    return (
        f"{figures['count']} pictures ({figures['pictures']}), of which no codec was made. "
        "Accuracy is what the uncut model expects; intervals are over the pictures, 95 %.\n\n"
        + table(["coding", "sent", "bytes", "accuracy kept", "same label"], rows)
    )


def _draw(axes: Axes, found: Sequence[Left]) -> None:
    for kind in dict.fromkeys(one.kind for one in found):
        mine = sorted((one for one in found if one.kind == kind), key=lambda one: one.bytes)
        marker = "o" if kind.startswith("point") else "."
        axes.plot(
            [one.bytes for one in mine],
            [100 * one.share for one in mine],
            marker=marker,
            label=kind,
        )
    axes.axhline(99, color="grey", linewidth=0.5)
    axes.set_xscale("log")
    axes.set_xlim(left=500, right=50_000)
    axes.set_xlabel("bytes sent for each picture")
    axes.set_ylabel("accuracy kept, %")
    axes.legend(fontsize=6, ncols=2)


if __name__ == "__main__":
    raise SystemExit(main())
