"""CIDEr against a calculation by hand, and right answers with and without labels."""

import math

import numpy as np
import pytest
import torch

from edgewright.benchmarks.split.metrics import cider, interval_of, right_answers
from edgewright.tools.codec_training.answers import TopLabel
from edgewright.tools.codec_training.cache import FeatureCache


def cache(truth: torch.Tensor | None, outputs: torch.Tensor) -> FeatureCache:
    no_features = np.zeros((len(outputs), 1), np.float16)
    return FeatureCache(no_features, no_features, outputs, TopLabel(truth))


def test_answers_are_right_by_the_labels_or_else_by_the_uncut_model():
    predicted = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    uncut = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert right_answers(cache(None, uncut), predicted).tolist() == [1, 0, 1]
    assert right_answers(cache(torch.tensor([1, 1, 1]), uncut), predicted).tolist() == [0, 1, 1]


def test_cider_by_hand():
    """Runs that occur with both images weigh nothing; runs that a caption lacks count as 0."""
    references = [["a red cat", "a cat"], ["a blue dog"]]
    first, second = cider(["a red cat", "a cat"], references)
    # Words: red and cat weigh log 2 each. Pairs: "a red", "red cat"; "a cat" is one pair.
    words = (1 + 1 / math.sqrt(2)) / 2
    pairs = (1 + 0) / 2
    triples = 1 / 2
    assert first == pytest.approx(10 * (words + pairs + triples) / 4)
    assert second == 0


def test_words_that_no_reference_has_make_a_caption_worse():
    references = [["a red cat"], ["a blue dog"]]
    exact, more = (
        cider([text, "a blue dog"], references)[0] for text in ("a red cat", "a red cat at home")
    )
    assert 0 < more < exact


@pytest.mark.parametrize("share", [True, False])
def test_the_interval_covers_both_answers_and_seeds(share):
    (low, high) = interval_of([(np.arange(1000) < 900).astype(float)], share=share)
    assert 0.85 < low < 0.9 < high < 0.95
    seeds = [(np.arange(1000) < count).astype(float) for count in (850, 900, 950)]
    assert interval_of(seeds, share=share)[1] > high
