"""A task with a condition runs if that holds, and the answer says so if it does not run."""

import pytest

from edgewright.agents.planner.condition import Check, Condition

QUESTION = "visual-question-answering"
CAPTION = "image-to-text"


def conditional(task, number, on, value):
    check = Check(task=on, field="answer", op="equals", value=value)
    return task(number, CAPTION, image="store:" + 64 * "0").model_copy(
        update={"when": Condition(checks=(check,))}
    )


@pytest.mark.parametrize(
    ("answer", "caption", "code"),
    [
        ("yes", "ok", ""),
        ("no", "skipped", "condition_not_met"),
        ("it may be", "skipped", "condition_undecided"),
    ],
)
async def test_a_task_runs_on_its_condition_alone_and_the_answer_says_so(
    run, planner, node, task, attached, ok, answer, caption, code
):
    question = task(1, QUESTION, image=attached["uri"], question="is there a dog?")
    captioned = conditional(task, 2, "t1", "yes")
    planner.tasks = (question, captioned.model_copy(update={"args": {"image": attached["uri"]}}))
    node.answers[QUESTION] = [ok(answer)]
    state, events = await run(attachments=[attached])
    assert state["results"]["t2"]["status"] == caption
    assert [call[0] for call in node.calls] == [QUESTION, CAPTION][: 2 if caption == "ok" else 1]
    assert state["plan"]["tasks"][1]["when"]["checks"][0]["task"] == "t1"
    assert {claim["task_id"] for claim in state["claims"]} == {"t1", "t2"}
    if code:
        assert state["results"]["t2"]["error"]["code"] == code
        assert "caption was left out" in state["messages"][-1].text
        assert [e.status for e in events if e.event == "task_finished"] == ["ok", "skipped"]


async def test_a_training_waits_for_its_condition(run, planner, node, task, attached, ok):
    question = task(1, QUESTION, image=attached["uri"], question="is there a dog?")
    check = Check(task="t1", field="answer", op="equals", value="yes")
    training = task(2, "federated-training").model_copy(update={"when": Condition(checks=(check,))})
    planner.tasks = (question, training)
    node.answers[QUESTION] = [ok("no")]
    state, _ = await run(attachments=[attached])
    assert state["results"]["t2"]["error"]["code"] == "condition_not_met"
    node.answers[QUESTION] = [ok("yes")]
    state, _ = await run(attachments=[attached])
    assert state["results"]["t2"]["error"]["code"] == "data_unnamed"
