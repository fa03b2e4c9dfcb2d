"""The grammar of questions: each rule turns one form of question into a program.

A rule matches a whole question in plain form, or not at all: nothing is answered in part. What no
rule matches is refused in one sentence.
"""

from __future__ import annotations

import re
from dataclasses import replace

from edgewright.tools.errors import RefusedError
from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.asking.across import of_each
from edgewright.tools.vision.asking.appearance_rules import APPEARANCE_RULES
from edgewright.tools.vision.asking.attribute_rules import ATTRIBUTE_RULES
from edgewright.tools.vision.asking.image_rules import image_program
from edgewright.tools.vision.asking.number_rules import NUMBER_RULES
from edgewright.tools.vision.asking.phrases import (
    PLACE,
    Mention,
    mention_of,
    place_of,
)
from edgewright.tools.vision.asking.rules import SEEN, THIS, first, rule
from edgewright.tools.vision.asking.wording import BE, IMAGE, SEE, SHOW, plain

_KIND = r"(?:(?:kinds?|types?|sorts?|breeds?|species|makes?|varieties|variety) of )?"
_SOMEBODY = r"(?:a|an|any|some|no|nobody|no one|anyone|anybody|someone|somebody)"
_ANYTHING = frozenset(["object", "objects", "thing", "things", "item", "items", "else"])
#: "Looking at the camera" is looking at whoever took the picture.
_AT_VIEWER = re.compile(r"\b(?:look|star|smil|fac|pos|point)\w* .*\b(?:camera|lens|photographer)$")
_ASKABLE = "ask what is there, how many, what colour, where, what is written or how a face looks"

#: What a question that is not understood asks for, as the subject of a sentence.
_SUBJECTS = (
    (r"^who|\bname\b|\bwhose\b|\bcalled\b", "who somebody is or what something is called"),
    (r"^why|\breason\b", "why something is so"),
    (r"^when|\bold\b|\bage\b|\bdate\b|\btime\b|\byear\b", "a time or an age"),
    (r"\bthink|\bfeel|\bwant", "what somebody thinks or feels"),
    (r"\bweather\b|\brain|\bsunny\b|\bwindy?\b|\bcloudy|\bfoggy|\bseason\b", "the weather"),
    (r"\b(?:back|fore)ground\b", "what is in front and what behind"),
    (r"^where\b.*\b(?:taken|made|shot|from)$", "where a picture was taken"),
    (
        r"^how (?:much|far|deep|heavy|fast|hot|cold|long)|\bcost|\bweigh|\bprice",
        "a price or a measure",
    ),
    (r"\bwear|\bdress", "what somebody wears"),
    (r"\bhold|\bcarr(?:y|ies)", "what somebody holds"),
    (r"\b(?:what|which) (?:\w+ )?(?:city|country|river|place|street|town)\b", "a place's name"),
    (
        r"\b(?!building|missing|(?:any|some|no|every)thing)\w+ing\b|\bdoes? .+ do\b",
        "what somebody or something does",
    ),
)
_QUESTION = re.compile(rf"(?:what|which|who|whose|where|when|why|how|{BE}|do|does|did|has|have) \w")
#: Of these, no more is known if the thing is there.
_NEVER = ("what somebody thinks or feels", "why something is so")


def parse(question: str) -> p.Program:
    """Return the program of a question.

    Raises:
        RefusedError: It asks for something that cannot be known from an image, or is not
            understood; one sentence says what can be asked instead.
    """
    text = plain(question)
    if found := _understood(text):
        return found
    if (each := of_each(text)) and (found := _understood(each.question)):
        if not each.best:
            return found
        if isinstance(found, p.Count | p.Looks | p.Size):
            return p.Compared(found, each.best, each.least)
    about = _subject(text)
    mention = _definite(text)
    if mention is None and about == "that" and not _QUESTION.match(text):
        raise RefusedError(f"I do not understand this as a question about an image; {_ASKABLE}")
    if mention is None or about in _NEVER:
        raise RefusedError(f"{about} cannot be known from an image; {_ASKABLE}")
    return p.Unknowable(mention, about, _other(text, mention))


