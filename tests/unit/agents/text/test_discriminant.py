"""Heads in closed form: right on what they have not seen, and calibrated."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from edgewright.agents.text.discriminant import Discriminant, scaled, temperature

LABELS, WIDTH, EACH = 40, 64, 8


@pytest.fixture(scope="module")
def drawn():
    """Examples around a centre of each label, with one direction that is noise in all of them."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(LABELS, WIDTH))
    noise = np.ones(WIDTH)
    noise[:4] = 12.0

    def draw(each):
        rows = np.repeat(centres, each, axis=0) + random.normal(size=(LABELS * each, WIDTH)) * noise
        return rows.astype(np.float32), np.repeat(np.eye(LABELS, dtype=np.float32), each, axis=0)

    return draw(EACH), draw(20)


def accuracy(heads, features, truth):
    return (heads.logits(features).argmax(axis=1) == truth.argmax(axis=1)).mean()


def test_shared_noise_is_ignored(drawn):
    (features, truth), (unseen, labels) = drawn
    heads = Discriminant.of(features, csr_array(truth)).heads()
    means = truth.T @ features / EACH
    nearest = ((unseen[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert accuracy(heads, unseen, labels) > 0.9
    assert accuracy(heads, unseen, labels) > (nearest == labels.argmax(axis=1)).mean() + 0.1


def test_examples_that_are_left_out_do_not_count(drawn):
    (features, truth), _ = drawn
    statistics = Discriminant.of(features, csr_array(truth))
    out = np.arange(len(features)) % EACH == 0
    heads = statistics.heads(features[out], csr_array(truth[out]))
    means = truth[~out].T @ features[~out] / (EACH - 1)
    assert np.allclose(heads.weights, statistics.inverse @ means.T, rtol=1e-3, atol=1e-4)
    # Nothing is left of the first label, so it is never chosen.
    first = truth[:, 0] > 0
    alone = statistics.heads(features[first], csr_array(truth[first]))
    assert alone.probabilities(features)[:, 0].max() == 0


def test_the_temperature_calibrates(drawn):
    (features, truth), (unseen, labels) = drawn
    heads = Discriminant.of(features, csr_array(truth)).heads()
    half = np.arange(len(unseen)) % 2 == 0
    factor = temperature(heads.logits(unseen[half]), labels[half])
    calibrated = scaled(heads, factor).probabilities(unseen[~half])
    confidence = calibrated.max(axis=1).mean()
    assert abs(confidence - accuracy(heads, unseen[~half], labels[~half])) < 0.05
    assert np.allclose(calibrated.sum(axis=1), 1, atol=1e-5)
