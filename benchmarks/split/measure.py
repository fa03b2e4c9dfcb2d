"""Bytes and answer quality of every way to send the test images, for one workload."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from edgewright.benchmarks.common.data import DATA
from edgewright.benchmarks.common.progress import ProgressLogger
from edgewright.benchmarks.split.costs import head
from edgewright.benchmarks.split.images import QUALITIES, image_encodings, send_all
from edgewright.benchmarks.split.metrics import interval_of
from edgewright.benchmarks.split.receivers import tuned_receiver
from edgewright.benchmarks.split.tables import CALIBRATED, Point, gain_of
from edgewright.benchmarks.split.workloads import WORKLOADS, Workload, first
from edgewright.tools.codec_training.cache import FeatureCache, cached_features
from edgewright.tools.codec_training.export import score
from edgewright.tools.codec_training.loop import EpochProgress
from edgewright.tools.codec_training.project import train_codec
from edgewright.tools.codec_training.recipe import TrainedRecipe
from edgewright.tools.codecs.frame import HEADER_BYTES, pack, unpack
from edgewright.tools.codecs.learned.codec import LearnedCodec, load_codecs
from edgewright.tools.codecs.learned.torch.tail import TunedBlocks
from edgewright.tools.codecs.registry import codec_for
from edgewright.tools.errors import NotFoundError, UnavailableError
from edgewright.tools.memory import keep_freed_memory

QUICK_IMAGES = 120
QUICK_STEP = 4
#: Images per batch of the whole model; larger batches exceed the processor's caches.
_BATCH = 8


@dataclass(frozen=True, kw_only=True)
class Job:
    """The measurement of one workload.

    Attributes:
        name: Name of the workload.
        work: Folder of its features, checkpoints and codecs.
        seeds: Seeds of the codecs to train.
        quick: Measure the shipped codec on few images, without training.
        receivers: Also tune a receiver to each lossy encoding.
    """

    name: str
    work: Path
    seeds: tuple[int, ...]
    quick: bool
    receivers: bool

    def workload(self) -> Workload:
        """Load model and images; some models are tuned first.

        Raises:
            NotFoundError: The images are not installed (``data_missing``).
        """
        return WORKLOADS[self.name](self.work, ProgressLogger(self.name))

    def codec(self, workload: Workload) -> Path:
        """Return the folder of the first measured codec."""
        return _shipped(workload) if self.quick else _folder(workload, self.work)


def measured(job: Job) -> dict[str, Any] | str:
    """Train the codecs and measure everything but latency; return the reason if that fails.

    It takes one thread, so that several workloads can be measured in parallel.
    """
    torch.set_num_threads(1)
    keep_freed_memory()  # as nodes do
    report = ProgressLogger(job.name)
    try:
        workload = job.workload()
        figures = _measure(workload, job, report)
        if job.receivers and not job.quick:
            if isinstance(workload.recipe, TrainedRecipe):
                figures |= _with_receivers(workload, job.work, figures, report)
            else:
                report.write("no receivers, since its codec is not trained")
    except (NotFoundError, UnavailableError) as error:
        return error.message
    return figures


def _measure(workload: Workload, job: Job, report: ProgressLogger) -> dict[str, Any]:
    work, quick, seeds = job.work, job.quick, job.seeds
    folders = (
        [_shipped(workload)] if quick else [_trained(workload, work, one, report) for one in seeds]
    )
    codecs = [load_codecs(folder, workload.adapter) for folder in folders]
    test = first(workload.test, QUICK_IMAGES) if quick else workload.test
    points = (workload.recipe.point, workload.recipe.decoder_point)
    cache = cached_features(workload.adapter, test, points, work / f"test-{test.count}", report)
    images = [workload.adapter.preprocess(image) for image in test.read()]
    sent = _images_sent(workload, images, cache, QUICK_STEP if quick else 1, {})
    cut = [calibrated(workload, cache), *_cut(workload, codecs, cache)]
    return {
        "title": workload.title,
        "seeds": [*seeds],
        "pictures": test.name,
        "count": test.count,
        "answers": len(cache.outputs) if workload.metric.share else test.count,
        "trained_on": workload.training.name,
        "metric": workload.metric.name,
        "share": workload.metric.share,
        "head": head(workload, folders[0]),
        "points": [asdict(point) for point in [*sent, *cut]],
        "gains": [gain_of(point, sent) for point in cut],
    }


def _with_receivers(
    workload: Workload, work: Path, figures: Mapping[str, Any], report: ProgressLogger
) -> dict[str, Any]:
    """Send the images to receivers tuned to their encoding, and compare again."""
    folder = _folder(workload, work)
    receivers = {
        encoding: tuned_receiver(workload, encoding, features=work, work=folder, report=report)
        for encoding in QUALITIES
    }
    points = (workload.recipe.point, workload.recipe.decoder_point)
    test = workload.test
    cache = cached_features(workload.adapter, test, points, work / f"test-{test.count}", report)
    images = [workload.adapter.preprocess(image) for image in test.read()]
    tuned = _images_sent(workload, images, cache, 1, receivers)
    cut = [Point(**point) for point in figures["points"] if point["kind"] == "co-inference"]
    return {
        "tuned_points": [asdict(point) for point in tuned],
        "tuned_gains": [gain_of(point, tuned) for point in cut],
    }


def _shipped(workload: Workload) -> Path:
    return DATA / "codecs" / workload.name


def _trained(workload: Workload, work: Path, seed: int, report: ProgressLogger) -> Path:
    """Return the folder of a trained codec; train it, or resume, if need be.

    All seeds share their cached features.
    """
    seeded = replace(workload, recipe=workload.recipe.changed(seed=seed))
    out = _folder(seeded, work)
    if not (out / "manifest.json").exists():
        train_codec(
            seeded.adapter,
            seeded.recipe,
            seeded.training,
            seeded.validation,
            features=work,
            work=out / "training",
            out=out,
            report=report,
        )
    return out


def _folder(workload: Workload, work: Path) -> Path:
    """Return the folder of a training, named by a digest of recipe, images and model."""
    recipe = workload.recipe.model_dump_json()
    identity = f"{workload.adapter.revision} {workload.training.name} {recipe}"
    return work / f"codec-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def _images_sent(
    workload: Workload,
    images: Sequence[Image.Image],
    cache: FeatureCache,
    step: int,
    receivers: Mapping[str, TunedBlocks],
) -> list[Point]:
    """Send the images in every encoding to the uncut model, or to the encoding's receiver."""
    report = ProgressLogger(workload.name)
    encodings = list(image_encodings(step, finest=workload.finest))
    found: list[Point] = []
    for encoding, quality in encodings:
        report(EpochProgress("images sent in every encoding", len(found), len(encodings), 0.0))
        received, file_bytes, payload_bytes = send_all(images, encoding, quality)
        output = _output(workload, received, receivers.get(encoding))
        values = workload.metric.values(cache, output)
        found.append(
            Point(
                way=encoding.upper() if quality is None else f"{encoding.upper()} {quality}",
                kind=encoding,
                bytes=file_bytes,
                payload_bytes=payload_bytes,
                entropy_bytes=None,
                quality=float(values.mean()),
                interval=interval_of([values], share=workload.metric.share),
                seeds=(float(values.mean()),),
            )
        )
    return found


