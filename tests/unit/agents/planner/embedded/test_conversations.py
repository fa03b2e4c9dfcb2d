"""Plans in a conversation: images for each task, conditions, repetitions, notes."""

from collections.abc import Callable

import pytest

from edgewright.agents.planner.plan import Plan
from edgewright.tools.contracts.images import ImageRef

Talk = Callable[..., Plan]
Make = Callable[[str], ImageRef]
LETTERS = {
    "image-classification": "C",
    "image-to-text": "T",
    "visual-question-answering": "V",
}


def steps(image: Make, plan: Plan) -> list[str]:
    names = {image(name).uri: name for name in ("p.png", "q.png", "r.png")}
    return [
        f"{LETTERS[t.tool]}:{names[t.args['image']]}{'?' if t.when else ''}" for t in plan.tasks
    ]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (
            (("Caption the first and count the hens in the third", "p.png q.png r.png"),),
            "T:p.png V:r.png",
        ),
        (
            (("A caption of p.png and a class label of the others", "p.png q.png r.png"),),
            "T:p.png C:q.png C:r.png",
        ),
        (
            (("Classify q.png", "p.png q.png"), ("is there a goat in it?", "")),
            "V:q.png",
        ),
        (
            (("Is there a hen?", "p.png"), ("and in this one?", "q.png")),
            "V:q.png",
        ),
        (
            (("Caption both, but classify only the second", "p.png q.png"),),
            "T:p.png T:q.png C:q.png",
        ),
        (
            (("If there is a hen in p.png, caption q.png", "p.png q.png"),),
            "V:p.png T:q.png?",
        ),
        (
            (("Caption each if it shows a hen", "p.png q.png"),),
            "V:p.png T:p.png? V:q.png T:q.png?",
        ),
        (
            (("Caption it unless there is a hen", "p.png"), ("the same for this one", "q.png")),
            "V:q.png T:q.png?",
        ),
        (
            (("Is there a hen?", "p.png"), ("if so, caption it", "")),
            "V:p.png T:p.png?",
        ),
        (
            (
                (
                    "If the first shows a hen and the second doesn't, caption the third",
                    "p.png q.png r.png",
                ),
            ),
            "V:p.png V:q.png T:r.png?",
        ),
        (
            (("Caption the pictures that have a hen in them", "p.png q.png"),),
            "V:p.png T:p.png? V:q.png T:q.png?",
        ),
        ((("Skip the first and caption what's left", "p.png q.png r.png"),), "T:q.png T:r.png"),
        ((("Caption all of them but leave out q.png", "p.png q.png r.png"),), "T:p.png T:r.png"),
        ((("Caption the lot bar the second", "p.png q.png r.png"),), "T:p.png T:r.png"),
        ((("Is there a hen? But not in the first.", "p.png q.png r.png"),), "V:q.png V:r.png"),
        ((("Please don't open q.png, it's private. Caption them.", "p.png q.png"),), "T:p.png"),
        ((("Don't caption p.png. The other one can have one.", "p.png q.png"),), "T:q.png"),
        ((("Caption all except the second; classify that one", "p.png q.png"),), "T:p.png C:q.png"),
        ((("Don't caption the first, but classify both", "p.png q.png"),), "C:p.png C:q.png"),
        (
            (("Count the hens in the yard. If it's more than four, caption it.", "p.png"),),
            "V:p.png T:p.png?",
        ),
        (
            (("How many hens are there?", "p.png"), ("If it's more than five, caption it", "")),
            "V:p.png T:p.png?",
        ),
        (
            (("For each of these: if there's a hen on it, caption it.", "p.png q.png"),),
            "V:p.png T:p.png? V:q.png T:q.png?",
        ),
        (
            (
                (
                    "Caption the first. If there's a hen in it, caption the second too.",
                    "p.png q.png",
                ),
            ),
            "T:p.png V:p.png T:q.png?",
        ),
        (
            (
                ("Is there a hen in p.png?", "p.png q.png"),
                ("If the answer was yes, do the same check on the other picture", ""),
            ),
            "V:p.png V:q.png?",
        ),
        (
            (
                (
                    "Count the hens in p.png. If there are more than two, caption q.png",
                    "p.png q.png",
                ),
            ),
            "V:p.png T:q.png?",
        ),
        (
            (("Have a look at this one, and if there are no hens in it write a caption", "p.png"),),
            "V:p.png T:p.png?",
        ),
        ((("Captions for 1 and 3 please.", "p.png q.png r.png"),), "T:p.png T:r.png"),
        ((("middle one: is there a hen?", "p.png q.png r.png"),), "V:q.png"),
        ((("Is there a hen in the picture right after p.png?", "p.png q.png r.png"),), "V:q.png"),
        ((("Caption the one before r.png", "p.png q.png r.png"),), "T:q.png"),
        (
            (("Of these three, only the second is mine. Caption it.", "p.png q.png r.png"),),
            "T:q.png",
        ),
        (
            (("3rd is blurry. Captions for the others please!", "p.png q.png r.png"),),
            "T:p.png T:q.png",
        ),
        (
            (
                ("Caption p.png", "p.png"),
                ("Is there a hen?", "q.png"),
                ("Caption the photo I sent at the very start", ""),
            ),
            "T:p.png",
        ),
        (
            (
                ("Caption p.png", "p.png q.png"),
                ("and r", "r.png"),
                ("Describe everything I've sent so far", ""),
            ),
            "T:p.png T:q.png T:r.png",
        ),
        (
            (
                ("Caption it", "p.png"),
                ("Is there a hen?", "q.png"),
                ("Is there a cow in the one that you captioned?", ""),
            ),
            "V:p.png",
        ),
        (
            (
                ("Is there a hen?", "p.png"),
                ("Caption it", "q.png"),
                ("Caption the one I asked you about", ""),
            ),
            "T:p.png",
        ),
        (
            (
                ("Caption them", "p.png q.png"),
                ("The two I sent before this one, is there a hen in either of them?", "r.png"),
            ),
            "V:p.png V:q.png",
        ),
        (
            (
                ("Caption p.png", "p.png q.png r.png"),
                ("Now do the last two. Same sort of caption.", ""),
            ),
            "T:q.png T:r.png",
        ),
        ((("Can you see a hen in this yard?", "p.png"), ("or a cow?", "")), "V:p.png"),
        ((("Is there a hen on the roof?", "p.png"), ("Whereabouts?", "")), "V:p.png"),
        ((("How many hens are there?", "p.png"), ("Really? I count five.", "")), "V:p.png"),
        ((("Caption the first", "p.png q.png r.png"), ("Next!", "")), "T:q.png"),
        ((("Is this a hen?", "p.png"), ("Then what is it?", "")), "C:p.png"),
        (
            (("Caption the first", "p.png q.png"), ("not that one!", "")),
            "T:q.png",
        ),
        (
            (("Caption the first", "p.png q.png r.png"), ("wrong one! I wanted the third", "")),
            "T:r.png",
        ),
        (
            (("Is there a hen?", "p.png"), ("oops, wrong picture, this one", "q.png")),
            "V:q.png",
        ),
        (
            (("Caption the first", "p.png q.png r.png"), ("Good. Next one.", "")),
            "T:q.png",
        ),
        (
            (("Caption the first", "p.png q.png r.png"), ("great, now everything else", "")),
            "T:q.png T:r.png",
        ),
        (
            (("Classify the first picture and caption every other one", "p.png q.png r.png"),),
            "C:p.png T:q.png T:r.png",
        ),
        (
            (("Classify the second and caption the next one", "p.png q.png r.png"),),
            "C:q.png T:r.png",
        ),
        (
            (("caption every other picture", "p.png q.png r.png"),),
            "T:p.png T:r.png",
        ),
        (
            (("captions bore me, just say what breed it is", "p.png"),),
            "C:p.png",
        ),
        (
            (("first a caption, then a label, then the count of hens", "p.png"),),
            "T:p.png C:p.png V:p.png",
        ),
        (
            (("Classify it, and if there is a hen, caption it", "p.png"),),
            "C:p.png V:p.png T:p.png?",
        ),
        (
            (("descirbe teh frist pictrue", "p.png q.png"),),
            "T:p.png",
        ),
        (
            (("Describe it", "p.png"), ("and now the label", "")),
            "C:p.png",
        ),
        (
            (("hw mny ppl r in ths pic", "p.png"),),
            "V:p.png",
        ),
        (
            (("Is there a hen?", "p.png"), ("what is this one?", "q.png")),
            "C:q.png",
        ),
        (
            (("If the first has a hen but the second doesn't, caption the first", "p.png q.png"),),
            "V:p.png V:q.png T:p.png?",
        ),
        (
            (("(1) how many hens (2) what breed", "p.png"),),
            "V:p.png C:p.png",
        ),
        (
            (("tags", "p.png"),),
            "C:p.png",
        ),
        (
            (("2: describe, 3: classify", "p.png q.png r.png"),),
            "T:q.png C:r.png",
        ),
        (
            (("in p.png is there an owl, and in q.png a toad?", "p.png q.png"),),
            "V:p.png V:q.png",
        ),
        (
            (("which one is brighter", "p.png q.png"),),
            "V:p.png V:q.png",
        ),
        (
            (("Describe it", "p.png"), ("hm, are you sure? Check what it is", "")),
            "C:p.png",
        ),
        (
            (("What is it?", "p.png"), ("are you sure?", "")),
            "C:p.png",
        ),
    ],
)
def test_each_task_has_its_image_and_condition(
    talk: Talk, image: Make, turns: tuple[tuple[str, str], ...], expected: str
) -> None:
    assert steps(image, talk(*turns)) == expected.split()


