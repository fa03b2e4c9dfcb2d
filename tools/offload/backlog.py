"""What a node's earlier tasks still occupy: its model, the links and the models of its peers.

Tasks pass the three in turn, so the expected times at which each becomes free follow from the
tasks' expected costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

_NONE: Mapping[str, float] = MappingProxyType({})


class TaskCosts(NamedTuple):
    """Expected costs of a task, without waiting.

    Attributes:
        model: Model that it runs.
        device_ms: Time on the device.
        link_ms: Time that its bytes occupy the link; 0 if it sends none.
        edge_ms: Time on the peer.
        peer: Name of the peer; empty if it sends nothing.
    """

    model: str
    device_ms: float
    link_ms: float = 0.0
    edge_ms: float = 0.0
    peer: str = ""


class Ahead(NamedTuple):
    """How long earlier tasks occupy what the next one needs, in milliseconds from now.

    Attributes:
        device_ms: Until the model on the device is free.
        link_ms: Until the link to a peer is free, by peer.
        edge_ms: Until a peer's model is free, by peer.
    """

    device_ms: float = 0.0
    link_ms: Mapping[str, float] = _NONE
    edge_ms: Mapping[str, float] = _NONE


NOTHING_AHEAD = Ahead()


@dataclass(eq=False)
class RunningTask:
    """A task that is being executed.

    Attributes:
        costs: Expected costs.
        since: When it could begin on the device, by the backlog's clock.
        sent_at: When its bytes are expected to have left; None while the device computes.
    """

    costs: TaskCosts
    since: float
    sent_at: float | None = None


class Backlog:
    """The tasks that a node is executing, in the order of their arrival.

    Args:
        clock: Monotonic clock in seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tasks: list[RunningTask] = []

    def __len__(self) -> int:
        """Return the number of tasks that are being executed."""
        return len(self._tasks)

    def ahead(self, model: str, planned: Iterable[TaskCosts] = ()) -> Ahead:
        """Return what is occupied for the next task of a model.

        Each model has a process of its own on each node; all models share the link to a peer.

        Args:
            model: The model.
            planned: Tasks that will be started before it.
        """
        now = self._clock()
        device: dict[str, float] = {}
        link: dict[str, float] = {}
        edge: dict[tuple[str, str], float] = {}
        for task in (*self._tasks, *(RunningTask(costs, now) for costs in planned)):
            name, device_ms, link_ms, edge_ms, peer = task.costs
            if task.sent_at is not None:
                sent = (task.sent_at - now) * 1000
            else:
                # The first task of a model has been computing since it could begin.
                elapsed_ms = 0.0 if name in device else (now - task.since) * 1000
                device[name] = device.get(name, 0.0) + max(0.0, device_ms - elapsed_ms)
                sent = max(device[name], link.get(peer, 0.0)) + link_ms
            if link_ms:
                link[peer] = max(link.get(peer, 0.0), sent)
                edge[peer, name] = max(sent, edge.get((peer, name), 0.0)) + edge_ms
        servers = {peer: max(0.0, ms) for (peer, name), ms in edge.items() if name == model}
        return Ahead(device.get(model, 0.0), link, servers)

    @contextmanager
    def running(self, costs: TaskCosts) -> Iterator[RunningTask]:
        """Count a task while it runs.

        Args:
            costs: Its expected costs.
        """
        task = RunningTask(costs, self._clock())
        self._tasks.append(task)
        try:
            yield task
        finally:
            self._tasks.remove(task)
            if task.sent_at is None:
                self._device_free(costs.model)

    def computed(self, task: RunningTask) -> None:
        """Note that the device has done its part of a task, whose bytes are sent next."""
        now = self._clock()
        earlier = [
            one.sent_at
            for one in self._tasks
            if one.sent_at is not None and one.costs.peer == task.costs.peer
        ]
        task.sent_at = max([now, *earlier]) + task.costs.link_ms / 1000
        self._device_free(task.costs.model)

    def _device_free(self, model: str) -> None:
        """Let the tasks that wait for a model on the device begin now."""
        now = self._clock()
        for task in self._tasks:
            if task.costs.model == model:
                task.since = now
