"""Routes for a person's own labels of moods: keep them, train on them, forget them."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request

from edgewright.edge_runtime.api.bodies import read_fields
from edgewright.edge_runtime.api.middleware import MOODS_PATH
from edgewright.edge_runtime.execution import moods
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.views import MoodLabel, MoodLabels, MoodRound

router = APIRouter(tags=["node"])

LABELS_PATH = f"{MOODS_PATH}/{{card}}/labels"
ROUND_PATH = f"{MOODS_PATH}/{{card}}/round"
NETWORK_PATH = f"{MOODS_PATH}/{{card}}/network"


@router.get(LABELS_PATH)
async def list_labels(request: Request, card: str) -> MoodLabels:
    """Return the number of labelled windows of each label."""
    return await asyncio.to_thread(moods.labels_of, request.app.state.node, card)


@router.post(LABELS_PATH)
async def add_label(request: Request, card: str) -> MoodLabels:
    """Read the card's sensor now, and keep the features of its window with a label."""
    node: Node = request.app.state.node
    limits = node.config.limits
    label = await read_fields(MoodLabel, request.scope, request.receive, limits)
    return await moods.add_label(node, card, label, request.scope["caller"])


@router.delete(LABELS_PATH)
async def forget_labels(request: Request, card: str) -> MoodLabels:
    """Delete the labels, and the network that was trained on them."""
    node: Node = request.app.state.node
    await asyncio.to_thread(moods.own_moods(node, card).forget)
    return moods.labels_of(node, card)


@router.post(ROUND_PATH)
async def train_round(request: Request, card: str) -> MoodRound:
    """Train a network on the labels of this node, which do not leave it."""
    node: Node = request.app.state.node
    limits = node.config.limits
    begin = await read_fields(MoodRound, request.scope, request.receive, limits)
    return await asyncio.to_thread(moods.train_round, node, card, begin)


@router.put(NETWORK_PATH)
async def install_network(request: Request, card: str) -> MoodLabels:
    """Use a trained network from now on."""
    node: Node = request.app.state.node
    limits = node.config.limits
    trained = await read_fields(MoodRound, request.scope, request.receive, limits)
    await asyncio.to_thread(moods.install, node, card, trained)
    return moods.labels_of(node, card)
