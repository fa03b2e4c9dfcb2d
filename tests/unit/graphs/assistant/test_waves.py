"""Which tasks can run now: properties over random plans."""

from hypothesis import given
from hypothesis import strategies as st

from edgewright.agents.planner.condition import Check, Condition
from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.responder.result import TaskResult
from edgewright.graphs.assistant.waves import fill_in, ready_tasks, settled_tasks


def conditions(earlier):
    answers = st.builds(
        Check,
        task=st.sampled_from(earlier),
        field=st.just("answer"),
        op=st.sampled_from(["equals", "not"]),
        value=st.sampled_from(["yes", "no"]),
    )
    counts = st.builds(
        Check,
        task=st.sampled_from(earlier),
        field=st.just("count"),
        op=st.sampled_from(["equals", "not", "at_least", "at_most"]),
        value=st.integers(0, 3).map(str),
    )
    checks = st.lists(answers | counts, min_size=1, max_size=3).map(tuple)
    return st.builds(Condition, match=st.sampled_from(["all", "any"]), checks=checks)


@st.composite
def plans(draw):
    tasks = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        earlier = [f"t{n}" for n in range(1, number)]
        needs = draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
        when = draw(st.none() | conditions(earlier)) if earlier else None
        tasks.append(
            Task(id=f"t{number}", tool="a", task_type="a", depends_on=tuple(needs), when=when)
        )
    return Plan(request="r", tasks=tuple(tasks), planner="embedded", confidence=1.0)


def result(task_id, ok, text="words"):
    return TaskResult(
        task_id=task_id,
        tool="a",
        status="ok" if ok else "error",
        output={"text": text} if ok else {},
    )


@given(plans(), st.data())
def test_every_task_gets_one_result_and_none_runs_unless_its_inputs_and_condition_allow(plan, data):
    results = settled_tasks(plan, {})
    ran = set()
    while ready := ready_tasks(plan, results):
        for task in ready:
            assert task.id not in ran
            assert all(results[need].status == "ok" for need in task.depends_on)
            if task.when:
                outputs = {c: results[c].output for c in task.checks if results[c].status == "ok"}
                assert task.when.holds(outputs) is True
            ran.add(task.id)
        said = st.sampled_from(["yes", "no", "unsure", "2", "3 of them"])
        results |= {
            task.id: result(task.id, data.draw(st.booleans()), data.draw(said)) for task in ready
        }
        results |= settled_tasks(plan, results)
    assert set(results) == {task.id for task in plan.tasks}
    for task in plan.tasks:
        if task.id not in ran:
            code = results[task.id].error.code
            if code == "dependency_failed":
                assert results[task.id].status == "unavailable"
            else:
                assert results[task.id].status == "skipped"
                assert code in ("dependency_skipped", "condition_not_met", "condition_undecided")


def test_a_whole_argument_is_the_signal_if_the_output_has_one():
    seen = TaskResult(
        task_id="t1", tool="a", status="ok", output={"text": "One person.", "signal": '{"a": 1}'}
    )
    task = Task(id="t2", tool="a", task_type="a", args={"pose": "<t1>", "about": "draw <t1>"})
    filled = fill_in(task, {"t1": seen})
    assert filled.args == {"pose": '{"a": 1}', "about": "draw One person."}


def test_an_output_is_filled_in_once():
    task = Task(id="t2", tool="a", task_type="a", args={"a": "<t1>, <t9> and <t1>"})
    filled = fill_in(task, {"t1": result("t1", True, "a <t1>")})
    assert filled.args == {"a": "a <t1>, <t9> and a <t1>"}


ESTIMATE = '{"labels": [["calm", 0.9]]}'


def _moods(*statuses):
    cards = ("mood-from-network-traffic", "mood-from-acoustic-signals")
    tasks = [Task(id=f"t{n}", tool=card, task_type="a") for n, card in enumerate(cards, start=1)]
    args = {"first": "<t1>", "second": "<t2>"}
    fusion = Task(
        id="t3", tool="decision-fusion", task_type="a", args=args, depends_on=("t1", "t2")
    )
    plan = Plan(request="r", tasks=(*tasks, fusion), planner="embedded", confidence=1.0)
    results = {}
    for task, status in zip(tasks, statuses, strict=False):
        output = {"text": "calm", "signal": '{"labels": [["calm", 0.9]]}'} if status == "ok" else {}
        results[task.id] = TaskResult(task_id=task.id, tool=task.tool, status=status, output=output)
    return plan, results


def test_a_fusion_waits_for_all_and_runs_with_what_is_there():
    plan, results = _moods("ok")
    assert [task.id for task in ready_tasks(plan, results)] == ["t2"]
    assert settled_tasks(plan, results) == {}
    plan, results = _moods("unavailable")
    assert settled_tasks(plan, results) == {}
    plan, results = _moods("ok", "unavailable")
    (fusion,) = ready_tasks(plan, results)
    assert fusion.args["first"] == ESTIMATE
    assert "missing" in fusion.args["second"]
    assert "acoustic" in fusion.args["second"]


def test_a_fusion_of_nothing_does_not_run():
    plan, results = _moods("unavailable", "refused")
    assert ready_tasks(plan, results) == []
    assert settled_tasks(plan, results)["t3"].status == "unavailable"