def _output(
    workload: Workload, images: Sequence[Image.Image], receiver: TunedBlocks | None
) -> torch.Tensor:
    """Return the last block's output on images."""
    adapter, last = workload.adapter, len(workload.adapter.block_names)
    point = workload.recipe.point
    outputs = []
    with torch.inference_mode():
        for start in range(0, len(images), _BATCH):
            batch = torch.cat([adapter.tensor(one) for one in images[start : start + _BATCH]])
            features = adapter.forward(batch, 0, point)
            outputs.append(
                receiver(features) if receiver else adapter.forward(features, point, last)
            )
    return torch.cat(outputs)


def calibrated(workload: Workload, cache: FeatureCache) -> Point:
    """Send the features with the calibrated codec, which needs no training.

    Args:
        workload: Model and cut.
        cache: Features of the test images at the cut.
    """
    adapter, point = workload.adapter, workload.recipe.point
    codec = codec_for(adapter, point)
    frames = [pack(codec.encode(one.astype(np.float32)), codec) for one in cache.features]
    outputs = []
    with torch.inference_mode():
        for start in range(0, len(frames), _BATCH):
            batch = [codec.decode(unpack(one, codec)) for one in frames[start : start + _BATCH]]
            features = torch.from_numpy(np.stack(batch))
            outputs.append(adapter.forward(features, point, len(adapter.block_names)))
    values = workload.metric.values(cache, torch.cat(outputs))
    size = statistics.fmean(map(len, frames))
    return Point(
        way=codec.name,
        kind=CALIBRATED,
        bytes=size,
        payload_bytes=size - HEADER_BYTES,
        entropy_bytes=None,
        quality=float(values.mean()),
        interval=interval_of([values], share=workload.metric.share),
        seeds=(float(values.mean()),),
    )


def _cut(
    workload: Workload,
    by_seed: Sequence[Sequence[LearnedCodec]],
    cache: FeatureCache,
) -> list[Point]:
    """Send the features at every rate point of every trained codec."""
    points = []
    for codecs in zip(*by_seed, strict=True):
        scores = [score(codec, workload.adapter, cache.features) for codec in codecs]
        values = [workload.metric.values(cache, one.output) for one in scores]
        qualities = tuple(float(one.mean()) for one in values)
        payload_bytes = statistics.fmean(float(one.payload_bytes.mean()) for one in scores)
        points.append(
            Point(
                way=codecs[0].name,
                kind="co-inference",
                bytes=payload_bytes + HEADER_BYTES,
                payload_bytes=payload_bytes,
                entropy_bytes=statistics.fmean(float(one.entropy_bytes.mean()) for one in scores),
                quality=statistics.fmean(qualities),
                interval=interval_of(values, share=workload.metric.share),
                seeds=qualities,
            )
        )
    return points
