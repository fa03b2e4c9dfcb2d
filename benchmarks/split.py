"""Bytes against accuracy: pictures sent whole, and models cut between device and edge server.

Run ``python -m edgewright.benchmarks.split``. Codecs are trained first, for each of three seeds,
which takes most of the time and goes on where it was broken off; with ``QUICK=1`` in the
environment the codecs that ship with the package are measured on few pictures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from edgewright.benchmarks.results import table, write_results
from edgewright.benchmarks.scores import T_OF_THREE, wilson
from edgewright.benchmarks.split_pictures import codings, send_all
from edgewright.benchmarks.split_workloads import WORKLOADS, Workload, first
from edgewright.tools.errors import NotFoundError, UnavailableError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.settings import home
from edgewright.tools.split.frame import HEADER_BYTES, pack, unpack
from edgewright.tools.split.learned.cache import FeatureCache, cached_features
from edgewright.tools.split.learned.codec import Halves, LearnedCodec, load_codecs
from edgewright.tools.split.learned.export import score
from edgewright.tools.split.learned.loop import Progress
from edgewright.tools.split.learned.project import train_codec
from edgewright.tools.split.learned.tail import weights_of_blocks
from edgewright.tools.split.multiply_adds import counted, multiply_adds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEEDS = (0, 1, 2)
QUICK_PICTURES = 200
QUICK_STEP = 4
_BATCH = 128
_TIMED = 20


@dataclass(frozen=True, kw_only=True)
class Point:
    """One way to send the test pictures, and what came of it.

    Attributes:
        way: PNG, JPEG at a quality, or the codec's name.
        kind: ``png``, ``jpeg``, ``webp``, ``avif`` or ``co-inference``.
        bytes: Mean bytes that are sent: the file, or the frame with its envelope.
        payload_bytes: Mean bytes without container or envelope.
        entropy_bytes: Mean information in the payload; None for pictures.
        right: Share of pictures whose first label is right; without labels, the uncut model's.
        interval: 95 %: Wilson's, and of the mean over seeds where something was trained.
        seeds: Share for each seed; one value where nothing was trained.
    """

    way: str
    kind: str
    bytes: float
    payload_bytes: float
    entropy_bytes: float | None
    right: float
    interval: tuple[float, float]
    seeds: tuple[float, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=WORKLOADS, action="append", help="measure these alone")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument(
        "--work", type=Path, default=home() / "bench-split", help="features, checkpoints, codecs"
    )
    options = parser.parse_args(arguments)
    quick = os.environ.get("QUICK") == "1"
    measured: dict[str, Any] = {}
    for name in options.only or WORKLOADS:
        try:
            measured[name] = _measure(WORKLOADS[name](), options.work / name, quick)
        except (NotFoundError, UnavailableError) as error:
            sys.stderr.write(f"{name} is left out: {error.message}\n")
    if not measured:
        return 1
    markdown = "\n".join(_markdown(figures) for figures in measured.values())
    sys.stdout.write(markdown)
    write_results(
        options.out,
        "split-quick" if quick else "split",
        {"seeds": SEEDS, "workloads": measured},
        markdown,
        lambda axes: _draw(axes, measured),
    )
    return 0


def _measure(workload: Workload, work: Path, quick: bool) -> dict[str, Any]:
    torch.set_num_threads(1)
    folders = [_shipped(workload)] if quick else [_trained(workload, work, one) for one in SEEDS]
    codecs = [load_codecs(folder, workload.adapter) for folder in folders]
    test = first(workload.test, QUICK_PICTURES) if quick else workload.test
    points = (workload.recipe.point, workload.recipe.decoder_point)
    cache = cached_features(workload.adapter, test, points, work / f"test-{test.count}", _tell)
    pictures = [workload.adapter.fit(picture) for picture in test.read()]
    truth = _truth(cache)
    sent = _pictures_sent(workload, pictures, truth, QUICK_STEP if quick else 1)
    cut = _cut(workload, codecs, cache, truth)
    uncut = cache.outputs.argmax(1).numpy() == truth
    return {
        "title": workload.title,
        "pictures": test.name,
        "count": test.count,
        "trained_on": workload.training.name,
        "labels": cache.labels is not None,
        "uncut": {"right": float(uncut.mean()), "interval": wilson(int(uncut.sum()), len(uncut))},
        "head": _head(workload, folders[0]),
        "latency_ms": _latency(workload, folders[0], pictures[:_TIMED]),
        "points": [asdict(point) for point in [*sent, *cut]],
        "gains": [_gain(point, sent) for point in cut],
    }


def _truth(cache: FeatureCache) -> NDArray[np.int64]:
    """Return the labels; without any, what the uncut model says."""
    if cache.labels is not None:
        return cache.labels.numpy()
    said: NDArray[np.int64] = cache.outputs.argmax(1).numpy()
    return said


def _shipped(workload: Workload) -> Path:
    return Path(str(files("edgewright.tools.split.learned") / "weights" / workload.name))


def _trained(workload: Workload, work: Path, seed: int) -> Path:
    """Train a codec, or go on with it; its features are those of the other seeds."""
    out = work / f"codec-{seed}"
    if not (out / "manifest.json").exists():
        train_codec(
            workload.adapter,
            workload.recipe.changed(seed=seed),
            workload.training,
            workload.validation,
            features=work,
            work=work / f"training-{seed}",
            out=out,
            report=_tell,
        )
    return out


def _pictures_sent(
    workload: Workload, pictures: Sequence[Image.Image], truth: NDArray[np.int64], step: int
) -> list[Point]:
    """Send the pictures in every coding to the uncut model."""
    found = []
    for coding, quality in codings(step):
        received, file_bytes, payload_bytes = send_all(pictures, coding, quality)
        predicted = _labels(workload, received)
        right = int((predicted == truth).sum())
        found.append(
            Point(
                way=coding.upper() if quality is None else f"{coding.upper()} {quality}",
                kind=coding,
                bytes=file_bytes,
                payload_bytes=payload_bytes,
                entropy_bytes=None,
                right=right / len(truth),
                interval=wilson(right, len(truth)),
                seeds=(right / len(truth),),
            )
        )
        sys.stderr.write(f"\r{workload.name}: {found[-1].way} sent     ")
    return found


def _labels(workload: Workload, pictures: Sequence[Image.Image]) -> NDArray[np.int64]:
    adapter, last = workload.adapter, len(workload.adapter.block_names)
    labels = []
    with torch.inference_mode():
        for start in range(0, len(pictures), _BATCH):
            batch = torch.cat([adapter.tensor(one) for one in pictures[start : start + _BATCH]])
            labels.append(adapter.run(batch, 0, last).argmax(1).numpy())
    return np.concatenate(labels)


def _cut(
    workload: Workload,
    by_seed: Sequence[Sequence[LearnedCodec]],
    cache: FeatureCache,
    truth: NDArray[np.int64],
) -> list[Point]:
    """Send the features with every rate point of every trained codec."""
    points = []
    for codecs in zip(*by_seed, strict=True):
        scores = [score(codec, workload.adapter, cache.features) for codec in codecs]
        shares = [float((one.predicted == truth).mean()) for one in scores]
        payload_bytes = statistics.fmean(float(one.payload_bytes.mean()) for one in scores)
        points.append(
            Point(
                way=codecs[0].name,
                kind="co-inference",
                bytes=payload_bytes + HEADER_BYTES,
                payload_bytes=payload_bytes,
                entropy_bytes=statistics.fmean(float(one.entropy_bytes.mean()) for one in scores),
                right=statistics.fmean(shares),
                interval=_interval(shares, len(truth)),
                seeds=tuple(shares),
            )
        )
    return points


def _interval(shares: Sequence[float], count: int) -> tuple[float, float]:
    """Return the wider of Wilson's interval and that of the mean over seeds."""
    mean = statistics.fmean(shares)
    low, high = wilson(round(mean * count), count)
    if len(shares) > 1:
        half = T_OF_THREE * statistics.stdev(shares) / len(shares) ** 0.5
        low, high = min(low, mean - half), max(high, mean + half)
    return low, high


