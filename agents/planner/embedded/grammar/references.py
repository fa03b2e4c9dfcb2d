"""Finds the words of a request that say which images are meant: by name, position or turn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from edgewright.agents.planner.embedded.grammar.described import Clue, described
from edgewright.agents.planner.embedded.grammar.done import stems
from edgewright.agents.planner.embedded.grammar.lexicon import any_of, expanded, read_grammar
from edgewright.agents.planner.embedded.grammar.name_parts import as_images, counted_things
from edgewright.agents.planner.embedded.grammar.names import named
from edgewright.agents.planner.embedded.grammar.positions import (
    MAX_POSITION,
    number_of,
    numerals,
    ordinals,
    position,
)

Kind = Literal[
    "name", "position", "head", "tail", "all", "them", "both", "others", "every_other", "regular",
    "previous", "next", "here", "that", "done", "former", "latter", "left", "middle", "right",
    "again", "batch", "turn", "between", "around", "beyond", "inner", "outer",
    "half",
]  # fmt: skip

#: Stands for a mention in the text that the fitted model and the experts read.
STAND_IN = "the picture"

_GRAMMAR = read_grammar("references")
_DEFINITIONS = _GRAMMAR["definitions"]
_PATTERNS: list[tuple[Kind, re.Pattern[str]]] = [
    (
        each["kind"],
        re.compile(rf"(?<![\w#]){expanded(each['form'], _DEFINITIONS)}(?!\w)", re.IGNORECASE),
    )
    for each in _GRAMMAR["forms"]
]
_THING, _SENDING = (expanded(f"<{name}>", _DEFINITIONS) for name in ("thing", "sending"))
_NUMBER = any_of("number")
#: Means no image: "one after the other".
_IDIOM = re.compile(
    r"\bone\s+(?:after|by|at)\s+(?:the\s+other|one|a\s+time)\b|\bthe\s+other\s+(?:way\s+a?round|day)\b"
    r"|\bon\s+the\s+other\s+hand\b|\beach\s+other\b",
    re.IGNORECASE,
)
_THING_LAST = re.compile(rf"\b(?:{_THING}|of\s+\w+(?:\s+\w+)?)$", re.IGNORECASE)
_PLURAL = re.compile(r"\w(?<![su'])s(?:\W|$)", re.IGNORECASE)
_SUMMING = re.compile(
    rf"\b(?:both|all|each|every|any|these|those|{any_of('number')})\s+(?:(?:of\s+)?(?:the|my)\s+)?$", re.IGNORECASE
)
_EARLIER = (
    r"from\s+(?:earlier|before|(?:the|our)\s+(?:very\s+)?(?:start|beginning|first)\b(?:\s+of\s+\w+\s+\w+)?|a\s+while\s+ago)"
)
#: "The picture with the clock", "the one of the tent question", "the x-ray from earlier".
_TOPIC = re.compile(
    rf"\b(?:the|that)\s+{_THING}\s+(?:with|of|about|showing|from)\s+(?:(?:the|my|that)\s+)?(?:(?P<with>[\w-]+(?:\s+[\w-]+){{0,2}}?)(?:\s+question)?(?:\s+{_EARLIER})?(?=\s*(?:[.,:;?!]|$)|\s+(?:and|again)\b))"
    rf"|\b(?:the|that|my)\s+(?P<of>[\w-]+(?:\s+[\w-]+)?)\s+{_EARLIER}"
    rf"|\b(?:back\s+to|for|in|on|about|describe|caption|classify|label)\s+the\s+(?P<before>[\w-]+)\s+{_THING}(?=\s*(?:[.,:;?!]|$)|\s+(?:and|again)\b)",
    re.IGNORECASE,
)
_THING_WITH = re.compile(
    rf"\b(?:the|my|that)\s+{_THING}\s+(?:(?:that|which)\s+(?:is|was|are)\s+)?(?:dated\s+)?"
    r"(?:from|of|for|with|taken\s+(?:on|at|in)|called|named|titled|label+ed|marked)\s+(?:the\s+|my\s+)?['\"]?$",
    re.IGNORECASE,
)
_HINT = re.compile(
    rf"\b(?:{_THING}|{any_of('ordinal', 'last_word', 'from_end')}|both|either|all|each|every|other"
    r"|others|rest|middle|cent(?:re|er)|before|asked|sent|you|remaining|former|latter|right|this|that|number|numbers|nos?|nr|everything|two|pair|them|these|next|left|lot|ends|between|outer\w*|inner|half|top|bottom|list|ago|asking|message|turns?|opposite"
    r"|even|odd"
    r"|those|which|oldest|earliest|latest|newest|recent)\b|\#\d|\b\d{1,2}\b|\b[A-H]\b",
    re.IGNORECASE,
)
_EXCLUDING = re.compile(
    rf"(?:{any_of('apart_from', 'dismissal', 'instead')}|\bnot|\bwithout"
    r"|\bnothing\s+(?:from|of|about|in|on))(?:\s+for)?\s+"
    rf"(?:the\s+(?:one|{any_of('image_noun')})\s+(?:of|from|with|in)\s+)?(?:(?:the|an?)\s+)?$"
    rf"|\b(?:except(?:\s+for)?|apart\s+from|but\s+not|leaving\s+out)\s+(?:the|that|my)\s+(?:[\w-]+\s+){{0,2}}(?:one|{any_of('image_noun')})\s*[,:(]\s*$"
    r"|\b(?:excluding|except(?:ing)?|apart\s+from|other\s+than|leaving\s+out)\s+(?:any|every|all|the)\b[^,.;]{0,40}$"
    r"|(?:\bbut|,|\band|\bonly|\bjust)\s+not\s+(?:in|on|of|for|from|with)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
#: What introduces images that are left out; it says nothing about those that are not.
_LEFT_OUT = re.compile(
    rf"\s*,?\s*\b(?:{any_of('apart_from', 'instead')}(?:\s+for)?"
    r"|(?:(?:but|and|only|just)\s+)*not\s+(?:in|on|of|for|from|with))"
    r"\s+(?:the\s+)?$",
    re.IGNORECASE,
)
#: Goes on about an image: "… but the second isn't".
_SAYS = re.compile(
    r"\s+(?:(?:is|are|was|were|do|does|did|has|have)(?:n't|nt)?|shows?|contains?)\b", re.IGNORECASE
)
#: "…, the hall doesn't."
_NEEDS_NOT = re.compile(
    r"\s+(?:does|do|is|are|need|should)(?:n't|\s+not)(?:\s+need\s+(?:one|it|any))?\s*(?:[.!;]|$)",
    re.IGNORECASE,
)
_NEEDED = re.compile(
    r"(?!.*\b(?:if|whether|is\s+(?:there|one))\b).*\b(?:needs?|descri\w+|caption\w*|classif\w+|label\w*)\b",
    re.IGNORECASE | re.DOTALL,
)
_AND_NOT = re.compile(r"\W*(?:and|but)\s+not\s+(?:in|on|for|with)\s+(?:the\s+)?", re.IGNORECASE)
_WITHIN = re.compile(r"\b(?:in|on|of)\s+$", re.IGNORECASE)
_PREDICATE = re.compile(r"\b(?:is|are|was|were)\s+$", re.IGNORECASE)
_THING_IN = re.compile(r"\s+(?:\w+\s+){0,2}(?:in|on|at|from)\s+", re.IGNORECASE)
_SIDE_IN = re.compile(r"(?:\s+or\b.{1,20})?\s+(?:in|on|of)\s+", re.IGNORECASE)
#: "All but the second" leaves an image out, "once more but for the second" does not.
_BUT = re.compile(r"\bbut(?:\s+for)?\s+(?:the\s+)?$", re.IGNORECASE)
_SEVERAL = re.compile(
    rf"\b(?:all|any\w*|every\w*|each|both|none|nothing|no|whatever|them|these|those|{any_of('image_noun')}(?<=s))\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[,;:.!?]\s|\b(?:and|but)\b", re.IGNORECASE)
_SOME = re.compile(rf"\b{any_of('image_noun')}\b", re.IGNORECASE)
_OBJECT_OF = re.compile(r"\b(?:describe|caption|classify|label|identify)\s+$", re.IGNORECASE)
#: "And second?", after a question about the first.
_ALONE_BEFORE = re.compile(r"\W*(?:(?:and|ok|okay|now|then|so|but)\b\W*)*", re.IGNORECASE)
_ALONE_AFTER = re.compile(r"\s*\?[\s?!]*")
#: "Of these six, only the fourth is mine" is about the fourth.
_AMONG = re.compile(r"(?:^|[.!?;]\s+)(?:out\s+)?of\s+$", re.IGNORECASE)
_OF_THE = re.compile(r"\s+(?:of\s+)?(?:(?:the|my|our|these|those)\s+)?", re.IGNORECASE)
#: "I only own one of these".
_PART_OF = re.compile(
    rf"\b(?:(?<!which\s)(?<!every\s)(?<!each\s)(?<!any\s)(?<!all\s)(?<!the\s){any_of('number')}|some|most|few|none|half)\s+of\s+$", re.IGNORECASE
)
_BESIDE = re.compile(
    rf"(?:the\s+)?\b{_THING}\s+(?:that\s+(?:is|was|comes|came)\s+|(?:that\s+)?(?:i|we)(?:'ve|\s+have)?\s+{_SENDING}(?:\s+(?:to\s+)?you)?\s+)?(?:(?:right|just|directly|immediately)\s+)?"
    r"(?:(?:that|which)\s+)?(?:comes\s+|came\s+)?(?P<where>after|before|following|preceding|follows|precedes)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_IN_ONE: tuple[Kind, ...] = ("left", "middle", "right", "them", "inner", "outer")
_NEAR = (
    rf"(?:the\s+)?(?:(?:{any_of('number')}|couple|pair|{_THING})\s+){{0,2}}(?:(?:that|which)\s+)?"
    r"(?:(?:is|are|was|were|comes?|lies?|sits?|right|just|directly)\s+)*"
)
#: "The two between the gate and the barn", "those on either side of the altar".
_BETWEEN = re.compile(rf"{_NEAR}(?:in\s+)?between\s+(?:the\s+)?$", re.IGNORECASE)
_AROUND = re.compile(
    rf"{_NEAR}(?:flanking|surrounding|(?:on|to)\s+(?:either|both|each)\s+sides?\s+of|around)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+and\s+(?:the\s+)?", re.IGNORECASE)
_THAT_IS = re.compile(r"(?:\s+(?:is|are|was))?\s*[-:,\u2013\u2014]\s*", re.IGNORECASE)
#: Between "everything" and the image on one side of which it is.
_SIDE = re.compile(
    r"(?:\s+(?:(?:that|which)\s+)?(?:comes?|came))?\s+(?:(?P<before>before|preceding)|after|following)\s+(?:the\s+)?", re.IGNORECASE
)
#: "Starting from the second, every other one".
_STARTING = re.compile(
    r"(?:,\s*)?\b(?:start(?:ing)?|begin(?:ning)?)\s+(?:with|from|at)\s+(?:the\s+)?$", re.IGNORECASE
)
#: "The attic and the basement each need a description".
_IN_APPOSITION = re.compile(r"\s+$|\s*,\s*$")



@dataclass(frozen=True)
class Mention:
    """Words that say which images are meant.

    Attributes:
        kind: How they say it; ``again`` for a pronoun that means the images just mentioned.
        start: Start in the text.
        end: End in the text.
        numbers: Positions from 1, or from -1 at the end; of named images, indices from 0; of
            images at regular distances, the first position and the distance.
        ever: Whether all images of the conversation are counted, not just the latest.
        excluded: Whether the images are left out ("all but the second").
        bare: Whether the words also belong to the question ("the barn"), so that they stay in it.
        labelled: Whether the numbers may be the person's own ("image 88").
        shift: Distance from the images to those that are meant: "the one after p.png".
        topic: What was asked of the images: "the one where you counted the chairs".
        single: Whether the words mean a single image, though several may fit.
        of: The mentions that say where: "the one between the first and the third".
    """

    kind: Kind
    start: int
    end: int
    numbers: tuple[int, ...] = ()
    ever: bool = False
    excluded: bool = False
    bare: bool = False
    labelled: bool = False
    shift: int = 0
    topic: str = ""
    single: bool = False
    of: tuple[Mention, ...] = ()


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
        found += _worded(_blanked(counted, taken))
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
    found = _placed(text, sorted(found, key=lambda each: each.start))
    return [replace(each, excluded=_is_excluded(text, each)) for each in found]


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
    mention = Mention(
        "name", clue.start, clue.end, clue.images, bare=not named, single=not plural
    )
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


def _is_excluded(text: str, each: Mention) -> bool:
    """Return whether the words around a mention leave its images out."""
    if _NEEDS_NOT.match(text, each.end) and _NEEDED.match(text, 0, each.start):
        return True
    if not _EXCLUDING.search(text, 0, each.start) or _SAYS.match(text, each.end):
        return False
    if _AND_NOT.fullmatch(text, 0, each.start) and text.rstrip().endswith("?"):
        return False  # "and not in the second?"
    but = _BUT.search(text, 0, each.start)
    return not but or bool(_SEVERAL.search(text, 0, but.start()))


def _placed(text: str, found: Sequence[Mention]) -> list[Mention]:
    """Read what stands around mentions: "the one after p.png", "of these six only the first"."""
    placed: list[Mention] = []
    for number, each in enumerate(found):
        before = placed[-1] if placed else None
        beside = _BESIDE.search(text, 0, each.start)
        around = _AROUND.search(text, 0, each.start)
        if before and before.kind == "between" and len(before.of) == 1:
            if _AND.fullmatch(text, before.end, each.start):
                placed[-1] = replace(before, end=each.end, of=(*before.of, each))
                continue
            placed[-1] = before.of[0]
        between = _BETWEEN.search(text, 0, each.start)
        if between or (around and each.kind in ("name", "position")):
            place = between or around
            assert place is not None
            placed = [other for other in placed if other.end <= place.start()]
            kind: Kind = "between" if between else "around"
            placed.append(Mention(kind, place.start(), each.end, of=(each,)))
        elif beside and each.kind in ("name", "position", "done") and not each.shift:
            shift = 1 if beside["where"].lower() in ("after", "following", "follows") else -1
            placed = [other for other in placed if other.end <= beside.start()]
            placed.append(replace(each, start=beside.start(), shift=shift, bare=False))
        elif before and (beyond := _beyond(text, before, each)):
            placed[-1] = beyond
        elif before and (regular := _regular_from(text, before, each)):
            placed[-1] = regular
        elif before and before.kind == "here" and _THAT_IS.fullmatch(text, before.end, each.start):
            placed[-1] = each  # "what is this - the one ending in 77"
        elif _says_again(text, each, placed):
            placed.append(replace(each, kind="again"))
        elif not _counts_in(text, each, found[number + 1 :]) and not _in_apposition(
            text, each, placed
        ):
            while placed and _is_within(text, placed[-1], each):
                placed.pop()  # in "the bus in the other", the bus is no image
            placed.append(each)
    return [each.of[0] if _lacks_an_end(each) else each for each in placed]


def _lacks_an_end(each: Mention) -> bool:
    """Return whether words stand between one image and nothing."""
    return each.kind == "between" and len(each.of) == 1 and len(each.of[0].numbers) < 2


def _is_within(text: str, one: Mention, other: Mention) -> bool:
    """Return whether words for an image mean a thing in another one."""
    if one.bare:
        return bool(_THING_IN.fullmatch(text, one.end, other.start))
    sides = ("left", "right", "middle")  # "the left shoe or the right one in picture three"
    return one.kind in sides and bool(_SIDE_IN.fullmatch(text, one.end, other.start))


def _counts_in(text: str, each: Mention, following: Sequence[Mention]) -> bool:
    """Return whether a mention only says among which images the next ones are counted."""
    if each.kind not in ("all", "them", "both"):
        return False
    if following and _AMONG.search(text, 0, each.start):
        return True
    return bool(_PART_OF.search(text, 0, each.start))


def _in_apposition(text: str, each: Mention, placed: Sequence[Mention]) -> bool:
    """Return whether "each" or "both" only sums up the images just named."""
    alone = text[each.start : each.end].lower() in ("each", "both", "all")
    return (
        alone and bool(placed) and bool(_IN_APPOSITION.match(text, placed[-1].end, each.start))
    )


def _beyond(text: str, every: Mention, each: Mention) -> Mention | None:
    """Return all images on one side of another: "everything before the tower"."""
    side = _SIDE.fullmatch(text, every.end, each.start) if every.kind in ("all", "them") else None
    if not side or each.kind not in ("name", "position"):
        return None
    shift = -1 if side["before"] else 1
    return Mention("beyond", every.start, each.end, of=(each,), shift=shift)


def _regular_from(text: str, one: Mention, other: Mention) -> Mention | None:
    """Return the images at a distance that start from a position: "from the second, every other"."""
    kinds = ("every_other", "regular")
    if {one.kind, other.kind}.isdisjoint(kinds) or "position" not in (one.kind, other.kind):
        return None
    at, every = (one, other) if one.kind == "position" else (other, one)
    starting = _STARTING.search(text, 0, at.start)
    if not starting:
        return None
    distance = every.numbers[1] if every.numbers else 2
    start = min(starting.start(), one.start)
    return Mention("regular", start, other.end, numbers=(at.numbers[0], distance))


def _says_again(text: str, each: Mention, placed: Sequence[Mention]) -> bool:
    """Return whether a pronoun means the image before: "number two: which tree is this?"."""
    if not placed or placed[-1].excluded:
        return False
    if each.kind == "them":
        return bool(_WITHIN.search(text, 0, each.start))
    return each.kind == "here" and bool(_PREDICATE.search(text, 0, each.start))


def without_mentions(text: str, found: Sequence[Mention], *, stand_in: str = STAND_IN) -> str:
    """Replace mentions by words that fit any single image."""
    parts: list[str] = []
    end = 0
    for each in found:
        words = text[end : each.start]
        if each.excluded and (left_out := _LEFT_OUT.search(words)):
            parts.append(words[: left_out.start()])
            end = each.end
        elif not each.bare:
            parts += [_singular(words, each.kind) if "?" in text else words, stand_in]
            end = each.end
    return "".join([*parts, text[end:]])


def _singular(words: str, kind: Kind) -> str:
    """Let a verb before a mention of several images agree with a single one."""
    if kind not in ("all", "them", "both", "others", "head", "tail", "every_other", "regular"):
        return words
    return re.sub(
        r"\b(do|are)(?=\s+$)",
        lambda verb: {"do": "does", "are": "is"}[verb[0].lower()],
        words,
        flags=re.IGNORECASE,
    )


def _worded(text: str) -> list[Mention]:
    """Find the mentions by words alone; at the same place the first form wins."""
    found: list[Mention] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            mention = _mention(kind, match)
            if mention and not any(
                mention.start < other.end and other.start < mention.end for other in found
            ):
                found.append(mention)
    return found


def _mention(kind: Kind, match: re.Match[str]) -> Mention | None:
    groups = match.groupdict()
    numbers = _numbers(kind, groups)
    elliptic = groups.get("ellipsis") is not None and not groups["the"]
    if elliptic and len(numbers) < 2 and not _direct(match):
        return None  # "first, ..." orders sentences
    labelled = any(groups.get(name) for name in ("numbers", "hash", "letter"))
    # "This" and "both of them" point as well as any stand-in, except for what is in them.
    points = kind == "here" or (kind in ("all", "them", "both") and not _SOME.search(match[0]))
    points = points and not _WITHIN.search(match.string, 0, match.start())
    if labelled and max(numbers) > MAX_POSITION:
        return None
    return Mention(
        kind,
        *match.span(),
        numbers=numbers,
        ever=bool(groups.get("ever")),
        bare=points,
        labelled=labelled,
        topic=(groups.get("topic") or "").lower(),
    )


def _numbers(kind: Kind, groups: dict[str, Any]) -> tuple[int, ...]:
    """Return the numbers that a form gives, negative from the end."""
    numbers: tuple[int, ...] = ()
    if groups.get("half"):
        numbers = (-1 if groups["half"].lower() in ("second", "last", "latter") else 1,)
    elif groups.get("list"):
        numbers = ordinals(groups["list"])
    elif groups.get("numbers"):
        numbers = numerals(groups["numbers"])
    elif groups.get("hash"):
        numbers = (int(groups["hash"]),)
    elif groups.get("start") or groups.get("backwards"):
        numbers = (1,)  # "the one I sent at the start", "the latest one"
    elif groups.get("letter"):
        numbers = (ord(groups["letter"]) - ord("A") + 1,)
    elif groups.get("n") or groups.get("m"):
        numbers = (number_of(groups.get("n") or groups["m"]),)
    elif kind == "regular":
        numbers = _distances(groups)
    elif kind == "batch":
        inner = groups.get("inner")
        numbers = (position(groups["batch"]), position(inner) if inner else 0)
    return tuple(-number for number in numbers) if groups.get("backwards") else numbers


def _distances(groups: dict[str, str | None]) -> tuple[int, int]:
    """Return the first position and the distance of "every third" or "the odd ones"."""
    if ordinal := groups.get("distance"):
        return position(ordinal), position(ordinal)
    return (1 if (groups.get("parity") or "").lower() == "odd" else 2), 2


def _direct(match: re.Match[str]) -> bool:
    """Return whether an ordinal without "the" is an object ("classify first") or a heading."""
    before = _OBJECT_OF.search(match.string, 0, match.start())
    if match.string[: match.start()].endswith("(") and match.string[match.end() :].startswith(")"):
        return True
    if _ALONE_BEFORE.fullmatch(match.string, 0, match.start()) and _ALONE_AFTER.fullmatch(
        match.string, match.end()
    ):
        return True
    if re.match(r"\s+(?:is|are|looks?)\s", match.string[match.end() :]) and match.start() == 0:
        return match[0][:1].isdigit()
    return bool(before) or match.string[match.end() :].lstrip().startswith(":")


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Blank out the names, whose words say nothing else."""
    for start, end in spans:
        text = text[:start] + "\0" * (end - start) + text[end:]
    return text
