"""Labels of a person's moods on this node, and rounds of training on them."""

from __future__ import annotations

import asyncio
import base64

from edgewright.edge_runtime.execution.sensing import card_of, read_window, sensor_for
from edgewright.edge_runtime.keys import Caller
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.views import MoodLabel, MoodLabels, MoodRound
from edgewright.tools.errors import InputError, NotFoundError
from edgewright.tools.sensing.expert import SensingExpert
from edgewright.tools.sensing.moods.network import MoodNetwork
from edgewright.tools.sensing.moods.own import LearningExpert, OwnMoods


def own_moods(node: Node, card_id: str) -> OwnMoods:
    """Return the labels and the network of a card.

    Args:
        node: This node.
        card_id: The card.

    Raises:
        NotFoundError: No expert of this node learns for that card (``card_unavailable``).
    """
    return _learning(node, card_id)[1].own


def labels_of(node: Node, card_id: str) -> MoodLabels:
    """Return the numbers of labelled windows; see ``own_moods``."""
    own = own_moods(node, card_id)
    return MoodLabels(features=list(own.features), labels=own.counts())


async def add_label(node: Node, card_id: str, label: MoodLabel, caller: Caller) -> MoodLabels:
    """Read the sensor, and keep the features of its window with a label.

    Args:
        node: This node.
        card_id: The card.
        label: How the person feels at present.
        caller: Who says so; it must be allowed to use the sensor.

    Raises:
        EdgewrightError: The sensor cannot be read, or shows no features.
    """
    expert, learning = _learning(node, card_id)
    sensor = sensor_for(node, node.cards.get(card_id), expert, label.args, caller)

    def work() -> MoodLabels:
        window = read_window(node, expert, sensor, node.config.limits.deadline_s)
        assert window is not None
        labels = learning.own.add(learning.features(window), label.label)
        return MoodLabels(features=list(learning.own.features), labels=labels)

    return await asyncio.to_thread(work)


def train_round(node: Node, card_id: str, begin: MoodRound) -> MoodRound:
    """Train a network on this node's labels; see ``own_moods``.

    Raises:
        InputError: It is no network for this card's features.
        NotFoundError: There are no labels here.
    """
    own = own_moods(node, card_id)
    network, right = own.trained(_network(own, begin))
    return MoodRound(network_base64=base64.b64encode(network.to_bytes()).decode(), right=right)


def install(node: Node, card_id: str, trained: MoodRound) -> None:
    """Keep a trained network; see ``train_round``."""
    own = own_moods(node, card_id)
    own.install(_network(own, trained))


def _learning(node: Node, card_id: str) -> tuple[SensingExpert, LearningExpert]:
    card = card_of(node, card_id)
    expert = node.sensing_expert(card) if card is not None else None
    if expert is None or not isinstance(expert, LearningExpert):
        raise NotFoundError(
            f"nothing on this node learns moods for {card_id[:100]!r}", code="card_unavailable"
        )
    return expert, expert


def _network(own: OwnMoods, given: MoodRound) -> MoodNetwork:
    try:
        data = base64.b64decode(given.network_base64, validate=True)
    except ValueError:
        raise InputError("the network is no base64", code="network_invalid") from None
    return MoodNetwork.from_bytes(data, own.features)
