"""Progress: a status line on a terminal, every step on request, one plain line elsewhere."""

import io
from concurrent.futures import CancelledError
from types import SimpleNamespace

import pytest
from rich.console import Console

from edgewright.agents.planner.plan import Plan, Task
from edgewright.cli.views.progress import TurnView, Waiting
from edgewright.graphs.assistant.events import (
    Offloaded,
    Planned,
    TaskFinished,
    TaskStarted,
    TrainingProgress,
    Understood,
)
from edgewright.graphs.federated.events import RoundScored, TrialStarted
from edgewright.tools.contracts.arms import Arm, Decision
from edgewright.tools.federated.records.trial import CurvePoint, ModelScore

URI = "store:" + "a" * 64
PLAN = Plan(
    request="r",
    tasks=(Task(id="t1", tool="image-to-text", task_type="…", args={"image": URI}),),
    planner="embedded",
    confidence=1,
)
DECISION = Decision(arm=Arm(kind="device-only"), reason="no edge peer", forecasts=[])
SCORED = RoundScored(
    number=1,
    point=CurvePoint(
        round_number=1, train_loss=0.1, train_accuracy=0.9, bytes_up=1, bytes_down=1,
        validation=ModelScore(accuracy=0.9, loss=0.1, clients=(0.9,)), simulated_s=1, wall_s=1,
    ),
)  # fmt: skip
TURN = [
    Understood(request="r", images=["cat.png"]),
    Planned(plan=PLAN),
    Offloaded(task_id="t1", tool="image-to-text", decision=DECISION),
    TaskStarted(task_id="t1", tool="image-to-text", arm="device-only"),
    TaskFinished(task_id="t1", tool="image-to-text", status="ok", ms=12.0, text="a cat"),
    TrainingProgress(task_id="t2", step=TrialStarted(number=1, rounds=5)),
    TrainingProgress(task_id="t2", step=SCORED),
]


def console(*, terminal: bool) -> Console:
    return Console(
        file=io.StringIO(),
        width=80,
        force_terminal=terminal,
        highlight=False,
        _environ={"TERM": "xterm"},  # whatever the tests run in
    )


def shown(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_without_a_terminal_a_turn_prints_nothing():
    view = TurnView(console(terminal=False))
    with view.during("starting"):
        for event in TURN:
            view(event)
    assert shown(view.console) == ""


@pytest.mark.parametrize(
    ("events", "line"),
    [
        (TURN[:0], "starting"),
        (TURN[:1], "planning"),
        (TURN[:2], "choosing where to run"),
        (TURN[:4], "image-to-text on the device"),
        (TURN[:6], "training, trial 1"),
        (TURN, "training, trial 1: accuracy 0.90"),
    ],
)
def test_on_a_terminal_the_status_line_follows_the_turn(events, line):
    view = TurnView(console(terminal=True))
    with view.during("starting"):
        for event in events:
            view(event)
    assert f"{line}\n" in shown(view.console)
    assert "image=" not in shown(view.console)


def test_an_explained_turn_prints_every_step():
    view = TurnView(console(terminal=False), explain=True)
    view.name([SimpleNamespace(uri=URI, name="cat.png")])
    for event in TURN:
        view(event)
    for fact in ("image=cat.png", "t1 runs device-only: no edge peer", "✓ t1 ok in 12 ms: a cat"):
        assert fact in shown(view.console)


def test_preparing_the_planner_shows_how_far_it_is():
    waiting = Waiting(console(terminal=True))
    with waiting.during("planning"):
        waiting.preparing(256, 600)
    assert "preparing the planner (once): 42 %" in shown(waiting.console)


def test_preparing_the_planner_is_announced_once_without_a_terminal():
    waiting = Waiting(console(terminal=False))
    with waiting.during("planning"):
        for done in (256, 512, 600):
            waiting.preparing(done, 600)
    assert shown(waiting.console) == "preparing the planner (once)\n"


def test_a_few_new_texts_are_not_announced():
    waiting = Waiting(console(terminal=False))
    with waiting.during("planning"):
        waiting.preparing(3, 3)
    assert shown(waiting.console) == ""


def test_preparing_ends_when_nobody_waits():
    waiting = Waiting(console(terminal=True))
    with pytest.raises(KeyboardInterrupt), waiting.during("planning"):
        raise KeyboardInterrupt
    with pytest.raises(CancelledError):
        waiting.preparing(256, 600)
