"""The cost of a request in one line."""

import pytest

from edgewright.agents.responder.result import TaskResult
from edgewright.cli.views.cost import arm_words, cost_line, fell_back
from edgewright.tools.contracts.arms import Arm, Decision, Forecast
from edgewright.tools.contracts.cost_report import CostReport, Fallback
from edgewright.tools.errors import ErrorInfo
from edgewright.tools.units import counted, joules, seconds, size

DEVICE = Arm(kind="device-only")
EDGE = Arm(kind="edge-only")
JPEG = Arm(kind="edge-only", image_codec="jpeg", quality=90)
CUT = Arm(kind="co-inference", point=7, codec="transform-2")
BROKEN = Fallback(tried=CUT.label, code="link_broken", reason="cut", used=DEVICE.label)
REFUSED = ErrorInfo(code="refused", message="cannot count", retryable=False, status=422)


def result(number: int, arm: Arm | None, *, fallback: tuple[Fallback, ...] = ()) -> TaskResult:
    if arm is None:
        return TaskResult(task_id=f"t{number}", tool="a", status="refused", error=REFUSED)
    report = CostReport(
        arm=arm.label, planned_arm=arm.label, nodes=["d"], model="m", expert="e",
        bytes_up=1950, energy_j=0.7, fallback=list(fallback),
    )  # fmt: skip
    return TaskResult(task_id=f"t{number}", tool="a", status="ok", report=report)


def line(*results: TaskResult, chosen: Arm = CUT) -> str:
    forecasts = [Forecast(arm=JPEG, latency_ms=1.0, bytes_up=1)]
    decision = Decision(arm=chosen, reason="", forecasts=forecasts)
    return cost_line(results, {each.task_id: decision for each in results}, 0.456)


@pytest.mark.parametrize(
    ("arm", "words"),
    [
        (DEVICE, "on the device"),
        (EDGE, "on the edge server"),
        (Arm(kind="edge-only", image_codec="png"), "on the edge server (PNG)"),
        (JPEG, "on the edge server (JPEG 90)"),
        (CUT, "cut after block 7"),
    ],
)
def test_an_arm_in_words(arm, words):
    assert arm_words(arm) == words


def test_one_task():
    assert line(result(1, CUT)) == "0.46 s · 1.9 KB up · cut after block 7 · 0.70 J"


def test_several_tasks_are_summed_up_and_name_their_arms_once():
    assert line(result(1, CUT), result(2, CUT)) == (
        "0.46 s · 3.9 KB up · cut after block 7 · 1.4 J"
    )
    assert line(result(1, CUT), result(2, JPEG), result(3, CUT), result(4, None)) == (
        "0.46 s · 5.8 KB up · 2 cut after block 7, 1 on the edge server (JPEG 90) · 2.1 J"
    )


def test_a_fallback_is_named_once():
    results = (result(n, DEVICE, fallback=(BROKEN,)) for n in (1, 2))
    assert line(*results).endswith("on the device · 1.4 J · fell back to the device: link broken")


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (EDGE.label, "fell back to the edge server: link broken"),
        (CUT.label, "fell back to another model: link broken"),
    ],
)
def test_a_fallback_in_words(used, words):
    assert fell_back(BROKEN.model_copy(update={"used": used})) == words


def test_devices_are_named_where_there_are_several_and_windows_of_sensors_are_counted():
    results = [result(1, DEVICE), result(2, DEVICE), result(3, DEVICE)]
    for each, node, read in zip(
        results, ("router", "speaker", "speaker"), (2000, 5000, 0), strict=True
    ):
        each.report.nodes, each.report.sensor_bytes = [node], read
    assert line(*results, chosen=DEVICE) == (
        "0.46 s · 7.0 KB read from sensors · 5.8 KB up · 1 on router, 2 on speaker · 2.1 J"
    )


def test_nothing_was_run():
    assert line(result(1, None)) == "0.46 s · nothing was run"
    trained = TaskResult(task_id="t1", tool="federated-training", status="ok")
    assert line(trained) == "0.46 s"


def test_an_arm_that_no_decision_names_keeps_its_label():
    assert "edge-only (webp q50)" in line(
        result(1, Arm(kind="edge-only", image_codec="webp", quality=50))
    )


def test_amounts_have_two_or_three_digits():
    assert [seconds(value) for value in (0.049, 9.99, 12.34, 123.4)] == [
        "0.05 s", "9.99 s", "12.3 s", "123 s",
    ]  # fmt: skip
    assert [size(count) for count in (0, 999, 3949, 28_283, 999_600, 12_000_000)] == [
        "0 B", "999 B", "3.9 KB", "28 KB", "1.0 MB", "12 MB",
    ]  # fmt: skip
    assert [counted(number, "node") for number in (0, 1, 2)] == ["0 nodes", "1 node", "2 nodes"]
    assert [joules(value) for value in (0.304, 1.44, 123.4)] == ["0.30 J", "1.4 J", "123 J"]
