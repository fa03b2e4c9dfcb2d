"""All lanes of a node, within one memory budget."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from typing import Any

from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.lanes.lane import Lane
from edgewright.edge_runtime.lanes.worker import LaneSettings
from edgewright.tools.errors import NotFoundError
from edgewright.tools.nodes.schema import ServerLoad

log = logging.getLogger(__name__)


def lane_from_config(config: NodeConfig, model: str) -> Lane:
    """Make one model's lane, without starting it.

    Args:
        config: Of the node.
        model: Model id.
    """
    settings = LaneSettings(
        model=model,
        threads=config.threads,
        slowdown=config.slowdown,
        max_pixels=config.limits.pixels,
        environment=config.environment,
    )
    return Lane(settings, queue=config.limits.queue, load_s=config.limits.load_s)


class LanePool:
    """Lanes by model, made at first use; the least recently used are unloaded beyond a budget.

    Args:
        models: Models that may be asked for.
        make_lane: Makes the lane of a model, without starting it.
        budget_bytes: Memory for all lanes together; None means no limit.
    """

    def __init__(
        self,
        models: Collection[str],
        make_lane: Callable[[str], Lane],
        *,
        budget_bytes: int | None = None,
    ) -> None:
        self._make_lane = make_lane
        self._lanes = {model: make_lane(model) for model in models}
        self._budget_bytes = budget_bytes
        #: What each model was last seen to take.
        self._sizes: dict[str, int] = {}

    @classmethod
    def from_config(cls, config: NodeConfig, models: Collection[str]) -> LanePool:
        """Make the lanes that a node's configuration asks for.

        Args:
            config: Of the node.
            models: Models that may be asked for.
        """
        budget_mb = config.memory_budget_mb
        return cls(
            models,
            lambda model: lane_from_config(config, model),
            budget_bytes=None if budget_mb is None else budget_mb * 1_000_000,
        )

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def lane(self, model: str) -> Lane:
        """Return a model's lane.

        Raises:
            NotFoundError: No such model on this node.
        """
        try:
            return self._lanes[model]
        except KeyError:
            raise NotFoundError(
                f"no model {model[:100]!r} on this node; GET /v2/models lists them",
                code="unknown_model",
            ) from None

    def loads(self) -> dict[str, ServerLoad]:
        """Return how busy each model is that was ever called."""
        measured = {lane.model: lane.meter.load() for lane in self}
        return {model: load for model, load in measured.items() if load is not None}

    async def offer(self, models: Collection[str], *, changed: Collection[str] = ()) -> None:
        """Serve these models from now on.

        Args:
            models: All models that may be asked for.
            changed: Those of them whose weights are no longer what a lane may have loaded.
        """
        for model in {*self._lanes} - {*models} | {*self._lanes} & {*changed}:
            await self._lanes.pop(model).close()
        for model in models:
            if model not in self._lanes:
                self._lanes[model] = self._make_lane(model)

    async def load(self, model: str) -> None:
        """Load a model, unloading others if the budget asks for it.

        Raises:
            NotFoundError: No such model on this node.
            UnavailableError: It cannot be loaded.
        """
        lane = self.lane(model)
        await self._shrink(keep=lane, extra_bytes=self._sizes.get(model, 0))
        await lane.load()
        await self._shrink(keep=lane)

    async def call(
        self,
        model: str,
        operation: str,
        parameters: dict[str, Any],
        blob: bytes = b"",
        *,
        deadline: float,
    ) -> tuple[dict[str, Any], bytes]:
        """Have a model do something; see ``Lane.call``."""
        lane = self.lane(model)
        if not lane.loaded:
            await self._shrink(keep=lane, extra_bytes=self._sizes.get(model, 0))
        answer = await lane.call(operation, parameters, blob, deadline=deadline)
        await self._shrink(keep=lane)
        return answer

    async def close(self) -> None:
        """End all processes."""
        for lane in self._lanes.values():
            await lane.close()

    async def _shrink(self, *, keep: Lane, extra_bytes: int = 0) -> None:
        """Unload idle lanes, least recently used first, until the budget holds.

        A model that is larger than the whole budget runs alone.
        """
        if self._budget_bytes is None:
            return
        self._sizes.update({lane.model: lane.rss_bytes for lane in self if lane.loaded})
        idle = [lane for lane in self if lane.loaded and lane.idle and lane is not keep]
        for lane in sorted(idle, key=lambda lane: lane.last_used):
            if sum(each.rss_bytes for each in self) + extra_bytes <= self._budget_bytes:
                return
            log.info("lane %s: unloaded, its memory is needed", lane.model)
            await lane.close()