def test_both_branches_of_a_condition_exclude_each_other(talk: Talk) -> None:
    plan = talk(("If there is a hen, caption it, otherwise classify it.", "p.png"))
    check, caption, label = plan.tasks
    assert check.args["question"] == "is there a hen?"
    assert caption.when is not None
    assert label.when is not None
    for answer, runs in (("yes", (True, False)), ("no", (False, True)), ("unsure", (None, None))):
        outputs = {check.id: {"answer": answer}}
        assert (caption.when.holds(outputs), label.when.holds(outputs)) == runs


def test_each_statement_of_a_condition_is_about_its_own_image(talk: Talk, image: Make) -> None:
    text = "If there's a hen in p.png and a goat in q.png, caption r.png"
    first, second, caption = talk((text, "p.png q.png r.png")).tasks
    asked = [(image("p.png").uri, "hen"), (image("q.png").uri, "goat")]
    for task, (uri, noun) in zip((first, second), asked, strict=True):
        assert task.args["image"] == uri
        assert noun in task.args["question"]
    assert caption.when is not None
    outputs = {first.id: {"answer": "yes"}, second.id: {"answer": "yes"}}
    assert caption.when.holds(outputs)
    assert not caption.when.holds(outputs | {second.id: {"answer": "no"}})


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("hello", "Hello. Attach an image"),
        ("what can you do?", '"Describe this picture."'),
        ("what is the capital of Australia?", "which sounds like general knowledge;"),
    ],
)
def test_what_is_no_request_is_answered_in_plain_words(talk: Talk, text: str, reply: str) -> None:
    plan = talk((text, ""))
    assert plan.tasks == ()
    assert reply in plan.reason


