"""Answers are made from results alone."""

from collections.abc import Sequence
from typing import Any

import pytest

from edgewright.agents.llm.client import ChatModel, Message
from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.planner.request import PlanRequest, Turn
from edgewright.agents.responder.chat import ChatResponder
from edgewright.agents.responder.responder import make_responder
from edgewright.agents.responder.result import TaskResult
from edgewright.agents.responder.templates import TemplateResponder
from edgewright.tools.contracts.cost_report import CostReport
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import LinkError, RefusedError, UnavailableError
from edgewright.tools.settings import ChatModelSettings

LABELS = [{"label": "tabby", "score": 0.7}, {"label": "tiger cat", "score": 0.2}]
REQUEST = PlanRequest(text="…")
NOTE = "(Approximate: derived from class labels alone, by label-captioner;"

answer = TemplateResponder().answer


def plan(*tools: str, **more: Any) -> Plan:
    tasks = tuple(
        Task(id=f"t{n}", tool=tool, task_type=tool, args={"question": "Is there a dog?"})
        for n, tool in enumerate(tools, start=1)
    )
    return Plan(request="…", tasks=tasks, planner="embedded", confidence=1, **more)


def result(
    number: int, tool: str, output: dict[str, Any], *, approximate: bool = False
) -> TaskResult:
    report = CostReport(
        arm="device-only",
        planned_arm="device-only",
        nodes=["device"],
        model="m@1",
        expert="label-captioner",
        approximate=approximate,
    )
    return TaskResult(task_id=f"t{number}", tool=tool, status="ok", output=output, report=report)


REFUSED = TaskResult(
    task_id="t2",
    tool="visual-question-answering",
    status="refused",
    error=RefusedError("Counting needs BLIP: set EDGEWRIGHT_BLIP_VQA.").info(),
)


def test_every_claim_names_the_task_it_rests_on() -> None:
    answered = answer(
        REQUEST,
        plan("image-classification", "visual-question-answering"),
        [result(1, "image-classification", {"text": "tabby", "labels": LABELS}), REFUSED],
    )
    assert [claim.task_id for claim in answered.claims] == ["t1", "t2"]
    assert "Tabby." in answered.claims[0].text
    assert answered.text.endswith(
        '"Is there a dog?" cannot be answered: Counting needs BLIP: set EDGEWRIGHT_BLIP_VQA.'
    )


def test_one_question_is_not_repeated_in_its_answer() -> None:
    asked = plan("visual-question-answering")
    yes = result(1, "visual-question-answering", {"text": "yes, probably"})
    assert answer(REQUEST, asked, [yes]).text == "Yes, probably."
    refused = REFUSED.model_copy(update={"task_id": "t1"})
    assert answer(REQUEST, asked, [refused]).text.startswith("This question cannot be answered:")


def test_several_questions_are_repeated_with_their_answers() -> None:
    tasks = [
        Task(id=f"t{n}", tool="vqa", task_type="vqa", args={"question": question})
        for n, question in enumerate(("is there a dog?", "tell me the colour"), start=1)
    ]
    asked = Plan(request="…", tasks=tuple(tasks), planner="embedded", confidence=1)
    results = [result(1, "vqa", {"text": "no"}), result(2, "vqa", {"text": "grey"})]
    assert answer(REQUEST, asked, results).text == "Is there a dog? No. Tell me the colour — grey."


def image(digit: str, name: str) -> ImageRef:
    return ImageRef(uri="store:" + digit * 64, sha256=digit * 64, name=name)


def per_image(*images: ImageRef, follow: bool = False) -> tuple[PlanRequest, Plan]:
    tasks = [
        Task(id=f"t{n}", tool="image-classification", task_type="…", args={"image": each.uri})
        for n, each in enumerate(images, start=1)
    ]
    if follow:  # a task on the output of the first one
        args = {"text": "<t1>"}
        tasks.append(Task(id="t9", tool="speak", task_type="…", args=args, depends_on=("t1",)))
    made = Plan(request="…", tasks=tuple(tasks), planner="embedded", confidence=1)
    return PlanRequest(text="…", images=images), made


def labelled(*texts: str) -> list[TaskResult]:
    return [
        result(n, "image-classification", {"text": text}) for n, text in enumerate(texts, start=1)
    ]


CAT, DOG = image("a", "cat.png"), image("b", "dog.png")


def test_answers_about_two_images_name_them() -> None:
    answered = answer(*per_image(CAT, DOG), labelled("tabby (81 %)", "beagle (60 %)"))
    assert answered.text == "cat.png: tabby (81 %). dog.png: beagle (60 %)."
    assert [claim.text for claim in answered.claims] == ["tabby (81 %).", "beagle (60 %)."]


def test_answers_about_more_images_have_a_line_each() -> None:
    request, made = per_image(CAT, DOG, image("c", "cup.png"))
    text = answer(request, made, labelled("tabby", "beagle", "cup")).text
    assert text == "cat.png: tabby.\ndog.png: beagle.\ncup.png: cup."


def test_what_holds_for_several_images_is_said_once() -> None:
    request, made = per_image(CAT, DOG, image("c", "cup.png"))
    text = answer(request, made, labelled("tabby", "beagle", "tabby")).text
    assert text == "cat.png and cup.png: tabby.\ndog.png: beagle."
    text = answer(request, made, labelled("tabby", "tabby", "tabby")).text
    assert text == "cat.png, dog.png and cup.png: tabby."


def test_sentences_about_one_image_stay_together() -> None:
    request, made = per_image(CAT, DOG, follow=True)
    spoken = result(9, "speak", {"text": "spoken"})
    text = answer(request, made, [*labelled("tabby", "beagle"), spoken]).text
    assert text == "cat.png: tabby. Spoken.\ndog.png: beagle."


