"""Where a question compares images, the answer says first which of them wins."""

import pytest

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.responder.result import TaskResult
from edgewright.agents.responder.winners import winners

IMAGES = {"t1": "a.jpg", "t2": "b.jpg", "t3": "c.jpg"}


def results(*measures):
    return {
        f"t{number}": TaskResult(
            task_id=f"t{number}",
            tool="visual-question-answering",
            status="ok",
            output={"text": "…"}
            | ({} if measure is None else {"comparison": {"measure": measure, "best": "leads"}}),
        )
        for number, measure in enumerate(measures, start=1)
    }


@pytest.mark.parametrize(
    ("measures", "said"),
    [
        ((1, 3, 2), ["b.jpg leads."]),
        ((3, 3, 2), ["a.jpg and b.jpg come first, with equal measures."]),
        ((2, 2, 2), ["a.jpg, b.jpg and c.jpg do not differ in this."]),
        ((2, None, 1), ["a.jpg leads."]),
        ((2, None, None), []),
        ((None, None, None), []),
    ],
)
def test_the_image_with_the_greatest_measure_wins(measures, said):
    tasks = tuple(
        Task(id=name, tool="visual-question-answering", task_type="visual-question-answering")
        for name in IMAGES
    )
    plan = Plan(request="…", tasks=tasks, planner="embedded", confidence=1)
    assert winners(plan, results(*measures), IMAGES) == said
