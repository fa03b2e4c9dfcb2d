"""Trainings of the console. Each belongs to a caller, and runs only while a page shows it.

Where a person has to decide, nothing runs. A training that is stopped goes on after the last round
that it finished.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from edgewright.agents.planner.request import MAX_REQUEST
from edgewright.graphs.federated.advance import Advanced, NewRun, advance
from edgewright.graphs.federated.context import TrainingContext
from edgewright.graphs.federated.data import data_request
from edgewright.graphs.federated.events import Event
from edgewright.graphs.federated.state import TrainSettings
from edgewright.servers.console.journal import Journal
from edgewright.servers.data import check_source
from edgewright.servers.front import Front
from edgewright.tools.errors import InputError, NotFoundError, OverloadedError

Json = dict[str, Any]
State = Literal["working", "waiting", "stopped", "over"]
Why = Literal["person", "unwatched", "server"]

#: Number of trainings that are kept.
_SIZE = 50
#: Time for which a training goes on without a page, as while one is loaded again, in seconds.
UNWATCHED_S = 60.0
_LOOK_S = 0.2
#: Up to so many clients, a page sees each of them finish its round.
_SEEN_CLIENTS = 50


class Described(BaseModel):
    """A training that a page requests.

    Attributes:
        purpose: What the model is for, in the person's words.
        source: The data; None for those that the words name.
        clients: Number of clients; None for as many as the words say.
    """

    model_config = ConfigDict(extra="forbid")

    purpose: str = Field(min_length=1, max_length=MAX_REQUEST)
    source: str | None = Field(default=None, max_length=4096)
    clients: int | None = Field(default=None, ge=1, le=1000)


class Decision(BaseModel):
    """A person's decision on a proposal.

    Attributes:
        type: ``accept`` it; ``accept-all``: it and those that follow; ``response``: have it
            changed; ``ignore`` it and end the run.
        words: What to change.
    """

    model_config = ConfigDict(extra="forbid")

    type: Literal["accept", "accept-all", "response", "ignore"]
    words: str = Field(default="", max_length=MAX_REQUEST)


class Training(Journal):
    """A training and its events.

    Args:
        caller: Name of the caller, who alone reaches it.
        wanted: What was requested.

    Attributes:
        caller: Name of the caller.
        wanted: What was requested.
        state: ``working``, ``waiting`` for a decision, ``stopped`` for now, or ``over``.
        run: Name of the run, once its data were prepared; empty before.
        changes: Settings that the person changed since it began.
        tool: The tool that it has trained, or empty.
        accuracy: Accuracy of the model on the test images; None without one.
        why: Why its work was stopped.
        closing: Whether the server is stopping.
    """

    def __init__(self, caller: str, wanted: Described) -> None:
        super().__init__()
        self.caller = caller
        self.wanted = wanted
        self.state: State = "working"
        self.run = ""
        self.changes: Json = {}
        self.tool = ""
        self.accuracy: float | None = None
        self.why: Why = "person"
        self.closing = False
        self._clients = 0

    @property
    def done(self) -> bool:
        """Whether nothing more happens: what waits or was stopped may go on."""
        return self.state == "over" or (self.closing and self.state != "working")

    def tell(self, event: Event) -> None:
        """Add an event of the run, with what pages show of it."""
        if event.event == "prepared":
            self.run, self._clients = event.run, len(event.card.clients)
            read = list(event.reading.lines()) if event.reading else []
            told = event.model_dump(mode="json", exclude={"reading"})
            self.add({**told, "read": read})
        elif event.event == "client":
            if self._clients <= _SEEN_CLIENTS:
                self.add(event.model_dump(mode="json", include={"event", "number", "round"}))
        elif event.event == "registered":
            test, self.tool = event.report.test, event.report.tool
            self.accuracy = test.accuracy if test else None
            shown = {"tool", "placement", "cautions", "best", "stop", "test"}
            told = event.report.model_dump(mode="json", include=shown)
            self.add({"event": "registered", **told})
        elif event.event != "round":
            self.add(event.model_dump(mode="json"))

    def pause(self, state: State, event: Json) -> None:
        """Change the state, and add the event that says so."""
        self.state = state
        self.add(event)

    def summary(self) -> Json:
        """Return what a list of trainings shows of it."""
        return {
            "id": self.id,
            "title": self.wanted.purpose,
            "state": self.state,
            "tool": self.tool,
            "accuracy": self.accuracy,
        }

    def as_json(self) -> Json:
        """Return it as plain JSON values."""
        wanted = self.wanted.model_dump(mode="json")
        return {**self.summary(), **wanted, "run": self.run, "events": self.events}


class Trainings:
    """All trainings; they are in memory, their runs in the state folder.

    Args:
        front: The front, whose work they are.
        context: The coder, and services that a caller has opened.
        unwatched_s: Time after which a training that no page shows is stopped.
    """

    def __init__(
        self,
        front: Front,
        *,
        context: TrainingContext | None = None,
        unwatched_s: float = UNWATCHED_S,
    ) -> None:
        self._front = front
        self._context = context or TrainingContext()
        self._unwatched_s = unwatched_s
        self._all: OrderedDict[str, Training] = OrderedDict()

    def of(self, caller: str) -> list[Training]:
        """List a caller's trainings, newest first."""
        return [each for each in reversed(self._all.values()) if each.caller == caller]

    def get(self, name: str, caller: str) -> Training:
        """Return a training.

        Raises:
            NotFoundError: The caller has no such training.
        """
        found = self._all.get(name)
        if found is None or found.caller != caller:
            raise NotFoundError(
                "this training is no longer on the server, which keeps them until it stops; its "
                "run is: 'edgewright runs list' shows it, and how to continue it",
                code="unknown_training",
            )
        return found

    def begin(self, caller: str, wanted: Described) -> Training:
        """Begin a training.

        Raises:
            OverloadedError: Another one is running, or there is no place for this caller.
        """
        training = Training(caller, wanted)
        self._start(training)
        self._all[training.id] = training
        over = [name for name, each in self._all.items() if each.state != "working"]
        for name in over[: max(0, len(self._all) - _SIZE)]:
            del self._all[name]
        return training

    def decide(self, training: Training, decision: Decision) -> None:
        """Go on with a training as a person has decided.

        Raises:
            InputError: It waits for no decision (``no_question``), or what should change is missing
                (``request_empty``).
            OverloadedError: As for ``begin``.
        """
        if training.state != "waiting":
            raise InputError(
                "this training waits for no decision; it was decided elsewhere", code="no_question"
            )
        words = decision.words.strip()
        if decision.type == "response" and not words:
            raise InputError("say what should change", code="request_empty")
        changes, answer = training.changes, None
        if decision.type == "accept-all":
            changes = {**changes, "approval": "auto"}
        else:
            answer = {"type": decision.type, "args": words or None}
        self._start(training, answer, changes)
        training.add({"event": "answered", "type": decision.type, "words": words})

    def resume(self, training: Training) -> None:
        """Go on with a training that was stopped.

        Raises:
            InputError: It was not stopped (``not_stopped``).
            OverloadedError: As for ``begin``.
        """
        if training.state != "stopped":
            raise InputError("this training is not stopped", code="not_stopped")
        self._start(training)
        training.add({"event": "continued"})

    def stop(self, training: Training, why: Why = "person") -> None:
        """Stop the work of a training, if there is any; its end is an event."""
        if training.work is not None and not training.work.done():
            training.why = why
            training.work.cancel()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Stop trainings that no page shows while the block runs, and all of them at its end."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            self._close()
            works = [each.work for each in self._all.values() if each.work is not None]
            await asyncio.gather(*works, return_exceptions=True)

    async def _watch(self) -> None:
        while not self._front.draining:
            await asyncio.sleep(_LOOK_S)
            for each in self._all.values():
                alone = not each.followers and time.monotonic() - each.left_at > self._unwatched_s
                if each.state == "working" and alone:
                    self.stop(each, "unwatched")
        self._close()

    def _close(self) -> None:
        """Stop what runs, and end what pages follow, so that the server can stop."""
        for each in self._all.values():
            each.closing = True
            self.stop(each, "server")
            each.wake()

    def _start(
        self, training: Training, answer: Json | None = None, changes: Json | None = None
    ) -> None:
        if any(each.work is not None and not each.work.done() for each in self._all.values()):
            raise OverloadedError(
                "another training is running, and one at a time has this machine; wait for its "
                "end, or stop it",
                code="training_busy",
            )
        work = self._front.start(training.caller, lambda: self._work(training, answer))
        training.changes = changes if changes is not None else training.changes
        training.state = "working"
        training.begin(work)
        work.add_done_callback(lambda ended: _stopped(training) if ended.cancelled() else None)

    async def _work(self, training: Training, answer: Json | None) -> None:
        try:
            advanced = await self._advance(training, answer)
            example = await self._example(training)
        except Exception as error:  # noqa: BLE001 - shown on the page and logged
            training.state = "stopped" if training.run else "over"
            training.fail(error, resumable=bool(training.run))
        else:
            if advanced.report is None:
                training.pause("waiting", {"event": "waiting"})
            else:
                training.pause("over", {"event": "over", "example": example})

    async def _advance(self, training: Training, answer: Json | None) -> Advanced:
        context = replace(self._context, changes=training.changes)
        if training.run:
            return await advance(
                training.run, answer=answer, context=context, on_event=training.tell
            )
        wanted = training.wanted
        data = await asyncio.to_thread(
            data_request, wanted.purpose, source=wanted.source, clients=wanted.clients
        )
        await asyncio.to_thread(check_source, data.source, self._front.config.data)
        new = NewRun(wanted.purpose, data, TrainSettings(approval="ask"))
        return await advance(new, context=context, on_event=training.tell)

    async def _example(self, training: Training) -> str:
        """Return a request that the trained tool can carry out; empty without a tool."""
        if not training.tool:
            return ""
        services = self._front.session.services
        await services.refresh()
        return services.cards.get(training.tool).demonstrations[0].request


def _stopped(training: Training) -> None:
    resumable = bool(training.run)
    told = {"event": "stopped", "why": training.why, "resumable": resumable}
    training.pause("stopped" if resumable else "over", told)
