"""Bytes against accuracy: pictures sent whole, and models cut between device and edge server.

Run ``python -m edgewright.benchmarks.split``. Codecs are trained first, for each of three seeds,
which takes most of the time and goes on where it was broken off; with ``QUICK=1`` in the
environment the codecs that ship with the package are measured on few pictures, and what has none is
left out. Where the licence of the pictures lets no weights ship, the model is trained first too.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from edgewright.benchmarks.progress import tell
from edgewright.benchmarks.results import write_results
from edgewright.benchmarks.split_costs import head, latency
from edgewright.benchmarks.split_metrics import interval_of
from edgewright.benchmarks.split_pictures import QUALITIES, codings, send_all
from edgewright.benchmarks.split_receivers import tuned_receiver
from edgewright.benchmarks.split_tables import CALIBRATED, Point, draw, gain_of, markdown_of
from edgewright.benchmarks.split_workloads import SHIPPED, WORKLOADS, Workload, first
from edgewright.tools.errors import NotFoundError, UnavailableError
from edgewright.tools.memory import keep_freed_memory
from edgewright.tools.settings import home
from edgewright.tools.split.codecs import codec_for
from edgewright.tools.split.frame import HEADER_BYTES, pack, unpack
from edgewright.tools.split.learned.cache import FeatureCache, cached_features
from edgewright.tools.split.learned.codec import LearnedCodec, load_codecs
from edgewright.tools.split.learned.export import score
from edgewright.tools.split.learned.project import train_codec
from edgewright.tools.split.learned.recipe import Recipe
from edgewright.tools.split.learned.tail import TunedBlocks

SEEDS = (0, 1, 2)
QUICK_PICTURES = 120
QUICK_STEP = 4
#: Pictures the whole model runs at once; more of them outgrow the processor's caches.
_BATCH = 8
_TIMED = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=WORKLOADS, action="append", help="measure these alone")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument(
        "--work", type=Path, default=home() / "bench-split", help="features, checkpoints, codecs"
    )
    parser.add_argument(
        "--receivers",
        action="store_true",
        help="also tune a receiver to each lossy coding, which takes longer than all the rest",
    )
    parser.add_argument(
        "--seeds", type=int, choices=(1, len(SEEDS)), default=len(SEEDS), help="codecs to train"
    )
    options = parser.parse_args(arguments)
    seeds = SEEDS[: options.seeds]
    quick = os.environ.get("QUICK") == "1"
    done = False
    torch.set_num_threads(1)
    keep_freed_memory()  # as nodes do
    for name in options.only or WORKLOADS:
        if quick and name not in SHIPPED:
            sys.stderr.write(f"{name} is left out of quick runs: no codec of it ships\n")
            continue
        work = options.work / name
        try:
            workload = WORKLOADS[name](work, tell)
            figures = _measure(workload, work, seeds, quick)
            if options.receivers and not quick:
                if isinstance(workload.recipe, Recipe):
                    figures |= _with_receivers(workload, work, figures)
                else:
                    sys.stderr.write(f"{name}: no receivers; its codec takes no training either\n")
        except (NotFoundError, UnavailableError) as error:
            sys.stderr.write(f"{name} is left out: {error.message}\n")
            continue
        _report(name, figures, options.out, quick)
        done = True
    return 0 if done else 1


def _report(name: str, figures: dict[str, Any], out: Path, quick: bool) -> None:
    markdown = markdown_of(figures)
    sys.stdout.write(f"\n### {figures['title']}\n\n{markdown}")
    suffix = "-quick" if quick else ""
    write_results(out, f"split-{name}{suffix}", figures, markdown, lambda axes: draw(axes, figures))


def _measure(workload: Workload, work: Path, seeds: Sequence[int], quick: bool) -> dict[str, Any]:
    folders = [_shipped(workload)] if quick else [_trained(workload, work, one) for one in seeds]
    codecs = [load_codecs(folder, workload.adapter) for folder in folders]
    test = first(workload.test, QUICK_PICTURES) if quick else workload.test
    points = (workload.recipe.point, workload.recipe.decoder_point)
    cache = cached_features(workload.adapter, test, points, work / f"test-{test.count}", tell)
    pictures = [workload.adapter.fit(picture) for picture in test.read()]
    sent = _pictures_sent(workload, pictures, cache, QUICK_STEP if quick else 1, {})
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
        "latency_ms": latency(workload, folders[0], pictures[:_TIMED]),
        "points": [asdict(point) for point in [*sent, *cut]],
        "gains": [gain_of(point, sent) for point in cut],
    }


def _with_receivers(workload: Workload, work: Path, measured: Mapping[str, Any]) -> dict[str, Any]:
    """Send the pictures to receivers that were tuned to their coding, and compare again."""
    folder = _folder(workload, work)
    receivers = {
        coding: tuned_receiver(workload, coding, features=work, work=folder, report=tell)
        for coding in QUALITIES
    }
    points = (workload.recipe.point, workload.recipe.decoder_point)
    test = workload.test
    cache = cached_features(workload.adapter, test, points, work / f"test-{test.count}", tell)
    pictures = [workload.adapter.fit(picture) for picture in test.read()]
    tuned = _pictures_sent(workload, pictures, cache, 1, receivers)
    cut = [Point(**point) for point in measured["points"] if point["kind"] == "co-inference"]
    return {
        "tuned_points": [asdict(point) for point in tuned],
        "tuned_gains": [gain_of(point, tuned) for point in cut],
    }


def _shipped(workload: Workload) -> Path:
    return Path(str(files("edgewright.tools.split.learned") / "weights" / workload.name))


def _trained(workload: Workload, work: Path, seed: int) -> Path:
    """Train a codec, go on with it, or take one that was kept; its name says what it depends on.

    Its features are those of the other seeds.
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
            report=tell,
        )
    return out


