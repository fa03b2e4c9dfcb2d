"""The judge weighs evidence by fitted regressions, and its certainty is calibrated."""

import numpy as np
import pytest

from edgewright.agents.planner.embedded import evidence
from edgewright.agents.planner.embedded.evidence import Evidence, Judge
from edgewright.agents.planner.fitting.judge import fit_judge

TOOLS = 3
LABELS = 5


def noisy(truth: np.ndarray, seed: int) -> Evidence:
    """Evidence with one clause per card: informative heads, uninformative neighbours."""
    random = np.random.default_rng(seed)

    def rows(labels: np.ndarray, strength: float) -> np.ndarray:
        scores = np.exp(strength * labels + random.normal(size=labels.shape))
        return (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)

    unserved = np.zeros((len(truth), LABELS - TOOLS))
    unserved[:, 0] = ~truth.any(axis=1)
    labels = np.hstack([truth, unserved])
    clauses = [rows(np.eye(LABELS)[np.flatnonzero(row)], 4) for row in labels]
    several = rows(np.eye(2)[(truth.sum(axis=1) > 1).astype(int)], 1)[:, 1]
    return Evidence(rows(labels, 3), clauses, rows(np.zeros_like(labels), 0), several)


def requests(seed: int, count: int = 400) -> np.ndarray:
    """Requested cards: a quarter of the requests is for none, a half for one, the rest for two."""
    random = np.random.default_rng(seed)
    truth = np.zeros((count, TOOLS), bool)
    for row in range(count):
        truth[row, random.permutation(TOOLS)[: (0, 1, 1, 2)[row % 4]]] = True
    return truth


@pytest.fixture(scope="module")
def judge() -> Judge:
    truth = requests(0)
    return fit_judge(noisy(truth, 1), truth)


def test_none_one_and_several_cards_are_distinguished(judge: Judge) -> None:
    truth = requests(2)
    found = judge.verdict(noisy(truth, 3), TOOLS)
    assert (found.chosen == truth).all(axis=1).mean() > 0.85
    assert ((found.any_card >= 0.5) == truth.any(axis=1)).mean() > 0.9


def test_certainty_is_calibrated(judge: Judge) -> None:
    truth = requests(4, count=2000)
    found = judge.verdict(noisy(truth, 5), TOOLS)
    right = (found.chosen == truth).all(axis=1)
    assert found.certainty.mean() == pytest.approx(right.mean(), abs=0.05)
    unsure = found.certainty < np.median(found.certainty)
    assert right[unsure].mean() < right[~unsure].mean()


def test_uninformative_evidence_gets_no_weight(judge: Judge) -> None:
    whole, clauses, near, _ = np.abs(judge.first)
    assert near < 0.2 * max(whole, clauses)


def test_an_image_makes_a_card_likelier(judge: Judge) -> None:
    found = noisy(requests(6), 7)
    with_image = judge.verdict(found, TOOLS, np.ones(400, bool))
    assert (with_image.any_card > judge.verdict(found, TOOLS).any_card).all()


def test_the_nearest_examples_vote_for_their_labels() -> None:
    vectors = np.eye(4, dtype=np.float32)
    truth = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    shares = evidence.nearest(vectors[[0, 3]], vectors, truth)
    assert shares.sum(axis=1) == pytest.approx(1)
    assert shares[0, 0] > 0.9
    assert shares[1, 1] > 0.9
