"""The cost of a cut on device and edge server: parameters, MACs and latency."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from edgewright.benchmarks.split.workloads import Workload
from edgewright.tools.codecs.frame import pack, unpack
from edgewright.tools.codecs.learned.codec import LearnedCodec, load_codecs
from edgewright.tools.codecs.learned.files import CodecFiles
from edgewright.tools.codecs.learned.torch.halves import TorchNetworks
from edgewright.tools.codecs.learned.torch.tail import weights_of_blocks
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.models.engines.torch.macs import block_macs, count_macs


def head(workload: Workload, folder: Path) -> dict[str, float]:
    """Return the parameters and MACs on the device.

    Args:
        workload: Model and recipe.
        folder: Folder of the codec.
    """
    adapter, point = workload.adapter, workload.recipe.point
    codec = CodecFiles(folder, adapter)
    blocks = block_macs(adapter)
    features = torch.zeros(1, *adapter.feature_shape(point))
    encoder = count_macs(TorchNetworks(codec, adapter).encoder, features)[1]
    weights = sum(one.numel() for one in weights_of_blocks(adapter, 0, point).values())
    return {
        "blocks_parameters": weights,
        "encoder_parameters": codec.manifest.encoder_parameters,
        "macs": sum(blocks[:point]) + encoder,
        "share": (sum(blocks[:point]) + encoder) / sum(blocks),
    }


def latency(workload: Workload, folder: Path, images: Sequence[Image.Image]) -> dict[str, float]:
    """Return median milliseconds on this machine, one thread, one image at a time.

    Args:
        workload: Model and recipe.
        folder: Folder of the codec; its first rate point is timed.
        images: Images at the model's input size.
    """
    adapter, last = workload.adapter, len(workload.adapter.block_names)
    codec = load_codecs(folder, adapter)[0]
    inputs = [adapter.tensor(image) for image in images]
    encoded = [encode(image, "jpeg", 90) for image in images]
    with torch.inference_mode():
        frames = [_device(workload, codec, one) for one in inputs]
        return {
            "device: head, encoder, coder": _median_ms(
                lambda one: _device(workload, codec, one), inputs
            ),
            "edge: decoder, tail": _median_ms(lambda one: _edge(workload, codec, one), frames),
            "whole model": _median_ms(lambda one: adapter.forward(one, 0, last), inputs),
            "JPEG 90 encode": _median_ms(lambda one: encode(one, "jpeg", 90), images),
            "JPEG 90 decode": _median_ms(lambda one: adapter.tensor(decode(one)), encoded),
        }


def _device(workload: Workload, codec: LearnedCodec, values: torch.Tensor) -> bytes:
    features = workload.adapter.forward(values, 0, codec.point)
    return pack(codec.encode(np.ascontiguousarray(features[0].numpy())), codec)


def _edge(workload: Workload, codec: LearnedCodec, frame: bytes) -> torch.Tensor:
    features = torch.from_numpy(codec.decode(unpack(frame, codec)))[None]
    last = len(workload.adapter.block_names)
    return workload.adapter.forward(features, codec.resume_point, last)


def _median_ms(work: Callable[[Any], object], samples: Sequence[Any]) -> float:
    times = []
    for sample in samples:
        start = time.perf_counter()
        work(sample)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)
