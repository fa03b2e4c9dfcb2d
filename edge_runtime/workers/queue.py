"""The queue in front of a model: places that are kept, served fairly by caller."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from edgewright.edge_runtime.keys import Caller
from edgewright.edge_runtime.workers.places import Places
from edgewright.tools.errors import DeadlineError


@dataclass(eq=False)
class _Line:
    """The calls of one caller.

    Attributes:
        weight: The caller's share, relative to those of others.
        served_s: Service time that it has received, divided by its weight, on the queue's scale.
        waiting: Its waiting calls, oldest first.
        places: Number of its waiting and running calls.
    """

    weight: float
    served_s: float
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    places: int = 0


class FairQueue:
    """A bounded queue for one server, which serves the caller that has received least.

    A call keeps its place until its turn or its deadline. A caller that arrives starts level with
    the others: on a scale of service time that advances as fast as everybody's share of it does,
    as in weighted fair queueing. So a caller with one call at a time hardly waits for one with
    many.

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
        place: asyncio.Future[None] = loop.create_future()
        self._places.take(caller.name, usual_s=usual_s)
        line = self._line_of(caller)
        line.waiting.append(place)
        line.places += 1
        self._serve_next()
        try:
            async with asyncio.timeout_at(latest):
                await place
        except BaseException as error:
            self._give_up(caller, place)
            if isinstance(error, TimeoutError):
                raise _late() from None
            raise
        return Turn(self, caller)

    def _line_of(self, caller: Caller) -> _Line:
        if caller.name not in self._lines:
            self._lines[caller.name] = _Line(caller.weight, self._level_s)
        return self._lines[caller.name]

    def _serve_next(self) -> None:
        while not self._busy:
            waiting = [line for line in self._lines.values() if line.waiting]
            if not waiting:
                return
            place = min(waiting, key=lambda line: line.served_s).waiting.popleft()
            if not place.done():  # its call may have given up just now
                self._busy = True
                place.set_result(None)

    def _give_up(self, caller: Caller, place: asyncio.Future[None]) -> None:
        """Free a place whose call waits no longer."""
        if place.done() and not place.cancelled():  # its turn came at the same moment
            self.leave(caller, 0.0)
        else:
            with suppress(ValueError):  # it was passed over already
                self._lines[caller.name].waiting.remove(place)
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
    """

    queue: FairQueue
    caller: Caller

    def end(self, service_s: float) -> None:
        """Let the next call be served.

        Args:
            service_s: Service time of this one.
        """
        self.queue.leave(self.caller, service_s)