def _understood(text: str) -> p.Program | None:
    """Return the program of a question about one image; None if no rule matches it."""
    if found := image_program(text):
        return found
    for each in _RULES:
        if (match := each.pattern.fullmatch(text)) and (program := each.program(match)):
            return program
    return None


@rule(
    rf"(?:what|which) (?:{BE} {THIS}|{BE} there) (?P<noun>.+ or .+)",
    rf"{BE} the (?:animal|thing|object|fruit|vehicle|(?:main )?subject|person) "
    r"(?P<noun2>an? .+ or .+)",
)
def _choice(match: re.Match[str]) -> p.Program | None:
    mentions, _ = _list(first(match, "noun"))
    return p.Choice(mentions) if mentions else None


@rule(r"(?:an? )?(?P<options>\w+(?: \w+)? or \w+(?: \w+)?)")
def _bare_choice(match: re.Match[str]) -> p.Program | None:
    mentions, _ = _list(match["options"])
    return p.Choice(mentions) if mentions and all(mention.thing for mention in mentions) else None


@rule(
    rf"(?:what|which) {_KIND}(?P<noun>.+?) {SEEN}(?P<rest> .+)?",
    rf"what {_KIND}(?P<noun2>[a-z]+)",
    r"(?:name|identify) (?:the|this|that) (?P<noun3>.+)",
)
def _which(match: re.Match[str]) -> p.Program | None:
    noun = first(match, "noun")
    if noun in _ANYTHING:
        return p.Which()
    mention = mention_of(noun + (match["rest"] or ""))
    if mention is None or mention.thing is None or mention.unknown:
        return None
    return p.Which(mention)


@rule(
    rf"(?:what|which) (?:breed|species|kind|type|sort) {BE} (?:the|this|that) (?P<noun>.+)",
    rf"what {BE} the (?P<noun2>.+) 's (?:breed|species|kind|type)",
)
def _breed(match: re.Match[str]) -> p.Program | None:
    mention = mention_of(first(match, "noun"))
    return p.Which(mention) if mention and mention.thing and not mention.unknown else None


@rule(
    rf"(?:what|which (?:thing|object|animal)s?) (?:{BE}|do you see|can you see) (?P<place>{PLACE})"
)
def _what_at(match: re.Match[str]) -> p.Program | None:
    place = place_of(match["place"])
    return p.Which(place=place) if place else None


@rule(
    rf"what (?:else )?(?:{BE}|does|do|can|could|am|will)(?: {THIS}| there| {IMAGE} {SHOW}"
    r"| you (?:see|recogni[sz]e|make out|find)| i (?:looking at|seeing|see)| we see"
    rf"| the (?:main )?(?:object|thing|subject)s?| {IMAGE} (?:of|about)| shown| depicted"
    r"| flying.*| to be seen)?",
    rf"(?:describe|identify|name|list)(?: me)? (?:{IMAGE}|what (?:is there|you see)|everything"
    r"|(?:all |the |all the )?(?:objects|things|items|main object)(?: there| you (?:can )?see)?)",
    rf"(?:which|what) (?:objects|things|items)(?: {SEEN})?",
    r"(?:(?:show|name|list|give)(?: me| us)?(?: an?)?(?: \w+)?(?: list of)? )?"
    r"(?:everything|all|(?:all |the |all the |some |\w+ )?(?:objects|things|items))"
    r"(?: (?:that )?(?:you|we|i) (?:can )?(?:see|recogni[sz]e|find|detect)"
    rf"| (?:that )?(?:{BE} )?there)?",
)
def _what(match: re.Match[str]) -> p.Program | None:
    return p.Which()


