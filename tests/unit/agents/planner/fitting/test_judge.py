"""Evidence is weighed by numbers that are fitted, and says how far it can be trusted."""

import numpy as np
import pytest

from edgewright.agents.planner.embedded import evidence
from edgewright.agents.planner.embedded.evidence import Evidence, Judge
from edgewright.agents.planner.fitting.judge import fit_judge

TOOLS = 3
LABELS = 5


def noisy(truth: np.ndarray, seed: int) -> Evidence:
    """Requests of one clause a wish; the whole says more than noise, the neighbours nothing."""
    random = np.random.default_rng(seed)

    def rows(wanted: np.ndarray, strength: float) -> np.ndarray:
        scores = np.exp(strength * wanted + random.normal(size=wanted.shape))
        return (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)

    foreign = np.zeros((len(truth), LABELS - TOOLS))
    foreign[:, 0] = ~truth.any(axis=1)
    wanted = np.hstack([truth, foreign])
    clauses = [rows(np.eye(LABELS)[np.flatnonzero(row)], 4) for row in wanted]
    several = rows(np.eye(2)[(truth.sum(axis=1) > 1).astype(int)], 1)[:, 1]
    return Evidence(rows(wanted, 3), clauses, rows(np.zeros_like(wanted), 0), several)


def asked(seed: int, count: int = 400) -> np.ndarray:
    """A quarter of the requests asks for nothing, a quarter for two cards."""
    random = np.random.default_rng(seed)
    truth = np.zeros((count, TOOLS), bool)
    for row in range(count):
        truth[row, random.permutation(TOOLS)[: (0, 1, 1, 2)[row % 4]]] = True
    return truth


@pytest.fixture(scope="module")
def judge() -> Judge:
    truth = asked(0)
    return fit_judge(noisy(truth, 1), truth)


def test_none_one_and_several_cards_are_told_apart(judge: Judge) -> None:
    truth = asked(2)
    found = judge.verdict(noisy(truth, 3), TOOLS)
    assert (found.chosen == truth).all(axis=1).mean() > 0.85
    assert ((found.asked >= 0.5) == truth.any(axis=1)).mean() > 0.9


def test_certainty_is_how_often_a_verdict_is_right(judge: Judge) -> None:
    truth = asked(4, count=2000)
    found = judge.verdict(noisy(truth, 5), TOOLS)
    right = (found.chosen == truth).all(axis=1)
    assert found.certainty.mean() == pytest.approx(right.mean(), abs=0.05)
    unsure = found.certainty < np.median(found.certainty)
    assert right[unsure].mean() < right[~unsure].mean()


def test_evidence_that_tells_nothing_gets_no_weight(judge: Judge) -> None:
    whole, clauses, near, _ = np.abs(judge.first)
    assert near < 0.2 * max(whole, clauses)


def test_with_a_picture_at_hand_a_card_is_likelier(judge: Judge) -> None:
    found = noisy(asked(6), 7)
    seen = judge.verdict(found, TOOLS, np.ones(400, bool))
    assert (seen.asked > judge.verdict(found, TOOLS).asked).all()


def test_the_nearest_examples_vote_for_what_they_asked_for() -> None:
    vectors = np.eye(4, dtype=np.float32)
    truth = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    shares = evidence.nearest(vectors[[0, 3]], vectors, truth)
    assert shares.sum(axis=1) == pytest.approx(1)
    assert shares[0, 0] > 0.9
    assert shares[1, 1] > 0.9
