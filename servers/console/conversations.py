"""Conversations of the console: each request with everything that has happened of it so far."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict, deque
from typing import Any

from edgewright.agents.planner.request import Turn
from edgewright.edge_runtime.keys import Caller
from edgewright.graphs.assistant.events import Event
from edgewright.graphs.assistant.history import LATEST
from edgewright.graphs.assistant.session import Reply
from edgewright.servers.console.journal import Journal
from edgewright.servers.front import Front
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import NotFoundError

Json = dict[str, Any]

#: Number of conversations that are kept, of requests in each, and of tasks with their arms.
_SIZE = 200
_EXCHANGES = 100
_RUNS = 60
#: Length of a conversation's title, in characters.
_TITLE = 80


class Exchange(Journal):
    """A request and its events.

    Args:
        text: The request.
        images: Its images.

    Attributes:
        text: The request.
        images: Its images.
        reply: The reply, once there is one.
    """

    def __init__(self, text: str, images: tuple[ImageRef, ...]) -> None:
        super().__init__()
        self.text = text
        self.images = images
        self.reply: Reply | None = None

    def as_json(self) -> Json:
        """Return it as plain JSON values."""
        return {
            "id": self.id,
            "text": self.text,
            "images": [image.model_dump(mode="json") for image in self.images],
            "events": self.events,
            "done": self.done,
        }


class Conversation:
    """A conversation.

    Args:
        caller: Name of the caller, who alone reaches it.

    Attributes:
        id: Identifies it.
        caller: Name of the caller.
        exchanges: Its requests, oldest first.
    """

    def __init__(self, caller: str) -> None:
        self.id = secrets.token_hex(8)
        self.caller = caller
        self.exchanges: list[Exchange] = []

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns that the planner sees."""
        found = [each.reply.turn for each in self.exchanges if each.reply is not None]
        return tuple(found[-LATEST:])

    def summary(self) -> Json:
        """Return what a list of conversations shows of it."""
        first = self.exchanges[0]
        running = not self.exchanges[-1].done
        return {"id": self.id, "title": first.text[:_TITLE] or "Image", "running": running}


class Conversations:
    """All conversations; they are in memory and end with the server.

    Args:
        front: The front that answers.

    Attributes:
        runs: The latest tasks, each with its arm, forecast and measured time, oldest first.
    """

    def __init__(self, front: Front) -> None:
        self._front = front
        self._all: OrderedDict[str, Conversation] = OrderedDict()
        self.runs: deque[tuple[str, Json]] = deque(maxlen=_RUNS)

    def of(self, caller: str) -> list[Conversation]:
        """List a caller's conversations, the one that was used last first."""
        return [each for each in reversed(self._all.values()) if each.caller == caller]

    def get(self, name: str, caller: str) -> Conversation:
        """Return a conversation.

        Raises:
            NotFoundError: The caller has no such conversation.
        """
        found = self._all.get(name)
        if found is None or found.caller != caller:
            raise NotFoundError(
                "this conversation is no longer on the server, which keeps them until it stops; "
                "start a new one",
                code="unknown_conversation",
            )
        return found

    def exchange(self, name: str, caller: str) -> Exchange:
        """Return a request of a caller.

        Raises:
            NotFoundError: The caller has made no such request.
        """
        for conversation in self.of(caller):
            for each in conversation.exchanges:
                if each.id == name:
                    return each
        raise NotFoundError(
            "this request is no longer on the server; send it again", code="unknown_request"
        )

    def remove(self, conversation: Conversation) -> None:
        """Forget a conversation, and stop what runs for it."""
        for each in conversation.exchanges:
            if each.work is not None:
                each.work.cancel()
        self._all.pop(conversation.id, None)

    def ask(
        self, caller: Caller, name: str | None, text: str, images: tuple[ImageRef, ...]
    ) -> tuple[Conversation, Exchange]:
        """Begin to answer a request, whether or not a page follows it.

        Args:
            caller: The caller.
            name: The conversation; None begins a new one.
            text: The request.
            images: Its images.

        Raises:
            NotFoundError: There is no such conversation.
            OverloadedError: There is no place for this caller.
        """
        owner = caller.name
        conversation = self.get(name, owner) if name else Conversation(owner)
        earlier = conversation.turns
        exchange = Exchange(text, images)
        exchange.begin(self._front.start(owner, lambda: self._answer(exchange, earlier, caller)))
        conversation.exchanges = [*conversation.exchanges, exchange][-_EXCHANGES:]
        self._all[conversation.id] = conversation
        self._all.move_to_end(conversation.id)
        while len(self._all) > _SIZE:
            self.remove(next(iter(self._all.values())))
        return conversation, exchange

    async def _answer(self, exchange: Exchange, earlier: tuple[Turn, ...], caller: Caller) -> None:
        def on_event(event: Event) -> None:
            exchange.add(event.model_dump(mode="json"))

        try:
            reply = await self._front.ask(
                exchange.text,
                caller=caller,
                images=exchange.images,
                earlier=earlier,
                on_event=on_event,
            )
        except asyncio.CancelledError:
            exchange.add({"event": "failed", "code": "stopped", "message": "It was stopped."})
            raise
        except Exception as error:  # noqa: BLE001 - shown on the page and logged
            exchange.fail(error)
        else:
            exchange.reply = reply
            decisions = {
                task: decision.model_dump(mode="json") for task, decision in reply.decisions.items()
            }
            exchange.add(
                {
                    "event": "reply",
                    "status": reply.status,
                    "decisions": decisions,
                    **reply.as_json(),
                }
            )
            self.runs.extend((caller.name, run) for run in _runs(reply))


def _runs(reply: Reply) -> list[Json]:
    """Return how the tasks of a reply were run, against what was forecast."""
    return [
        {
            "at": round(time.time(), 3),
            "tool": result.tool,
            "arm": result.report.arm,
            "ms": round(sum(result.report.stages_ms.values()), 1),
            "forecast_ms": next(
                (
                    forecast.latency_ms
                    for decision in [reply.decisions.get(result.task_id)]
                    if decision is not None
                    for forecast in decision.forecasts
                    if forecast.arm.label == result.report.arm
                ),
                None,
            ),
            "bytes_up": result.report.bytes_up,
            "fell_back": bool(result.report.fallback),
        }
        for result in reply.results
        if result.report is not None
    ]