def _folder(workload: Workload, work: Path) -> Path:
    """Return the folder of what is trained by this recipe, on these pictures, for this model."""
    recipe = workload.recipe.model_dump_json()
    identity = f"{workload.adapter.revision} {workload.training.name} {recipe}"
    return work / f"codec-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def _pictures_sent(
    workload: Workload,
    pictures: Sequence[Image.Image],
    cache: FeatureCache,
    step: int,
    receivers: Mapping[str, TunedBlocks],
) -> list[Point]:
    """Send the pictures in every coding to the uncut model, or to the coding's own receiver."""
    found = []
    for coding, quality in codings(step, finest=workload.finest):
        received, file_bytes, payload_bytes = send_all(pictures, coding, quality)
        output = _output(workload, received, receivers.get(coding))
        values = workload.metric.values(cache, output)
        found.append(
            Point(
                way=coding.upper() if quality is None else f"{coding.upper()} {quality}",
                kind=coding,
                bytes=file_bytes,
                payload_bytes=payload_bytes,
                entropy_bytes=None,
                quality=float(values.mean()),
                interval=interval_of([values], share=workload.metric.share),
                seeds=(float(values.mean()),),
            )
        )
        sys.stderr.write(f"\r{workload.name}: {found[-1].way} sent     ")
    return found


def _output(
    workload: Workload, pictures: Sequence[Image.Image], receiver: TunedBlocks | None
) -> torch.Tensor:
    """Return what the last block makes of pictures."""
    adapter, last = workload.adapter, len(workload.adapter.block_names)
    point = workload.recipe.point
    outputs = []
    with torch.inference_mode():
        for start in range(0, len(pictures), _BATCH):
            batch = torch.cat([adapter.tensor(one) for one in pictures[start : start + _BATCH]])
            features = adapter.run(batch, 0, point)
            outputs.append(receiver(features) if receiver else adapter.run(features, point, last))
    return torch.cat(outputs)


def calibrated(workload: Workload, cache: FeatureCache) -> Point:
    """Send the features with the codec that every cut has: calibrated, and nothing trained.

    Args:
        workload: Model and cut.
        cache: Features of the test pictures there.
    """
    adapter, point = workload.adapter, workload.recipe.point
    codec = codec_for(adapter, point)
    frames = [pack(codec.encode(one.astype(np.float32)), codec) for one in cache.features]
    outputs = []
    with torch.inference_mode():
        for start in range(0, len(frames), _BATCH):
            batch = [codec.decode(unpack(one, codec)) for one in frames[start : start + _BATCH]]
            features = torch.from_numpy(np.stack(batch))
            outputs.append(adapter.run(features, point, len(adapter.block_names)))
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
    """Send the features with every rate point of every trained codec."""
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


if __name__ == "__main__":
    raise SystemExit(main())
