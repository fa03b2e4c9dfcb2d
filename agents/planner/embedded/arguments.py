"""Text arguments read from the words of a request.

Demonstrations show what an argument is: the whole request, as with a question, or a part of it. For
a part, the words that stand before it, at its beginning and behind it are learned, and the span of
a new request that fits them best is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from edgewright.agents.planner.embedded.mentions import files, quotations
from edgewright.tools.cards import ToolCard

_TOKEN = re.compile(r"[\w'-]+|[^\w\s]")
#: Connecting words that begin a clause but belong to no argument.
_CONNECTION = re.compile(
    r"^(?:(?:and|but|or|so|then|also|next|afterwards?|finally|lastly|first|secondly|please|ok|okay|"
    r"no|after\s+that|plus)\b[\s,:]*)+",
    re.IGNORECASE,
)
#: Longest part that is looked for, in words.
_LONGEST = 12
#: A span needs more than this many of the three: known word before, first in and behind it.
_ENOUGH = 1


@dataclass
class _Part:
    """Words that stand before, first in and behind an argument."""

    before: set[str] = field(default_factory=set)
    first: set[str] = field(default_factory=set)
    behind: set[str] = field(default_factory=set)


class ArgumentReader:
    """Reads the text arguments of one card.

    Args:
        card: The card, with the demonstrations that show its arguments.
    """

    def __init__(self, card: ToolCard) -> None:
        self._parts: dict[str, _Part] = {}
        for name, spec in card.arguments.items():
            if spec.type == "text" and (part := _learned(card, name)):
                self._parts[name] = part

    def read(self, name: str, clause: str, request: str) -> str:
        """Return the value of an argument.

        Args:
            name: The argument.
            clause: The words that asked for the task.
            request: The whole request, whose quotations may be meant.
        """
        clause = _CONNECTION.sub("", clause.strip()).strip(" ,;")
        quoted = quotations(clause)
        if quoted:
            return quoted[-1]
        part = self._parts.get(name)
        if part is None:
            return clause or request.strip()
        return _best_span(part, clause) or clause


def _learned(card: ToolCard, name: str) -> _Part | None:
    """Learn where an argument stands; None when it mostly is the whole request."""
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
        part.behind.add(_pair(tokens, position + len(inner)))
        parts += 1
    return part if parts and 2 * parts >= len(shown) else None


def _best_span(part: _Part, clause: str) -> str:
    """Return the shortest of the spans whose surroundings were seen most, or an empty string."""
    found = list(_TOKEN.finditer(clause))
    tokens = [match[0] for match in found]
    best, chosen = _ENOUGH, ""
    for start in range(len(tokens)):
        left = (_at(tokens, start - 1) in part.before) + (tokens[start].lower() in part.first)
        for end in range(start + 1, min(start + _LONGEST, len(tokens)) + 1):
            if not tokens[end - 1][-1].isalnum():
                break
            score = left + (_pair(tokens, end) in part.behind)
            if score > best:
                best, chosen = score, clause[found[start].start() : found[end - 1].end()]
    return chosen


def _pair(tokens: Sequence[str], position: int) -> str:
    """Return two words, of which the second tells "in this photo" from "in a red dress"."""
    first = _at(tokens, position)
    return f"{first} {_at(tokens, position + 1)}" if first else ""


def _at(tokens: Sequence[str], position: int) -> str:
    """Return a token in lower case; punctuation and both ends of the text are the same."""
    if not 0 <= position < len(tokens) or not tokens[position][0].isalnum():
        return ""
    return tokens[position].lower()


def file_for(kind: str, clause: str, request: str) -> str:
    """Return the name of a file of a kind that the clause, or else the request, speaks of."""
    for text in (clause, request):
        for mention in files(text):
            if mention.kind == kind:
                return mention.name
    return ""
