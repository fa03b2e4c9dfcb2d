"""Why a task was left out."""

from edgewright.agents.planner.condition import Check, Condition
from edgewright.agents.planner.plan import Task
from edgewright.agents.responder.result import TaskResult
from edgewright.graphs.assistant.failures import skipped


def asked(number: int, question: str) -> Task:
    return Task(id=f"t{number}", tool="vqa", task_type="vqa", args={"question": question})


def answered(number: int, answer: str) -> TaskResult:
    return TaskResult(task_id=f"t{number}", tool="vqa", status="ok", output={"answer": answer})


def test_only_the_answers_that_decide_are_named_each_once() -> None:
    tasks = {f"t{n}": asked(n, "is there a cat?") for n in (1, 2, 3)}
    results = {"t1": answered(1, "no"), "t2": answered(2, "yes"), "t3": answered(3, "no")}
    checks = tuple(Check(task=name, field="answer", op="equals", value="yes") for name in tasks)
    when = Condition(match="all", checks=checks)
    task = Task(id="t4", tool="caption", task_type="image-to-text", when=when)
    result = skipped(task, tasks, results)
    assert result.error is not None
    assert result.error.message == 'the answer to "is there a cat?" is "no"'
