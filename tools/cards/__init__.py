"""Tool cards: what can be requested, and the registry that reports what is available.

Code that carries out a card belongs in ``tools/vision`` and its siblings.
"""

from edgewright.tools.cards.registry import CardRegistry
from edgewright.tools.contracts.cards import ArgumentSpec, CardStatus, Demonstration, ToolCard

__all__ = ["ArgumentSpec", "CardRegistry", "CardStatus", "Demonstration", "ToolCard"]
