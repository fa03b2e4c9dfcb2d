"""Conditions in plain words: "were there a dog", "with a dog in it", "where a dog is seen"."""

from __future__ import annotations

import re

from edgewright.agents.planner.embedded.parts.part import Role

_LEAD = r"(?:(?:and|but|so|then|or|only|just|also|ok|okay|well|now|please|perhaps|maybe)\b[\s,]*)*"
_CONJUNCTION = re.compile(
    rf"^{_LEAD}(?P<word>if|whenever|when|unless|wherever|where|in\s+case|in\s+the\s+event\s+that"
    r"|provid(?:ed|ing)(?:\s+that)?|(?:as|so)\s+long\s+as|suppos(?:e|ing)(?:\s+that)?"
    r"|assuming(?:\s+that)?|once|on\s+condition\s+that|the\s+moment)\b[\s,]*(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
#: Takes up a question or a condition before: "if so", "in that case".
_TAKEN_UP = re.compile(
    rf"^\W*{_LEAD}(?:(?:if|where|when)\s+(?:so|yes|no|not|it\s+(?:is|does)|there\s+(?:is|are))|then"
    r"|in\s+(?:that|which)\s+case)\W*$",
    re.IGNORECASE,
)
#: "That one only if …".
_POINTING = re.compile(r"^(?:but\s+|and\s+)?(?:that|this)(?:\s+one)?\s+(?=only\b)", re.IGNORECASE)
#: Says that a task is done where a condition does not hold.
OTHERWISE = re.compile(
    r"^\W*(?:(?:and|but|or|so|then)\s+)*(?:otherwise|(?:or\s+)?else|failing\s+that|when\s+not"
    r"|in\s+(?:which|any\s+other|the\s+other|every\s+other)\s+case"
    r"|if\s+(?:not|no|none|it\s+(?:isn't|is\s+not|doesn't|does\s+not)"
    r"|there\s+(?:isn't|is\s+not|aren't|are\s+not)(?:\s+any)?|there\s+(?:is|are)\s+none))\b"
    r"[\s,:;-]*(?:then\b[\s,]*)?",
    re.I,
)
_ANSWER = re.compile(r"(?:(?:if|where|when|on)\s+)?(?:(?P<yes>yes)|no)", re.IGNORECASE)
_NOT_IF = re.compile(r"^(?:except|but|only)?\s*(?:except|not)\s+(?:if|when)\b", re.IGNORECASE)
_INVERTED = re.compile(r"^(?:is|are|was|were)\s+(?P<who>there|it|they)\b", re.IGNORECASE)
_TO_BE = re.compile(r"^(?P<a>an?\b.*?)\s+to\s+be\s+seen\b", re.IGNORECASE)
_WITH = re.compile(r"^(?:with|having)\s+(?!no\b)(?P<what>.*)", re.IGNORECASE | re.DOTALL)
_WITHOUT = re.compile(r"^(?:without|with\s+no)\s+(?:an?\s+|any\s+)?(?P<what>.*)", re.I | re.DOTALL)
_ONES = re.compile(r"(?:those|the\s+ones?|ones?|any|whichever|all)\b", re.IGNORECASE)
_RELATIVE = re.compile(r"^(?:that|which|who)\s+(?P<what>.*)", re.IGNORECASE | re.DOTALL)
_STARTS = re.compile(rf"^{_LEAD}", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:no|not|none|nobody|without|never|nothing|\w+n't)\b", re.IGNORECASE)


def starts_condition(words: str) -> bool:
    """Return whether words begin like a condition."""
    return bool(_CONJUNCTION.match(words))


def takes_up(words: str) -> bool:
    """Return whether words begin with a condition of their own."""
    match = _CONJUNCTION.match(words)
    return bool(match and "," in match["rest"])


#: Says of which images at once, as grammar reads it: "for every photo without a person".
_EACH = re.compile(r"(?:for\s+|in\s+|of\s+)?(?:each|every|any|all|whichever|whatever)\b", re.I)
_AMOUNT = re.compile(
    r"(?:an?|the|any|some|no|nobody|somebody|someone|people|several|many|more|fewer|less|at\s+least"
    r"|at\s+most|exactly|over|under|only|\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve"
    r"|twenty|dozens?|\w+s\b)",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"several|many|more|fewer|(?!1\b)\d+|t(?:wo|hree|en|welve)|f(?:our|ive)|s(?:ix|even)|eight|nine|at\s|exactly|over|under",
    re.I,
)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|be|has|have|had|does|do|can|could|shows?|stands?|looks?|wears?|lies|sits?"
    r"|smil\w+|there|it|its|\w+'s|\w+n't|\w+(?:ing|ed))\b",
    re.IGNORECASE,
)


def opens(condition: str) -> bool:
    """Return whether a plain condition can stand before its task."""
    return bool(re.match(r"(?:if|unless|should)\b", condition, re.IGNORECASE))


def plain_condition(words: str, role: Role, *, follows: bool = False) -> str:
    """Return a condition as a clause that begins with "if" or "unless", or as a short question.

    Args:
        words: The condition.
        role: Whether tasks are done ``if`` it holds, or ``unless`` what it names is so.
        follows: Whether it follows its task, which it may describe: "the ones that have a roof".
    """
    if words.endswith("?"):
        return f"{words.rstrip('.!?,: ')}?"
    words = words.rstrip(".!?,: ")
    if answer := _ANSWER.fullmatch(words):
        return "if so" if answer["yes"] else "if not"
    if _TAKEN_UP.match(words) or (follows and (_RELATIVE.match(words) or _ONES.match(words))):
        return words
    if match := _NOT_IF.match(words):
        return f"unless{words[match.end() :]}"
    if match := _CONJUNCTION.match(_POINTING.sub("", words)):
        word = "unless" if match["word"].lower() == "unless" else "if"
        return f"{word} {_upright(match['rest'])}"
    return _without_conjunction(_STARTS.sub("", words) or words, role)


def _without_conjunction(words: str, role: Role) -> str:
    """Return a condition that begins with its verb, or that is no clause: "with a dog in it"."""
    if words.lower().startswith("should "):
        return words
    if _INVERTED.match(words):
        return f"if {_upright(words)}"
    for form, clause in ((_WITHOUT, "there is no"), (_WITH, "there is"), (_RELATIVE, "it")):
        if match := form.match(words):
            return f"if {clause} {match['what']}"
    if _EACH.match(words):
        return words
    denied = role == "unless" and not _DENIES.search(words)
    if not _FINITE.search(words):
        many = "are" if _SEVERAL.match(words) else "is"
        words = f"there {many} {words}" if _AMOUNT.match(words) else f"it is {words}"
    return f"{'unless' if denied else 'if'} {words[:1].lower()}{words[1:]}"


def _upright(words: str) -> str:
    """Return a clause with its subject before its verb: "is there a dog", "were it open"."""
    match = _INVERTED.match(words)
    if not match:
        return words
    verb = words[: match.start("who")].strip().lower()
    rest = _TO_BE.sub(r"\g<a>", words[match.end() :].strip())
    return f"{match['who'].lower()} {'is' if verb == 'were' else verb} {rest}"
