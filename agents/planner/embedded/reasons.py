"""What to say of a plan without tasks."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright.agents.planner.embedded.detection import Reading
from edgewright.agents.planner.embedded.grammar.acts import Address
from edgewright.agents.planner.embedded.understanding import Understanding
from edgewright.agents.planner.request import Turn
from edgewright.tools.cards import CardRegistry

#: Maximum number of example requests in a reply.
MAX_EXAMPLES = 6


class Reasons:
    """Words the reasons why nothing is planned.

    Args:
        cards: The catalogue.
    """

    def __init__(self, cards: CardRegistry) -> None:
        self._cards = cards

    def why_empty(
        self, understood: Understanding, readings: Sequence[Reading], history: Sequence[Turn]
    ) -> str:
        """Return the reason for a plan without tasks."""
        if understood.problems:
            return " ".join(understood.problems)
        if understood.said:
            return self._reply(understood.said, history)
        if not understood.units:
            return "Nothing was done, as you asked."
        if not readings:
            return "The tool of the earlier request is no longer available."
        return " ".join(dict.fromkeys(map(self._explanation, readings)))

    def _reply(self, said: Address, history: Sequence[Turn]) -> str:
        """Return the reply to what is only said to the planner."""
        if said == "cost":
            spent = next((turn.cost for turn in reversed(history) if turn.cost), "")
            return spent or "Nothing has been run in this conversation yet."
        if said == "thanks":
            return "You are welcome."
        if said == "greeting":
            images = any("image" in card.inputs for card in self._cards)
            how = "Attach an image and ask about it, or ask" if images else "Ask"
            return f'Hello. {how} "What can you do?".'
        cards = sorted(self._cards, key=lambda card: "image" not in card.inputs)
        shown = [card.demonstrations[0].request for card in cards if card.demonstrations]
        some = ", ".join(f'"{request}"' for request in shown[:MAX_EXAMPLES])
        told = f"You can ask, for example: {some}. " if shown else ""
        return f"{told}'edgewright plan --list' lists the cards that can be requested."

    def _explanation(self, reading: Reading) -> str:
        """Return the reason why a reading has no intents."""
        hint = "'edgewright plan --list' lists the cards that can be requested."
        if reading.declined:
            names = " and ".join(dict.fromkeys(name for _, name in reading.declined))
            return f"No card serves this request, which sounds like {names}; {hint}"
        if reading.unsure:
            titles = " or ".join(self._cards.get(tool).title for tool in reading.unsure)
            return f"The request is ambiguous: do you mean {titles}? Please rephrase it."
        return f"No card serves this request; {hint}"