def _gain(point: Point, sent: Sequence[Point]) -> dict[str, Any]:
    """Compare a cut with the lossless picture and the cheapest lossy one that is as accurate."""
    png = sent[0]
    as_good = [one for one in sent[1:] if one.right >= point.right]
    lossy = min(as_good, key=lambda one: one.bytes, default=png)
    bare = min(as_good, key=lambda one: one.payload_bytes, default=png)
    return {
        "way": point.way,
        "loss_points": 100 * (png.right - point.right),
        "png_by_frame": png.bytes / point.bytes,
        "png_by_payload": png.bytes / point.payload_bytes,
        "lossy": lossy.way,
        "lossy_by_frame": lossy.bytes / point.bytes,
        "bare_lossy": bare.way,
        "bare_lossy_by_payload": bare.payload_bytes / point.payload_bytes,
    }


def _head(workload: Workload, folder: Path) -> dict[str, float]:
    """Return what the device has to hold and to compute."""
    adapter, point = workload.adapter, workload.recipe.point
    halves = Halves(folder, adapter)
    blocks = multiply_adds(adapter)
    features = torch.zeros(1, *adapter.feature_shape(point))
    encoder = counted(halves.encoder, features)[1]
    weights = sum(one.numel() for one in weights_of_blocks(adapter, 0, point).values())
    return {
        "blocks_parameters": weights,
        "encoder_parameters": halves.manifest.encoder_parameters,
        "multiply_adds": sum(blocks[:point]) + encoder,
        "share": (sum(blocks[:point]) + encoder) / sum(blocks),
    }


