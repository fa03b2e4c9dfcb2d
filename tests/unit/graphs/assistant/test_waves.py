"""Which tasks can run now: properties over random plans."""

from hypothesis import given
from hypothesis import strategies as st

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.responder.result import TaskResult
from edgewright.graphs.assistant.waves import blocked_tasks, fill_in, ready_tasks


@st.composite
def plans(draw):
    tasks = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        earlier = [f"t{n}" for n in range(1, number)]
        needs = draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
        tasks.append(Task(id=f"t{number}", tool="a", task_type="a", depends_on=tuple(needs)))
    return Plan(request="r", tasks=tuple(tasks), planner="embedded", confidence=1.0)


def result(task_id, ok, text="words"):
    return TaskResult(
        task_id=task_id, tool="a", status="ok" if ok else "error", output={"text": text}
    )


@given(plans(), st.data())
def test_waves_give_every_task_one_result_and_run_none_after_a_failure(plan, data):
    results = {}
    ran = set()
    while ready := ready_tasks(plan, results):
        for task in ready:
            assert task.id not in ran
            assert all(results[need].status == "ok" for need in task.depends_on)
            ran.add(task.id)
        results |= {task.id: result(task.id, data.draw(st.booleans())) for task in ready}
        results |= blocked_tasks(plan, results)
    assert set(results) == {task.id for task in plan.tasks}
    for task in plan.tasks:
        if task.id not in ran:
            assert results[task.id].status == "unavailable"
            assert results[task.id].error.code == "dependency_failed"


def test_an_output_is_filled_in_once():
    task = Task(id="t2", tool="a", task_type="a", args={"a": "<t1>, <t9> and <t1>"})
    filled = fill_in(task, {"t1": result("t1", True, "a <t1>")})
    assert filled.args == {"a": "a <t1>, <t9> and a <t1>"}
