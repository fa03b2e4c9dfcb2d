"""Sentences of a text, and places in them: where a reader found what it read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from edgewright.agents.fl_coder.constraints.numbers import Number, Token, normalised

#: Sentences, and the parts of one that semicolons separate; not after "at max." or "8 a.m.".
_SENTENCE = re.compile(
    r"(?<=[.!?;])(?<!\b[apAP]\.[mM]\.)(?<!\bmax\.)(?<!\bMax\.)(?<!\be\.g\.)(?<!\bi\.e\.)"
    r"(?<!\bapprox\.)(?<!\bca\.)(?<!\bvs\.)\s+(?=\S)|\n+"
)
#: A line's end within a sentence: what follows begins neither a paragraph, an item nor a sentence.
_WRAPPED = re.compile(r"(?<=[^\s.!?;:])[ \t]*\n[ \t]*(?=[a-z0-9(])(?!\d+[.)]\s)(?![\w-]+\s*[:=])")
_CLAUSE = re.compile(
    r"[,;()](?=\s|$)|\s-+\s|(?<!between)\s(?:and|but|while|whereas|which|because)\s"
)


@dataclass(frozen=True)
class Place:
    """Part of a sentence.

    Attributes:
        sentence: The sentence, as ``sentences`` returns it.
        start: Index of its first character there.
        end: Index of the character after it.
    """

    sentence: str
    start: int
    end: int

    @property
    def words(self) -> str:
        """The words at this place."""
        return self.sentence[self.start : self.end]

    @property
    def clause(self) -> str:
        """The part of the sentence around it, between commas and conjunctions."""
        cuts = [0, *(m.end() for m in _CLAUSE.finditer(self.sentence)), len(self.sentence)]
        start = max(each for each in cuts if each <= self.start)
        return self.sentence[start : min(each for each in cuts if each >= self.end)]

    def overlaps(self, other: Place) -> bool:
        """Return whether two places have characters in common."""
        same = self.sentence == other.sentence
        return same and self.start < other.end and other.start < self.end


def unwrapped(text: str) -> str:
    """Join the lines of each sentence of a text."""
    return _WRAPPED.sub(" ", text)


def sentences(text: str) -> list[str]:
    """Split a text into its sentences, each on one line and with single spaces."""
    parts = _SENTENCE.split(unwrapped(normalised(text)))
    return [" ".join(each.split()) for each in parts if each.strip()]


def anchored(places: Iterable[Place], text: str) -> tuple[Place, ...]:
    """Return where places of a text's parts stand in its sentences."""
    found = []
    for place in places:
        for sentence in sentences(text):
            offset = sentence.find(place.sentence)
            if offset >= 0:
                found.append(Place(sentence, offset + place.start, offset + place.end))
                break
    return tuple(found)


def place_of(sentence: str, tokens: list[Token], number: Number, after: int | None = None) -> Place:
    """Return where a number stands, with what follows up to the token ``after``."""
    last = tokens[max(number.after, after or 0) - 1]
    return Place(sentence, tokens[number.first].start, last.end)


def place_of_match(match: re.Match[str]) -> Place:
    """Return where a pattern was found in a sentence."""
    return Place(match.string, match.start(), match.end())
