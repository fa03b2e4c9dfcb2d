"""Finds the sensors that a request names: "use the WiFi, not the microphone"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgewright.agents.planner.embedded.grammar.lexicon import any_of

#: Kinds of sensor that several cards measure the same with, and the words for each.
_WORDS = {"microphone": any_of("microphone_word"), "wifi": any_of("wifi_word")}
_ANY = f"(?:{'|'.join(_WORDS.values())})"
#: "All the sensors" leaves open which.
_ALL = re.compile(
    r"\b(?:all|every|each|any|both|whatever)\b[\w\s]{0,20}\b(?:sensors?|devices?|sources?|means|modalit\w+)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    rf"(?:\b(?:no|nor|neither|without|instead\s+of|rather\s+than)|(?:\bnot|n't)(?!\s+(?:only|just)\b))"
    rf"\s+(?:\w+\s+){{0,3}}?{_ANY}\b"
    rf"|\b{_ANY}\s+(?:stuff\s+|won't\b|can't\b|(?:is|was|has|are)\s+(?:\w+\s+)?(?:down|broken|off|out|dead|gone"
    r"|unplugged|forbidden|repaired|failed|missing)\b)",
    re.IGNORECASE,
)
_NAMED = {kind: re.compile(rf"\b{form}(?![\w-])", re.IGNORECASE) for kind, form in _WORDS.items()}
#: Words that go with a sensor, but with other things as well.
_HINTED = {
    "microphone": re.compile(rf"\b{any_of('microphone_hint')}(?![\w-])", re.IGNORECASE),
    "wifi": re.compile(rf"\b{any_of('wifi_hint')}(?![\w-])", re.IGNORECASE),
}


@dataclass(frozen=True)
class SensorWords:
    """The sensors in the words of a request.

    Attributes:
        named: Kinds of sensor that it names as those to use; empty if it leaves that open.
        hinted: The same, and kinds that further words go with ("my internet habits").
    """

    named: frozenset[str] = frozenset()
    hinted: frozenset[str] = frozenset()


def sensor_words(text: str) -> SensorWords:
    """Return the kinds of sensor that a text wants used."""
    if _ALL.search(text):
        return SensorWords()
    remaining = _DENIED.sub(" ", text)
    named = frozenset(kind for kind, pattern in _NAMED.items() if pattern.search(remaining))
    hinted = {kind for kind, pattern in _HINTED.items() if pattern.search(remaining)}
    return SensorWords(named, named | hinted)
