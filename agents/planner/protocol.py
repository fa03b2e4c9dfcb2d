"""The interface of every planner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.request import PlanRequest


class AnyPlanner(Protocol):
    """Plans requests. Problems with a request are reported in the plan, never raised."""

    def prepare(self) -> None:
        """Load or fit now what the first request would wait for."""
        ...

    def plan(self, request: PlanRequest) -> Plan:
        """Plan one request."""
        ...

    def plan_many(self, requests: Sequence[PlanRequest]) -> list[Plan]:
        """Plan many requests independently of each other."""
        ...
