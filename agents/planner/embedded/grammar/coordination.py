"""Reads what one sentence asks about several images: headings, left out words, comparisons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from edgewright.agents.planner.embedded.grammar.clauses import Clause, beginning, segment
from edgewright.agents.planner.embedded.grammar.ellipsis import continued
from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.questions import guard_of
from edgewright.agents.planner.embedded.grammar.references import (
    STAND_IN,
    Mention,
    without_mentions,
)

#: What people ask of an image by a noun alone.
_MEASURE = (
    r"(?:number|colou?r|text|date|price|total|brand|size|age|make|model|title|headline|score|time"
    r"|temperature|pressure|weight|amount|reading|shop|address)"
)
_JOINT = re.compile(r"\s*[,;]\s*(?:(?:and|or|but)\s+)?|\s+(?:and|or|but)\s+", re.IGNORECASE)
_PLACE = r"(?:in|on|at|for|of)"
_INTRODUCED = re.compile(rf"(?:{_PLACE}\s+)?$", re.IGNORECASE)
_PLACED = re.compile(rf"\s*\b{_PLACE}\s+{STAND_IN}[\s,:]*", re.IGNORECASE)
_BEGINS = re.compile(rf"(?:(?:and|so|ok|okay|please|now)\s+)*{beginning()}", re.IGNORECASE)
_TASK = re.compile(rf"\b{any_of('task_noun')}\b", re.IGNORECASE)
#: What left out words leave of a question: a noun with at most three words before it.
_NOUN = re.compile(r"\w[\w'-]*(?:\s+[\w'-]+){0,3}")
#: "Total on the first", in a list that a colon may introduce.
_LED = re.compile(r"^[^:?]{2,40}:\s+")
_LISTED = re.compile(
    rf"(?:(?:and|the)\s+)*(?P<what>{_MEASURE}(?:\s+of\s+(?:the\s+)?[\w'-]+)?)\s+{_PLACE}\s+{STAND_IN}[\s.!]*",
    re.IGNORECASE,
)
_COUNTING = re.compile(r"(?P<how>\bhow\s+many\s+)[\w'-]+", re.IGNORECASE)
_DETERMINED = re.compile(r"(?:an?|any|some|the|no|its|his|her|their|my)\s", re.IGNORECASE)

_FOR = rf"(?:(?:as\s+)?(?:{_PLACE}|from|with)\s+)"
_BEFORE_HEADING = re.compile(
    rf"(?:^|[,;.!?])\s*(?:(?:and|then|but)\s+)?(?P<for>{_FOR})?$", re.IGNORECASE
)
_AFTER_HEADING = re.compile(
    rf"\s*:\s*\w|\s+[-\u2013\u2014]\s+\w|,?\s+(?:just\s+|only\s+)?(?!(?:is|are|was|were|has|have|had)\b){beginning()}"
    rf"|,?\s+(?:(?:just|only|also|please)\s+)*(?:an?|the|its)\s+(?:{any_of('task_noun')}|{_MEASURE})\b",
    re.IGNORECASE,
)
_HEADING = re.compile(rf"^{_FOR}?{STAND_IN}(?:\s*[:,]|\s+[-\u2013\u2014]\s)?\s*", re.IGNORECASE)
_BACK = (
    r"(?:(?:(?:and|so|ok|okay|now|let's)\s+)*(?:(?:go(?:ing)?|com(?:e|ing)|turn(?:ing)?)\s+)?"
    r"back\s+to\s+)"
)
_MARKED_HEADING = re.compile(
    rf"^(?:{_FOR}|{_BACK})?{STAND_IN}(?:\s*:|\s+[-\u2013\u2014])\s+(?=\w)"
    rf"|^(?:{_FOR}|{_BACK}|(?:and|ok|now)\s+)?{STAND_IN}(?:\s+(?:again|now|please))?\s*,\s+(?={beginning()})",
    re.IGNORECASE,
)

_ONLY_NAMES = re.compile(
    rf"\W*(?:(?:and|but|also|then|too|plus|please|again|now|next|finally|{STAND_IN}|as\s+well)\b\W*)+",
    re.IGNORECASE,
)

_IMAGES = rf"{any_of('image_noun')}s?\b"
_WHICH = re.compile(
    rf"\W*(?:(?:and|so|ok|okay|now|then)\s+)*(?:which\s+(?:(?:one\s+)?of\s+(?:them|these|those|the\s+{any_of('number')}"
    rf"|{STAND_IN}\b|(?:the|my|our|all)\s+(?:\w+\s+)?{_IMAGES})"
    rf"|(?:my|our)\s+{_IMAGES}|ones?\b|{_IMAGES}|(?=(?:is|are|was|has|have|shows?|contains?)\s)"
    r"|[a-z]+(?=\s+(?:is|are|has|have|looks?|seems?)\s+(?:the\s+)?(?:\w{2,}er|\w{2,}est|more|most|fewer|less|better|best|worse)\b))"
    rf"|{STAND_IN}(?=\s+\w+\s+(?:the\s+)?(?:more|most|fewer|fewest)\s))\s*(?P<says>\w.*)",
    re.IGNORECASE | re.DOTALL,
)
#: "Find the ones with a dog": the same as a question.
_FIND = re.compile(
    r"\W*(?:(?:please|now|then|and|can\s+you|could\s+you)\s+)*(?:find|show|pick|choose|select|list|give|tell)"
    rf"(?:\s+(?:me|us|out))*\s+(?:(?:all|only|just)\s+)*(?:(?:of\s+)?(?:the|those|my|our)\s+)?(?:ones?|{_IMAGES})\s+"
    r"(?:(?P<with>with|without|of|containing|showing)|(?:that|which)(?=\s+(?:is|are|was|were|has|have|shows?|contains?)\s))\s+"
    r"(?P<says>\w.*)",
    re.IGNORECASE | re.DOTALL,
)
_CHOICE = re.compile(
    rf"[\s,:(-]*\b{STAND_IN}(?:\s*(?:,|\bor\b|\band\b)\s*(?:{STAND_IN})?)*[\s)?.!]*$",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"(?P<verb>\w+)\s+(?:the\s+)?(?:more|most|fewer|fewest|less|least)\s+(?P<thing>[^?.!]+)",
    re.IGNORECASE,
)
_DEGREE = re.compile(
    r"(?:is|are|was|looks?|seems?)\s+(?:the\s+)?(?P<word>\w{2,})(?:er|est)\b\s*\W*$", re.IGNORECASE
)
_COMPARED = re.compile(
    rf"\W*(?:(?:and|so|ok|okay|now|but)\s+)*(?P<verb>does|do|has|have|is|are)\s+(?P<one>it|this|that|there|{STAND_IN})\s+"
    rf"(?:(?:have|show|contain)\s+)?(?:(?:any\s+)?(?P<more>(?:more|fewer|less)\s+)(?P<thing>[^?.!]+?)|(?P<degree>\w{{2,}}er))"
    rf"(?:\s+(?:in|on)\s+{STAND_IN})?\s+than\s+(?:(?:there\s+(?:is|are)\s+)?(?:in|on)\s+)?{STAND_IN}\W*$",
    re.IGNORECASE,
)
_LINKING = re.compile(r"is|are|was|looks?|seems?", re.IGNORECASE)
#: Words like a comparative that are none, without their ending.
_NO_DEGREE = frozenset(
    {"und", "ov", "aft", "oth", "silv", "amb", "ging", "copp", "inn", "out", "b"}
)


def headings(text: str, found: Sequence[Mention]) -> list[int]:
    """Return where mentions begin that head what follows: "2: describe, 3: classify".

    Args:
        text: A sentence.
        found: Its mentions of images.
    """
    heads = [
        (before.start("for") if before["for"] else each.start, bool(before["for"]))
        for each in found
        if (before := _BEFORE_HEADING.search(text[: each.start]))
        and _AFTER_HEADING.match(text, each.end)
    ]
    starts = [start for start, _ in heads]
    # One is enough after another image: "caption the first, and on the second count the people".
    later = (
        len(heads) == 1
        and heads[0][1]
        and (found[0].start < starts[0] or bool(_BEGINS.match(text[: starts[0]])))
    )
    return starts if len(starts) > 1 or later else []


def headed(text: str, starts: Sequence[int]) -> list[Clause]:
    """Return the parts of a text that headings begin, and what stands before the first."""
    bounds = [*([0] if starts[0] else []), *starts, len(text)]
    return [
        Clause(words, begin, begin + len(words))
        for begin, end in pairwise(bounds)
        if (words := text[begin:end].rstrip(" ,;" if end < len(text) else None))
    ]


def without_heading(text: str, *, sure: bool) -> str:
    """Return a text without the stand-in that heads it.

    Args:
        text: The text.
        sure: Whether it has a heading even without a colon or a dash.
    """
    return (_HEADING if sure else _MARKED_HEADING).sub("", text, count=1)


def requests(text: str, found: Sequence[Mention]) -> list[Clause]:
    """Return the clauses of a text; one that only names further images belongs to the one before.

    In "caption this one and also the first", "also the first" requests nothing by itself.
    """
    clauses: list[Clause] = []
    for clause in segment(text):
        within = [each for each in found if clause.start <= each.start < clause.end]
        said = without_mentions(
            clause.text,
            [
                replace(each, start=each.start - clause.start, end=each.end - clause.start)
                for each in within
            ],
        )
        cut = any(each.of and each.start < clause.start < each.end for each in found)
        if clauses and (cut or (within and _ONLY_NAMES.fullmatch(said))):
            start = clauses.pop().start
            clause = Clause(text[start : clause.end], start, clause.end)
        clauses.append(clause)
    return clauses


def gapped(text: str, found: Sequence[Mention]) -> list[tuple[str, Mention]]:
    """Return the whole questions of "is there a frog in the first and a hen in the second?".

    Args:
        text: A sentence.
        found: Its mentions of images.

    Returns:
        A question for each mention; nothing if no words are left out.
    """
    parts = _parts(text, found) if len(found) > 1 else []
    if not parts:
        return []
    first = _PLACED.sub("", parts[0], count=1) if _PLACED.match(parts[0]) else parts[0]
    if not _BEGINS.match(first):
        return _listed(parts, found)
    asked = [f"{first.rstrip(' ,;?.!')}?"]
    for part in parts[1:]:
        noun = _PLACED.sub(" ", f" {part}").strip(" ,;?.!")
        whole = STAND_IN in noun or _BEGINS.match(noun) or _TASK.search(noun)
        if whole or not _NOUN.fullmatch(noun):
            return []
        asked.append(_continued(noun, asked[-1]))
    return list(zip(asked, found, strict=True)) if all(asked) else []


def _listed(parts: Sequence[str], found: Sequence[Mention]) -> list[tuple[str, Mention]]:
    """Return the questions of "total on the first, date on the second"."""
    nouns = [_LISTED.fullmatch(part.strip()) for part in (_LED.sub("", parts[0]), *parts[1:])]
    if not all(noun and not _TASK.search(noun["what"]) for noun in nouns):
        return []
    asked = [f"what is the {noun['what']} in {STAND_IN}?" for noun in nouns if noun]
    return list(zip(asked, found, strict=True))


def _parts(text: str, found: Sequence[Mention]) -> list[str]:
    """Return the parts of a sentence, each with a stand-in for its mention.

    A mention either ends its part or, with the preposition before it, begins it.
    """
    starts, ends = [0], []
    for one, other in pairwise(found):
        joints = list(_JOINT.finditer(text, one.end, other.start))
        if not joints:
            return []
        if _INTRODUCED.fullmatch(text, joints[-1].end(), other.start):
            joint = joints[-1]
        elif joints[0].start() == one.end:
            joint = joints[0]
        else:
            return []
        ends.append(joint.start())
        starts.append(joint.end())
    return [
        f"{text[start : each.start]}{STAND_IN}{text[each.end : end]}"
        for each, start, end in zip(found, starts, [*ends, len(text)], strict=True)
    ]


def _continued(noun: str, before: str) -> str:
    """Return the question before with another noun."""
    if not _DETERMINED.match(noun) and _COUNTING.search(before):
        return _COUNTING.sub(rf"\g<how>{noun}", before, count=1)
    if not _DETERMINED.match(noun):
        noun = f"any {noun}"
    return continued(f"and {noun}?", before)


def asked_of_each(text: str) -> str:
    """Return what "which one shows a cat?" or "which one is brighter?" asks of each image.

    A comparison remains one: the expert measures each image, and the answer compares.

    Args:
        text: A sentence with stand-ins for its mentions.

    Returns:
        The question, or an empty string if the text does not choose between images.
    """
    if found := _FIND.match(text):
        says = found["says"].rstrip(" .!?")
        if not found["with"]:
            return f"Which picture {says}?"
        no = "no " if found["with"].lower() == "without" else ""
        return guard_of(f"{STAND_IN} shows {no}{says}").premises[0].question
    match = _WHICH.match(text)
    if not match:
        return ""
    says = _CHOICE.sub("", match["says"]).strip()
    degree = _DEGREE.match(says)
    if _AMOUNT.match(says) or (degree and degree["word"].lower() not in _NO_DEGREE):
        return f"Which picture {says.rstrip(' .!?')}?"
    return guard_of(f"{STAND_IN} {says}").premises[0].question


def compared(text: str) -> tuple[str, bool]:
    """Return what "does it have more people than the second?" asks of each of two images.

    Args:
        text: A sentence with stand-ins for its mentions.

    Returns:
        The question, empty if the text does not compare; and whether a pronoun stands for the
        first of the images.
    """
    match = _COMPARED.match(text)
    if not match:
        return "", False
    pronoun = match["one"].lower() not in (STAND_IN, "there")
    there = match["one"].lower() == "there"
    verb = "has" if there or (match["thing"] and not _LINKING.fullmatch(match["verb"])) else "is"
    return (
        f"Which picture {verb} {match['more'] or ''}{match['thing'] or match['degree']}?",
        pronoun,
    )
