"""Finds the words of a request that say which images are meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from edgewright.agents.planner.embedded.grammar.described import Clue, described
from edgewright.agents.planner.embedded.grammar.done import stems
from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.name_parts import as_images, counted_things
from edgewright.agents.planner.embedded.grammar.names import named
from edgewright.agents.planner.embedded.grammar.placing import is_excluded, placed
from edgewright.agents.planner.embedded.grammar.references import (
    THING,
    Kind,
    Mention,
    blanked,
    worded,
)

#: Means no image: "one after the other".
_IDIOM = re.compile(
    r"\bone\s+(?:after|by|at)\s+(?:the\s+other|one|a\s+time)\b|\bthe\s+other\s+(?:way\s+a?round|day)\b"
    r"|\bon\s+the\s+other\s+hand\b|\beach\s+other\b",
    re.IGNORECASE,
)
_THING_LAST = re.compile(rf"\b(?:{THING}|of\s+\w+(?:\s+\w+)?)$", re.IGNORECASE)
_PLURAL = re.compile(r"\w(?<![su'])s(?:\W|$)", re.IGNORECASE)
_SUMMING = re.compile(
    rf"\b(?:both|all|each|every|any|these|those|{any_of('number')})\s+(?:(?:of\s+)?(?:the|my)\s+)?$",
    re.IGNORECASE,
)
_EARLIER = (
    r"from\s+(?:earlier|before|a\s+while\s+ago"
    r"|(?:the|our)\s+(?:very\s+)?(?:start|beginning|first)\b(?:\s+of\s+\w+\s+\w+)?)"
)
#: "The picture with the clock", "the one of the tent question", "the x-ray from earlier".
_TOPIC = re.compile(
    rf"\b(?:the|that)\s+{THING}\s+(?:with|of|about|showing|from)\s+(?:(?:the|my|that)\s+)?(?:(?P<with>[\w-]+(?:\s+[\w-]+){{0,2}}?)(?:\s+question)?(?:\s+{_EARLIER})?(?=\s*(?:[.,:;?!]|$)|\s+(?:and|again)\b))"
    rf"|\b(?:the|that|my)\s+(?P<of>[\w-]+(?:\s+[\w-]+)?)\s+{_EARLIER}"
    rf"|\b(?:back\s+to|for|in|on|about|describe|caption|classify|label)\s+the\s+(?P<before>[\w-]+)\s+{THING}(?=\s*(?:[.,:;?!]|$)|\s+(?:and|again)\b)",
    re.IGNORECASE,
)
_THING_WITH = re.compile(
    rf"\b(?:the|my|that)\s+{THING}\s+(?:(?:that|which)\s+(?:is|was|are)\s+)?(?:dated\s+)?"
    r"(?:from|of|for|with|taken\s+(?:on|at|in)|called|named|titled|label+ed|marked)\s+(?:the\s+|my\s+)?['\"]?$",
    re.IGNORECASE,
)
_HINT = re.compile(
    rf"\b(?:{THING}|{any_of('ordinal', 'last_word', 'from_end')}|both|either|all|each|every|other"
    r"|others|rest|middle|cent(?:re|er)|before|asked|sent|you|remaining|former|latter|right|this|that|number|numbers|nos?|nr|everything|two|pair|them|these|next|left|lot|ends|between|outer\w*|inner|half|top|bottom|list|ago|asking|message|turns?|opposite"
    r"|even|odd"
    r"|those|which|oldest|earliest|latest|newest|recent)\b|\#\d|\b\d{1,2}\b|\b[A-H]\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[,;:.!?]\s|\b(?:and|but)\b", re.IGNORECASE)
_OF_THE = re.compile(r"\s+(?:of\s+)?(?:(?:the|my|our|these|those)\s+)?", re.IGNORECASE)
_IN_ONE: tuple[Kind, ...] = ("left", "middle", "right", "them", "inner", "outer")


def mentions(
    text: str,
    names: Sequence[str],
    told: Sequence[frozenset[str]] = (),
    topics: Sequence[frozenset[str]] = (),
) -> list[Mention]:
    """Find the mentions of images in a text, in order.

    Args:
        text: The normalised text.
        names: Names of the images of the conversation.
        told: Words that the person said of each image.
        topics: Stems of the words with which something was asked of each image before.
    """
    found = [
        _whole(text, Mention("name", each.start, each.end, each.images, bare=each.bare))
        for each in named(text, names)
    ]
    clues = described(text, names, told)
    found += [_as_mention(text, each) for each in clues if each.sure and _is_free(each, found)]
    found += [each for each in _by_topic(text, topics) if not _overlaps(each, found)]
    counted = as_images(text, names) if len(names) > 1 else text
    if _HINT.search(counted):
        taken = [(each.start, each.end) for each in found]
        taken += [match.span() for match in _IDIOM.finditer(text)]
        found += worded(blanked(counted, taken))
    found = [each for each in found if not _qualifies(text, each, clues)]
    found += [
        _as_mention(text, each)
        for each in clues
        if not each.sure and not any(_in_one_clause(text, each, other) for other in found)
    ]
    if len(names) > 1 and all(each.bare or each.kind == "here" for each in found):
        found += [
            Mention("position", start, end, numbers, bare=True)
            for start, end, numbers in counted_things(text, len(names))
            if not any(start < each.end and each.start < end for each in found)
        ]
    if len(names) < 2:
        # In a single image, "the one on the left" is a thing, and so are "them".
        found = [each for each in found if each.kind not in _IN_ONE]
    found = placed(text, sorted(found, key=lambda each: each.start))
    return [replace(each, excluded=is_excluded(text, each)) for each in found]


def _by_topic(text: str, topics: Sequence[frozenset[str]]) -> list[Mention]:
    """Find images by what was asked of them: "the picture with the clock", "the tent question"."""
    found: list[Mention] = []
    for match in _TOPIC.finditer(text) if len(topics) > 1 and any(topics) else ():
        said = stems(next(match[group] for group in ("with", "of", "before") if match[group]))
        images = tuple(n for n, each in enumerate(topics) if said and said <= each)
        if len(images) == 1:
            found.append(Mention("name", *match.span(), images))
    return found


def _overlaps(each: Mention, found: Sequence[Mention]) -> bool:
    return any(each.start < other.end and other.start < each.end for other in found)


def _qualifies(text: str, each: Mention, clues: Sequence[Clue]) -> bool:
    """Return whether a word for all images only begins a phrase for some: "all the spiders"."""
    return each.kind in ("all", "both", "them") and any(
        _OF_THE.fullmatch(text, each.end, clue.start) for clue in clues
    )


def _as_mention(text: str, clue: Clue) -> Mention:
    """Return the mention for a clue; words that only name an image give way to a stand-in."""
    named = _THING_LAST.search(text, clue.start, clue.end)
    plural = _PLURAL.search(text, clue.start, clue.end) or _SUMMING.search(text, 0, clue.start)
    mention = Mention("name", clue.start, clue.end, clue.images, bare=not named, single=not plural)
    return _whole(text, mention)


def _whole(text: str, each: Mention) -> Mention:
    """Return a mention with the words for the image before it: "the one from 3 May"."""
    before = _THING_WITH.search(text, 0, each.start) if each.bare else None
    return replace(each, start=before.start(), bare=False) if before else each


def _is_free(clue: Clue, found: Sequence[Mention]) -> bool:
    return not any(clue.start < each.end and each.start < clue.end for each in found)


def _in_one_clause(text: str, clue: Clue, each: Mention) -> bool:
    """Return whether a clue and a mention stand in the same clause."""
    between = min(clue.end, each.end), max(clue.start, each.start)
    return not _CLAUSE_END.search(text, *between)
