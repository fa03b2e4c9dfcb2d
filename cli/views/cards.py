"""How card drafts and confusions between cards look on a terminal.

Texts of manuals and vendors are put in as ``Text``, never as markup.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from edgewright.agents.manuals.draft import CardDraft, Fact
    from edgewright.agents.planner.fitting.confusion import Confusion, Mistaken
    from edgewright.tools.federated.serving.versions import Version


def confusion_view(found: Confusion) -> RenderableType:
    """Show which cards a card is confused with, by which requests, and what would help."""
    verdict = "is distinct from the other cards" if found.passed else "is confused with other cards"
    correct = found.demonstrations - len(found.lost)
    parts: list[RenderableType] = [
        Text.assemble((found.card, "bold"), f" {verdict}: {correct} of {found.demonstrations} of ",
                      "its example requests lead to it", style="" if found.passed else "yellow")
    ]  # fmt: skip
    if found.lost:
        parts.append(_mistakes("its example requests that lead to other cards", found.lost))
    if found.taken:
        parts.append(_mistakes("example requests of other cards that lead to it", found.taken))
    parts += [Text(f"• {advice}") for advice in found.advice]
    return Group(*parts)


def draft_view(draft: CardDraft) -> RenderableType:
    """Show a draft: the card, and each fact with the manual's words that state it."""
    card = draft.card
    facts = Table(title=f"read from {draft.manual} by the {draft.drafted_by} reader")
    for name in ("field", "value", "where", "the manual says"):
        facts.add_column(name, overflow="fold")
    for fact in draft.facts:
        value = f"{fact.about}: {fact.value}" if fact.about else fact.value
        facts.add_row(fact.field, Text(value), _where(fact), Text(fact.quote))
    examples = [Text(f"  “{shown.request}”") for shown in card.demonstrations]
    return Group(
        Text.assemble((card.id, "bold"), f" ({card.title})"),
        Text(card.description),
        Text(f"sensors: {', '.join(card.sensors)}; outputs: {', '.join(card.outputs)}"),
        Text("example requests:"),
        *examples,
        facts,
        *([Text(draft.note, style="yellow")] if draft.note else []),
    )


def history_view(tool: str, versions: Sequence[Version]) -> RenderableType:
    """Show the versions of a trained tool, each with the reason why it is there."""
    parts: list[RenderableType] = [Text(tool, "bold")]
    for version in versions:
        trained = time.strftime("%Y-%m-%d %H:%M", time.localtime(version.trained_at))
        test = (
            "" if version.test_accuracy is None else f", test accuracy {version.test_accuracy:.4f}"
        )
        state = "current" if version.current else "stored"
        when = f", trained {trained}" if version.trained_at else ""
        parts.append(
            Text(f"{version.run}  {state}{test}{when}", "green" if version.current else "")
        )
        if version.note:
            parts.append(Padding(Text(version.note, "dim"), (0, 0, 0, 2)))
    return Group(*parts)


def _where(fact: Fact) -> str:
    return f"page {fact.page}, line {fact.line}" if fact.page else f"line {fact.line}"


def _mistakes(title: str, mistakes: Sequence[Mistaken]) -> Table:
    table = Table(title=title)
    for name in ("example request", "card", "leads to", "resembles", "cosine"):
        table.add_column(name, overflow="fold")
    for each in mistakes:
        cells = map(Text, (each.request, each.card, each.taken_for, each.nearest))
        table.add_row(*cells, f"{each.similarity:.2f}")
    return table