@rule(
    rf"(?:{BE} (?:not )?there|{SEE}|does {IMAGE} (?:not )?{SHOW}|{BE} {IMAGE} (?:of|showing)"
    rf"|{IMAGE} {SHOW}|has {IMAGE} got) (?P<noun>.+)",
    rf"{BE} (?:not )?{THIS} (?P<identity>.+)",
    rf"{BE} (?:not )?(?P<noun2>{_SOMEBODY}(?: .+?)??)(?: there)?",
    rf"{BE} {IMAGE} (?:free of|without) (?P<without>.+)",
)
def _exists(match: re.Match[str]) -> p.Program | None:
    # "Isn't there a dog?" asks for a dog; "Is there no dog?" asks for its absence.
    noun = match["identity"] or match["without"] or first(match, "noun")
    mentions, joint = _list(noun)
    if not mentions or (mentions[0].thing is None and _subject(noun) == "the weather"):
        return None
    negated = bool(match["without"]) or any(mention.negated for mention in mentions)
    mentions = tuple(replace(mention, negated=False, definite=False) for mention in mentions)
    if joint == "or" and match["identity"] and not negated:
        return p.Choice(mentions)
    return p.Exists(mentions, joint != "or", negated)


@rule(rf"{BE} (?P<noun>(?:the|this|that) (?!an? ).+?) (?P<kind>an? .+)")
def _is_kind(match: re.Match[str]) -> p.Program | None:
    mentions, joint = _list(match["kind"])
    subject = mention_of(match["noun"])
    if not mentions or subject is None or subject.unknown:
        return None
    return p.Choice(mentions) if joint == "or" else p.Exists(mentions)


@rule(r"(?:any|some|an?|the)? ?(?P<noun>\w+(?: \w+)?)")
def _bare(match: re.Match[str]) -> p.Program | None:
    mention = mention_of(match["noun"])
    if mention is None or mention.thing is None or mention.unknown:
        return None
    return p.Exists((mention,))


def _subject(text: str) -> str:
    """Return what a question asks for that cannot be known, in words; "that" if no word says it."""
    return next((about for pattern, about in _SUBJECTS if re.search(pattern, text)), "that")


def _list(words: str) -> tuple[tuple[Mention, ...], str]:
    """Parse "a cat, a dog or a bird"; returns the mentions and how they are joined."""
    whole = mention_of(words)
    parts = re.split(r" (?:or|and) (?:an? |the |any |some )?(?=\w)", words)
    if len(parts) == 1 or (whole and whole.thing and not whole.unknown and not whole.other):
        return ((whole,) if whole else ()), ""
    mentions = [mention for part in parts if (mention := mention_of(part))]
    if len(mentions) < len(parts):
        return (), ""
    return tuple(mentions), "or" if " or " in words else "and"


def _definite(text: str) -> Mention | None:
    """Return the first known thing that a question takes for granted."""
    for match in re.finditer(
        r"\b(?:the|this|that|these|those|my|his|her|their) ((?:\w+ ){0,2}\w+)", text
    ):
        words = match[1].split()
        for length in range(len(words), 0, -1):
            mention = mention_of("the " + " ".join(words[:length]))
            if mention and mention.thing and not mention.unknown:
                return replace(mention, definite=True)
    return None


def _other(text: str, mention: Mention) -> Mention | None:
    """Return the last known thing in a question for yes or no, beside the one it is about."""
    if not re.match(rf"(?:{BE}|does|do|did|has|have|can) ", text) or _AT_VIEWER.search(text):
        return None
    for match in re.finditer(r"\b(?:an?|the|any) ((?:\w+ ){0,2}\w+)$", text):
        other = mention_of(match[1])
        if other and other.thing and other.thing != mention.thing:
            return other.plain
    return None


#: The rules in the order in which they are tried: narrow forms before wide ones.
_RULES = (
    *APPEARANCE_RULES,
    *NUMBER_RULES,
    *ATTRIBUTE_RULES,
    _choice,
    _breed,
    _what_at,
    _which,
    _what,
    _is_kind,
    _exists,
    _bare_choice,
    _bare,
)
