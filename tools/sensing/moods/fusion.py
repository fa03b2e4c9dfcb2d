"""Several estimates of the same thing as one, each weighed by its confidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgewright.tools.errors import InputError, RefusedError
from edgewright.tools.sensing.expert import Estimate
from edgewright.tools.sensing.protocol import Window

#: Two sources contradict each other if their best labels differ and each is this much surer of its
#: own than of the other's.
_CONTRADICTION = 0.1
_ARGUMENTS = ("first", "second")
_MAX_LABELS = 50


@dataclass(frozen=True)
class _Given:
    """An argument: an estimate, or why there is none."""

    source: str
    labels: dict[str, float]
    basis: str = ""
    missing: str = ""

    @property
    def best(self) -> str:
        return max(self.labels, key=lambda name: self.labels[name])


class ConfidenceFusion:
    """Combines estimates by the logarithms of their probabilities; a ``SensingExpert``.

    Each source's log probabilities are weighed by its confidence: how far its probabilities are
    from saying nothing, from 0 to 1. A source that is missing or that contradicts another one is
    named.
    """

    id = "confidence-fusion"
    card = "decision-fusion"
    approximate = False
    kinds: tuple[str, ...] = ()
    window_s = 0.0
    argument = ""
    model = "confidence-fusion@1"

    def obstacle(self) -> str:
        """Return an empty text: it needs nothing."""
        return ""

    def check(self, args: Mapping[str, str]) -> None:
        """Check that the arguments can be read.

        Raises:
            InputError: One is neither an estimate nor a label.
        """
        for name in _ARGUMENTS:
            if name in args and not _is_output(args[name]):
                _read(name, args[name])

    def estimate(self, window: Window | None, args: Mapping[str, str]) -> dict[str, Any]:
        """Return one decision from the estimates that are there.

        Raises:
            RefusedError: No estimate is there, or they are about different things.
        """
        given = [_read(name, args[name]) for name in _ARGUMENTS if name in args]
        there = [one for one in given if one.labels]
        missing = [one for one in given if not one.labels]
        if not there:
            reasons = "; ".join(f"{one.source}: {one.missing}" for one in missing)
            raise RefusedError(
                f"there is no estimate to combine ({reasons or 'none was given'})",
                code="nothing_to_combine",
            )
        names = list(dict.fromkeys(name for one in there for name in one.labels))
        if len(there) > 1 and not set(there[0].labels) & set(there[1].labels):
            raise RefusedError(
                "the estimates are about different things: they have no label in common",
                code="nothing_to_combine",
            )
        weights = [confidence(one.labels) for one in there]
        scores = _combined(there, weights, names)
        ranked = sorted(zip(names, scores, strict=True), key=lambda one: -one[1])
        against = _contradicting(there)
        bases = list(dict.fromkeys(one.basis for one in there if one.basis))
        found = Estimate(
            source="fusion",
            labels=ranked,
            basis=", ".join(bases),
            evidence={
                "weights": {
                    one.source: round(weight, 3) for one, weight in zip(there, weights, strict=True)
                },
                "missing": {one.source: one.missing for one in missing},
                "contradicting": against,
            },
        )
        return found.output(_sentence(found, there, missing, against))


def confidence(labels: Mapping[str, float]) -> float:
    """Return how much an estimate says: 0 if all labels are equally probable, 1 if one is certain.

    It is one minus the entropy of the probabilities over that of equal ones.

    Args:
        labels: Probabilities by label.
    """
    shares = np.clip(np.array(list(labels.values())), 1e-9, 1.0)
    if len(shares) < 2:
        return float(shares[0])
    shares = shares / shares.sum()
    return float(1.0 + np.sum(shares * np.log(shares)) / np.log(len(shares)))


def _combined(there: list[_Given], weights: list[float], names: list[str]) -> list[float]:
    total = np.zeros(len(names))
    largest = max(max(weights), 1e-9)
    for one, weight in zip(there, weights, strict=True):
        shares = np.array([max(one.labels.get(name, 0.0), 0.01) for name in names])
        total += weight / largest * np.log(shares / shares.sum())
    scores = np.exp(total - total.max())
    result: list[float] = (scores / scores.sum()).tolist()
    return result


def _contradicting(there: list[_Given]) -> list[str]:
    """Name the sources that contradict each other, with what each says."""
    if len(there) < 2:
        return []
    one, other = there
    apart = one.best != other.best and all(
        each.labels[each.best] - each.labels.get(against.best, 0.0) >= _CONTRADICTION
        for each, against in ((one, other), (other, one))
    )
    return [f"{each.source}: {each.best}" for each in there] if apart else []


def _sentence(
    found: Estimate, there: list[_Given], missing: list[_Given], against: list[str]
) -> str:
    label, score = found.best
    sources = " and ".join(one.source for one in there)
    text = f"together: {label} ({round(score * 100)} %), from {sources}"
    if len(there) == 1:
        text = f"{label} ({round(score * 100)} %), from {sources} alone"
    if against:
        text += f"; the sources contradict each other ({', '.join(against)}), so be careful"
    for one in missing:
        text += f"; {one.source} is missing: {one.missing.rstrip('.')}"
    return f"{text} ({found.basis})" if found.basis else text


def _is_output(value: str) -> bool:
    """Return whether a value stands for the output of a task that has not run yet."""
    return value.startswith("<") and value.endswith(">")


def _read(name: str, value: str) -> _Given:
    """Read an argument: the JSON of an estimate or of its absence, or a plain label."""
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        label = value.strip()
        if not label or label.startswith(("{", "[")):
            raise _unreadable(name)
        return _Given(f"the {name} estimate", {label: 1.0})
    source = str(parsed.get("source", f"the {name} estimate"))[:100]
    if "missing" in parsed:
        return _Given(source, {}, missing=str(parsed["missing"])[:300])
    labels = parsed.get("labels")
    if not isinstance(labels, list) or not 0 < len(labels) <= _MAX_LABELS:
        raise _unreadable(name)
    try:
        shares = {str(label)[:100]: float(score) for label, score in labels}
    except (TypeError, ValueError):
        raise _unreadable(name) from None
    if not all(0.0 <= score <= 1.0 for score in shares.values()) or not sum(shares.values()):
        raise _unreadable(name)
    return _Given(source, shares, basis=str(parsed.get("basis", ""))[:100])


def _unreadable(name: str) -> InputError:
    return InputError(
        f"the argument {name!r} is no estimate; give a label, or JSON with 'source' and 'labels' "
        "as pairs of a label and its probability",
        code="estimate_invalid",
    )
