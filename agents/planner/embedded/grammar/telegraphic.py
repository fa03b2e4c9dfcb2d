"""Reads conditions in a few words: "Awake? Describe the room.", "ten or more: caption it"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgewright.agents.planner.embedded.grammar.amounts import AMOUNT, NUMBER
from edgewright.agents.planner.embedded.grammar.clauses import beginning
from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.nothing import NOTHING
from edgewright.agents.planner.embedded.grammar.states import is_state

_NOUN = r"[a-z][\w'-]*(?:\s+[a-z][\w'-]*){0,5}?"
#: "Three things: …" says how many requests follow.
_NO_COUNT = (
    r"(?:more|last|final|other|another|quick|small)\b|(?:\w+\s+)?(?:things?|questions?|tasks?|points?"
    rf"|requests?|jobs?|parts?|steps?|{any_of('image_noun')}|ones?)\b"
)
_WORDS = (
    rf"(?P<amount>{AMOUNT}(?:\s+{_NOUN})?|{NUMBER}\s+(?!{_NO_COUNT}){_NOUN})|(?P<none>(?:no|not)\s+(?!one\b){_NOUN})"
    r"|(?P<yes>yes|yep|positive)|(?P<no>no|nope|negative)"
    r"|(?:(?:an?|any|some)\s+)?(?:(?:it|they)(?:'s|'re|\s+is|\s+are)\s+)?(?P<state>[a-z][\w-]+)"
)
_FRAGMENT = re.compile(
    rf"(?:(?:and|but|or|so|ok)\s+)?(?:{_WORDS})\s*(?:\?+|(?P<mark>:|[-=]>|=|\u2192|\s[-\u2013](?=\s))\s*)",
    re.IGNORECASE,
)
_MARKED = re.compile(
    rf"(?:(?:and|but|or)\s+)?(?:with\s+)?(?:{_WORDS})(?:\s*(?::|[-=]>|=|\u2192|\s[-\u2013](?=\s))\s*|,?\s+(?:and|then)\s+(?=(?:i|we|you)\b)|(?<=more|less|ewer)\s+(?=(?:i|we)\s))(?P<main>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_ORDER = re.compile(
    rf"(?:(?:then|please|just|only|also|and|so)\b[\s,]*)*(?:{beginning()}|{NOTHING}"
    rf"|(?:(?:an?|the|your|its)\s+)?{any_of('task_noun')}\b)",
    re.IGNORECASE,
)
#: Before an order they ask something else, or nothing.
_NO_THING = re.compile(
    r"colou?rs?|size|breed|species|name|age|kind|type|brand|make|model|price|number|count|mood|date|time|place|location|title|why|what|which|who|how|where|when"
    r"|thoughts|ideas?|help|please|ok|okay|ready|right|left|really|sure|anything|anyone|anybody|something|hello|hi|hey|first|second|third|next|last|both|all|this|that|these|those|it|them",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"(?:(?:then|just|please)\s+)*\w+(?:\s+(?:it|them|that|this|please))*\W*", re.IGNORECASE
)
_ONE = re.compile(r"^(?:one|1)\s", re.IGNORECASE)


def joined(sentences: Sequence[str]) -> list[str]:
    """Write conditions in a few words with "if", with what is done in the same sentence."""
    found: list[str] = []
    condition = ""
    upcoming = [*sentences[1:], ""][: len(sentences)]
    for sentence, following in zip(sentences, upcoming, strict=True):
        if condition:
            sentence = f"{condition}, {sentence}"
            condition = ""
        elif (match := _FRAGMENT.fullmatch(sentence)) and _ORDER.match(following):
            condition = _if(match, found, following)
        elif (match := _MARKED.fullmatch(sentence)) and _ORDER.match(match["main"]):
            told = _if(match, found, match["main"])
            sentence = f"{told}, {match['main']}" if told else sentence
        if not condition:
            found.append(sentence)
    return found


def _if(match: re.Match[str], before: Sequence[str], order: str) -> str:
    """Return the condition that a few words state, or nothing if they are no condition."""
    if match["yes"] or match["no"]:
        return "if so" if match["yes"] else "if not"
    if amount := match["amount"]:
        return f"if {_ONE.sub('exactly one ', amount)}"
    if none := match["none"]:
        return f"if {none}"
    word = match["state"]
    if is_state(word):
        return f"if it is {word}"
    asked = any(re.search(rf"\b{re.escape(word)}\b", said, re.IGNORECASE) for said in before)
    if asked or (_ALONE.fullmatch(order) and not _NO_THING.fullmatch(word)):
        return f"if there is {'' if word.endswith('s') else 'a '}{word}"
    return ""
