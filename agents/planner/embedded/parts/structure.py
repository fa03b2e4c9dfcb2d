"""How the parts of a request belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from edgewright.agents.planner.embedded.parts.conditions import (
    OTHERWISE,
    plain_condition,
    starts_condition,
    takes_up,
)
from edgewright.agents.planner.embedded.parts.part import Part

_INSIDE = re.compile(r"\w\W+(?:only\s+)?(?:if|unless)\b", re.I)
#: Begins a condition of several words, of which the network may miss the first.
_BEGUN = re.compile(r"\b(?:in|as|so|only)\s+$", re.I)
_GOES_ON = re.compile(r"(?:case|the\s+event|long|if|when)\b", re.I)
_SENTENCE_END = re.compile(r"[.!?\n](?=\s|$)")
_NO_BREAK = re.compile(r"[\s,]*(?:(?:and|but|or)\s+)?", re.I)
_OR = re.compile(r"\s*,?\s*or\s+", re.I)
#: Takes up what a remark says: "if you get eight as well".
_TOO = re.compile(r"\b(?:too|as\s+well|also)\b(?!\s+(?:dark|bright|small|far|many|much))", re.I)
#: An amount of what was counted before.
_BARE = re.compile(r"\W*(?:several|many|more|fewer|less|none|any)\W*", re.I)
_TIME = re.compile(r"(?:before|after|while)\s+(?:you|i|we)\b", re.I)
_MISLEADING = re.compile(r"\b(?:if|unless|no|not|never|\w+n't)\b", re.I)


def has_structure(text: str, parts: Sequence[Part]) -> bool:
    """Return whether a request is more than one task with words around it, all of them known.

    What surrounds a single task may be what tells its card, unless it could be taken for a
    condition or a negation: "describe it, if it is no trouble".
    """
    tasks = [part for part in parts if part.role == "task"]
    wanted = [part for part in tasks if part.state != "not"]
    if not wanted or any(part.kind in ("other", "train") for part in wanted):
        return False
    around = text[: parts[0].start] + text[parts[-1].end :]
    odd = any(part.kind in ("repeat", "nothing") for part in wanted)
    return len(parts) > 1 or odd or bool(_MISLEADING.search(around))


def is_consistent(text: str, parts: Sequence[Part]) -> bool:
    """Return whether conditions and the tasks that depend on them belong together."""
    owned = owners(text, parts)
    for number, part in enumerate(parts):
        words = text[part.start : part.end]
        if part.is_condition:
            fits = number in owned.values() or words.endswith("?")
            fits = fits and _is_whole(words, part)
        else:
            rest = OTHERWISE.sub("", words)
            fits = number in owned or not part.depends or _has_own(words)
            fits = fits and not (part.role == "task" and _TIME.match(words))
            nested = part.state == "else" and starts_condition(rest) and not takes_up(rest)
            fits = fits and not nested
        if not fits:
            return False
    return True


def _is_whole(words: str, part: Part) -> bool:
    """Return whether a condition can be read without what is said elsewhere."""
    if _BARE.fullmatch(words) or _TOO.search(words):
        return False
    return not _INSIDE.search(plain_condition(words, part.role)[3:])


def joined(text: str, parts: Sequence[Part]) -> list[Part]:
    """Return parts without breaks inside a clause: of tasks alike that only a comma parts."""
    found: list[Part] = []
    for part in parts:
        begun = _BEGUN.search(text, 0, part.start) if part.is_condition else None
        if begun and _GOES_ON.match(text, part.start):
            part = replace(part, start=begun.start())
            found = [replace(each, end=min(each.end, part.start)) for each in found]
        last = found[-1] if found else None
        one = last is not None and _are_one(text, last, part)
        if last is not None and one and _NO_BREAK.fullmatch(text, last.end, part.start):
            found[-1] = replace(last, end=part.end)
        else:
            found.append(part)
    return found


def _are_one(text: str, last: Part, part: Part) -> bool:
    """Return whether parts are of one clause if nothing parts them."""
    if part.is_condition:
        return last.is_condition and not text[: last.end].endswith("?")
    same = (last.role, last.kind, last.state) == (part.role, part.kind, part.state)
    return same and part.role == "task" and part.state != "not"


def alternatives(text: str, parts: Sequence[Part]) -> list[Part]:
    """Return parts in which what stands before "or … if" is done otherwise."""
    found = list(parts)
    for number, (part, after) in enumerate(pairwise(parts)):
        always = part.role == "task" and part.state == "always"
        depends = after.is_condition or (after.depends and after.state == "if")
        if always and depends and _OR.fullmatch(text, part.end, after.start):
            found[number] = replace(part, state="else")
    return found


def owners(text: str, parts: Sequence[Part]) -> dict[int, int]:
    """Return the condition of each task that depends on one, by their positions."""
    conditions = [number for number, part in enumerate(parts) if part.is_condition]
    found: dict[int, int] = {}
    for number, part in enumerate(parts):
        if not part.depends or not conditions or _has_own(text[part.start : part.end]):
            continue
        before = [each for each in conditions if each < number]
        after = [each for each in conditions if each > number]
        if not before or not after:
            found[number] = before[-1] if before else after[0]
            continue
        apart = [_sentences_between(text, parts[each], part) for each in (before[-1], after[0])]
        has_own = any(each != number and found[each] == before[-1] for each in found)
        later = apart[1] < apart[0] or (apart[1] == apart[0] and after[0] == number + 1 and has_own)
        found[number] = after[0] if later else before[-1]
    return found


def _has_own(words: str) -> bool:
    """Return whether words of a task hold a condition of their own: "classify if indoors"."""
    return bool(_INSIDE.search(OTHERWISE.sub("", words)))


def _sentences_between(text: str, one: Part, other: Part) -> int:
    start, end = sorted((one.start, other.start))
    return len(_SENTENCE_END.findall(text, start, end))
