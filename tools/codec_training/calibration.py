"""Calibration of the ``quantised8`` tables on photographs, for ``scripts/calibrate_tables.py``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.codecs.entropy import TOTAL_FREQUENCY
from edgewright.tools.codecs.quantised import SYMBOLS, QuantisedCodec, Tables
from edgewright.tools.codecs.registry import GENERIC, table_name
from edgewright.tools.models.adapter import Features, PartitionAdapter
from edgewright.tools.models.expert import OutputExpert
from edgewright.tools.offload.profiling.retained import retained

#: Candidate steps per standard deviation, coarsest first.
STEPS_TRIED = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 16.0)
#: Steps for models without calibration; fine enough for all models measured.
GENERIC_STEPS = 8.0
#: Maximum mean Kullback-Leibler divergence of the labels caused by encoding, in nats.
MAX_DIVERGENCE = 0.004
#: Minimum share of boxes or joints that an encoding keeps.
MIN_RETAINED = 0.98
#: Share of a table that is distributed uniformly, for symbols not seen in calibration.
_EVEN_SHARE = 1 / 64
#: Batch size; larger batches are limited by memory bandwidth.
_BATCH = 8


def crops(photographs: Sequence[Image.Image], *, each: int, seed: int = 0) -> list[Image.Image]:
    """Return random square crops of photographs, half of them mirrored."""
    random = np.random.default_rng(seed)
    cropped: list[Image.Image] = []
    for photograph in photographs:
        for _ in range(each):
            size = int(min(photograph.size) * random.uniform(0.45, 1.0))
            left = int(random.integers(0, photograph.width - size + 1))
            top = int(random.integers(0, photograph.height - size + 1))
            square = photograph.crop((left, top, left + size, top + size))
            if random.random() < 0.5:
                square = square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            cropped.append(square)
    return cropped


def calibrate(
    adapter: PartitionAdapter,
    images: Sequence[Image.Image],
    close: Callable[[Features, Features], bool] | None = None,
) -> dict[str, Tables]:
    """Choose the steps and count the symbols at every partition point of a model.

    At each point, the coarsest steps are chosen that keep the outputs close to the exact ones. The
    generic tables are counted over all points.

    Args:
        adapter: The model.
        images: Images to run through it.
        close: Whether outputs, both with one entry for each image, are close enough; None compares
            logits: label probabilities may change by ``MAX_DIVERGENCE`` on average.
    """
    close = close or _same_labels
    last = len(adapter.block_names)
    tables: dict[str, Tables] = {}
    generic_counts = np.zeros((3, SYMBOLS))
    features = np.concatenate([adapter.array(adapter.preprocess(image)) for image in images])
    outputs = _run(adapter, features, 0, last)
    for point in range(last):
        for steps in STEPS_TRIED:
            restored, counts = _quantise(features, steps)
            if close(outputs, _run(adapter, restored, point, last)):
                break
        tables[table_name(adapter.model, point)] = Tables(steps, _frequencies(counts))
        counts = _quantise(features, GENERIC_STEPS)[1]
        generic_counts += counts / counts.sum(axis=1, keepdims=True)
        features = _run(adapter, features, point, point + 1)
    tables[GENERIC] = Tables(GENERIC_STEPS, _frequencies(generic_counts))
    return tables


def retains(expert: OutputExpert) -> Callable[[Features, Features], bool]:
    """Return a comparison of outputs by what an expert reads from them; see ``retained``.

    Args:
        expert: The expert.
    """

    def close(expected: Features, found: Features) -> bool:
        pairs = [
            retained(
                expert.postprocess(one[np.newaxis], {}), expert.postprocess(other[np.newaxis], {})
            )
            for one, other in zip(expected, found, strict=True)
        ]
        return sum(kept for kept, _ in pairs) >= MIN_RETAINED * sum(total for _, total in pairs)

    return close


def save(tables: dict[str, Tables], path: Path) -> None:
    """Write tables in the format that ``codec_for`` reads."""
    names = sorted(tables)
    np.savez_compressed(
        path,
        names=np.array(names),
        steps=np.array([tables[name].steps for name in names]),
        frequencies=np.stack([tables[name].frequencies for name in names]),
    )


def _run(adapter: PartitionAdapter, features: Features, start: int, stop: int) -> Features:
    batches = [features[at : at + _BATCH] for at in range(0, len(features), _BATCH)]
    return np.concatenate([adapter.run(batch, start, stop) for batch in batches])


def _quantise(features: Features, steps: float) -> tuple[Features, NDArray[np.float64]]:
    """Quantise features ``[N, ...]``; return the dequantised features and the symbol counts."""
    even = np.full((3, SYMBOLS), TOTAL_FREQUENCY // SYMBOLS, dtype=np.uint32)
    codec = QuantisedCodec(
        model="", revision="", point=0, shape=features.shape[1:], tables=Tables(steps, even)
    )
    counts = np.zeros((3, SYMBOLS))
    restored = np.empty_like(features)
    for index, one in enumerate(features):
        symbols = codec.quantise(one)
        restored[index] = codec.dequantise(symbols)
        for row, used in enumerate(symbols):
            counts[row] += np.bincount(used.ravel(), minlength=SYMBOLS)
    return restored, counts


def _divergence(expected: Features, restored: Features) -> float:
    """Return the mean Kullback-Leibler divergence between two batches of logits, in nats."""
    log_expected, log_restored = _log_softmax(expected), _log_softmax(restored)
    return float((np.exp(log_expected) * (log_expected - log_restored)).sum(axis=1).mean())


def _same_labels(expected: Features, restored: Features) -> bool:
    return _divergence(expected, restored) <= MAX_DIVERGENCE


def _log_softmax(logits: Features) -> NDArray[np.float64]:
    shares = logits.astype(np.float64)
    log_softmax: NDArray[np.float64] = shares - np.logaddexp.reduce(shares, axis=1, keepdims=True)
    return log_softmax


def _frequencies(counts: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Convert counts to positive integer frequencies with the coder's precision."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    shares = (1 - _EVEN_SHARE) * shares + _EVEN_SHARE / SYMBOLS
    frequencies: NDArray[np.uint32] = np.floor(shares * TOTAL_FREQUENCY).astype(np.uint32)
    for row in frequencies:
        row[row.argmax()] += TOTAL_FREQUENCY - row.sum()
    return frequencies
