"""What every planner can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.request import PlanRequest


class AnyPlanner(Protocol):
    """Plans requests. What is wrong with a request stands in the plan, never in an exception."""

    def plan(self, request: PlanRequest) -> Plan:
        """Plan one request."""
        ...

    def plan_many(self, requests: Sequence[PlanRequest]) -> list[Plan]:
        """Plan many requests, each as if it came alone."""
        ...
