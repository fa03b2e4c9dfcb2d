"""Reads a privacy budget from a person's words.

Where words leave room, the value is the one that promises most: here, the smallest budget.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from edgewright.agents.fl_coder.constraints.limits import of_others
from edgewright.agents.fl_coder.constraints.numbers import (
    Number,
    Token,
    numbers_of,
    tokens_of,
)
from edgewright.agents.fl_coder.constraints.places import Place, place_of, sentences

_EPSILON = frozenset({"epsilon", "epsilons", "eps", "ε", "ϵ"})
_DELTA = frozenset({"delta", "δ"})
_LINKS_WORDS = (
    "of is be at to the a an value must may should shall can cannot could will not never "
    "no stay stays remain remains kept exceed exceeds rise go equal equals limited capped "
    "bounded by above over beyond more greater larger higher most below under less "
    "smaller lower than up maximum about = : ≤ < > lie lies between within unit units "
    "≈ ~ any one each every record sample person client user add adds adding sum sums amount "
    "amounts come comes just only exactly from somewhere anywhere around roughly approximately "
    "perhaps maybe say itself i we have has had fixed set chosen chose picked pick choose took "
    "take taken want wants"
)
_LINKS = frozenset(_LINKS_WORDS.split())
_ANY = frozenset({"any", "each", "every"})
#: What has an epsilon of its own.
_OPTIMISER = re.compile(
    r"\b(?:adam\w*|rmsprop|optimi[sz]er|(?:batch|layer)\s*-?norm)(?:'s)?\s+(?:epsilon|eps)\b"
    r"|\b(?:epsilon|eps)\s+(?:of|for|in)\s+(?:the\s+)?(?:adam\w*|rmsprop|optimi[sz]er|"
    r"(?:batch|layer)\s*-?norm)\b",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r"\b(?:likelihood|probability|chance|risk)\s+(?:that|with\s+which)\s+[^.;,]{0,30}\b(?:fails?|breaks?|"
    r"is\s+broken)\b"
    r"|\bfailure\s+(?:probability|rate)\b|\b(?:probability|chance|risk)\s+of\s+(?:failure|failing)\b",
    re.IGNORECASE,
)
#: Adjectives of a budget that has no number.
_STRICT = re.compile(r"\b(?:strict|strong|tight|small|low|rigorous|stringent)\b", re.IGNORECASE)
_BUDGET = re.compile(
    r"\b(?:privacy[\s-]+(?:loss|budget|parameter|level|cost)|dp[\s-]+budget|budget)\b",
    re.IGNORECASE,
)
_PRIVACY = re.compile(r"\b(?:privacy|private|dp|dp-sgd|epsilon)\b|ε", re.IGNORECASE)

#: What leaves out the thing that was spoken of.
_LEFT_OUT = (
    r"\b(?:leave|left)\s+(?:it|that|this|(?:the|any)\s+(?:\w+\s+){1,3}?)\s*out\s*(?:[.;!,]|$)"
    r"|\bdropped\s+it\b|\b(?:do|go|manage)\s+without(?:\s+it)?\s*(?:[.;!,]|$)"
)
_NO_BUDGET = re.compile(
    r"\b(?:skip|forget|leave\s+out|never\s+mind)\s+(?:about\s+|any\s+|the\s+)?"
    r"(?:(?:differential\s+)?privacy|dp\b)|\bleave\s+(?:the\s+|any\s+)?(?:differential\s+)?"
    r"(?:privacy|dp)(?:\s+\w+)?\s+out\b|" + _LEFT_OUT,
    re.IGNORECASE,
)
#: What states that there is nothing to hold.
DISMISSED = re.compile(
    r"\bout\s+of\s+(?:the\s+)?scope\b|\bnot\s+in\s+scope\b|\bbeyond\s+(?:the\s+|our\s+)?scope\b"
    r"|\bno\s+(?:concern|issue|problem|worry|topic)\b|\bnot\s+(?:a|an)\s+(?:concern|issue|topic)\b"
    r"|\b(?:is|are)\s+irrelevant\b|\bneed\s+not\s+be\s+(?:considered|handled|tolerated)\b"
    r"|\b(?:ignore|disregard|skip|forget|leave\s+out|never\s+mind)\s+(?:about\s+|any\s+|the\s+)?"
    r"(?:robust\w*|attack\w*|byzantine|hostile|malicious|adversar\w*|(?:differential\s+)?privacy|dp\b)"
    r"|"
    + _LEFT_OUT
    + r"|\b(?:decided|advised|voted)\s+against\b|\bopted\s+out\b|\bruled\s+(?:it\s+|that\s+)?out\b"
    r"|\bcan\s+be\s+ignored\b|\bdoes(?:\s+not|n't)\s+matter\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PrivacyBudget:
    """A stated privacy budget.

    Attributes:
        epsilon: Maximum privacy loss; None if not stated.
        delta: Probability of exceeding it; None if not stated.
        words: The words that state the budget.
        strict: Whether a budget is called strict or small instead of giving a number.
        places: Where its numbers stand.
    """

    epsilon: float | None
    delta: float | None
    words: str
    strict: bool = False
    places: tuple[Place, ...] = ()


def of_optimiser(sentence: str) -> bool:
    """Return whether an epsilon in a sentence is that of an optimiser: "Adam's epsilon is 1e-8"."""
    return bool(_OPTIMISER.search(sentence))


def read_budget(text: str) -> PrivacyBudget | None:
    """Read a privacy budget. Return None if the text mentions none."""
    epsilons: list[float] = []
    deltas: list[float] = []
    words: list[str] = []
    places: list[Place] = []
    strict = False
    for sentence in sentences(text):
        if _NO_BUDGET.search(sentence) or of_optimiser(sentence) or of_others(sentence):
            continue
        tokens = tokens_of(sentence)
        numbers = numbers_of(tokens)
        pair = _pair(tokens, numbers)
        epsilon = pair[0] if pair else _near(_epsilon_names(sentence, tokens), tokens, numbers)
        delta = (
            pair[1] if pair else _near(_delta_names(sentence, tokens), tokens, numbers, tiny=True)
        )
        if epsilon is not None:
            epsilons.append(epsilon.low / epsilon.of if epsilon.of else epsilon.low)
        if delta is not None:
            deltas.append(delta.low / delta.of if delta.of else delta.low)
        places += [place_of(sentence, tokens, each) for each in (epsilon, delta) if each]
        vague = epsilon is None and bool(_BUDGET.search(sentence) and _PRIVACY.search(sentence))
        strict |= vague and bool(_STRICT.search(sentence))
        if epsilon or delta or (vague and _STRICT.search(sentence)):
            words.append(sentence.rstrip(" .;!?"))
    if not words:
        return None
    positive = [value for value in epsilons if value > 0]
    small = [value for value in deltas if 0 < value < 1]
    if not positive and not small and not strict:
        return None
    return PrivacyBudget(
        epsilon=min(positive, default=None),
        delta=min(small, default=None),
        words=", ".join(words),
        strict=strict,
        places=tuple(places),
    )


def _pair(tokens: list[Token], numbers: list[Number]) -> tuple[Number, Number] | None:
    """Return epsilon and delta of "(3, 1e-5)"."""
    for one, other in itertools.pairwise(numbers):
        opened = one.first > 0 and tokens[one.first - 1].text == "("
        joined = other.first == one.after + 1 and tokens[one.after].text == ","
        closed = other.after < len(tokens) and tokens[other.after].text == ")"
        if opened and joined and closed and 0 < other.high < 0.1 and one.low > 0:
            return one, other
    return None


def _names(tokens: list[Token], names: frozenset[str]) -> list[tuple[int, int]]:
    return [(i, i + 1) for i, token in enumerate(tokens) if token.text in names]


def _delta_names(sentence: str, tokens: list[Token]) -> list[tuple[int, int]]:
    """Return where delta, or the probability that privacy fails, is named."""
    spans = _names(tokens, _DELTA)
    if _PRIVACY.search(sentence):
        spans += [_tokens_in(match, tokens) for match in _FAILURE.finditer(sentence)]
    return spans


def _tokens_in(match: re.Match[str], tokens: list[Token]) -> tuple[int, int]:
    """Return the first token of a match, and the token after it."""
    inside = [i for i, t in enumerate(tokens) if match.start() <= t.start < match.end()]
    return inside[0], inside[-1] + 1


def _epsilon_names(sentence: str, tokens: list[Token]) -> list[tuple[int, int]]:
    """Return where epsilon, the privacy loss or a budget is named: first token, token after."""
    spans = _names(tokens, _EPSILON)
    if _PRIVACY.search(sentence):
        spans += [_tokens_in(match, tokens) for match in _BUDGET.finditer(sentence)]
    return spans


def _near(
    names: list[tuple[int, int]], tokens: list[Token], numbers: list[Number], *, tiny: bool = False
) -> Number | None:
    """Return the number that a name is linked to: the one after it, or else before it."""
    numbers = [n for n in numbers if n.first == 0 or tokens[n.first - 1].text not in _ANY]
    usable = [n for n in numbers if not n.article and (not tiny or 0 < n.low / (n.of or 1) < 0.5)]
    for _, after in names:
        for number in usable:
            between = tokens[after : number.first]
            if number.first >= after and _linked(between):
                return number
    for first, _ in names:
        for number in reversed(usable):
            joining = {token.text for token in tokens[number.after : first]}
            if number.after <= first and joining <= {"of", "a", "an", "unit", "units", "for"}:
                return number
    return None


def _linked(between: list[Token]) -> bool:
    names = _EPSILON | _DELTA
    return (
        len(between) <= 9
        and all(t.text in _LINKS or t.text in names for t in between)
        and not (any(t.text in _DELTA for t in between))
    )
