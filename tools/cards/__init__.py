"""Tool cards: what can be asked for, and the registry that knows what is available and what not.

How a card is carried out belongs in ``tools/vision`` and its siblings.
"""

from edgewright.tools.cards.registry import CardRegistry
from edgewright.tools.contracts.cards import ArgumentSpec, CardStatus, Demonstration, ToolCard

__all__ = ["ArgumentSpec", "CardRegistry", "CardStatus", "Demonstration", "ToolCard"]
