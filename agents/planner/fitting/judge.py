"""Fitting the judge: how much each kind of evidence is worth, learned on held-out examples."""

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

#: Share of requests that no card serves; the examples' own share says nothing of what people ask.
NONE_SHARE = 0.2


_NEWTON_STEPS = 50


def fit_judge(evidence: Evidence, truth: Flags) -> Judge:
    """Fit the numbers.

    Args:
        evidence: What speaks for the labels in examples, by heads and neighbours that have not
            seen them.
        truth: Which cards each of them asks for, bool ``[R, tools]``.
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

    A ridge of 1 keeps weights finite that nothing tells.
    """
    x = np.hstack([features, np.ones((len(features), 1))]).astype(np.float64)
    weighed = np.ones(len(x)) if importance is None else importance
    ridge = np.eye(x.shape[1])
    ridge[-1, -1] = 1e-3
    weights = np.zeros(x.shape[1])
    for _ in range(_NEWTON_STEPS):
        said = sigmoid(x @ weights)
        curvature = (x * (weighed * said * (1 - said))[:, None]).T @ x + ridge
        step = np.linalg.solve(curvature, x.T @ (weighed * (truth - said)) - ridge @ weights)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return weights
