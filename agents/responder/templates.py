"""Answers by templates: what the results say and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.planner.request import PlanRequest
from edgewright.agents.responder.answer import Answer, Claim
from edgewright.agents.responder.layout import compose, subjects
from edgewright.agents.responder.result import TaskResult
from edgewright.agents.responder.winners import winners

#: Begins a question, also one that a clause of a longer sentence asks.
_ASKS = re.compile(
    r"(?:is|are|do|does|can|has|have|what|which|where|how)\b(?!.*[.!]$)", re.IGNORECASE
)


class TemplateResponder:
    """Words an answer by templates; implements ``Responder``."""

    def answer(self, request: PlanRequest, plan: Plan, results: Sequence[TaskResult]) -> Answer:
        """Answer from results alone.

        Args:
            request: The request, with the images and turns that it was planned from.
            plan: The plan.
            results: The results of its tasks.

        Returns:
            One claim for each task, in the order of the plan; without tasks, the plan's reason.
        """
        if not plan.tasks:
            return Answer(text=plan.reason or "No tool here serves this request.")
        if not results and plan.needs:
            return Answer(text=f"This request needs {' and '.join(map(_need, plan.needs))}.")
        by_id = {result.task_id: result for result in results}
        image_of = subjects(request, plan)
        # With one thing asked, the question need not be repeated.
        several = len({(task.tool, task.args.get("question")) for task in plan.tasks}) > 1
        claims: list[Claim] = []
        introduced: set[str] = set()
        for task in plan.tasks:
            text = _statement(task, by_id.get(task.id), several)
            image = image_of.get(task.id, "")
            if not image or image in introduced:
                text = _capital(text)  # nothing stands before it in the sentence
            introduced.add(image)
            claims.append(Claim(text=text, task_id=task.id))
        answer = compose(claims, image_of, request, plan, results)
        lead = winners(plan, by_id, image_of)
        return answer.model_copy(update={"text": "\n".join([*lead, answer.text])})


def _statement(task: Task, result: TaskResult | None, several: bool) -> str:
    """State what came of a task; ``several`` if the answer has to say of which."""
    name = task.tool.replace("-", " ")
    question = task.args.get("question", "")
    if result is None:
        return f"{name} was not run."
    if result.status == "refused" and question:
        subject = f'"{_capital(question)}"' if several else "this question"
        return f"{subject} cannot be answered: {_reason(result)}"
    if result.status == "skipped":
        return f"{_what(task)} was left out, because {_reason(result)}{_doubt(result)}"
    if result.status != "ok":
        verdict = {"refused": "was refused", "unavailable": "is not available", "error": "failed"}
        return f"{name} {verdict[result.status]}: {_reason(result)}"
    text = _stopped(_text(result.output) or f"{name} returned no text")
    if not several or not question:
        return text
    if question.endswith("?") or _ASKS.match(question):
        return f"{_capital(question).rstrip('? ')}? {_capital(text)}"
    return f"{_capital(question)} — {text}"


def _what(task: Task) -> str:
    """Return what a task would have given, in a person's words."""
    if question := task.args.get("question"):
        return f'the answer to "{question}"'
    given = {"image-to-text": "the caption", "image-classification": "the classification"}
    return given.get(task.task_type, task.tool.replace("-", " "))


def _doubt(result: TaskResult) -> str:
    """Ask the person for what the condition of a skipped task left open."""
    open_question = result.error and result.error.code == "condition_undecided"
    return " If you know the answer, request it without the condition." if open_question else ""


def _text(output: dict[str, Any]) -> str:
    """Return an output in its expert's own words."""
    return str(output.get("text", "")).strip()


def _reason(result: TaskResult) -> str:
    return _stopped(result.error.message if result.error else "no reason was given")


def _need(name: str) -> str:
    return "an image (attach one)" if name == "image" else name


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _stopped(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
