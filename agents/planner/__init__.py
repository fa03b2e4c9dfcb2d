"""The planner: a request, cards and history in, a typed plan out.

Executing a plan belongs in ``graphs``, wording an answer in ``agents/responder``.
"""

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.planner.request import PlanRequest, Turn

__all__ = ["Plan", "PlanRequest", "Task", "Turn"]
