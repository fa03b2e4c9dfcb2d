"""The answer, and the protocol of a responder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.request import PlanRequest
from edgewright.agents.responder.result import TaskResult


class Claim(BaseModel):
    """One statement of the answer.

    Attributes:
        text: The statement.
        task_id: The task whose result it rests on.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    task_id: str


class Answer(BaseModel):
    """The answer to a request.

    Attributes:
        text: The whole answer.
        claims: Its statements with their sources; empty when no task was planned.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    claims: list[Claim] = []


class Responder(Protocol):
    """Words an answer."""

    def answer(self, request: PlanRequest, plan: Plan, results: Sequence[TaskResult]) -> Answer:
        """Answer a request from the results of its plan.

        Args:
            request: The request, with the images and turns that it was planned from.
            plan: The plan.
            results: The results of its tasks.
        """
        ...
