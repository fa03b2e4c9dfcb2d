"""``edgewright moods``: own labels for the cards that sense moods, and training on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from edgewright.cli.views.output import Json, progress_console, reported_errors
from edgewright.cli.views.safe import print_json, say
from edgewright.tools.units import counted

if TYPE_CHECKING:
    from edgewright.tools.contracts.views import MoodLabels
    from edgewright.tools.nodes.mood_client import MoodClient
    from edgewright.tools.sensing.moods.rounds import TrainedMoods

_ROUNDS = 20

EXAMPLES = """\
Examples:

edgewright moods label mood-from-network-traffic calm --node http://127.0.0.1:8760

edgewright moods train mood-from-network-traffic --node http://127.0.0.1:8760,http://127.0.0.1:8761

edgewright moods forget mood-from-network-traffic --node http://127.0.0.1:8760
"""

moods = typer.Typer(
    help="Label moods for sensing cards, and train the cards on the labels.",
    epilog=EXAMPLES,
    no_args_is_help=True,
)

Card = Annotated[
    str, typer.Argument(metavar="CARD", help="mood-from-network-traffic, for example.")
]
Nodes = Annotated[
    str,
    typer.Option(
        "--node", metavar="URLS", help="The nodes, by commas.", envvar="EDGEWRIGHT_DEVICE_URL"
    ),
]


@moods.command(epilog="Example: edgewright moods label mood-from-network-traffic calm --node URL")
def label(
    card: Card,
    mood: Annotated[str, typer.Argument(metavar="MOOD", help="How the person feels now.")],
    node: Nodes,
    as_json: Json = False,
) -> None:
    """Keep how somebody feels now, with what the card's sensor shows.

    The node reads its sensor and keeps the named features of the window: shares
    of use, or rates of breath and heartbeat. They do not leave it.
    """
    with reported_errors(as_json):
        with progress_console().status("reading the sensor"):
            held = asyncio.run(_label(node, card, mood))
        if as_json:
            print_json({"nodes": [one.model_dump(mode="json") for one in held]})
            return
        for one in held:
            say(", ".join(f"{count} {name}" for name, count in sorted(one.labels.items())))


@moods.command(epilog="Example: edgewright moods train mood-from-network-traffic --node URL,URL")
def train(
    card: Card,
    node: Nodes,
    rounds: Annotated[
        int, typer.Option(metavar="N", min=1, max=500, help="Rounds over the nodes.")
    ] = _ROUNDS,
    as_json: Json = False,
) -> None:
    """Train a card on the labels that the nodes hold, by federated averaging.

    Each node trains on its own labels; only networks travel. All nodes use the
    result from then on, and answers say what they rest on.
    """
    with reported_errors(as_json):
        with progress_console().status("training") as status:
            found = asyncio.run(
                _train(node, card, rounds, lambda done: status.update(f"round {done} of {rounds}"))
            )
        network = found.network
        if as_json:
            print_json({
                "labels": network.labels, "samples": network.samples, "nodes": network.nodes,
                "right": found.right, "tested": found.tested,
            })  # fmt: skip
            return
        say(
            f"trained on {network.samples} labels on {counted(network.nodes, 'node')}; right for "
            f"{found.right} of {found.tested} that were kept for that"
        )


@moods.command(epilog="Example: edgewright moods forget mood-from-network-traffic --node URL")
def forget(card: Card, node: Nodes, as_json: Json = False) -> None:
    """Delete a card's labels, and what was trained on them."""
    with reported_errors(as_json):
        held = asyncio.run(_forget(node, card))
        if as_json:
            print_json({"nodes": [one.model_dump(mode="json") for one in held]})
        else:
            say(f"{counted(len(held), 'node')} without labels of {card}")


@asynccontextmanager
async def _clients(urls: str) -> AsyncIterator[list[MoodClient]]:
    from edgewright.tools.nodes.mood_client import MoodClient
    from edgewright.tools.nodes.urls import urls_of
    from edgewright.tools.settings import Settings

    key = Settings.from_environment(embedded=True).api_key or None
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(MoodClient(url, api_key=key)) for url in urls_of(urls)
        ]


async def _label(urls: str, card: str, mood: str) -> list[MoodLabels]:
    from edgewright.tools.contracts.views import MoodLabel

    async with _clients(urls) as nodes:
        return [await node.label_mood(card, MoodLabel(label=mood)) for node in nodes]


async def _train(
    urls: str, card: str, rounds: int, on_round: Callable[[int], None]
) -> TrainedMoods:
    from edgewright.tools.sensing.moods.rounds import train as train_moods

    async with _clients(urls) as nodes:
        return await train_moods(card, nodes, rounds, on_round)


async def _forget(urls: str, card: str) -> list[MoodLabels]:
    async with _clients(urls) as nodes:
        return [await node.forget_moods(card) for node in nodes]