def _latency(workload: Workload, folder: Path, pictures: Sequence[Image.Image]) -> dict[str, float]:
    """Return median milliseconds on this machine, one thread, one picture at a time."""
    adapter, last = workload.adapter, len(workload.adapter.block_names)
    codec = load_codecs(folder, adapter)[0]
    inputs = [adapter.tensor(picture) for picture in pictures]
    files_ = [encode(picture, "jpeg", 90) for picture in pictures]
    with torch.inference_mode():
        frames = [_device(workload, codec, one) for one in inputs]
        return {
            "device: head, encoder, coder": _median_ms(
                lambda one: _device(workload, codec, one), inputs
            ),
            "edge: decoder, tail": _median_ms(lambda one: _edge(workload, codec, one), frames),
            "whole model": _median_ms(lambda one: adapter.run(one, 0, last), inputs),
            "JPEG 90 encode": _median_ms(lambda one: encode(one, "jpeg", 90), pictures),
            "JPEG 90 decode": _median_ms(lambda one: adapter.tensor(decode(one)), files_),
        }


def _device(workload: Workload, codec: LearnedCodec, values: torch.Tensor) -> bytes:
    features = workload.adapter.run(values, 0, codec.point)
    return pack(codec.encode(np.ascontiguousarray(features[0].numpy())), codec)


def _edge(workload: Workload, codec: LearnedCodec, frame: bytes) -> torch.Tensor:
    features = torch.from_numpy(codec.decode(unpack(frame, codec)))[None]
    last = len(workload.adapter.block_names)
    return workload.adapter.run(features, codec.resume_point, last)


def _median_ms(work: Callable[[Any], object], samples: Sequence[Any]) -> float:
    times = []
    for sample in samples:
        start = time.perf_counter()
        work(sample)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def _markdown(figures: dict[str, Any]) -> str:
    what = "accuracy" if figures["labels"] else "agreement with the uncut model"
    head = figures["head"]
    rows = [
        [
            point["way"],
            f"{point['bytes']:.0f}",
            f"{point['payload_bytes']:.1f}",
            "" if point["entropy_bytes"] is None else f"{point['entropy_bytes']:.1f}",
            f"{100 * point['right']:.2f} %",
            f"{100 * point['interval'][0]:.1f}–{100 * point['interval'][1]:.1f} %",  # noqa: RUF001
        ]
        for point in figures["points"]
    ]
    gains = [
        [
            gain["way"],
            f"{gain['loss_points']:+.2f}",
            f"{gain['png_by_frame']:.1f}",
            f"{gain['png_by_payload']:.1f}",
            f"{gain['lossy_by_frame']:.1f} ({gain['lossy']})",
            f"{gain['bare_lossy_by_payload']:.1f} ({gain['bare_lossy']})",
        ]
        for gain in figures["gains"]
    ]
    latency = [[name, f"{ms:.2f}"] for name, ms in figures["latency_ms"].items()]
    return "\n".join(
        [
            f"### {figures['title']}\n",
            f"{figures['count']} pictures ({figures['pictures']}); codecs trained on "
            f"{figures['trained_on']}. The device runs {100 * head['share']:.1f} % of the model's "
            f"multiply-adds, encoder included: {head['blocks_parameters'] / 1000:.0f} thousand "
            f"parameters of the model and {head['encoder_parameters'] / 1000:.0f} thousand of the "
            "encoder.\n",
            table(["sent", "bytes", "payload", "entropy", what, "95 % interval"], rows),
            "\nFewer bytes than the lossless picture, and than the cheapest lossy picture that is "
            "as accurate with the same receiver (times):\n",
            table(
                ["codec", "points lost", "PNG / frame", "PNG / payload", "lossy file / frame",
                 "lossy payload / payload"],
                gains,
            ),
            "\nOne picture on this machine, one thread:\n",
            table(["part", "median ms"], latency),
        ]
    )  # fmt: skip


def _draw(axes: Axes, measured: dict[str, Any]) -> None:
    for figures in measured.values():
        kinds = dict.fromkeys(point["kind"] for point in figures["points"])
        for kind in kinds:
            chosen = [point for point in figures["points"] if point["kind"] == kind]
            chosen.sort(key=lambda point: point["bytes"])
            axes.plot(
                [point["bytes"] for point in chosen],
                [100 * point["right"] for point in chosen],
                marker="o" if kind == "co-inference" else ".",
                label=f"{kind}, {figures['title']}",
            )
    axes.set_xscale("log")
    axes.set_xlabel("bytes sent for each picture")
    axes.set_ylabel("accuracy or agreement, %")
    axes.legend(fontsize="x-small")


def _tell(progress: Progress) -> None:
    if progress.step % 20 == 0 or progress.step == progress.steps:
        end = "\n" if progress.step == progress.steps else ""
        sys.stderr.write(f"\r{progress.stage}: {progress.step} of {progress.steps}{end}")


if __name__ == "__main__":
    raise SystemExit(main())
