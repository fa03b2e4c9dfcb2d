"""Fits the judge on held-out examples: how much each kind of evidence weighs."""

from __future__ import annotations

import numpy as np

from edgewright.agents.planner.embedded.evidence import (
    Evidence,
    Flags,
    Judge,
    Numbers,
    any_odds,
    card_odds,
    further_odds,
    linear,
    logit,
    sigmoid,
)

#: Assumed share of requests that no card serves; their share of the examples is arbitrary.
NONE_SHARE = 0.2

_NEWTON_STEPS = 50


def fit_judge(evidence: Evidence, truth: Flags) -> Judge:
    """Fit the regressions of a judge.

    Args:
        evidence: Evidence for the examples, by heads and neighbours that have not seen them.
        truth: Requested cards of each example, bool ``[R, tools]``.
    """
    tools = truth.shape[1]
    served = truth.any(axis=1)
    importance = np.full(len(truth), NONE_SHARE / max(1, (~served).sum()))
    importance[served] = (1 - NONE_SHARE) / max(1, served.sum())
    importance *= len(truth)
    odds = card_odds(evidence, tools)
    first = _logistic(odds[served].reshape(-1, odds.shape[2]), truth[served].ravel())
    best = linear(odds, first).argmax(axis=1)
    others = np.repeat((served & truth[np.arange(len(truth)), best])[:, None], tools, axis=1)
    others[np.arange(len(truth)), best] = False
    judge = Judge(
        any=_logistic(any_odds(evidence, tools), served, importance),
        first=first,
        further=_logistic(further_odds(evidence, tools, best)[others], truth[others]),
        trust=np.array([1.0, 0.0]),
    )
    found = judge.verdict(evidence, tools)
    right = (found.chosen == truth).all(axis=1)
    trust = _logistic(logit(found.certainty)[:, None], right, importance)
    return Judge(any=judge.any, first=judge.first, further=judge.further, trust=trust)


def _logistic(features: Numbers, truth: Flags, importance: Numbers | None = None) -> Numbers:
    """Fit a logistic regression by Newton's method; the intercept comes last, ``[F + 1]``.

    A ridge of 1 keeps weights finite that the data leave undetermined.
    """
    weighting = np.ones(len(features)) if importance is None else importance
    features, truth, weighting = _merged(features, truth, weighting)
    x = np.hstack([features, np.ones((len(features), 1))]).astype(np.float64)
    ridge = np.eye(x.shape[1])
    ridge[-1, -1] = 1e-3
    weights = np.zeros(x.shape[1])
    for _ in range(_NEWTON_STEPS):
        predicted = sigmoid(x @ weights)
        curvature = (x * (weighting * predicted * (1 - predicted))[:, None]).T @ x + ridge
        gradient = x.T @ (weighting * (truth - predicted)) - ridge @ weights
        step = np.linalg.solve(curvature, gradient)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _merged(features: Numbers, truth: Flags, weighting: Numbers) -> tuple[Numbers, Flags, Numbers]:
    """Count the false examples without any evidence as one that weighs as much.

    Probabilities are clipped, so these are nearly all examples of a large catalogue.
    """
    without = ~truth & (features == features.min(axis=0)).all(axis=1)
    if not without.any():
        return features, truth, weighting
    others, first = ~without, without.argmax()
    return (
        np.vstack([features[others], features[first]]),
        np.append(truth[others], False),
        np.append(weighting[others], weighting[without].sum()),
    )
