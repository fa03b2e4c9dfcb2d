"""Federated training on a person's own labels: rounds over the nodes that hold some."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgewright.tools.contracts.views import MoodLabels, MoodRound
from edgewright.tools.errors import RefusedError
from edgewright.tools.sensing.moods.network import MoodNetwork, averaged
from edgewright.tools.sensing.moods.own import MIN_SAMPLES


class MoodNode(Protocol):
    """A node that holds labels, as its client sees it."""

    async def mood_labels(self, card: str) -> MoodLabels:
        """Return what it holds."""
        ...

    async def mood_round(self, card: str, begin: MoodRound) -> MoodRound:
        """Train a network on what it holds."""
        ...

    async def install_moods(self, card: str, trained: MoodRound) -> MoodLabels:
        """Let it use a trained network."""
        ...


@dataclass(frozen=True, kw_only=True)
class TrainedMoods:
    """What came of a training.

    Attributes:
        network: The network, which all nodes use now.
        right: Windows that it names rightly, of those kept for that.
        tested: Number of windows kept for that.
    """

    network: MoodNetwork
    right: int
    tested: int


async def train(
    card: str,
    nodes: Sequence[MoodNode],
    rounds: int,
    on_round: Callable[[int], None] = lambda number: None,
) -> TrainedMoods:
    """Train a network on the labels of several nodes, and let all of them use it.

    Args:
        card: The card.
        nodes: The nodes; those without labels only get the network.
        rounds: Number of rounds.
        on_round: Called after each round with its number.

    Raises:
        RefusedError: There are too few labels, or all are the same (``too_few_labels``).
        InputError: A node returned no network for these features (``network_invalid``).
    """
    held = await asyncio.gather(*(node.mood_labels(card) for node in nodes))
    labels = sorted({label for one in held for label in one.labels})
    count = sum(sum(one.labels.values()) for one in held)
    if count < 2 * MIN_SAMPLES or len(labels) < 2:
        raise RefusedError(
            f"{count} labels of {len(labels)} kinds are too few; label at least {2 * MIN_SAMPLES} "
            "windows of two moods or more",
            code="too_few_labels",
        )
    trainers = [node for node, one in zip(nodes, held, strict=True) if one.labels]
    features = held[0].features
    network = MoodNetwork.initial(features, labels)
    for number in range(1, rounds + 1):
        answers = await _round(card, trainers, network)
        network = averaged(
            [MoodNetwork.from_bytes(base64.b64decode(one.network_base64), features)
             for one in answers]
        )  # fmt: skip
        on_round(number)
    right = [one for answer in await _round(card, trainers, network) for one in answer.right]
    await asyncio.gather(*(node.install_moods(card, _packed(network)) for node in nodes))
    return TrainedMoods(network=network, right=sum(right), tested=len(right))


async def _round(card: str, nodes: Sequence[MoodNode], network: MoodNetwork) -> list[MoodRound]:
    return await asyncio.gather(*(node.mood_round(card, _packed(network)) for node in nodes))


def _packed(network: MoodNetwork) -> MoodRound:
    return MoodRound(network_base64=base64.b64encode(network.to_bytes()).decode())
