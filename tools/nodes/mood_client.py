"""HTTP client for a node that holds a person's labels of moods."""

from __future__ import annotations

from edgewright.tools.contracts.views import MoodLabel, MoodLabels, MoodRound
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.exchange import json_body, parse


class MoodClient(NodeClient):
    """A node's client that can label moods, and train on the labels; see ``NodeClient``."""

    async def mood_labels(self, card: str) -> MoodLabels:
        """Return the number of labelled windows that the node holds for a card."""
        return parse(MoodLabels, await self._call("GET", f"/v1/moods/{card}/labels"))

    async def label_mood(
        self, card: str, label: MoodLabel, *, timeout_s: float = 120.0
    ) -> MoodLabels:
        """Have the node read the card's sensor, and keep its features with a label.

        Args:
            card: The card.
            label: The label, and the card's arguments.
            timeout_s: Maximum time; a live window takes a minute.
        """
        path = f"/v1/moods/{card}/labels"
        return parse(MoodLabels, await self._call("POST", path, json_body(label), timeout_s))

    async def forget_moods(self, card: str) -> MoodLabels:
        """Have the node delete its labels for a card, and what was trained on them."""
        return parse(MoodLabels, await self._call("DELETE", f"/v1/moods/{card}/labels"))

    async def mood_round(self, card: str, begin: MoodRound) -> MoodRound:
        """Have the node train a network on its labels, and return the trained one."""
        path = f"/v1/moods/{card}/round"
        return parse(MoodRound, await self._call("POST", path, json_body(begin)))

    async def install_moods(self, card: str, trained: MoodRound) -> MoodLabels:
        """Have the node use a trained network."""
        path = f"/v1/moods/{card}/network"
        return parse(MoodLabels, await self._call("PUT", path, json_body(trained)))
