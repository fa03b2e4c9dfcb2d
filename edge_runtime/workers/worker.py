"""The node's side of a model worker: calls it in turn, replaces it when stuck or lost."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any

import psutil

from edgewright.edge_runtime.keys import ANONYMOUS, Caller
from edgewright.edge_runtime.workers import wire
from edgewright.edge_runtime.workers.process import main
from edgewright.edge_runtime.workers.queue import FairQueue, Turn
from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.edge_runtime.workers.spawning import Entry, spawn
from edgewright.edge_runtime.workers.work import Work, record_computed
from edgewright.tools.errors import (
    DeadlineError,
    ErrorInfo,
    UnavailableError,
    WorkerLostError,
    from_info,
)
from edgewright.tools.offload.load import LoadMeter
from edgewright.tools.tracing import note, span, traced

log = logging.getLogger(__name__)

#: A process that ends sooner than this after loading is not replaced before the next call.
_SHORT_LIFE_S = 1.0
#: Number of service times from which the least time for a call is taken.
_RECENT = 16


@dataclass(eq=False)
class _Process:
    process: multiprocessing.process.BaseProcess
    channel: wire.Channel
    loaded_at: float = 0.0


class ModelWorker:
    """A model in a process of its own: one call at a time, in a fair order.

    Args:
        settings: Settings of its process.
        queue: Number of calls that may run or wait.
        load_s: Maximum time for the model to load.
        call_s: Maximum time for one call; a process that takes longer is replaced.
        entry: Entry point of its process.

    Attributes:
        model: Model id.
        description: The process's description of its model; kept after the model is unloaded.
        replaced: Number of times a process was lost or killed and replaced.
        last_used: Time of the last call, by ``time.monotonic``.
        meter: Measures its load.
        work: What it has done so far.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        queue: int = 64,
        load_s: float = 120.0,
        call_s: float = 120.0,
        entry: Entry = main,
    ) -> None:
        self.model = settings.model
        self.description: dict[str, Any] = {}
        self.replaced = 0
        self.last_used = 0.0
        self.meter = LoadMeter()
        self.work = Work()
        self._free_since = 0.0
        self._settings = settings
        self._queue = FairQueue(queue)
        self._load_s = load_s
        self._call_s = call_s
        #: Recent service times by operation.
        self._services_s: defaultdict[str, deque[float]] = defaultdict(
            lambda: deque(maxlen=_RECENT)
        )
        self._entry = entry
        self._process: _Process | None = None
        self._starting: asyncio.Task[_Process] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def loaded(self) -> bool:
        """Whether its process runs and has loaded the model."""
        return self._process is not None

    @property
    def idle(self) -> bool:
        """Whether no call is running or waiting."""
        return self._queue.idle

    @property
    def queued(self) -> int:
        """Number of calls that run or wait."""
        return self._queue.length

    @property
    def rss_bytes(self) -> int:
        """Memory of its process in bytes; 0 without a process."""
        if self._process is None or self._process.process.pid is None:
            return 0
        try:
            return int(psutil.Process(self._process.process.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    async def load(self) -> None:
        """Start its process if there is none, and wait until the model is loaded.

        Raises:
            UnavailableError: The model cannot be loaded.
        """
        await self._ready_process()

    async def call(
        self,
        operation: str,
        parameters: dict[str, Any],
        blob: bytes = b"",
        *,
        caller: Caller = ANONYMOUS,
        deadline: float,
    ) -> tuple[dict[str, Any], bytes]:
        """Call an operation, when its turn comes.

        The deadline ends the wait; the operation itself is completed, since it cannot be
        interrupted and loading the model again would cost everybody more.

        Args:
            operation: Name of the operation.
            parameters: JSON values.
            blob: Image or frame.
            caller: Whose call it is.
            deadline: Deadline on the event loop's clock, in seconds.

        Returns:
            JSON values and bytes.

        Raises:
            OverloadedError: The queue has no place for the caller.
            DeadlineError: It missed the deadline.
            WorkerLostError: The process ended; it is replaced.
            EdgewrightError: The operation raised it.
        """
        with span(f"worker {operation}", {"edgewright.model": self.model}):
            return await self._call(operation, parameters, blob, caller, deadline)

    async def _call(
        self,
        operation: str,
        parameters: dict[str, Any],
        blob: bytes,
        caller: Caller,
        deadline: float,
    ) -> tuple[dict[str, Any], bytes]:
        arrived_at = time.monotonic()
        self.meter.arrived()
        call = {"operation": operation, "parameters": parameters, "timed": traced()}
        message = wire.pack(call, blob)
        services_s = self._services_s[operation]
        turn = await self._queue.enter(
            caller,
            deadline=deadline,
            usual_s=self.meter.mean_s,
            least_s=min(services_s, default=0.0),
        )
        self.last_used = time.monotonic()
        self.work.calls += 1
        self.work.waited_s += self.last_used - arrived_at
        note("edgewright.queue_ms", (self.last_used - arrived_at) * 1000)
        serving = asyncio.create_task(self._serve(turn, operation, message, arrived_at))
        # Its error must not be reported if nobody waits for it any more.
        serving.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            async with asyncio.timeout_at(deadline):
                header, answer = await asyncio.shield(serving)
        except asyncio.CancelledError:
            if not serving.done():
                turn.client_left()
            raise
        except TimeoutError:
            raise DeadlineError(
                f"{self.model} did not finish {operation!r} within the deadline; allow more time"
            ) from None
        if "error" in header:
            raise from_info(ErrorInfo.model_validate(header["error"]))
        if (timing := header.pop("timing", None)) is not None:
            record_computed(operation, timing, header.get("stages_ms", {}))
        return header, answer

    async def _serve(
        self, turn: Turn, operation: str, message: bytes, arrived_at: float
    ) -> tuple[dict[str, Any], bytes]:
        """Exchange one message with the process, and end the turn."""
        service_s = 0.0
        try:
            ready = self.loaded
            process = await self._ready_process()
            # For waiting calls, the time until the event loop reaches the next call counts as
            # service time; starting a process does not.
            began = max(arrived_at, self._free_since) if ready else time.monotonic()
            reply = await self._exchange(process, message)
            self._free_since = time.monotonic()
            service_s = self._free_since - began
            self._services_s[operation].append(service_s)
            self.meter.served(service_s)
            self.work.busy_s += service_s
            return reply
        finally:
            turn.end(service_s)

    async def close(self) -> None:
        """Stop its process; the next call starts a new one."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
            self._starting = None
        if (process := self._process) is not None:
            self._process = None
            await self._end(process)
        if self._ending:
            await asyncio.wait(self._ending)

    async def _exchange(self, process: _Process, message: bytes) -> tuple[dict[str, Any], bytes]:
        try:
            async with asyncio.timeout(self._call_s):
                process.channel.send(message)
                return await process.channel.receive()
        except TimeoutError:
            self._replace(process)
            raise DeadlineError(
                f"{self.model} was stuck for {self._call_s:.3g} s; its process is being replaced"
            ) from None
        except asyncio.CancelledError:
            # Its late answer would be read as that of the next call.
            self._replace(process)
            raise
        except ConnectionError:
            self._replace(process)
            raise self._lost() from None

    def _lost(self) -> WorkerLostError:
        message = f"the process that ran {self.model} ended; it is being replaced, try again"
        return WorkerLostError(message, retry_after_s=1.0)

    def _replace(self, process: _Process) -> None:
        """Drop a process that ended or is late, and start the next one at once."""
        if self._process is not process:
            return
        self._process = None
        self.replaced += 1
        log.warning("worker %s: replacing process %s", self.model, process.process.pid)
        if time.monotonic() - process.loaded_at > _SHORT_LIFE_S:
            self._start()
        ending = asyncio.get_running_loop().create_task(self._end(process))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def _ready_process(self) -> _Process:
        if self._process is not None:
            return self._process
        if self._starting is None or self._starting.done():
            self._start()
        assert self._starting is not None
        # A caller that is cancelled must not stop the model from loading for the next one.
        return await asyncio.shield(self._starting)

    def _start(self) -> None:
        self._starting = asyncio.get_running_loop().create_task(self._loaded_process())
        # Waiting calls get its error; if there are none, the event loop must not report it.
        self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _loaded_process(self) -> _Process:
        began = time.monotonic()
        process = await self._spawned_process()
        try:
            async with asyncio.timeout(self._load_s):
                description, _ = await process.channel.receive()
            if "error" in description:
                raise from_info(ErrorInfo.model_validate(description["error"]))
        except (TimeoutError, ConnectionError):
            await asyncio.to_thread(process.process.join, _SHORT_LIFE_S)
            lost = (process.process.exitcode or 0) < 0  # it was killed
            await self._end(process)
            if lost:
                raise self._lost() from None
            raise UnavailableError(
                f"{self.model} could not be loaded; the node's log has the details",
                code="model_not_loaded",
            ) from None
        except BaseException:
            await self._end(process)
            raise
        process.loaded_at = time.monotonic()
        self.description = description
        self._process = process
        asyncio.get_running_loop().add_reader(process.process.sentinel, self._on_exit, process)
        log.info("worker %s: loaded in %.1f s", self.model, process.loaded_at - began)
        return process

    async def _spawned_process(self) -> _Process:
        spawning = asyncio.create_task(asyncio.to_thread(spawn, self._entry, self._settings))
        try:
            process, connection = await asyncio.shield(spawning)
        except asyncio.CancelledError:
            # The thread continues all the same, and its process must not be left behind.
            process, connection = await spawning
            connection.close()
            process.kill()
            raise
        return _Process(process, await wire.Channel.over(connection))

    def _on_exit(self, process: _Process) -> None:
        asyncio.get_running_loop().remove_reader(process.process.sentinel)
        self._replace(process)

    @staticmethod
    async def _end(process: _Process) -> None:
        asyncio.get_running_loop().remove_reader(process.process.sentinel)
        process.channel.close()
        process.process.kill()
        await asyncio.to_thread(process.process.join)
        process.process.close()
