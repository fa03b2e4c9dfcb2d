"""Answers are made from results alone."""

from collections.abc import Sequence
from typing import Any

from edgewright.agents.llm.client import ChatModel, Message
from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.responder.chat import ChatResponder
from edgewright.agents.responder.responder import answer, make_responder
from edgewright.agents.responder.result import TaskResult
from edgewright.agents.responder.templates import TemplateResponder
from edgewright.tools.contracts.cost_report import CostReport
from edgewright.tools.errors import LinkError, RefusedError, UnavailableError
from edgewright.tools.settings import ChatModelSettings

LABELS = [{"label": "tabby", "score": 0.7}, {"label": "tiger cat", "score": 0.2}]


def plan(*tools: str, **more: Any) -> Plan:
    tasks = tuple(
        Task(id=f"t{n}", tool=tool, task_type=tool, args={"question": "Is there a dog?"})
        for n, tool in enumerate(tools, start=1)
    )
    return Plan(request="…", tasks=tasks, planner="embedded", confidence=1, **more)


def result(number: int, tool: str, output: dict[str, Any], *, rough: bool = False) -> TaskResult:
    report = CostReport(
        arm="device-only",
        planned_arm="device-only",
        nodes=["device"],
        model="m@1",
        expert="label-captioner",
        approximate=rough,
    )
    return TaskResult(task_id=f"t{number}", tool=tool, status="ok", output=output, report=report)


REFUSED = TaskResult(
    task_id="t2",
    tool="visual-question-answering",
    status="refused",
    error=RefusedError("Counting needs BLIP: set EDGEWRIGHT_BLIP_VQA.").info(),
)


def test_every_claim_points_at_its_result() -> None:
    said = answer(
        "…",
        plan("image-classification", "visual-question-answering"),
        [result(1, "image-classification", {"text": "tabby", "labels": LABELS}), REFUSED],
    )
    assert [claim.task_id for claim in said.claims] == ["t1", "t2"]
    assert "Tabby." in said.claims[0].text
    assert "cannot be answered: Counting needs BLIP: set EDGEWRIGHT_BLIP_VQA." in said.text


def test_a_stand_in_is_named_as_approximate() -> None:
    output = {"text": "a picture of a tabby"}
    said = answer("…", plan("image-to-text"), [result(1, "image-to-text", output, rough=True)])
    assert "approximate, by label-captioner" in said.text


def test_what_is_not_available_says_how_to_mend_it() -> None:
    error = UnavailableError("no expert exists for this card yet").info()
    failed = TaskResult(task_id="t1", tool="pose-detection", status="unavailable", error=error)
    assert answer("…", plan("pose-detection"), [failed]).text == (
        "Pose detection is not available: no expert exists for this card yet."
    )


def test_a_step_that_was_not_reached_is_not_passed_over() -> None:
    said = answer("…", plan("image-to-text", "pose-detection"), [result(1, "image-to-text", {})])
    assert "gave a result without words" in said.text
    assert "'pose detection' was not reached" in said.text


def test_an_empty_plan_is_answered_by_its_reason_and_a_need_by_its_name() -> None:
    assert answer("…", plan(reason="No card serves this."), []).text == "No card serves this."
    assert "a picture" in answer("…", plan("image-to-text", needs=("image",)), []).text


class Scripted(ChatModel):
    def __init__(self, said: dict[str, Any] | Exception) -> None:
        super().__init__(ChatModelSettings(model="scripted"))
        self.said = said
        self.prompt = ""

    def ask(
        self, messages: Sequence[Message], schema: dict[str, Any], *, deadline: float
    ) -> dict[str, Any]:
        self.prompt = messages[0].content
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def chat(said: dict[str, Any] | Exception) -> tuple[ChatResponder, Scripted]:
    model = Scripted(said)
    return ChatResponder(model, TemplateResponder()), model


TWO = plan("image-classification", "visual-question-answering")
RESULTS = [result(1, "image-classification", {"text": "tabby", "labels": LABELS}), REFUSED]


def test_a_chat_model_words_results_but_never_a_refusal() -> None:
    responder, model = chat({"claims": [{"text": "It is a tabby.", "task_id": "t1"}]})
    said = responder.answer("…", TWO, RESULTS)
    assert said.text.startswith("It is a tabby. Visual question answering cannot be answered")
    assert "tiger cat" in model.prompt
    assert "BLIP" not in model.prompt


def test_a_wording_that_is_not_of_the_results_is_not_used() -> None:
    plain = answer("…", TWO, RESULTS)
    for said in (
        {"claims": []},
        {"nonsense": 1},
        {"claims": [{"text": "There are 3 dogs.", "task_id": "t2"}]},
        LinkError("down"),
    ):
        assert chat(said)[0].answer("…", TWO, RESULTS) == plain


def test_without_good_results_no_model_is_asked() -> None:
    responder, model = chat(LinkError("never asked"))
    assert "cannot be answered" in responder.answer("…", TWO, [REFUSED]).text
    assert model.prompt == ""


def test_templates_answer_when_no_model_is_configured() -> None:
    assert isinstance(make_responder(), TemplateResponder)
    assert isinstance(make_responder(ChatModelSettings(model="m")), ChatResponder)
