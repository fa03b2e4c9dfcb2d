"""The form of an answer, and of whoever words it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from edgewright.agents.planner.plan import Plan
from edgewright.agents.responder.result import TaskResult


class Claim(BaseModel):
    """One sentence of the answer.

    Attributes:
        text: The sentence.
        task_id: The task whose result it was made from.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    task_id: str


class Answer(BaseModel):
    """What is told to the person.

    Attributes:
        text: The whole answer.
        claims: Its sentences with their sources; empty when no task was planned.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    claims: list[Claim] = []


class Responder(Protocol):
    """Words an answer."""

    def answer(self, request: str, plan: Plan, results: Sequence[TaskResult]) -> Answer:
        """Answer a request from the results of its plan."""
        ...
