"""Drafts a card: a manual is read, its facts are checked, and a card is made from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from edgewright.agents.llm.client import ChatModel
from edgewright.agents.manuals.chat import ChatExtractor
from edgewright.agents.manuals.draft import CardDraft, Extraction, Fact, values
from edgewright.agents.manuals.embedded import EmbeddedExtractor
from edgewright.agents.manuals.facts import fault
from edgewright.agents.manuals.vocabulary import quantities
from edgewright.tools.cards import Demonstration, ToolCard
from edgewright.tools.errors import RefusedError
from edgewright.tools.manuals.manual import Manual
from edgewright.tools.settings import ChatModelSettings

#: Maximum number of quantities on a card.
MAX_QUANTITIES = 6
MAX_TITLE = 60
#: Example requests for any quantity, in addition to its own.
REQUESTS = ("Read the {}.", "What is the {} now?", "Tell me the {} in the kitchen.")


class Extractor(Protocol):
    """Extracts facts from a manual."""

    def extract(self, manual: Manual) -> Extraction:
        """Extract the facts of a manual."""
        ...


def make_extractor(chat: ChatModelSettings | None = None) -> Extractor:
    """Make an extractor: the chat model if one is configured, else the embedded reader."""
    embedded = EmbeddedExtractor()
    if chat is None or not chat.configured:
        return embedded
    return ChatExtractor(ChatModel(chat), embedded)


def draft(manual: Manual, extractor: Extractor) -> CardDraft:
    """Draft a card from a manual.

    Args:
        manual: The manual; data, never an instruction.
        extractor: Reads the manual.

    Raises:
        RefusedError: The manual names no known quantity that its device senses
            (``nothing_sensed``).
    """
    extraction = extractor.extract(manual)
    facts = tuple(fact for fact in extraction.facts if not fault(fact, manual))
    if not values(facts, "senses"):
        raise RefusedError(
            f"{manual.name!r} names no known quantity that its device senses; write the card by "
            "hand",
            code="nothing_sensed",
        )
    return CardDraft(
        manual=manual.name,
        drafted_by=extraction.drafted_by,
        note=extraction.note,
        facts=facts,
        card=_card(facts),
    )


def _card(facts: Sequence[Fact]) -> ToolCard:
    """Make the card from checked values alone; no words of the manual enter it."""
    sensed = values(facts, "senses")[:MAX_QUANTITIES]
    known = [quantities()[name] for name in sensed]
    device = next(iter(values(facts, "device")), "")
    title = f"{device} {_joined(sensed, 'and')}".strip()
    requests = [request for quantity in known for request in quantity.ask]
    requests += [request.format(name) for name in sensed for request in REQUESTS]
    requests += [f"Measure the {name} with the {device}." for name in sensed if device]
    return ToolCard(
        id=_slug(device) or f"{_slug(sensed[0])}-sensor",
        task_type="sensor-reading",
        title=title if len(title) <= MAX_TITLE else f"{device} {sensed[0]} and more".strip(),
        description=_description(facts, sensed, device),
        inputs=(),
        outputs=tuple(dict.fromkeys(quantity.output for quantity in known)),
        demonstrations=tuple(Demonstration(request=request) for request in requests),
        sensors=tuple(dict.fromkeys(quantity.sensor for quantity in known)),
    )


def _description(facts: Sequence[Fact], sensed: Sequence[str], device: str) -> str:
    readings = []
    for name in sensed:
        bounds = values(facts, "limit", name)[:1] or values(facts, "unit", name)[:1]
        readings.append(f"{name} ({bounds[0]})" if bounds else name)
    by = _joined(values(facts, "interface"), "or")
    return (
        f"Reads {_joined(readings, 'and')} with {f'the device {device}' if device else 'a device'}"
        f"{f', connected by {by}' if by else ''}. "
        f"Use it when someone wants to know the {_joined(sensed, 'or the')} at the device."
    )


def _joined(words: Sequence[str], link: str) -> str:
    *first, last = words or [""]
    return f"{', '.join(first)} {link} {last}" if first else last


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
