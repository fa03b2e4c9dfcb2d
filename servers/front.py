"""What the interfaces share: one session, the keys of callers, and places for requests."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from edgewright.agents.planner.request import Turn
from edgewright.edge_runtime.keys import Caller, KeyRing
from edgewright.edge_runtime.metrics import RequestMetrics
from edgewright.edge_runtime.workers.places import Places
from edgewright.graphs.assistant.events import Event
from edgewright.graphs.assistant.session import Reply, Session
from edgewright.servers.config import ServeConfig
from edgewright.servers.permission import trainer_for
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.tracing import Tracing

#: Time of a request before any was measured, in seconds.
_FIRST_GUESS_S = 1.0
_MEASURED = 50
_Result = TypeVar("_Result")


class Front:
    """The front of the suite; implements ``edge_runtime.served.Served``.

    Args:
        config: Its configuration.
        session: The session behind every interface.

    Attributes:
        config: Its configuration.
        session: The session; each request runs on a thread of its own.
        keys: The keys of its callers.
        requests: Places of the requests that it serves, by caller.
        work: Places of the requests that the session is carrying out: a response that is streamed
            begins before its work has ended.
        metrics: Metrics of its requests.
        tracing: Begins the traces of its requests; closed by who serves it.
        draining: Whether it is stopping and accepts no more work.
    """

    def __init__(self, config: ServeConfig, session: Session) -> None:
        self.config = config
        self.session = session
        self.keys = KeyRing(config.keys)
        self.requests = Places(config.limits.concurrency)
        self.work = Places(config.limits.concurrency)
        self.metrics = RequestMetrics("front")
        self.tracing = Tracing("edgewright-serve")
        self.draining = False
        self._seconds: deque[float] = deque(maxlen=_MEASURED)

    @property
    def mean_service_s(self) -> float:
        """Mean time of the latest requests, in seconds."""
        return sum(self._seconds) / len(self._seconds) if self._seconds else _FIRST_GUESS_S

    def start(
        self, caller: str, work: Callable[[], Coroutine[Any, Any, _Result]]
    ) -> asyncio.Task[_Result]:
        """Start the work of a request, which has a place until it ends.

        Args:
            caller: Name of the caller.
            work: Does the work.

        Raises:
            OverloadedError: There is no place for this caller.
        """
        self.work.take(caller, usual_s=lambda: self.mean_service_s)
        task = asyncio.create_task(work())
        task.add_done_callback(lambda _: self.work.free(caller))
        return task

    async def ask(
        self,
        text: str,
        *,
        caller: Caller,
        images: Sequence[ImageRef] = (),
        earlier: Sequence[Turn] = (),
        on_event: Callable[[Event], None] = lambda _: None,
    ) -> Reply:
        """Ask the session, and keep nothing of the request but its images.

        Clients of these interfaces keep their conversations themselves.

        Args:
            text: The request.
            caller: Who asks; its key says whether the request may train.
            images: Its images.
            earlier: The turns before it, oldest first.
            on_event: Told of progress as it happens.

        Raises:
            EdgewrightError: As for ``Session.ask``.
        """
        began = time.perf_counter()
        thread = self.session.on_new_thread()
        try:
            return await thread.ask(
                text,
                images=images,
                earlier=earlier,
                trainer=trainer_for(caller),
                on_event=on_event,
            )
        finally:
            self._seconds.append(time.perf_counter() - began)
            await thread.forget()
