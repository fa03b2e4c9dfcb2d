"""Quality of the answers to test images: accuracy, and CIDEr of captions."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from edgewright.benchmarks.common.scores import mean_interval, wilson
from edgewright.tools.codec_training.cache import FeatureCache
from edgewright.tools.models.engines.torch.blip import BlipCaptioning

#: CIDEr compares runs of one to four words, and is ten times their mean similarity.
_MAX_RUN, _SCALE = 4, 10.0
_BATCH = 250
_Run = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A score of a model's answers.

    Attributes:
        name: Label in tables and plots.
        share: Whether values are 1 for right and 0 for wrong, and are reported in percent.
        values: Computes a float64 value for each answer from the last block's output on the images
            of a cache.
    """

    name: str
    share: bool
    values: Callable[[FeatureCache, torch.Tensor], NDArray[np.float64]]


def right_answers(cache: FeatureCache, output: torch.Tensor) -> NDArray[np.float64]:
    """Return 1 for each right answer; without labels, for each that equals the uncut model's."""
    truth = cache.outputs.argmax(1) if cache.truth is None else cache.truth
    with torch.inference_mode():
        predicted = cache.answers.scores(output, cache.image_indices).argmax(1)
    values: NDArray[np.float64] = (predicted == truth).double().numpy()
    return values


ACCURACY = Metric(name="accuracy", share=True, values=right_answers)
LABEL_MATCH = Metric(name="labels equal to the uncut model's", share=True, values=right_answers)


def caption_quality(adapter: BlipCaptioning, references: Sequence[Sequence[str]]) -> Metric:
    """Return CIDEr against the reference captions of each image.

    CIDEr rewards wording too: a tuned tail that always uses a wording common among the references
    scores above the uncut model, whose wording varies.

    Args:
        adapter: The model that writes the captions.
        references: Captions of each image, in the order of the images.
    """

    def values(cache: FeatureCache, output: torch.Tensor) -> NDArray[np.float64]:
        parts = torch.split(output, _BATCH)
        captions = [text for part in parts for text in adapter.captions(part.numpy())]
        return cider(captions, references[: len(captions)])

    return Metric(name="CIDEr", share=False, values=values)


def cider(captions: Sequence[str], references: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return the CIDEr of each caption (Vedantam et al., CVPR 2015, equations 1 to 3).

    Words are separated by spaces and not stemmed.

    Args:
        captions: One for each image.
        references: At least one for each image.
    """
    image_counts: Counter[_Run] = Counter()
    for each in references:
        image_counts.update({run for text in each for run in _runs(text)})

    def vectors(text: str) -> list[dict[_Run, float]]:
        """Return the TF-IDF weights of a text's runs, by length."""
        weights: list[dict[_Run, float]] = [{} for _ in range(_MAX_RUN)]
        for run, count in Counter(_runs(text)).items():
            weight = math.log(len(captions) / max(1, image_counts[run]))
            weights[len(run) - 1][run] = count * weight
        return weights

    def similarity(caption: str, reference: str) -> float:
        pairs = zip(vectors(caption), vectors(reference), strict=True)
        return statistics.fmean(_cosine(one, other) for one, other in pairs)

    scores: NDArray[np.float64] = np.array(
        [
            _SCALE * statistics.fmean(similarity(caption, reference) for reference in each)
            for caption, each in zip(captions, references, strict=True)
        ]
    )
    return scores


def _runs(text: str) -> Iterator[_Run]:
    """Yield all runs of one to four words in a text."""
    words = text.split()
    for length in range(1, _MAX_RUN + 1):
        for start in range(len(words) - length + 1):
            yield tuple(words[start : start + length])


def _cosine(one: Mapping[_Run, float], other: Mapping[_Run, float]) -> float:
    lengths = math.hypot(*one.values()) * math.hypot(*other.values())
    return sum(weight * other.get(run, 0.0) for run, weight in one.items()) / (lengths or 1.0)


def interval_of(by_seed: Sequence[NDArray[np.float64]], *, share: bool) -> tuple[float, float]:
    """Return the union of the 95 % intervals over answers and over seeds.

    Args:
        by_seed: Values of all answers, for each seed.
        share: Whether values are 1 and 0; the interval over answers is then Wilson's.
    """
    means = [float(values.mean()) for values in by_seed]
    mean, count = statistics.fmean(means), len(by_seed[0])
    if share:
        low, high = wilson(round(mean * count), count)
    else:
        half = 1.96 * float(np.mean(by_seed, axis=0).std(ddof=1)) / math.sqrt(count)
        low, high = mean - half, mean + half
    if len(means) > 1:
        _, half = mean_interval(means)
        low, high = min(low, mean - half), max(high, mean + half)
    return (max(low, 0.0), min(high, 1.0)) if share else (low, high)
