"""Latency against rate for models of the size that the published system ran, on a slow device.

Run ``python -m edgewright.benchmarks.latency.large``. The device is as much slower than the edge
server as a Jetson Nano is than an RTX 4090, by the vendor's data sheets. ViT-B/16 and BLIP's vision
tower, which is the same transformer at 384 pixels, have random weights: their times do not depend
on the values, their accuracy means nothing and is left out. The detector has its own weights.

Real processes are measured at three rates. Which kind of arm wins at which rate and round trip is
then computed by the offloading policy (``winners.py``), whose forecasts the measured times check.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.benchmarks.common.photographs import photograph
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.common.segments import Segments
from edgewright.benchmarks.latency.rig import Rig
from edgewright.benchmarks.latency.winners import expected, winner_table
from edgewright.benchmarks.latency.workload import CLOUD, Conditions, Kind, Workload
from edgewright.tools.capacity.scenario import gpus
from edgewright.tools.contracts.arms import DEFAULT_PEER, Arm
from edgewright.tools.contracts.profiles import ModelProfile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: How much slower the device is: peak 16-bit arithmetic in the data sheets of both.
RATIO = round(gpus()["rtx4090"].tflops / gpus()["jetson-nano"].tflops)
_RATES, _ROUNDS = (10.0, 100.0, 1000.0), 2
_PHOTOGRAPH = (640, 480)
_DEADLINE_S = 900.0
#: The image encodings that are compared: without any loss, and with hardly any.
_ENCODINGS = (("png", None), ("jpeg", 95))


@dataclass(frozen=True, kw_only=True)
class Large:
    """A model of the benchmark.

    Attributes:
        title: Its name in the tables.
        kind: What is requested of it.
        pixels: Side of the square image that a transformer with random weights reads; 0 for a
            model with weights of its own.
        gflops: 10^9 operations for an image, two for each multiply-accumulate; 0 for a model that
            is too small to keep a GPU busy.
    """

    title: str
    kind: Kind
    pixels: int = 0
    gflops: float = 0.0


_VIT = Kind(card="image-classification", expert="vit-classifier")
MODELS = {
    "vit": Large(title="ViT-B/16", kind=_VIT, pixels=224, gflops=35.1),
    "blip-tower": Large(title="BLIP's vision tower", kind=_VIT, pixels=384, gflops=111.0),
    "detection": Large(
        title="detection (NanoDet)",
        kind=Kind(card="object-detection", expert="nanodet-detector"),
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and write the results.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--resume", type=Path, help="folder with the parts measured so far")
    parser.add_argument("--only", choices=MODELS, nargs="+", default=list(MODELS), help="models")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        parts = options.resume or Path(folder)
        found = {name: asyncio.run(_measured(name, parts / name)) for name in options.only}
    markdown = _markdown(found)
    sys.stdout.write(markdown)
    figures = {"ratio": RATIO, "models": found}
    write_results(options.out, "latency-large", figures, markdown, lambda axes: _draw(axes, found))
    return 0


async def _measured(name: str, folder: Path) -> dict[str, Any]:
    log(name)
    parts, model = Segments(folder), MODELS[name]
    async with Rig(parts.folder, _workload(model, folder)) as rig:
        (profile,) = rig.edge.values()
        each = [await parts.measured(f"rate-{rate:g}", partial(_at, rig, rate)) for rate in _RATES]
        alone_ms = await parts.measured("device-only", partial(_alone, rig))
    return {"profile": profile.model_dump(mode="json"), "alone_ms": alone_ms, "rates": each}


def _workload(model: Large, folder: Path) -> Workload:
    environment: dict[str, str] = {}
    if model.pixels:
        environment["EDGEWRIGHT_VIT"] = str(_random_vit(folder / "weights", model.pixels))
        # Exports of random weights are of no use to anybody else.
        environment["EDGEWRIGHT_CACHE"] = str((folder / "cache").resolve())
    camera = folder / "camera"
    camera.mkdir(exist_ok=True)
    (camera / "photograph.jpg").write_bytes(photograph(_PHOTOGRAPH))
    return Workload(
        mix=(model.kind,),
        slowdowns=(float(RATIO),),
        environment=environment,
        runs=3,
        camera=camera,
        known=partial(_compared, random=bool(model.pixels)),
        deadline_s=_DEADLINE_S,
    )


def _random_vit(folder: Path, pixels: int) -> Path:
    """Write a ViT-B/16 with random weights, unless it is there."""
    if not (folder / "model.safetensors").exists():
        import torch
        from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

        torch.manual_seed(0)
        ViTForImageClassification(ViTConfig(image_size=pixels)).save_pretrained(folder)
        size = {"height": pixels, "width": pixels}
        ViTImageProcessor(size=size).save_pretrained(folder)
    return folder.resolve()


def _compared(profile: ModelProfile, *, random: bool) -> ModelProfile:
    """Return a profile with the compared image encodings alone.

    Args:
        profile: The measured profile.
        random: Whether the weights are random, so that no accuracy is lost.
    """
    codecs = [
        one.model_copy(update={"accuracy_retention": 1.0})
        for one in profile.image_codecs
        if (one.image_codec, one.quality) in _ENCODINGS
    ]
    points = [
        one.model_copy(update={"accuracy_retention": 1.0}) if random else one
        for one in profile.points
    ]
    return profile.model_copy(update={"image_codecs": codecs, "points": points})


async def _at(rig: Rig, rate: float) -> dict[str, Any]:
    """Run the image's arms, the best cut and the policy at a rate, in turns."""
    log(f"{rate:g} KB/s")
    conditions = Conditions(rate_kb_per_s=rate)
    (card,), (model,) = rig.kinds, rig.edge
    forecast = expected(rig.device[model], rig.edge[model], conditions)
    cuts = {arm: ms for arm, ms in forecast.items() if arm.kind == "co-inference"}
    arms = [
        Arm(kind="edge-only", peer=peer, image_codec=codec, quality=quality)
        for peer in (DEFAULT_PEER, CLOUD)
        for codec, quality in _ENCODINGS
    ]
    arms += [min(cuts, key=cuts.__getitem__)] if cuts else []
    times: dict[str, list[float]] = {}
    chosen: list[str] = []
    async with rig.under(conditions):
        await rig.run(card, None)
        for _ in range(_ROUNDS):
            for arm in arms:
                times.setdefault(arm.label, []).append((await rig.run(card, arm)).total_ms)
            run = await rig.run(card, None)
            times.setdefault("policy", []).append(run.total_ms)
            chosen.append(run.arm)
    labels = {arm.label: ms for arm, ms in forecast.items()}
    return {
        "rate_kb_per_s": rate,
        "times_ms": times,
        "chosen": chosen,
        "expected_ms": {label: labels[label] for label in times if label in labels},
    }