def test_one_image_is_not_named_but_one_of_several_is() -> None:
    request, made = per_image(CAT)
    assert answer(request, made, labelled("tabby")).text == "Tabby."
    both = PlanRequest(text="…", images=(DOG, CAT))
    assert answer(both, made, labelled("tabby")).text == "cat.png: tabby."


def test_images_of_one_name_or_none_are_numbered() -> None:
    images = CAT, image("b", "cat.png"), image("c", ""), image("d", "")
    text = answer(*per_image(*images), labelled("a", "b", "c", "d")).text
    assert text == "cat.png 1: a.\ncat.png 2: b.\nimage 1: c.\nimage 2: d."


def test_images_of_earlier_turns_keep_their_names() -> None:
    _, made = per_image(CAT, DOG)
    request = PlanRequest(text="…", history=(Turn(request="…", images=(CAT, DOG)),))
    assert answer(request, made, labelled("tabby", "beagle")).text.startswith("cat.png: tabby.")


def test_approximate_experts_are_named_once_in_a_conversation() -> None:
    output = {"text": "a picture of a tabby"}
    approximate = [result(1, "image-to-text", output, approximate=True)]
    first = answer(REQUEST, plan("image-to-text"), approximate)
    sentence, note = first.text.splitlines()
    assert sentence == "A picture of a tabby."
    assert note.startswith(NOTE)
    later = PlanRequest(text="…", history=(Turn(request="…", answer=first.text),))
    assert answer(later, plan("image-to-text"), approximate).text == sentence


def test_an_unavailable_tool_gives_its_reason() -> None:
    error = UnavailableError("no expert exists for this card yet").info()
    failed = TaskResult(task_id="t1", tool="pose-detection", status="unavailable", error=error)
    assert answer(REQUEST, plan("pose-detection"), [failed]).text == (
        "Pose detection is not available: no expert exists for this card yet."
    )


def test_a_refusal_without_a_question_gives_its_reason() -> None:
    refused = REFUSED.model_copy(update={"task_id": "t1", "tool": "image-to-text"})
    task = Task(id="t1", tool="image-to-text", task_type="…")
    made = Plan(request="…", tasks=(task,), planner="embedded", confidence=1)
    assert answer(REQUEST, made, [refused]).text.startswith("Image to text was refused: Counting")


def test_tasks_without_a_result_or_a_text_are_reported() -> None:
    answered = answer(
        REQUEST, plan("image-to-text", "pose-detection"), [result(1, "image-to-text", {})]
    )
    assert "Image to text returned no text." in answered.text
    assert "Pose detection was not run." in answered.text


def test_an_empty_plan_is_answered_by_its_reason_and_a_missing_input_by_its_name() -> None:
    assert answer(REQUEST, plan(reason="No card serves this."), []).text == "No card serves this."
    missing = answer(REQUEST, plan("image-to-text", needs=("image",)), [])
    assert missing.text == "This request needs an image (attach one)."


class Scripted(ChatModel):
    def __init__(self, reply: dict[str, Any] | Exception) -> None:
        super().__init__(ChatModelSettings(model="scripted"))
        self.reply = reply
        self.prompt = ""

    def ask(
        self, messages: Sequence[Message], schema: dict[str, Any], *, deadline: float
    ) -> dict[str, Any]:
        self.prompt = messages[0].content
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def chat(reply: dict[str, Any] | Exception) -> tuple[ChatResponder, Scripted]:
    model = Scripted(reply)
    return ChatResponder(model, TemplateResponder()), model


TWO = plan("image-classification", "visual-question-answering")
RESULTS = [result(1, "image-classification", {"text": "tabby", "labels": LABELS}), REFUSED]


def test_a_chat_model_words_results_but_never_a_refusal() -> None:
    responder, model = chat({"claims": [{"text": "It is a tabby.", "task_id": "t1"}]})
    answered = responder.answer(REQUEST, TWO, RESULTS)
    assert answered.text.startswith('It is a tabby. "Is there a dog?" cannot be answered')
    assert "tiger cat" in model.prompt
    assert "BLIP" not in model.prompt


def test_a_chat_models_answer_names_images_and_approximate_experts() -> None:
    claims = [{"text": f"It is {what}.", "task_id": f"t{n}"} for n, what in ((1, "a"), (2, "b"))]
    results = [result(n, "image-to-text", {"text": "a b"}, approximate=True) for n in (1, 2)]
    text = chat({"claims": claims})[0].answer(*per_image(CAT, DOG), results).text
    sentences, note = text.splitlines()
    assert sentences == "cat.png: It is a. dog.png: It is b."
    assert note.startswith(NOTE)


@pytest.mark.parametrize(
    "reply",
    [
        {"claims": []},
        {"nonsense": 1},
        {"claims": [{"text": "There are 3 dogs.", "task_id": "t2"}]},
        LinkError("down"),
    ],
)
def test_an_answer_that_does_not_match_the_results_is_discarded(
    reply: dict[str, Any] | Exception,
) -> None:
    assert chat(reply)[0].answer(REQUEST, TWO, RESULTS) == answer(REQUEST, TWO, RESULTS)


def test_without_successful_results_no_model_is_asked() -> None:
    responder, model = chat(LinkError("never asked"))
    assert "cannot be answered" in responder.answer(REQUEST, TWO, [REFUSED]).text
    assert model.prompt == ""


def test_templates_answer_when_no_model_is_configured() -> None:
    assert isinstance(make_responder(), TemplateResponder)
    assert isinstance(make_responder(ChatModelSettings(model="m")), ChatResponder)
