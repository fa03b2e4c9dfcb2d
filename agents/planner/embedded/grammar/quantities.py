"""Reads of how many images a condition has to hold: "if both show a dog", "if any of them does"."""

from __future__ import annotations

import re
from typing import Literal

from edgewright.agents.planner.embedded.grammar.lexicon import any_of

Quantity = Literal["each", "some", "every"]
#: The quantity of the opposite (De Morgan): unless some shows it means if every one does not.
OPPOSITE: dict[Quantity, Quantity] = {"each": "each", "some": "every", "every": "some"}

_NUMBER = any_of("number")
_IMAGES = (
    rf"(?:(?:the|my|these|those|your)\s+)?(?:{_NUMBER}\s+)?"
    rf"(?:{any_of('image_noun')}|ones?|them|these|those)\b"
)
_SINGULAR = {
    "show": "shows", "have": "has", "contain": "contains", "are": "is", "do": "does", "were": "was",
}  # fmt: skip
_VERB = rf"(?:{'|'.join(_SINGULAR)}|shows?|ha[sd]|is|was|contains?|includes?|depicts?)\b"
_SOME = re.compile(rf"\b(?:any|either|one|some)\s+(?:of\s+)?{_IMAGES}", re.IGNORECASE)
_EVERY = re.compile(
    rf"\b(?:both|all|each|every|none|neither)\s+(?:(?:single\s+)?one\s+)?(?:of\s+)?{_IMAGES}"
    r"|\b(?:in|on|of)\s+(?:both|all|each)\b(?!\s+\w)|\bthey\s+(?:both|all)\b"
    rf"|^(?:both|each|all(?:\s+{_NUMBER})?|neither|none)\s+{_VERB}",
    re.IGNORECASE,
)
_IN_TURN = re.compile(
    rf"(?:for|in|with|on)\s+(?:each|every|all)\b(?:\s+(?:single|one))?(?:\s+of)?(?:\s+{_IMAGES})?\s*[,:]",
    re.IGNORECASE,
)
_EACH = re.compile(r"\b(?:them|these|those|they)\b", re.IGNORECASE)
_TOGETHER = re.compile(r"\band\b", re.IGNORECASE)
_SUBJECT = re.compile(
    r"^(?:(?:both|all|each|every|any|either|one|(?P<none>none|neither))\b(?:\s+(?:single\s+)?one)?"
    rf"(?:\s+(?:of\s+)?{_IMAGES})?|(?:they|these|those)(?:\s+(?:both|all))?)\s+(?=(?P<verb>{_VERB}))",
    re.IGNORECASE,
)
_IN_NONE = re.compile(
    rf"\b(?P<in>in|on)\s+(?:neither|none)(?:\s+(?:of\s+)?{_IMAGES})?", re.IGNORECASE
)


def quantity_of(words: str) -> Quantity:
    """Return of how many images the words of a condition have to hold, if of several."""
    if _IN_TURN.match(words):
        return "each"
    if _SOME.search(words):
        return "some"
    if _EVERY.search(words):
        return "every"
    if _EACH.search(words):
        return "each"
    return "every" if _TOGETHER.search(words) else "some"


def of_each(words: str) -> tuple[str, bool]:
    """Return what a condition on several images says of one: "both show a dog".

    Returns:
        The words, and whether they must not hold: "neither shows a dog".
    """
    if match := _SUBJECT.match(words):
        verb = match["verb"].lower()
        rest = words[match.end("verb") :]
        return f"it {_SINGULAR.get(verb, verb)}{rest}", bool(match["none"])
    said, none = _IN_NONE.subn(r"\g<in> it", words)
    return said, bool(none)
