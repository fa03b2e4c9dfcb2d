"""Parsing of questions about an image that labels can answer.

Labels only say what the main subject of an image probably is. So two kinds of question are
understood, "is there a …" and "what is it", each as a whole sentence. A question that does not
match completely is refused with the reason, never answered in part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from edgewright.tools.errors import RefusedError
from edgewright.tools.vision.labels import Concept, Vocabulary

_FIX = (
    "set EDGEWRIGHT_BLIP_VQA to a local folder or hub-id@revision of a BLIP model that can "
    "answer it"
)

_PICTURE = r"(?:picture|photo|photograph|image|shot|snapshot|frame|scene|camera view)"
_HERE = (
    rf"(?: (?:in|on) (?:the|this|that|my) {_PICTURE}| in it| here| in here| visible| there"
    r"| in front of the camera| in view)*"
)
_SOME = r"(?:(?:a|an|any|some|the) )?"
_NOUN = r"(?P<noun>[a-z][a-z' -]*?)"
_SHOWS = r"(?:show|contain|have|include|depict)"

_PRESENCE = [
    re.compile(pattern + _HERE)
    for pattern in (
        rf"(?:(?:is|are) there|there (?:is|are)) {_SOME}{_NOUN}",
        rf"(?:is|are) {_SOME}{_NOUN} (?:present|visible|shown|in (?:the|this|that|my) {_PICTURE})",
        rf"(?:is|are) (?:this|that|it|these|those|they) (?:really |maybe |perhaps )?{_SOME}{_NOUN}",
        rf"(?:can|do|could) you (?:see|spot|find|recogni[sz]e|detect) {_SOME}{_NOUN}",
        rf"(?:does|do) (?:the|this|that|my) {_PICTURE} {_SHOWS} {_SOME}{_NOUN}",
        rf"(?:does|do) it {_SHOWS} {_SOME}{_NOUN}",
        rf"is this (?:a |an )?{_PICTURE} of {_SOME}{_NOUN}",
    )
]
_KIND = [
    re.compile(pattern + _HERE)
    for pattern in (
        rf"(?:what|which) (?:kind|type|sort|breed|species|make) of {_SOME}{_NOUN} "
        r"(?:is|are) (?:this|that|it|these|those|they|there)",
        rf"(?:what|which) {_NOUN} (?:is|are) "
        r"(?:this|that|it|these|those|they|there|shown|depicted)",
        rf"(?:what|which) {_NOUN} (?:do|can|could) you see",
    )
]
_WHAT = re.compile(
    r"(?:what(?:'s| is| are)? (?:this|that|it|these|those|there|the (?:object|thing|subject|main "
    rf"(?:object|subject))|shown|depicted|in (?:the|this|that|my) {_PICTURE})"
    r"|what (?:do|can|could) you (?:see|recogni[sz]e)"
    rf"|what (?:does|do) (?:it|(?:the|this|that|my) {_PICTURE}) {_SHOWS}"
    rf"|what am i (?:looking at|seeing)|what is (?:this|that|it) (?:a |an )?{_PICTURE} of"
    rf"|what (?:object|thing|subject) (?:is|are) (?:this|that|it|shown|depicted|there))" + _HERE
)

_THINGS = frozenset({"object", "thing", "subject", "item"})

# Reasons why labels cannot answer a question; the first match applies.
_REASONS = (
    (r"\b(?:how many|how much|number of|count|more than|fewer|less than|at least|both)\b", "count"),
    (r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|several|many)\b", "count"),
    (
        r"\b(?:colou?r\w*|black|white|gr[ae]y|red|green|blue|yellow|orange|brown|pink|purple)\b",
        "tell colours",
    ),
    (
        r"\b(?:read|says?|written|text|words?|letters?|spell|plate number|title|label)\b",
        "read text",
    ),
    (
        r"\b(?:where|left|right|behind|beside|under|above|below|next to|between|top|bottom|on the"
        r"|in the (?!picture|photo|image)\w+|near|inside|outside)\b",
        "tell where things are",
    ),
    (r"\b(?:why|when|who|whose|whom|how)\b", "say why, when, who or how"),
    (r"\b(?!(?:any|some|every|no)thing)\w+ing\b", "tell what somebody or something does"),
)


@dataclass(frozen=True)
class Question:
    """A question that labels can answer.

    Attributes:
        kind: ``presence`` of a concept, or ``what`` the main subject is.
        concept: The concept in the question; None for ``what`` without a noun.
    """

    kind: Literal["presence", "what"]
    concept: Concept | None = None


def understand(text: str, vocabulary: Vocabulary) -> Question:
    """Parse a question.

    Args:
        text: The question in the person's own words.
        vocabulary: The concepts that questions may name.

    Raises:
        RefusedError: Labels cannot answer the question; the message gives the reason and the fix.
    """
    normalised = _normalised(text)
    if _WHAT.fullmatch(normalised):
        return Question("what")
    noun = ""
    for kind, patterns in (("what", _KIND), ("presence", _PRESENCE)):
        for pattern in patterns:
            if match := pattern.fullmatch(normalised):
                noun = noun or match["noun"]
                if kind == "what" and noun in _THINGS:
                    return Question("what")
                if concept := vocabulary.find(match["noun"]):
                    return Question("presence" if kind == "presence" else "what", concept)
    raise RefusedError(f"{_reason(normalised, noun)}; {_FIX}")


def _normalised(text: str) -> str:
    text = re.sub(r"[\s?.!,]+", " ", text.lower().replace("\u2019", "'")).strip()
    text = re.sub(
        r"^(?:please|and|so|ok|okay|hey|hi|tell me if|tell me whether|tell me) ", "", text
    )
    return re.sub(r" please$", "", text)


def _reason(normalised: str, noun: str) -> str:
    for pattern, ability in _REASONS:
        if re.search(pattern, normalised):
            return f"an expert that knows only labels cannot {ability}"
    if noun:
        return f"{noun!r} is not one of the things that the classifier's labels cover"
    return "an expert that knows only labels understands just 'is there a …' and 'what is it'"
