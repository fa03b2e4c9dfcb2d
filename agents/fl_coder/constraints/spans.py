"""Reads the constraints on a training run from a person's words.

A text is split into sentences, phrases and fragments, and each of them is classified. A clear
result for a part takes precedence over the result for the whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from edgewright.agents.fl_coder.constraints.classifier import KINDS, Kind, sides
from edgewright.agents.fl_coder.constraints.places import unwrapped

#: Minimum probability that a phrase states or denies a constraint, and its minimum ratio to the
#: probability of the opposite. A constraint is dropped if the probability of a denial elsewhere in
#: the text is higher by ``DENIAL``. Chosen on other worded problems than the tests'.
THRESHOLD = 0.42
MARGIN = 1.3
DENIAL = 0.2

#: Typographic apostrophes and dashes, and their plain counterparts.
PLAIN = {0x2018: "'", 0x2019: "'", 0x2013: "-", 0x2014: "-"}
_SENTENCE = re.compile(r"(?<=[.!?;:])\s+|\s*[\n\r]+\s*|\s+-+\s+|\s+\((?=[^\W\d])|(?<=\w)\)\s*")
_PHRASE = re.compile(
    r"\s*,\s*(?:and|but|or|so|yet|while|whereas|although|though|because|since|which|who)?\s+"
    r"|\s+(?:and|but|while|whereas|although|though|because|yet|so(?=\s+\w+\s+(?:is|are)\b))\s+",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(
    r"\s+(?:with|over|behind|where|that|which|who|whose|so\s+that|because\s+of)\s+", re.IGNORECASE
)


@dataclass(frozen=True)
class Constraint:
    """A constraint in a text.

    Attributes:
        kind: Kind of constraint.
        words: The words that state it.
        confidence: Probability, 0 to 1.
        phrases: All words that state it.
    """

    kind: Kind
    words: str
    confidence: float
    phrases: tuple[str, ...] = ()


def read_constraints(text: str) -> tuple[Constraint, ...]:
    """Read the constraints in a text, each kind at most once, with the words that state it best.

    A kind that other words deny much more clearly is left out.

    Args:
        text: The purpose in the person's words.
    """
    spans = _spans(unwrapped(text.translate(PLAIN)))
    judged = sides([span.words for span in spans])
    stronger, weaker = judged.max(axis=2), judged.min(axis=2)
    clear = (stronger >= THRESHOLD) & (stronger > MARGIN * weaker)
    found: dict[Kind, Constraint] = {}
    denied = dict.fromkeys(KINDS, 0.0)
    for index, span in enumerate(spans):
        for number, kind in enumerate(KINDS):
            # A clear part takes precedence over the whole; an unclear part does not count.
            if not clear[index, number] or clear[list(span.parts), number].any():
                continue
            present, absent = (float(side) for side in judged[index, number])
            denied[kind] = max(denied[kind], absent)
            best = found.get(kind)
            if present <= absent:
                continue
            phrases = (*(best.phrases if best else ()), span.words)
            if best is None or best.confidence < present:
                best = Constraint(kind, span.words, round(present, 3))
            found[kind] = replace(best, phrases=phrases)
    stated = [each for each in found.values() if each.confidence > denied[each.kind] - DENIAL]
    return tuple(sorted(stated, key=lambda each: KINDS.index(each.kind)))


@dataclass
class _Span:
    """A span of the text, and the indices of the shorter spans inside it."""

    words: str
    parts: tuple[int, ...]


def _spans(text: str) -> list[_Span]:
    """Split a text into fragments, phrases and sentences, each after the parts it consists of."""
    spans: list[_Span] = []

    def add(words: str, cuts: tuple[re.Pattern[str], ...]) -> tuple[int, ...]:
        """Add a span and its parts; return the indices of all of them."""
        words = words.strip(" .,;:!?")
        pieces = cuts[0].split(words) if cuts else []
        parts = [index for piece in pieces for index in add(piece, cuts[1:])] if cuts else []
        # A single word is too short, and a span that equals one of its parts is a duplicate.
        if len(words.split()) < 2 or any(spans[index].words == words for index in parts):
            return tuple(parts)
        spans.append(_Span(words, tuple(parts)))
        return (*parts, len(spans) - 1)

    add(text, (_SENTENCE, _PHRASE, _FRAGMENT))
    # The whole text only counts if it has no parts.
    return [span for span in spans if span.words != text.strip(" .,;:!?") or not span.parts]
