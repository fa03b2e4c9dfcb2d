"""The planner: a request, cards and history in, a typed plan out.

Carrying a plan out belongs in ``graphs``; the words of an answer in ``agents/responder``.
"""

from edgewright.agents.planner.plan import Plan, Task

__all__ = ["Plan", "Task"]