async def _alone(rig: Rig) -> float:
    """Return the time of the device alone, which no link has any part in."""
    log("the device alone")
    (card,) = rig.kinds
    async with rig.under(Conditions(rate_kb_per_s=_RATES[-1])):
        return (await rig.run(card, Arm(kind="device-only"))).total_ms


def _markdown(found: Mapping[str, Mapping[str, Any]]) -> str:
    text = (
        f"The device is {RATIO} times slower than the servers, as a Jetson Nano is than an RTX "
        "4090 by the peak 16-bit arithmetic in NVIDIA's data sheets (0.472 and 165 TFLOPS); the "
        "servers are one core of this machine. Round trip 20 ms to the edge server and 100 ms to "
        "the cloud. ViT-B/16 and BLIP's vision tower have random weights.\n"
    )
    for name, one in found.items():
        model = MODELS[name]
        profile = ModelProfile.model_validate(one["profile"])
        text += f"\n**{model.title}**, median seconds of {_ROUNDS} runs, device-only of one:\n\n"
        text += _measured_table(one)
        text += "\n" + winner_table(profile, RATIO, model.gflops)
    return text


def _measured_table(one: Mapping[str, Any]) -> str:
    rows: list[list[object]] = []
    for label in ("policy", *sorted(_labels(one) - {"policy"})):
        cells = [
            f"{statistics.median(each['times_ms'][label]) / 1000:.3g}"
            if label in each["times_ms"]
            else ""
            for each in one["rates"]
        ]
        rows.append([label, *cells])
    rows.append(["device-only", *[f"{one['alone_ms'] / 1000:.3g}"] * len(one["rates"])])
    best = [_best_ms(one, each) for each in one["rates"]]
    ratios = [
        statistics.median(each["times_ms"]["policy"]) / ms
        for each, ms in zip(one["rates"], best, strict=True)
    ]
    rows.append(["policy / best arm", *(f"{ratio:.3f}" for ratio in ratios)])
    columns = ["seconds at", *(f"{each['rate_kb_per_s']:g} KB/s" for each in one["rates"])]
    return table(columns, rows)


def _labels(one: Mapping[str, Any]) -> set[str]:
    return {label for each in one["rates"] for label in each["times_ms"]}


def _best_ms(one: Mapping[str, Any], each: Mapping[str, Any]) -> float:
    medians: list[float] = [
        statistics.median(times) for label, times in each["times_ms"].items() if label != "policy"
    ]
    return min(*medians, float(one["alone_ms"]))


def _draw(axes: Axes, found: Mapping[str, Mapping[str, Any]]) -> None:
    for color, (name, one) in zip(("C0", "C1", "C2"), found.items(), strict=False):
        rates = [each["rate_kb_per_s"] for each in one["rates"]]
        for label, style in (
            ("policy", "-"),
            ("edge-only (png)", "--"),
            ("cloud-only (png)", ":"),
        ):
            seconds = [statistics.median(each["times_ms"][label]) / 1000 for each in one["rates"]]
            title = f"{MODELS[name].title}: {label}"
            axes.plot(rates, seconds, style, color=color, label=title, marker=".")
        axes.axhline(one["alone_ms"] / 1000, color=color, linewidth=0.5)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("link rate, KB/s")
    axes.set_ylabel("median latency, s (thin: device-only)")
    axes.set_title(f"Device {RATIO} times slower than the server")
    axes.legend(fontsize="xx-small")


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.exit(main())
