"""How drafts of cards and their confusions look on a terminal.

Words of manuals and vendors are put in as ``Text``, never as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from edgewright.agents.manuals.draft import CardDraft, Fact
    from edgewright.agents.planner.fitting.confusion import Confusion, Mistaken


def confusion_view(found: Confusion) -> RenderableType:
    """Show which cards a card is confused with, by what, and what would mend it."""
    verdict = "can be told from the other cards" if found.passed else "is confused with other cards"
    right = found.demonstrations - len(found.lost)
    parts: list[RenderableType] = [
        Text.assemble((found.card, "bold"), f" {verdict}: {right} of {found.demonstrations} ",
                      "demonstrations are read as its own", style="" if found.passed else "yellow")
    ]  # fmt: skip
    if found.lost:
        parts.append(_mistakes("its demonstrations that read as others'", found.lost))
    if found.taken:
        parts.append(_mistakes("others' demonstrations that read as its own", found.taken))
    parts += [Text(f"• {advice}") for advice in found.advice]
    return Group(*parts)


def draft_view(draft: CardDraft) -> RenderableType:
    """Show a draft: the card, and each fact with the words of the manual that say so."""
    card = draft.card
    facts = Table(title=f"read from {draft.manual} by the {draft.drafted_by} reader")
    for name in ("field", "value", "where", "the manual says"):
        facts.add_column(name, overflow="fold")
    for fact in draft.facts:
        value = f"{fact.about}: {fact.value}" if fact.about else fact.value
        facts.add_row(fact.field, Text(value), _where(fact), Text(fact.quote))
    asked = [Text(f"  “{shown.request}”") for shown in card.demonstrations]
    return Group(
        Text.assemble((card.id, "bold"), f" ({card.title})"),
        Text(card.description),
        Text(f"sensors: {', '.join(card.sensors)}; gives: {', '.join(card.outputs)}"),
        Text("asked for by:"),
        *asked,
        facts,
        *([Text(draft.note, style="yellow")] if draft.note else []),
    )


def _where(fact: Fact) -> str:
    return f"page {fact.page}, line {fact.line}" if fact.page else f"line {fact.line}"


def _mistakes(title: str, mistakes: Sequence[Mistaken]) -> Table:
    table = Table(title=title)
    for name in ("demonstration", "of", "reads as", "for it is like", "cosine"):
        table.add_column(name, overflow="fold")
    for each in mistakes:
        words = map(Text, (each.request, each.card, each.taken_for, each.nearest))
        table.add_row(*words, f"{each.similarity:.2f}")
    return table
