"""The latest turns of a thread, which its state holds; ``services/turns`` stores all of them.

What a step reads and a checkpoint writes stays the same size, however long a thread gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AnyMessage, RemoveMessage

#: Number of turns that requests can refer back to.
LATEST = 30
#: Number of messages before the request that the state holds, for what shows them. Nothing is read
#: from them, and each checkpoint writes them all.
MESSAGES = 20


def latest(turns: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Append turns and drop those that are too old; the reducer of the state's ``history``."""
    return [*turns, *new][-LATEST:]


def outdated(messages: Sequence[AnyMessage]) -> list[RemoveMessage]:
    """Return the removals of all but the latest messages.

    Args:
        messages: The thread's, the new request last.
    """
    return [RemoveMessage(str(message.id)) for message in messages[: -MESSAGES - 1]]
