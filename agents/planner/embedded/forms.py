"""Reads requests by the form of their words, beside what the heads read in their meaning.

The heads know what requests are about. That a sentence asks, orders or only tells, and that it is
about an image at hand, its form says better.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, groupby

from edgewright.agents.planner.embedded.detection import Intent, Reading
from edgewright.agents.planner.embedded.grammar.checks import asked_by, asks
from edgewright.agents.planner.embedded.grammar.clauses import Clause
from edgewright.agents.planner.embedded.grammar.done import kind_of
from edgewright.agents.planner.embedded.grammar.ellipsis import says_again
from edgewright.agents.planner.embedded.grammar.questions import (
    about_image,
    asks_briefly,
    asks_openly,
    refers,
)
from edgewright.agents.planner.embedded.grammar.references import STAND_IN
from edgewright.agents.planner.embedded.grammar.sentences import (
    asks_within,
    begins_asking,
    may_request,
    sentences,
    wishes,
)
from edgewright.agents.planner.embedded.mentions import files
from edgewright.agents.planner.embedded.parts.part import Kind
from edgewright.agents.planner.embedded.steps import Unit
from edgewright.agents.planner.embedded.vocabulary import AS_BEFORE
from edgewright.tools.cards import CardRegistry, ToolCard

#: Asks for something else than what a thing is: "where is it?", "what is it for?", "the date".
_PROPERTY = re.compile(
    r"^(?:(?:and|but|so|only|just|tell\s+me|say|know)\s+)*(?:where|why|how\s+(?:many|much|old|big|tall|long|far|full|high|deep))\b"
    r"|\bwhat(?:'?s|\s+is|\s+are)?\s+(?:it|this|that|they|he|she|these|those)(?:'s|\s+is|\s+are)?\s+(?:made|for|doing|used|worth|wearing|holding|standing|saying)\b"
    r"|\bwhat(?:'?s|\s+is)\s+(?:it|this|that)\s+for\b"
    r"|\b(?:what|which)\s+(?:colou?r|number|date|year|day|time|price|size|score|page)\b"
    r"|\b(?:serial|phone|house|batch|model)\s+number\b|\bexpiry\b|\b(?:the|its|his|her)\s+(?:price|date|total|reading|temperature|size|age)\b",
    re.IGNORECASE,
)
_WHICH_ONE = re.compile(r"\bwhich\s+one\b", re.IGNORECASE)
#: A question whose answer is yes or no.
_YES_NO = re.compile(
    r"(?:.*\b(?:asked|know|check|see|say|tell\s+me)\s+(?:if|whether)\s+(?:it|he|she|they|there|this|that)\b)|(?:is|are|was|were|has|does|did)\s+(?:it|this|that|he|she|they|there|the|any|my|his|her)\b",
    re.IGNORECASE,
)
_CHOICE = re.compile(r"\bor\b|\b(?:kind|sort|type|breed|species|class|categor\w+)\b", re.IGNORECASE)
_LAST = re.compile(r"(?:.*[.!?;:,]\s+(?:(?:and|but|so)\s+)?)?(?P<last>\S.*)", re.DOTALL)
#: Joins several requests in one clause.
_JOINS = re.compile(r"[,;&+/]|\b(?:and|plus|also|then|with|both|as\s+well)\b", re.IGNORECASE)

#: The general card for each kind of task about an image.
_GENERAL: dict[Kind, str] = {
    "label": "image-classification",
    "describe": "image-to-text",
    "ask": "visual-question-answering",
}


class Forms:
    """Corrects readings by the form of the words.

    Args:
        cards: The catalogue.
        asking: The card that answers questions about an image, if there is one.
    """

    def __init__(self, cards: CardRegistry, asking: ToolCard | None) -> None:
        self._cards = cards
        self._asking = asking

    def corrected(
        self, unit: Unit, reading: Reading, *, follows: bool, kinds: Collection[Kind] = ()
    ) -> Reading:
        """Return a reading without what only seems requested, and with what the heads miss.

        Args:
            unit: The unit that was read.
            reading: Its reading by the heads.
            follows: Whether there is a task before; a short question after it is about its image
                too: "and the fuel?".
            kinds: What the tasks of the request do.
        """
        intents = self._single(unit.text, self._asking_more(unit, reading.intents))
        if unit.images:
            intents = self._of_kinds(_not_in_remarks(unit.text, intents), kinds)
        if not intents and unit.images and (tool := self._implied(unit, reading, follows, kinds)):
            intent = Intent(tool, 0, len(unit.text), reading.probability, {})
            return replace(reading, intents=(intent,), declined=())
        intents = intents or reading.intents
        reading = replace(reading, intents=_in_order((*intents, *self._checks(unit, intents))))
        others = {mention.kind: mention.name for mention in files(unit.text)}
        if not others or "image" in others:
            return reading
        readable = tuple(
            intent
            for intent in reading.intents
            if intent.tool == AS_BEFORE
            or "image" not in (inputs := self._cards.get(intent.tool).inputs)
            or others.keys() & set(inputs)
        )
        if len(readable) == len(reading.intents):
            return reading
        clause = Clause(" and ".join(others.values()), 0, len(unit.text))
        return replace(reading, intents=readable, declined=((clause, "reading other files"),))

    def _asking_more(self, unit: Unit, intents: Sequence[Intent]) -> list[Intent]:
        """Return intents with questions for classes where the words ask for something else."""
        found: dict[tuple[str, int], Intent] = {}
        for intent in intents:
            if self._asking and intent.tool in (AS_BEFORE, "image-classification"):
                words = _LAST.sub(r"\g<last>", unit.text[intent.start : intent.end].strip())
                own = _PROPERTY.search(words) or (unit.guard and _WHICH_ONE.search(words))
                asked = _YES_NO.match(words) or (own and not says_again(words))
                if asked and not _CHOICE.search(words):
                    intent = replace(intent, tool=self._asking.id)
            found.setdefault((intent.tool, intent.end), intent)
        return list(found.values())

    def _of_kinds(self, intents: Sequence[Intent], kinds: Collection[Kind]) -> tuple[Intent, ...]:
        """Return intents whose general cards do what the request asks for, if it is one kind."""
        general = self._general(kinds)
        if not general:
            return tuple(intents)
        return tuple(
            replace(intent, tool=general)
            if intent.tool in _GENERAL.values() and intent.tool != general
            else intent
            for intent in intents
            if intent.tool != AS_BEFORE or len(intents) == 1
        )

    def _general(self, kinds: Collection[Kind]) -> str:
        """Return the general card for requests of one kind, if there is one."""
        named = _GENERAL.get(next(iter(kinds)), "") if len(kinds) == 1 else ""
        return named if named in self._cards else ""

    def _implied(self, unit: Unit, reading: Reading, follows: bool, kinds: Collection[Kind]) -> str:
        """Return the card for a text in which the heads find none, or nothing."""
        if not reading.declined and (general := self._general(kinds)):
            return general
        named = kind_of(unit.text)
        card = next((each.id for each in self._cards if each.task_type == named), "")
        if card and not reading.declined and "question" not in self._cards.get(card).arguments:
            return card
        said = sentences(unit.text)
        known = unit.guard is not None or unit.named or STAND_IN in unit.text
        asked = (
            any(map(about_image, said))
            or (known and any(map(asks_openly, said)))
            or (unit.guard is not None and (begins_asking(unit.text) or wishes(unit.text)))
            or (unit.named and not reading.declined and asks_within(unit.text))
            or any(_asks(each, follows=follows, declined=bool(reading.declined)) for each in said)
        )
        return self._asking.id if self._asking and asked else ""

    def _checks(self, unit: Unit, intents: Sequence[Intent]) -> Iterator[Intent]:
        """Yield questions for what sentences have checked, beside other requests."""
        end = 0
        if not (intents and unit.images and self._asking):
            return
        for sentence in sentences(unit.text):
            start = unit.text.index(sentence, end)
            end = start + len(sentence)
            asked = any(start < intent.end <= end for intent in intents)
            if not asked and asked_by(sentence) and not asks(sentence):
                yield Intent(self._asking.id, start, end, intents[0].probability, {})

    def _single(self, text: str, intents: Sequence[Intent]) -> tuple[Intent, ...]:
        """Keep one of several cards that the same words request, unless they can be a chain.

        Words that join nothing ask one thing, whichever of two answers to it is likelier.
        """
        kept: list[Intent] = []
        for _, same in groupby(intents, key=lambda intent: intent.end):
            group = list(same)
            cards = [self._cards.get(each.tool) for each in group if each.tool != AS_BEFORE]
            alike = len(cards) == len(group) > 1 and all("image" in card.inputs for card in cards)
            chained = any(
                set(one.outputs) & set(other.inputs) - {"text"} for one in cards for other in cards
            )
            joins = _JOINS.search(text[group[0].start : group[0].end])
            if alike and not chained and not joins:
                group = [max(group, key=lambda each: each.shares.get(each.tool, 0.0))]
            kept += group
        return tuple(kept)


def _asks(sentence: str, *, follows: bool, declined: bool) -> bool:
    """Return whether a sentence asks about an image by its form, after a task on it or not."""
    if follows and asks_briefly(sentence):
        return not declined or refers(sentence)
    if declined:
        return False
    return (asks_openly(sentence) and refers(sentence)) or (follows and wishes(sentence))


def _in_order(intents: Sequence[Intent]) -> tuple[Intent, ...]:
    return tuple(sorted(intents, key=lambda intent: intent.end))


def _not_in_remarks(text: str, intents: Sequence[Intent]) -> tuple[Intent, ...]:
    """Drop what sentences that only tell something may request, if others request something."""
    ends = list(accumulate(len(each) + 1 for each in sentences(text)))
    asks = [may_request(each) for each in sentences(text)]
    asked = [
        intent.tool == AS_BEFORE
        or not asks
        or asks[min(bisect_left(ends, intent.end), len(asks) - 1)]
        for intent in intents
    ]
    return tuple(i for i, ask in zip(intents, asked, strict=True) if ask or not any(asked))
