"""The queue in front of a model: places that are kept, served fairly by caller."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from edgewright.edge_runtime.keys import Caller
from edgewright.edge_runtime.workers.places import Places
from edgewright.tools.errors import DeadlineError

#: Weight of the latest client that left in the estimate of the others' patience.
_LEARNING = 0.25
#: The estimate is forgotten when nobody has left for this many times as long.
_MEMORY = 10.0
#: A client is patient if it stays this many times as long as others.
_PATIENT = 1.25
#: Service times that must fit into the rest of a client's patience, or before its deadline: single
#: ones take longer than usual.
_MARGIN = 2.0


@dataclass(eq=False)
class _Waiting:
    """A waiting call.

    Attributes:
        place: Done when its turn comes.
        since: When it arrived, on the event loop's clock.
        deadline: When it has to be done, on the same clock.
        usual_s: Usual service time.
    """

    place: asyncio.Future[None]
    since: float
    deadline: float
    usual_s: float

    def in_time(self, now: float) -> bool:
        """Return whether it will most likely be done before its deadline."""
        return now + _MARGIN * self.usual_s <= self.deadline


@dataclass
class _Patience:
    """How long a caller's clients wait before they disconnect, as far as they did lately.

    Attributes:
        limit_s: The wait after which they leave; None if none has left lately.
        until: When that is forgotten, on the event loop's clock.
    """

    limit_s: float | None = None
    until: float = 0.0

    def left(self, waited_s: float, now: float) -> None:
        """Learn from a client that has left."""
        before = self.limit_s if self.limit_s is not None and now < self.until else waited_s
        self.limit_s = before + _LEARNING * (waited_s - before)
        self.until = now + _MEMORY * self.limit_s

    def served_next(self, waiting: deque[_Waiting], now: float) -> _Waiting:
        """Return the call to serve: the oldest that will be in time for a client that stays.

        A client that has stayed longer than others is patient, and is served first.
        """
        timely = [one for one in waiting if one.in_time(now)] or [waiting[0]]
        if self.limit_s is None or now >= self.until:
            return timely[0]
        for one in timely:
            waited_s = now - one.since
            stays = waited_s > _PATIENT * self.limit_s
            if stays or waited_s + _MARGIN * one.usual_s < self.limit_s:
                return one
        return timely[0]


@dataclass(eq=False)
class _Line:
    """The calls of one caller.

    Attributes:
        weight: The caller's share, relative to those of others.
        served_s: Service time that it has received, divided by its weight, on the queue's scale.
        patience: How long its clients wait.
        waiting: Its waiting calls, oldest first.
        places: Number of its waiting and running calls.
    """

    weight: float
    served_s: float
    patience: _Patience = field(default_factory=_Patience)
    waiting: deque[_Waiting] = field(default_factory=deque)
    places: int = 0


class FairQueue:
    """A bounded queue for one server, which serves the caller that has received least.

    A call keeps its place until its turn or its deadline. A caller that arrives starts level with
    the others: on a scale of service time that advances as fast as everybody's share of it does,
    as in weighted fair queueing. So a caller with one call at a time hardly waits for one with
    many.

    Among the calls of one caller, those that would be late or given up before they are answered are
    passed over: in the order of arrival, an overloaded server begins each call when its time is
    nearly over. Clients do not say how long they wait, so that is learned from those that
    disconnect.

    Args:
        places: Number of calls that may wait or run.
    """

    def __init__(self, places: int) -> None:
        self._places = Places(places)
        self._lines: dict[str, _Line] = {}
        self._busy = False
        self._level_s = 0.0

    @property
    def idle(self) -> bool:
        """Whether no call waits or runs."""
        return not self._lines

    @property
    def length(self) -> int:
        """Number of calls that wait or run."""
        return sum(line.places for line in self._lines.values())

    async def enter(
        self, caller: Caller, *, deadline: float, usual_s: float, least_s: float
    ) -> Turn:
        """Wait for the server.

        Args:
            caller: Whose call it is.
            deadline: Deadline on the event loop's clock, in seconds.
            usual_s: Usual service time of all calls.
            least_s: Time that the call needs at least; it is not begun if it could not be done in
                time.

        Returns:
            The turn, which the caller must end.

        Raises:
            OverloadedError: There is no place for the caller.
            DeadlineError: The call cannot be done before its deadline.
        """
        loop = asyncio.get_running_loop()
        latest = deadline - least_s
        if latest <= loop.time():
            raise _late()
        waiting = _Waiting(loop.create_future(), loop.time(), deadline, usual_s)
        self._places.take(caller.name, usual_s=lambda: usual_s)
        line = self._line_of(caller)
        line.waiting.append(waiting)
        line.places += 1
        self._serve_next()
        try:
            async with asyncio.timeout_at(latest):
                await waiting.place
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                self.client_left(caller, waiting.since)
            self._give_up(caller, waiting)
            if isinstance(error, TimeoutError):
                raise _late() from None
            raise
        return Turn(self, caller, waiting.since)

    def client_left(self, caller: Caller, since: float) -> None:
        """Note that a client has disconnected before its answer.

        Args:
            caller: Whose call it was.
            since: When the call arrived, on the event loop's clock.
        """
        now = asyncio.get_running_loop().time()
        self._lines[caller.name].patience.left(now - since, now)

    def _line_of(self, caller: Caller) -> _Line:
        if caller.name not in self._lines:
            self._lines[caller.name] = _Line(caller.weight, self._level_s)
        return self._lines[caller.name]

    def _serve_next(self) -> None:
        while not self._busy:
            waiting = [line for line in self._lines.values() if line.waiting]
            if not waiting:
                return
            line = min(waiting, key=lambda line: line.served_s)
            one = line.patience.served_next(line.waiting, asyncio.get_running_loop().time())
            line.waiting.remove(one)
            if not one.place.done():  # its call may have given up just now
                self._busy = True
                one.place.set_result(None)

    def _give_up(self, caller: Caller, one: _Waiting) -> None:
        """Free a place whose call waits no longer."""
        if one.place.done() and not one.place.cancelled():  # its turn came at the same moment
            self.leave(caller, 0.0)
        else:
            with suppress(ValueError):  # it was passed over already
                self._lines[caller.name].waiting.remove(one)
            self._free_place(caller)

    def leave(self, caller: Caller, service_s: float) -> None:
        """End a turn; the next call is served.

        Args:
            caller: Whose turn it was.
            service_s: Service time that it took.
        """
        self._level_s += service_s / sum(line.weight for line in self._lines.values())
        line = self._lines[caller.name]
        line.served_s += service_s / line.weight
        self._free_place(caller)
        self._busy = False
        self._serve_next()

    def _free_place(self, caller: Caller) -> None:
        self._places.free(caller.name)
        line = self._lines[caller.name]
        line.places -= 1
        if not line.places:
            del self._lines[caller.name]


def _late() -> DeadlineError:
    return DeadlineError(
        "the call's turn does not come soon enough before its deadline; allow more time"
    )


@dataclass(frozen=True)
class Turn:
    """A call's turn at the server.

    Attributes:
        queue: The queue.
        caller: Whose call it is.
        since: When it arrived, on the event loop's clock.
    """

    queue: FairQueue
    caller: Caller
    since: float

    def client_left(self) -> None:
        """Note that the client has disconnected while it was served."""
        self.queue.client_left(self.caller, self.since)

    def end(self, service_s: float) -> None:
        """Let the next call be served.

        Args:
            service_s: Service time of this one.
        """
        self.queue.leave(self.caller, service_s)
