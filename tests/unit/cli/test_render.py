"""Tables show every fact, and foreign texts are never markup."""

from io import StringIO

import pytest
from rich.console import Console

from edgewright.agents.planner.condition import Check, Condition
from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.responder.result import TaskResult
from edgewright.cli.views.results import (
    card_table,
    cost_table,
    decision_view,
    plan_table,
)
from edgewright.tools.contracts.arms import Arm, Decision, Forecast
from edgewright.tools.contracts.cost_report import CostReport, Fallback
from edgewright.tools.contracts.views import CardView
from edgewright.tools.errors import ErrorInfo


@pytest.fixture
def shown():
    def show(renderable):
        console = Console(file=StringIO(), width=220)
        console.print(renderable)
        return console.file.getvalue()

    return show


def test_a_plan(shown):
    uri = "store:" + "a" * 64
    tasks = (
        Task(id="t1", tool="image-to-text", task_type="image-to-text", args={"image": uri}),
        Task(id="t2", tool="pose-to-image", task_type="image-to-image", depends_on=("t1",)),
    )
    plan = Plan(
        request="r", tasks=tasks, planner="embedded", confidence=0.5, needs=("image",), reason="why"
    )
    text = shown(plan_table(plan, {uri: "gate.png"}))
    assert "image=gate.png" in text
    assert "missing: image" in text
    assert "why" in text
    assert "aaaa…" in shown(plan_table(plan))


def test_a_plan_tells_on_which_answer_a_task_runs(shown):
    check = Check(task="t1", field="answer", op="equals", value="no")
    asks = Task(id="t1", tool="questions", task_type="questions", args={"question": "a cat?"})
    runs = Task(id="t2", tool="label", task_type="label", when=Condition(checks=(check,)))
    plan = Plan(request="r", tasks=(asks, runs), planner="embedded", confidence=0.5)
    assert "if t1 is no" in shown(plan_table(plan))


def test_an_empty_plan(shown):
    plan = Plan(request="r", tasks=(), planner="embedded", confidence=0.5, reason="nobody flies")
    assert "nothing to run" in shown(plan_table(plan))


def test_a_decision(shown):
    arms = [
        Arm(kind="co-inference", point=3, codec="quantised8"),
        *(Arm(kind="edge-only", image_codec="jpeg", quality=q) for q in range(10, 60, 10)),
        Arm(kind="device-only"),
    ]
    forecasts = [
        Forecast(arm=arm, latency_ms=10.0 * n if n else None, bytes_up=n, unusable="" if n else "x")
        for n, arm in enumerate(arms)
    ]
    decision = Decision(arm=arms[0], reason="20 ms less than jpeg", forecasts=forecasts)
    text = shown(decision_view("t1", decision))
    assert "t1 runs co-inference (point 3, quantised8)" in text
    assert "20 ms less than jpeg" in text
    assert "device-only" in text
    assert text.count("edge-only") == 1
    assert "4 more were compared" in text
    decision = Decision(arm=arms[-1], reason="no edge peer", forecasts=[])
    assert shown(decision_view("t1", decision)) == "t1 runs device-only: no edge peer\n"


def test_the_cost_reports(shown):
    report = CostReport(
        arm="device-only",
        planned_arm="co-inference (point 3, quantised8)",
        nodes=["camera-1", "server"],
        model="m@1",
        expert="label-captioner",
        approximate=True,
        bytes_up=1234,
        bytes_down=56,
        stages_ms={"head": 12.34, "resume": 20.0},
        head_reused=True,
        fallback=[Fallback(tried="co-inference", code="link_broken", reason="cut", used="resume")],
    )
    info = ErrorInfo(code="refused", message="cannot count", retryable=False, status=422)
    text = shown(
        cost_table(
            [
                TaskResult(task_id="t1", tool="a", status="ok", report=report),
                TaskResult(task_id="t2", tool="b", status="refused", error=info),
            ]
        )
    )
    for fact in ("camera-1 → server", "1234", "56", "head 12.3", "not run", "cannot count"):
        assert fact in text
    assert "t1: co-inference failed (cut) → resume, reusing the head's features" in text
    assert "approximate, by label-captioner" in text


def test_foreign_texts_are_never_markup(shown):
    info = ErrorInfo(code="refused", message="[bold red]no[/]", retryable=False, status=422)
    refused = TaskResult(task_id="t1", tool="a", status="refused", error=info)
    assert "[bold red]no[/]" in shown(cost_table([refused]))
    card = CardView(
        id="a",
        task_type="a",
        description="d",
        schema={},
        available=False,
        expert=None,
        approximate=False,
        reason="[link=http://x]here[/link]",
    )
    assert "[link=http://x]here[/link]" in shown(card_table([card]))
