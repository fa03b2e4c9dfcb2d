"""States that exclude one another: open and shut, dry and wet, legible and illegible."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from edgewright.agents.planner.embedded.grammar.lexicon import read_grammar

_PREFIXES = ("un", "in", "im", "il", "ir", "non", "dis", "mis")


def is_state(word: str) -> bool:
    """Return whether a word is a state that has an opposite."""
    return word.lower() in _opposites()


def opposed(word: str, others: Sequence[str]) -> bool:
    """Return whether a word is the opposite of one of others; all are in lower case."""
    return any(other in _opposites().get(word, ()) or _prefixed(word, other) for other in others)


def _prefixed(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return any(longer == f"{prefix}{shorter}" for prefix in _PREFIXES)


@cache
def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for left, right in read_grammar("states")["opposites"]:
        for one, other in ((left, right), (right, left)):
            for word in one:
                found.setdefault(word, set()).update(other)
    return {word: frozenset(others) for word, others in found.items()}
