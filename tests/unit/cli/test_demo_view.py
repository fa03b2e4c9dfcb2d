"""How the demo shows a plan."""

import pytest

from edgewright.agents.planner.plan import Plan, Task
from edgewright.cli.views.demo import plan_line


@pytest.mark.parametrize(
    ("depends_on", "line"),
    [
        ([(), (), ("t1", "t2")], "a + b → c"),
        ([(), ("t1",), ("t2",)], "a → b → c"),
        ([(), ("t1",), ("t1",)], "a → b + c"),
        ([(), (), ()], "a + b + c"),
        ([], ""),
    ],
)
def test_tasks_that_run_at_once_stand_together(depends_on, line):
    tasks = tuple(
        Task(id=f"t{number}", tool="abc"[number - 1], task_type="x", depends_on=ids)
        for number, ids in enumerate(depends_on, start=1)
    )
    plan = Plan(request="r", tasks=tasks, planner="embedded", confidence=1.0)
    assert plan_line(plan) == line
