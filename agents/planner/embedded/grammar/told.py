"""Reads what a person says of several images: "the first is my cat, the second my mother's".

Later words then mean these images: "what breed is my mother's?".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgewright.agents.planner.embedded.grammar.clauses import beginning
from edgewright.agents.planner.embedded.grammar.described import plain
from edgewright.agents.planner.embedded.grammar.lexicon import any_of, words
from edgewright.agents.planner.embedded.grammar.references import Mention

#: Links an image with what is said of it, after or before.
_IS = re.compile(
    r"\s*(?:(?:is|are|was|were|shows?|has|have|belongs?\s+to|comes?\s+from|=|->)\s|[:=]\s|'s\s)",
    re.IGNORECASE,
)
_IS_LAST = re.compile(
    r"(?:\s(?:is|are|was|were|comes?|=|took|uploaded|made|shot|drew|painted|wrote|sent|owns?)|'s)\s+(?:in\s+)?$",
    re.IGNORECASE,
)
_INTRODUCTION = re.compile(
    r"(?:.*[:,]\s*)?(?:(?:and|so|hi+|hello|hey|ok|okay|well|now|the)\b[\s,;!.]*)*", re.IGNORECASE
)
#: Begins a request, which is no longer told: "…, what breed is it?".
_REQUEST = re.compile(
    rf"(?:\s*[,;:]\s*(?:(?:and|so|but|please|now)\s+)*|\s+(?:and|so|but)\s+)"
    rf"(?!{any_of('image_noun')}\b)(?=(?:{beginning()}|any\s|(?:for|in|of|on)\s+(?:the|my|that)\b))",
    re.IGNORECASE,
)
#: Says what is to be done rather than what an image is.
_ASKING = re.compile(
    rf"\b{any_of('task_noun')}\b|\?|\b(?:which|how|who|where|whether|what(?!\s+(?:i|we|he|she|they)\b)|needs?|wants?|gets?|should|skip|only|just|(?:can|could|would|will)\s+you|please|not|isn't|don't)\b",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r"\s*[,;&]\s*(?:(?:and|then|finally|lastly|but)\s+)*|\s+(?:and|n|then)\s+", re.IGNORECASE
)
#: Says that things are named in the order of the images.
_ORDER = re.compile(
    r"[\s,]*\b(?:(?:attached|sent|all)\s+)?(?:in\s+(?:that|this|the\s+same)\s+order|respectively|(?:from\s+)?left\s+to\s+right)\b.*",
    re.IGNORECASE,
)
_FIRST = re.compile(r"\s+(?:is|are|comes?|was)\s+first(?=\s*,\s*then\b)", re.IGNORECASE)
_PRESENTED = re.compile(
    r"(?:(?:ok|so|hi|hello|hey|and|well)\b[\s,!]*)*(?:here(?:'s|\s+is|\s+are)|these\s+(?:two\s+|three\s+)?(?:are|show)|they(?:'re|\s+are)|this\s+is|that's"
    r"|(?:i|we)(?:'ve|\s+have)?\s+(?:just\s+)?(?:sent|attached|uploaded|photographed|took|have|got)(?:\s+you)?)\s+",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?=\S)[^.!?\n]+)*[.!?\n]*\s*")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|\d+")
_EMPTY = frozenset((*words("no_content"), *words("closed_class"))) - {"new"}
#: Whose an image is, by who is said to have made or to own it.
_OWNERS = {
    **dict.fromkeys(("i", "me", "mine"), "mine"),
    **dict.fromkeys(("we", "us", "ours"), "ours"),
    **dict.fromkeys(("they", "them", "theirs"), "theirs"),
    **dict.fromkeys(
        ("she", "hers", "wife", "mother", "mum", "mom", "sister", "daughter", "aunt"), "hers"
    ),
}
#: "My own field" is mine, "my mother's" is not.
_OWN = re.compile(rf"\bmy\s+(?!(?:\w+\s+)?(?:{any_of('kin')}|\w+'s)\b)", re.IGNORECASE)
#: Most words that are said of one image.
_MAX_WORDS = 12

Places = tuple[int, ...]


@dataclass(frozen=True)
class Told:
    """What a text says of images.

    Attributes:
        words: Words by the index of an image.
        rest: The text without what it only says of several images.
    """

    words: dict[int, frozenset[str]]
    rest: str


def told(
    text: str,
    find: Callable[[str], Sequence[Mention]],
    places: Callable[[Sequence[Mention]], Places],
) -> Told:
    """Read what a text says of several images, one after the other.

    Args:
        text: The normalised text.
        find: Finds the mentions of images in a text.
        places: Returns the indices of the images that mentions mean; of none, of those that came
            together.
    """
    known: dict[int, frozenset[str]] = {}
    parts: list[tuple[str, str, bool]] = []
    for match in _SENTENCE.finditer(text):
        sentence = match[0]
        request = _REQUEST.search(sentence)
        said = sentence[: request.start()] if request else sentence
        alone = not request and len(sentence) == len(text)  # nothing follows that could mean it
        asks = alone or _ASKING.search(said) or (not request and sentence.rstrip().endswith("?"))
        found = {} if asks else _of_each(said.rstrip(" .!\n"), find, places)
        for place, each in found.items():
            known[place] = known.get(place, frozenset()) | each
        parts.append((sentence, sentence[request.end() :] if request else "", bool(found)))
    if len(set(known.values())) < 2:
        return Told({}, text)  # what is said of one image says which one comes next
    rest = "".join(after if tells else whole for whole, after, tells in parts).strip()
    return Told(known, rest if _WORD.search(rest) else text)


def introduced(request: str) -> frozenset[str]:
    """Return what a request says of the image that it introduces: "and here's the mill"."""
    sentence = _SENTENCE.match(request)
    said = sentence[0] if sentence else ""
    presented = _PRESENTED.match(said)
    return (
        content(said[presented.end() :]) if presented and not _ASKING.search(said) else frozenset()
    )


def content(text: str) -> frozenset[str]:
    """Return the words of a text that say what it is about."""
    said = {plain(word) for word in _WORD.findall(text.lower())} - {""}
    owners = {_OWNERS[word] for word in said if word in _OWNERS}
    return frozenset((said - _EMPTY) | owners | ({"mine"} if _OWN.search(text) else set()))


def _of_each(
    said: str,
    find: Callable[[str], Sequence[Mention]],
    places: Callable[[Sequence[Mention]], Places],
) -> dict[int, frozenset[str]]:
    """Return the words that a sentence says of each image."""
    found = [each for each in find(said) if each.kind not in ("here", "that", "again")]
    if len(found) > 2:
        found = [each for each in found if each.kind not in ("all", "both", "them")]
    parts = _listed(said, found)
    if parts:
        each: tuple[Places, ...] = tuple((place,) for place in places(found))
    else:
        parts = _paired(said, found)
        each = _each_place(found, places)
    told_of = [content(part) for part in parts]
    distinct = sum(map(len, each)) == len({place for those in each for place in those})
    brief = all(0 < len(part.split()) <= _MAX_WORDS for part in parts)
    if not each or len(parts) != len(each) or not all(told_of) or not distinct or not brief:
        return {}
    return {place: about for those, about in zip(each, told_of, strict=True) for place in those}


def _each_place(
    found: Sequence[Mention], places: Callable[[Sequence[Mention]], Places]
) -> tuple[Places, ...]:
    """Return the images of each mention; "the others" are none of those before."""
    each: list[Places] = []
    for number, mention in enumerate(found):
        before = found[:number] if mention.kind == "others" else ()
        each.append(
            tuple(n for n in places([*before, mention]) if n not in places(before))
            if before
            else places([mention])
        )
    return tuple(each)


def _listed(said: str, found: Sequence[Mention]) -> list[str]:
    """Return what a sentence lists in the order of the images: "they are A, B and C"."""
    if first := _FIRST.search(said):
        return [said[: first.start()], *filter(str.strip, _JOINT.split(said[first.end() :]))]
    if order := _ORDER.search(said):
        return _parts(said[: order.start()])
    if len(found) == 1 and found[0].kind in ("head", "tail", "both", "all", "them"):
        verb = re.search(r"\b(?:are|were|show)\s+", said[found[0].end :], re.IGNORECASE)
        return _parts(said[found[0].end + verb.end() :]) if verb else []
    presented = _PRESENTED.match(said)
    return _parts(said[presented.end() :]) if presented and not found else []


def _parts(text: str) -> list[str]:
    found = [part for part in _JOINT.split(text) if part.strip()]
    return found if len(found) > 1 else []


def _paired(said: str, found: Sequence[Mention]) -> list[str]:
    """Return what is said of each mention: "the first is A and the second B"."""
    if not found:
        return []
    if all(said[each.start - 1 : each.start] == "(" for each in found):
        ends = [0, *(said.find(")", each.end) + 1 for each in found)]
        return [said[end : each.start] for end, each in zip(ends, found, strict=False)]
    starts = [each.start for each in found]
    ends = [each.end for each in found]
    if _IS.match(said, ends[0]) and _INTRODUCTION.fullmatch(said, 0, starts[0]):
        spans = list(zip(ends, [*starts[1:], len(said)], strict=True))
    elif _IS_LAST.search(said, 0, starts[0]):
        spans = list(zip([0, *ends[:-1]], starts, strict=True))
    elif (
        len(found) > 1
        and _INTRODUCTION.fullmatch(said, 0, starts[0])
        and all(said[:start].rstrip().endswith(",") for start in starts[1:])
    ):
        spans = list(zip(ends, [*starts[1:], len(said)], strict=True))
    else:
        return []
    return [said[start:end] for start, end in spans]
