"""How good the answers to the test pictures are: shares of right ones, and CIDEr of captions."""

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

#: CIDEr compares single words up to runs of so many, and is written as tenfold the similarity.
_LONGEST_RUN, _SCALE = 4, 10.0
_BATCH = 250
_Run = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What is asked of the answers.

    Attributes:
        name: For people.
        share: Whether its values are 1 for right and 0 for wrong, and are given in percent.
        values: A value for each answer, float64, of the last block's output on the pictures of a
            cache.
    """

    name: str
    share: bool
    values: Callable[[FeatureCache, torch.Tensor], NDArray[np.float64]]


def right_answers(cache: FeatureCache, output: torch.Tensor) -> NDArray[np.float64]:
    """Return 1 for each right answer; where nobody knows, for each that is the uncut model's."""
    truth = cache.outputs.argmax(1) if cache.truth is None else cache.truth
    with torch.inference_mode():
        said = cache.answers.scores(output, cache.pictures).argmax(1)
    values: NDArray[np.float64] = (said == truth).double().numpy()
    return values


ACCURACY = Metric(name="accuracy", share=True, values=right_answers)
LABEL_MATCH = Metric(name="agreement with the uncut model", share=True, values=right_answers)


def caption_quality(adapter: BlipCaptioning, references: Sequence[Sequence[str]]) -> Metric:
    """Return CIDEr against the captions of each picture.

    It rewards the wording too: a tuned tail that keeps to one that many references share scores
    above the uncut model, whose wording varies.

    Args:
        adapter: The model; it writes a caption for each picture.
        references: Captions of each picture, in the pictures' order.
    """

    def values(cache: FeatureCache, output: torch.Tensor) -> NDArray[np.float64]:
        with torch.inference_mode():
            parts = torch.split(output, _BATCH)
            written = [text for part in parts for text in adapter.captions(part)]
        return cider(written, references[: len(written)])

    return Metric(name="CIDEr", share=False, values=values)


def cider(captions: Sequence[str], references: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return the CIDEr of each caption (Vedantam et al., CVPR 2015, equations 1 to 3).

    Words are what stands between spaces; nothing is stemmed.

    Args:
        captions: One for each picture.
        references: At least one for each picture.
    """
    pictures_with: Counter[_Run] = Counter()
    for each in references:
        pictures_with.update({run for text in each for run in _runs(text)})

    def vectors(text: str) -> list[dict[_Run, float]]:
        """Return the weights of a text's runs, for each length."""
        found: list[dict[_Run, float]] = [{} for _ in range(_LONGEST_RUN)]
        for run, count in Counter(_runs(text)).items():
            weight = math.log(len(captions) / max(1, pictures_with[run]))
            found[len(run) - 1][run] = count * weight
        return found

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
    """Yield all runs of words of a text, up to the longest."""
    words = text.split()
    for length in range(1, _LONGEST_RUN + 1):
        for start in range(len(words) - length + 1):
            yield tuple(words[start : start + length])


def _cosine(one: Mapping[_Run, float], other: Mapping[_Run, float]) -> float:
    lengths = math.hypot(*one.values()) * math.hypot(*other.values())
    return sum(weight * other.get(run, 0.0) for run, weight in one.items()) / (lengths or 1.0)


def interval_of(by_seed: Sequence[NDArray[np.float64]], *, share: bool) -> tuple[float, float]:
    """Return the wider of the 95 % intervals over answers and over seeds.

    Args:
        by_seed: The values of all answers, for each seed.
        share: Whether they are 1 and 0; then the first is Wilson's.
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
