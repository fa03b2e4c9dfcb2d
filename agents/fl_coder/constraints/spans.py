"""Reading what constrains a training run out of a person's words.

A text is cut into sentences, phrases and fragments; each is judged by the classifier of phrases,
and what a part says clearly counts more than the whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgewright.agents.fl_coder.constraints.classifier import KINDS, Kind, sides

#: How likely a phrase has to state or deny a constraint, and how much likelier one of the two has
#: to be than the other; and how much more clearly than any words state a constraint others have to
#: deny it, so that it is not stated. Chosen on worded problems that are not those of the tests.
THRESHOLD = 0.42
MARGIN = 1.3
DENIAL = 0.2

#: Typographic apostrophes and dashes, and what they are read as.
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
    """A constraint that was read.

    Attributes:
        kind: Which.
        words: The person's words that say so.
        confidence: Probability, 0 to 1.
    """

    kind: Kind
    words: str
    confidence: float


def read_constraints(text: str) -> tuple[Constraint, ...]:
    """Read a text; each kind comes at most once, with the words that say it most clearly.

    A kind that other words deny much more clearly is left out.

    Args:
        text: The purpose in the person's words.
    """
    spans = _spans(text.translate(PLAIN))
    judged = sides([span.words for span in spans])
    stronger, weaker = judged.max(axis=2), judged.min(axis=2)
    clear = (stronger >= THRESHOLD) & (stronger > MARGIN * weaker)
    found: dict[Kind, Constraint] = {}
    denied = dict.fromkeys(KINDS, 0.0)
    for index, span in enumerate(spans):
        for number, kind in enumerate(KINDS):
            # What a part says clearly counts more than the whole; an unclear part says nothing.
            if not clear[index, number] or clear[list(span.parts), number].any():
                continue
            present, absent = (float(side) for side in judged[index, number])
            denied[kind] = max(denied[kind], absent)
            known = found.get(kind)
            if present > absent and (known is None or known.confidence < present):
                found[kind] = Constraint(kind, span.words, round(present, 3))
    stated = [each for each in found.values() if each.confidence > denied[each.kind] - DENIAL]
    return tuple(sorted(stated, key=lambda each: KINDS.index(each.kind)))


@dataclass
class _Span:
    """A stretch of the text, and the places of the shorter stretches inside it."""

    words: str
    parts: tuple[int, ...]


def _spans(text: str) -> list[_Span]:
    """Cut a text into fragments, phrases and sentences, each behind the parts it is made of."""
    spans: list[_Span] = []

    def add(words: str, cuts: tuple[re.Pattern[str], ...]) -> tuple[int, ...]:
        """Add a stretch and its parts; return the places of all of them."""
        words = words.strip(" .,;:!?")
        pieces = cuts[0].split(words) if cuts else []
        parts = [place for piece in pieces for place in add(piece, cuts[1:])] if cuts else []
        # A single word says too little, and a whole with one part is that part.
        if len(words.split()) < 2 or any(spans[place].words == words for place in parts):
            return tuple(parts)
        spans.append(_Span(words, tuple(parts)))
        return (*parts, len(spans) - 1)

    add(text, (_SENTENCE, _PHRASE, _FRAGMENT))
    # The text as a whole was only the frame.
    return [span for span in spans if span.words != text.strip(" .,;:!?") or not span.parts]
