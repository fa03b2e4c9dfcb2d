"""Reads the text arguments of a card from a request.

Demonstrations show whether an argument is the whole request, such as a question, or a part of it.
For a part, the words before it, at its start and after it are learned, and the span of a new
request that matches them best becomes the value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from edgewright.agents.planner.embedded.grammar.lexicon import words
from edgewright.agents.planner.embedded.mentions import files, quotations
from edgewright.tools.cards import ToolCard

_TOKEN = re.compile(r"[\w'-]+|[^\w\s]")
#: Connecting words at the start of a clause, which belong to no argument.
_CONNECTION = re.compile(
    r"^(?:(?:and|but|or|so|then|also|next|afterwards?|finally|lastly|first|secondly|please|ok|okay|"
    r"no|after\s+that|plus)\b[\s,:]*)+",
    re.IGNORECASE,
)
_DETERMINER = re.compile(r"^(?:(?:all|both|each|every|any|some|the|an?|my|our)\s+)+", re.IGNORECASE)
#: Maximum length of a span, in words.
_MAX_WORDS = 12
#: A span must match more than this many of the three contexts: before it, first word, after it.
_MIN_SCORE = 1


@dataclass
class _Part:
    """Words seen before an argument, as its first word, and after it."""

    before: set[str] = field(default_factory=set)
    first: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)


class ArgumentReader:
    """Reads the text arguments of one card.

    Args:
        card: The card, with demonstrations of its arguments.
    """

    def __init__(self, card: ToolCard) -> None:
        self._parts: dict[str, _Part] = {}
        self._optional: set[str] = set()
        self._own = _stems(f"{card.title} {card.description} {' '.join(words('closed_class'))}")
        for name, spec in card.arguments.items():
            if not spec.required:
                self._optional.add(name)
            if spec.type == "text" and (part := _learned(card, name)):
                self._parts[name] = part

    def read(self, name: str, clause: str, request: str) -> str:
        """Return the value of an argument; empty for an optional one that the words do not give.

        Args:
            name: Name of the argument.
            clause: The words that request the task.
            request: The whole request; the value if the clause is empty.
        """
        clause = _CONNECTION.sub("", clause.strip()).strip(" ,;")
        quoted = quotations(clause)
        if quoted and (name != "question" or quoted[-1].endswith("?")):
            return quoted[-1]
        part = self._parts.get(name)
        span = _best_span(part, clause) if part else ""
        if name in self._optional:
            # "Detect the objects" names no kind of object, only what the card does in any case.
            return "" if _stems(span) <= self._own else _DETERMINER.sub("", span)
        return span or clause or request.strip()


def _learned(card: ToolCard, name: str) -> _Part | None:
    """Learn the context of an argument. Return None if it usually is the whole request."""
    part, parts = _Part(), 0
    shown = [demo for demo in card.demonstrations if name in demo.args]
    for demo in shown:
        start = demo.request.find(demo.args[name])
        tokens = _TOKEN.findall(demo.request)
        inner = _TOKEN.findall(demo.args[name])
        if start < 0 or len(inner) + 1 >= len(tokens):
            continue
        position = len(_TOKEN.findall(demo.request[:start]))
        part.before.add(_at(tokens, position - 1))
        part.first.add(inner[0].lower())
        part.after.add(_pair(tokens, position + len(inner)))
        parts += 1
    return part if parts and 2 * parts >= len(shown) else None


def _best_span(part: _Part, clause: str) -> str:
    """Return the shortest span that matches most of the learned context, or an empty string."""
    matches = list(_TOKEN.finditer(clause))
    tokens = [match[0] for match in matches]
    best, chosen = _MIN_SCORE, ""
    for start in range(len(tokens)):
        left = (_at(tokens, start - 1) in part.before) + (tokens[start].lower() in part.first)
        for end in range(start + 1, min(start + _MAX_WORDS, len(tokens)) + 1):
            if not tokens[end - 1][-1].isalnum():
                break
            score = left + (_pair(tokens, end) in part.after)
            if score > best:
                best, chosen = score, clause[matches[start].start() : matches[end - 1].end()]
    return chosen


def _stems(text: str) -> set[str]:
    return {token[:5] for token in _TOKEN.findall(text.lower())}


def _pair(tokens: Sequence[str], position: int) -> str:
    """Return two words. The second distinguishes "in this photo" from "in a red dress"."""
    first = _at(tokens, position)
    return f"{first} {_at(tokens, position + 1)}" if first else ""


def _at(tokens: Sequence[str], position: int) -> str:
    """Return a token in lower case, or "" for punctuation and beyond either end of the text."""
    if not 0 <= position < len(tokens) or not tokens[position][0].isalnum():
        return ""
    return tokens[position].lower()


def file_for(kind: str, clause: str, request: str) -> str:
    """Return the name of a file of a kind that the clause, or else the request, mentions."""
    for text in (clause, request):
        for mention in files(text):
            if mention.kind == kind:
                return mention.name
    return ""
