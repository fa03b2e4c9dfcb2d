"""What is remembered of conversations that clients keep: the turns behind what they send again."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence

from edgewright.agents.planner.request import Turn
from edgewright.graphs.assistant.messages import text_of
from edgewright.servers.openai.requests import Message

#: Number of conversations that are remembered.
SIZE = 500


class Conversation:
    """The digest of a conversation's messages.

    Args:
        caller: Name of the caller: nobody reaches the turns of another one.
        messages: The messages, oldest first.
    """

    def __init__(self, caller: str, messages: Sequence[Message]) -> None:
        self._digest = hashlib.sha256(caller.encode())
        #: The key of the conversation up to its last answer; empty before the first.
        self.answered = ""
        for message in messages:
            if message.role in ("user", "assistant"):
                self._add(message.role, message.content)
            if message.role == "assistant":
                self.answered = self._digest.hexdigest()

    def key_with(self, answer: str) -> str:
        """Return the key of the conversation once an answer was added to it."""
        self._add("assistant", answer)
        return self._digest.hexdigest()

    def _add(self, role: str, content: object) -> None:
        # Clients send an answer back as a text or as blocks, and differ in what none of it is.
        if role == "assistant":
            content = text_of(content)
        content = content or ""
        text = content.strip() if isinstance(content, str) else json.dumps(content, sort_keys=True)
        self._digest.update(f"\0{role}\0{text}".encode("utf-8", "surrogatepass"))


class Memory:
    """The turns of the latest conversations, by what clients send of them.

    A client sends a conversation's words again with each request, but not what was planned for
    them, which is what "and the other one?" refers to.

    Args:
        size: Number of conversations.
    """

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._turns: OrderedDict[str, tuple[Turn, ...]] = OrderedDict()

    def recall(self, key: str) -> tuple[Turn, ...] | None:
        """Return the turns of a conversation; None if they are not remembered."""
        if key in self._turns:
            self._turns.move_to_end(key)
        return self._turns.get(key)

    def keep(self, key: str, turns: tuple[Turn, ...]) -> None:
        """Remember the turns of a conversation, and forget the one that was used least recently."""
        self._turns[key] = turns
        self._turns.move_to_end(key)
        while len(self._turns) > self._size:
            self._turns.popitem(last=False)
