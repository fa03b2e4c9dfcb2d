"""Answers by templates: what the results say and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.responder.answer import Answer, Claim
from edgewright.agents.responder.result import TaskResult


class TemplateResponder:
    """Words an answer by templates."""

    def answer(self, request: str, plan: Plan, results: Sequence[TaskResult]) -> Answer:
        """Answer from results alone.

        Args:
            request: What was asked.
            plan: What was planned for it.
            results: What became of the tasks.

        Returns:
            One claim for each task, in the order of the plan; without tasks, the plan's reason.
        """
        if not plan.tasks:
            return Answer(text=plan.reason or "Nothing was asked that a tool here could do.")
        by_id = {result.task_id: result for result in results}
        claims = [
            Claim(text=_sentence(task, by_id.get(task.id)), task_id=task.id) for task in plan.tasks
        ]
        if not results and plan.needs:
            text = f"Still missing: {' and '.join(_need(name) for name in plan.needs)}."
            return Answer(text=text)
        return Answer(text=" ".join(claim.text for claim in claims), claims=claims)


def _sentence(task: Task, result: TaskResult | None) -> str:
    name = task.tool.replace("-", " ")
    if result is None:
        return f"The step {name!r} was not reached."
    if result.status != "ok":
        return _failure(name, result)
    said = _worded(task, result.output)
    if result.report is not None and result.report.approximate:
        return f"{said} (approximate, by {result.report.expert}, which knows only labels)"
    return said


def _failure(name: str, result: TaskResult) -> str:
    why = result.error.message if result.error else "no reason was given"
    verdict = {
        "refused": "cannot be answered",
        "unavailable": "is not available",
        "error": "failed",
    }[result.status]
    return f"{name.capitalize()} {verdict}: {_stopped(why)}"


def _worded(task: Task, output: dict[str, Any]) -> str:
    """Word an output with the expert's own phrase, behind the question that it answers."""
    text = str(output.get("text", "")).strip()
    if not text:
        return f"The step {task.tool!r} gave a result without words."
    question = task.args.get("question")
    return _stopped(f"{question} {_capital(text)}" if question else _capital(text))


def _need(name: str) -> str:
    return "a picture (attach one)" if name == "image" else name


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _stopped(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
