"""Noun phrases of questions: "the red car on the left", "no people", "two dogs next to a bench"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from edgewright.tools.vision.asking.nouns import number_of
from edgewright.tools.vision.asking.things import Thing, things
from edgewright.tools.vision.asking.words import COLOUR_WORDS

COLOUR = rf"(?:(?:light|dark|bright|pale) )?(?:{'|'.join(sorted(COLOUR_WORDS, key=len)[::-1])})"

_SIDE = r"(?:top|upper|bottom|lower|left|right|centre|middle)"
PLACE = (
    rf"(?:(?:on|at|in|to|near|towards|along) )?(?:the )?(?:very )?{_SIDE}(?: {_SIDE})?"
    r"(?: hand)?(?: side| edge| corner| half| part| third| area)?"
)
#: Relations by the words that express them, longest first.
_RELATION_WORDS = {
    "left of": r"(?:(?:to|on|at) the left(?: hand)?(?: side)? of|left of)",
    "right of": r"(?:(?:to|on|at) the right(?: hand)?(?: side)? of|right of)",
    "on": r"(?:on top of|on|upon)",
    "above": r"(?:above|over|higher than)",
    "below": r"(?:below|under|underneath|beneath|lower than)",
    "next to": r"(?:next to|beside|besides|near to|near|close to|by|alongside|adjacent to)",
    "inside": r"(?:inside of|inside|in|within)",
    "depth": r"(?:behind|in front of|in back of|between|among|around|against)",
}
#: What somebody has cannot be judged; that it is not there at all can be.
_HAVING = (
    r"(?:with|wearing|holding|carrying|riding|driving|pushing|pulling|using|eating|drinking"
    r"|playing with|who (?:wears|holds|carries|rides|drives|has))"
)
RELATION = "|".join(
    f"(?P<{name.replace(' ', '_')}>{words})"
    for name, words in sorted(_RELATION_WORDS.items(), key=lambda item: -len(item[1]))
)
#: Before "of", these are no thing of their own: "a group of people".
_MEASURES = frozenset([
    "bottle", "bowl", "bunch", "couple", "crowd", "cup", "dozen", "flock", "glass", "group", "herd",
    "kind", "lot", "lots", "many", "most", "number", "pair", "part", "photo", "picture", "piece",
    "pile", "plate", "plenty", "row", "set", "slice", "sort", "type",
])  # fmt: skip
_FILLERS = frozenset(
    ["other", "real", "visible", "single", "different", "main", "actual", "whole", "more", "of"]
)
_NEGATIVES = {"nobody": "person", "no one": "person", "noone": "person", "nothing": ""}
_DETERMINER = re.compile(
    r"(?P<word>not any|not a|not an|a single|a|an|any|some|the|this|that|these|those|my|our|his|her"
    r"|their|its|all the|all|both|at least|more than|less than|fewer than|exactly|just|only|no"
    r"|not|another|each|every) "
)
_BOUNDS = {
    "at least": ">=",
    "more than": ">",
    "less than": "<",
    "fewer than": "<",
    "exactly": "=",
    "just": "=",
    "another": ">=",
}


@dataclass(frozen=True)
class Mention:
    """A noun phrase.

    Attributes:
        noun: The noun as it was written.
        thing: What it names; None if no expert knows it.
        colour: Colour that it must have; empty without one.
        place: Part of the image where it must be; empty without one.
        relation: Relation to ``other``; empty without one. ``with`` and ``depth`` cannot be judged.
        other: What it is related to.
        number: How many there must be, and how (``=``, ``>``, ``>=``, ``<``).
        bound: How ``number`` is meant; empty without a number.
        negated: Whether there must be none.
        definite: Whether its existence is taken for granted.
        unknown: Words about it that no expert can judge.
    """

    noun: str
    thing: Thing | None
    colour: str = ""
    place: str = ""
    relation: str = ""
    other: Mention | None = None
    number: int | None = None
    bound: str = ""
    negated: bool = False
    definite: bool = False
    unknown: str = ""

    @property
    def plain(self) -> Mention:
        """The same thing without any condition."""
        return Mention(self.noun, self.thing, definite=self.definite)

    @property
    def conditional(self) -> bool:
        """Whether it must have a colour, a place or a relation."""
        return bool(self.colour or self.place or self.relation or self.unknown)

    @property
    def unjudged(self) -> bool:
        """Whether something is said of it that no expert can judge."""
        return bool(self.unknown) or self.relation in ("with", "depth")

    def phrase(self, count: int = 1) -> str:
        """Return its name with an article, or in plural, with its colour."""
        if self.thing is None:
            return self.noun
        if not self.colour:
            return self.thing.phrase(count)
        coloured = replace(
            self.thing,
            name=f"{self.colour} {self.thing.name}",
            plural=f"{self.colour} {self.thing.plural}",
        )
        return coloured.phrase(count)


def place_of(words: str) -> str:
    """Return a place in plain words: ``left``, ``top right``, ``centre``; empty if it is none."""
    found = re.findall(_SIDE, words)
    names = {"upper": "top", "lower": "bottom", "middle": "centre"}
    parts = [names.get(part, part) for part in found]
    vertical = [part for part in parts if part in ("top", "bottom")]
    horizontal = [part for part in parts if part in ("left", "right")]
    return " ".join([*vertical[:1], *horizontal[:1]]) or ("centre" if parts else "")


def relation_of(match: re.Match[str]) -> str:
    """Return the relation that a match of ``RELATION`` expresses."""
    return next(name for name in _RELATION_WORDS if match[name.replace(" ", "_")])


def mention_of(words: str) -> Mention | None:
    """Parse a noun phrase; None if there is no noun in it."""
    if words in _NEGATIVES:
        noun = _NEGATIVES[words]
        return Mention(words, things().find(noun), negated=True) if noun else None
    plain, place = _without_place(words)
    phrase = _related(plain) or _simple(plain)
    if phrase is None:
        return None
    return replace(phrase, place=place) if place else phrase


def _without_place(words: str) -> tuple[str, str]:
    match = re.search(rf" ({PLACE})$", words)
    if match and (place := place_of(match[1])):
        return words[: match.start()], place
    match = re.fullmatch(r"(the |a |an )?(left|right|top|bottom|upper|lower)(?:most)? (.+)", words)
    if match and match[3] and match[3] not in ("of", "side"):
        return f"{match[1] or ''}{match[3]}", place_of(match[2])
    return words, ""


def _related(words: str) -> Mention | None:
    """Parse "a dog next to a bench"; the first relation that leaves a noun on both sides."""
    posture = r"(?:(?:is|are|that is|which is|standing|sitting|lying) )?"
    for match in re.finditer(rf" {posture}(?:{RELATION}|(?P<having>{_HAVING})) ", words):
        subject, other = _simple(words[: match.start()]), mention_of(words[match.end() :])
        if subject and other and subject.thing and other.noun:
            relation = "with" if match["having"] else relation_of(match)
            return replace(subject, relation=relation, other=other)
    return None


def _simple(words: str) -> Mention | None:
    bound, negated, definite, number = "", False, False, None
    while match := _DETERMINER.match(words):
        word = match["word"]
        bound = _BOUNDS.get(word, bound)
        number = 2 if word == "another" else number
        negated = negated or word in ("no", "not", "not any", "not a", "not an")
        definite = definite or word in (
            "the",
            "this",
            "that",
            "these",
            "those",
            "my",
            "our",
            "his",
            "her",
            "their",
            "its",
            "both",
        )
        words = words[match.end() :]
    tokens = words.split()
    if len(tokens) > 1 and (given := number_of(tokens[0])) is not None:
        tokens, number = tokens[1:], given
        negated, number = (True, None) if number == 0 and not bound else (negated, number)
    if not tokens:
        return None
    noun, thing, before, after = _noun(_head(tokens))
    colour, unknown = _attributes(before)
    return Mention(
        noun,
        thing,
        colour=colour,
        number=number,
        bound=(bound or "=") if number is not None else "",
        negated=negated,
        definite=definite,
        unknown=" ".join([*unknown, *after]),
    )


def _head(tokens: list[str]) -> list[str]:
    """Return the words for something without what it belongs to.

    What is known of a cat says nothing about "the cat's eyes" or "the eyes of the cat".
    """
    if "'s" in tokens[:-1]:
        return tokens[tokens.index("'s") + 1 :]
    end = tokens.index("of") if "of" in tokens[1:] else 0
    measured = not end or tokens[end - 1] in _MEASURES
    known = things().find(" ".join(tokens[max(0, end - 1) : end + 2]))
    return tokens if measured or known else tokens[:end]


def _noun(tokens: list[str]) -> tuple[str, Thing | None, list[str], list[str]]:
    """Return the longest known noun, ending as far right as possible, and the words around it."""
    for end in range(len(tokens), 0, -1):
        for start in range(max(0, end - 4), end):
            noun = " ".join(tokens[start:end])
            if noun not in COLOUR_WORDS and (thing := things().find(noun)):
                return noun, thing, tokens[:start], tokens[end:]
        # A colour can be the name of a fruit.
        if end == len(tokens) == 1 and (thing := things().find(tokens[0])):
            return tokens[0], thing, [], []
    colours = 0
    while colours < len(tokens) - 1 and tokens[colours] in COLOUR_WORDS:
        colours += 1
    return " ".join(tokens[colours:]), None, tokens[:colours], []


def _attributes(words: list[str]) -> tuple[str, list[str]]:
    """Return the colour among adjectives, and those that no expert can judge."""
    colour, unknown = "", []
    for word in words:
        if word in COLOUR_WORDS:
            colour = COLOUR_WORDS[word]
        elif word not in _FILLERS and word not in ("light", "dark", "bright", "pale"):
            unknown.append(word)
    return colour, unknown
