"""Sends messages to the clients and takes their replies as soon as they are there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Set

from flwr.app import Message
from flwr.serverapp import Grid

#: Flower looks every three seconds, which a small model's round hardly takes.
_POLL_S = 0.5


def exchange(
    grid: Grid, messages: Iterable[Message], *, timeout: float | None = None
) -> list[Message]:
    """Send messages and wait for the replies; takes the place of Flower's ``send_and_receive``.

    Args:
        grid: Flower's grid.
        messages: The messages.
        timeout: Maximum wait in seconds; None waits for all replies.

    Returns:
        The replies that came in time.
    """
    waiting = set(grid.push_messages(messages))
    deadline = None if timeout is None else time.monotonic() + timeout
    replies: list[Message] = []
    while waiting and (deadline is None or time.monotonic() < deadline):
        found = list(grid.pull_messages(waiting))
        replies += found
        waiting -= {message.metadata.reply_to_message_id for message in found}
        if waiting:
            time.sleep(_POLL_S)
    return replies


def await_return(
    grid: Grid, client_of: Mapping[int, int], clients: Set[int], *, timeout_s: float
) -> list[int]:
    """Wait until clients are connected again, or for some time.

    Args:
        grid: Flower's grid.
        client_of: The client of each node.
        clients: The clients.
        timeout_s: Maximum wait.

    Returns:
        All nodes that are connected then.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        nodes = list(grid.get_node_ids())
        missing = clients - {client_of.get(node, -1) for node in nodes}
        if not missing or time.monotonic() >= deadline:
            return nodes
        time.sleep(_POLL_S)
