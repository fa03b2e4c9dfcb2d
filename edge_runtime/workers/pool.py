"""All model workers of a node, within one memory budget."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from typing import Any

from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.keys import ANONYMOUS, Caller
from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.edge_runtime.workers.worker import ModelWorker
from edgewright.tools.contracts.arms import ServerLoad
from edgewright.tools.errors import NotFoundError

log = logging.getLogger(__name__)


def worker_from_config(config: NodeConfig, model: str) -> ModelWorker:
    """Create the worker of a model, without starting it.

    Args:
        config: The node's configuration.
        model: Model id.
    """
    settings = WorkerSettings(
        model=model,
        threads=config.threads,
        slowdown=config.slowdown,
        max_pixels=config.limits.pixels,
        environment=config.environment,
    )
    limits = config.limits
    return ModelWorker(settings, queue=limits.queue, load_s=limits.load_s, call_s=limits.deadline_s)


class WorkerPool:
    """Workers by model, started on first use; beyond a budget, least recently used are unloaded.

    Args:
        models: The models that can be called.
        make_worker: Creates the worker of a model, without starting it.
        budget_bytes: Memory for all workers together; None means no limit.
    """

    def __init__(
        self,
        models: Collection[str],
        make_worker: Callable[[str], ModelWorker],
        *,
        budget_bytes: int | None = None,
    ) -> None:
        self._make_worker = make_worker
        self._workers = {model: make_worker(model) for model in models}
        self._budget_bytes = budget_bytes
        #: Memory of each model when last loaded, in bytes.
        self._sizes: dict[str, int] = {}

    @classmethod
    def from_config(cls, config: NodeConfig, models: Collection[str]) -> WorkerPool:
        """Create the workers for a node's configuration.

        Args:
            config: The node's configuration.
            models: The models that can be called.
        """
        budget_mb = config.memory_budget_mb
        return cls(
            models,
            lambda model: worker_from_config(config, model),
            budget_bytes=None if budget_mb is None else budget_mb * 1_000_000,
        )

    def __iter__(self) -> Iterator[ModelWorker]:
        return iter(self._workers.values())

    def worker(self, model: str) -> ModelWorker:
        """Return a model's worker.

        Raises:
            NotFoundError: No such model on this node.
        """
        try:
            return self._workers[model]
        except KeyError:
            raise NotFoundError(
                f"no model {model[:100]!r} on this node; GET /v2/models lists them",
                code="unknown_model",
            ) from None

    def loads(self) -> dict[str, ServerLoad]:
        """Return the load of each model that was called before."""
        measured = {worker.model: worker.meter.load() for worker in self}
        return {model: load for model, load in measured.items() if load is not None}

    @property
    def mean_service_s(self) -> float:
        """Mean service time of the slowest model; 0 before the first call."""
        return max((worker.meter.mean_s for worker in self), default=0.0)

    async def offer(self, models: Collection[str], *, changed: Collection[str] = ()) -> None:
        """Replace the models that can be called.

        Args:
            models: All models that can be called from now on.
            changed: Those of them whose weights have changed since a worker may have loaded them.
        """
        for model in {*self._workers} - {*models} | {*self._workers} & {*changed}:
            await self._workers.pop(model).close()
        for model in models:
            if model not in self._workers:
                self._workers[model] = self._make_worker(model)

    async def load(self, model: str) -> None:
        """Load a model, unloading others if the budget requires it.

        Raises:
            NotFoundError: No such model on this node.
            UnavailableError: The model cannot be loaded.
        """
        worker = self.worker(model)
        await self._shrink(keep=worker, extra_bytes=self._sizes.get(model, 0))
        await worker.load()
        await self._shrink(keep=worker)

    async def call(
        self,
        model: str,
        operation: str,
        parameters: dict[str, Any],
        blob: bytes = b"",
        *,
        caller: Caller = ANONYMOUS,
        deadline: float,
    ) -> tuple[dict[str, Any], bytes]:
        """Call an operation of a model; see ``ModelWorker.call``."""
        worker = self.worker(model)
        if not worker.loaded:
            await self._shrink(keep=worker, extra_bytes=self._sizes.get(model, 0))
        answer = await worker.call(operation, parameters, blob, caller=caller, deadline=deadline)
        await self._shrink(keep=worker)
        return answer

    async def close(self) -> None:
        """Stop all workers."""
        for worker in self._workers.values():
            await worker.close()

    async def _shrink(self, *, keep: ModelWorker, extra_bytes: int = 0) -> None:
        """Unload idle workers, least recently used first, until the budget is met.

        A model that is larger than the whole budget runs alone.
        """
        if self._budget_bytes is None:
            return
        self._sizes.update({worker.model: worker.rss_bytes for worker in self if worker.loaded})
        idle = [worker for worker in self if worker.loaded and worker.idle and worker is not keep]
        for worker in sorted(idle, key=lambda worker: worker.last_used):
            if sum(each.rss_bytes for each in self) + extra_bytes <= self._budget_bytes:
                return
            log.info("worker %s: unloaded to free memory", worker.model)
            await worker.close()
