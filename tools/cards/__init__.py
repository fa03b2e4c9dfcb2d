"""Tool cards: what can be asked for, and the registry that knows what is available and what not.

How a card is carried out belongs in ``tools/vision`` and its siblings.
"""

from edgewright.tools.cards.card import ArgumentSpec, Demonstration, ToolCard
from edgewright.tools.cards.registry import CardRegistry, CardStatus

__all__ = ["ArgumentSpec", "CardRegistry", "CardStatus", "Demonstration", "ToolCard"]
