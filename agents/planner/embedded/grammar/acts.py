"""Recognises what is outside of the catalogue: acts that no card does, and words to the planner."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from edgewright.agents.planner.embedded.grammar.clauses import segment
from edgewright.agents.planner.embedded.grammar.lexicon import any_of, read_grammar

_LEAD = re.compile(
    r"^(?:(?:and|then|also|please|pls|now|just|first|finally|ok|okay|hey|hi|hello|so|but)\b[\s,!]*"
    r"|(?:can|could|would|will)\s+(?:you|u)\s+(?:please\s+)?"
    r"|(?:i|we)\s+(?:want|need|would like|'d like)"
    r"\s+(?:you\s+)?to\s+|(?:i|we)'d like\s+(?:you\s+)?to\s+|go ahead and\s+)*",
    re.IGNORECASE,
)
_CLOSING = re.compile(rf"(?:\W*\b{any_of('closing', 'gratitude')}\b)+\W*", re.IGNORECASE)
_GRATITUDE = re.compile(rf"\b{any_of('gratitude')}\b", re.IGNORECASE)
_THANKED = re.compile(
    r"\W*(?:(?:ok|okay|great|perfect|lovely|right|well|oh|and)\b\W*)*(?:thanks|thank\s+(?:you|u)|thx|cheers|bye|goodbye)\b",
    re.IGNORECASE,
)
_GREETING = re.compile(
    rf"(?:\W*{any_of('greeting')}\b)+(?:\W+{any_of('small_talk')})?\W*", re.IGNORECASE
)
_ABILITIES = re.compile(
    rf"(?:\W*{any_of('greeting')}\b)*\W*(?:(?:so|and|ok|please)\b\W*)*{any_of('abilities')}\W*",
    re.IGNORECASE,
)
_COST = re.compile(
    rf"(?:\W*\b(?:so|and|ok|okay|great|thanks|well)\b)*\W*{any_of('cost')}\W*", re.IGNORECASE
)
#: Share of a card's demonstrations that ask for an act, from which on the card does it. Less is an
#: unusual way to ask for something else, such as drawing a stick figure for finding a pose.
_OWN = 0.1


#: What a text says to the planner itself.
Address = Literal["", "thanks", "greeting", "abilities", "cost"]


class Act(BaseModel):
    """Something that people ask of machines.

    Attributes:
        name: What it is called to the person, after "I cannot".
        serves: Ids or task types of cards that do it.
        verbs: Verbs that a clause begins with.
        objects: What follows the verb; empty if the verb is enough.
        phrases: Regular expressions for a whole clause.
        unless: Regular expression for clauses that ask for something else with the same verb.
        instead: The nearest thing that can be done.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    serves: tuple[str, ...]
    verbs: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    unless: str = ""
    instead: str

    def asked_by(self, clause: str) -> bool:
        """Return whether a clause, without what leads up to its verb, asks for the act."""
        other = self.unless and re.search(self.unless, clause, re.IGNORECASE)
        return bool(_pattern(self).search(clause)) and not other

    @property
    def refusal(self) -> str:
        """What to say to the person."""
        return f"I cannot {self.name}; {self.instead}."


def is_closing(text: str) -> bool:
    """Return whether a text only says thanks or goodbye."""
    return bool(_GRATITUDE.search(text) and _CLOSING.fullmatch(text))


def thanks(text: str) -> bool:
    """Return whether a text begins with thanks or a goodbye."""
    return bool(_THANKED.match(text))


def addressed(text: str) -> Address:
    """Return what a text says to the planner, if that is all it says."""
    if is_closing(text):
        return "thanks"
    if _ABILITIES.fullmatch(text):
        return "abilities"
    if _COST.fullmatch(text):
        return "cost"
    return "greeting" if _GREETING.fullmatch(text) else ""


def acts_outside(served: Collection[str], demonstrated: Iterable[Sequence[str]]) -> tuple[Act, ...]:
    """Return the acts that no card does.

    Args:
        served: Ids and task types of the cards.
        demonstrated: The requests that each card demonstrates. An act that a card's own requests
            ask for is not outside, whatever the card is called.
    """
    outside = [act for act in _acts() if not set(act.serves) & set(served)]
    for requests in demonstrated:
        asked = Counter(requested_act(request, outside) for request in requests)
        outside = [act for act in outside if asked[act] < _OWN * max(len(requests), 1)]
    return tuple(outside)


def requested_act(clause: str, acts: Collection[Act]) -> Act | None:
    """Return the act that a clause asks for, if any."""
    text = _LEAD.sub("", clause.strip(), count=1)
    return next((act for act in acts if act.asked_by(text)), None)


def split_acts(text: str, acts: Collection[Act]) -> tuple[str, list[Act]]:
    """Take the clauses that ask for acts out of a text.

    Returns:
        What remains, and the acts.
    """
    if whole := requested_act(text, [act for act in acts if act.phrases and _stands_alone(act)]):
        return "", [whole]
    found: list[Act] = []
    kept: list[str] = []
    clauses = segment(text)
    for clause in clauses:
        act = requested_act(clause.text, acts)
        if act:
            found.append(act)
        else:
            kept.append(clause.text.strip())
    return (", ".join(kept) if found else text), found


def _stands_alone(act: Act) -> bool:
    """Return whether an act covers the whole sentence, such as one that lasts."""
    return "standing-request" in act.serves


@cache
def _pattern(act: Act) -> re.Pattern[str]:
    forms = list(act.phrases)
    if act.verbs:
        objects = rf"\s+(?:{'|'.join(act.objects)})" if act.objects else r"\b"
        forms.append(rf"^(?:{'|'.join(act.verbs)}){objects}")
    return re.compile("|".join(f"(?:{form})" for form in forms), re.IGNORECASE)


@cache
def _acts() -> tuple[Act, ...]:
    return tuple(Act.model_validate(entry) for entry in read_grammar("acts")["acts"])