@pytest.mark.parametrize(
    "text",
    [
        "Is there a hen in both of them?",
        "Is there a hen in either of these?",
        "Is there a hen in each?",
        "Is there a hen in them?",
    ],
)
def test_a_question_about_several_images_is_asked_of_each(talk: Talk, text: str) -> None:
    plan = talk((text, "p.png q.png"))
    assert [task.args["question"] for task in plan.tasks] == ["Is there a hen in the picture?"] * 2


def test_in_one_image_they_are_things(talk: Talk) -> None:
    plan = talk(("Is there milk in them?", "p.png"))
    assert plan.tasks[0].args["question"] == "Is there milk in them?"


def test_what_does_it_say_is_a_question(talk: Talk, image: Make) -> None:
    plan = talk(("what does it say", "p.png"))
    assert steps(image, plan) == ["V:p.png"]


@pytest.mark.parametrize("text", ["if possible", "if you please", "otherwise", "then"])
def test_courtesy_alone_is_no_request(talk: Talk, text: str) -> None:
    assert talk((text, "p.png")).tasks == ()


def test_a_task_of_an_image_that_is_not_there_is_never_widened(talk: Talk, image: Make) -> None:
    plan = talk(("Describe the first and classify the fifth.", "p.png q.png"))
    assert steps(image, plan) == ["T:p.png"]
    assert plan.notes == ("There is no fifth image: only 2 images are here.",)


def test_an_act_of_no_card_is_named_beside_the_tasks(talk: Talk, image: Make) -> None:
    plan = talk(("Rotate it by ninety degrees and describe it.", "p.png"))
    assert steps(image, plan) == ["T:p.png"]
    assert plan.notes == ("I cannot edit images; I can describe the picture as it is.",)


def test_what_is_not_wanted_is_not_done(talk: Talk) -> None:
    plan = talk(("Please do not describe this picture.", "p.png"))
    assert (plan.tasks, plan.reason) == ((), "Nothing was done, as you asked.")


def test_a_question_names_no_other_image(talk: Talk, image: Make) -> None:
    plan = talk(("Is there a hen in the second picture?", "p.png q.png"))
    assert plan.tasks[0].args["question"] == "Is there a hen in the picture?"
