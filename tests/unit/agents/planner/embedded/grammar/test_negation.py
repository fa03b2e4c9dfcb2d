"""What is taken out of a request because it is not wanted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.agents.planner.embedded.grammar.negation import bars, granted, wanted


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Don't caption this, classify it.", "classify it."),
        ("Do not describe the scene. Is the oven on?", "Is the oven on?"),
        ("No label please, only a description.", "only a description."),
        ("Give me the breed without describing the dog.", "Give me the breed."),
        ("Instead of a description, count the chairs.", "count the chairs."),
        ("I'd rather have a caption than a label.", "I'd rather have a caption."),
        ("Skip the class and caption it", "caption it"),
        ("I have no use for a label, caption it.", "caption it."),
        ("We've got no interest in the breed; count the cows.", "count the cows."),
        ("I wouldn't bother with a label, caption it.", "caption it."),
        ("I can do without a caption. Is it red?", "Is it red?"),
        ("I don't care which breed it is, caption it.", "caption it."),
        ("I don't mind how it is called, caption it.", "caption it."),
        ("A label is more useful than a caption", "A label is more useful"),
        ("I prefer a caption to a label.", "I prefer a caption."),
        ("It would be nicer to caption it", "It would be nicer to caption it"),
        (
            "If it shows neither a cow nor a goat, caption it",
            "If it shows neither a cow nor a goat, caption it",
        ),
        ("You don't need to describe it, I only want the class.", "I only want the class."),
        ("There is no need for a caption; what breed is it?", "what breed is it?"),
        (
            "I need neither a label nor a caption, only the number of cows.",
            "only the number of cows.",
        ),
        ("Please don't classify this picture.", ""),
        ("Never mind, leave it.", ""),
        ("Cancel.", ""),
        ("No.", ""),
        ("Classify it, not describe it.", "Classify it."),
        ("Describe the barn. No wait, classify it.", "classify it."),
        ("Don't just classify it, describe it as well.", "classify it, describe it as well."),
        ("Don't forget to caption it.", "caption it."),
        ("Why don't you describe it?", "describe it?"),
        ("Captions bore me, say what it is.", "say what it is."),
        ("Labels don't interest me. Caption it.", "Caption it."),
        ("I hate long descriptions so classify it", "classify it"),
        ("I'm tired of captions, is it a goat?", "is it a goat?"),
        ("I couldn't care less about the breed, caption it", "caption it"),
        ("Spare me the description. Is it a goat?", "Is it a goat?"),
        ("Enough with the captions! What breed is it?", "What breed is it?"),
        ("I've no time for a description, what breed is it?", "what breed is it?"),
        ("A class label would be overkill; caption it", "caption it"),
        ("The caption isn't needed, only the breed", "only the breed"),
        ("A label is not what I want. Caption it.", "Caption it."),
        ("The label can wait, caption it", "caption it"),
        ("I'd rather not have a caption. What breed is it?", "What breed is it?"),
        ("I'm fine without a label, caption it", "caption it"),
        ("You'd better caption it", "You'd better caption it"),
        ("Let's skip the label, caption it", "caption it"),
        ("Anything you like except a caption: what is it?", "what is it?"),
        ("Nothing on the first, but caption the second", "caption the second"),
        ("Neither of the first two, only caption the third", "only caption the third"),
        ("Could you refrain from captioning, is it a goat?", "is it a goat?"),
        ("Don't you dare describe it", ""),
        ("Kindly do not describe this photograph.", ""),
        ("Kindly don't label it, caption it", "caption it"),
        ("Do not, under any circumstances, describe it. Is it a goat?", "Is it a goat?"),
        ("Under no circumstances label it. Is it a goat?", "Is it a goat?"),
        ("Don't ever caption this", ""),
        ("nah forget it, I can see it now", ""),
        ("Oh never mind, I've found it", ""),
        ("Changed my mind about the label. Caption it.", "Caption it."),
        ("Caption it. I've changed my mind, label it.", "label it."),
        ("Skip the label, it's no use. Caption it.", "Caption it."),
        ("The label was fine, but caption it too", "caption it too"),
        ("Please, no more captions. Is it a goat?", "Is it a goat?"),
        ("Caption the first but leave out the second. Thanks", "Caption the first. Thanks"),
    ],
)
def test_what_is_not_wanted_is_taken_out(text: str, kept: str) -> None:
    assert wanted(text).text == kept


@pytest.mark.parametrize(
    "text",
    [
        "Is there no bus in the picture?",
        "Isn't that a heron?",
        "I don't know what this tool is. Name it.",
        "Is the man without a hat left or right?",
        "Nobody knows this plant, please identify it.",
        "What does the no parking sign say?",
        "Is it a bat instead of a bird?",
        "Can't see a thing, what is there?",
        "No dogs?",
        "I hate spiders, is there one in it?",
        "Is the story boring?",
        "Does the story bore us?",
        "I'm tired, caption it",
        "Does neither of them show a goat?",
    ],
)
def test_a_negation_in_a_question_or_statement_stays(text: str) -> None:
    assert wanted(text).text == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Don't caption the first. The second can have one.", "caption The second"),
        ("No more labels of p.png. Do q.png.", "labels of q.png"),
        ("Never describe the barn. The other one, yes.", "describe The other one"),
        ("Don't caption it. Do a count of the goats.", "Do a count of the goats."),
        ("Don't caption it. The goat is ill.", "The goat is ill."),
    ],
)
def test_what_is_allowed_has_the_task_of_what_is_not(text: str, kept: str) -> None:
    assert granted(wanted(text)) == kept


@pytest.mark.parametrize(
    ("words", "barred"),
    [
        ("skip the", True),
        ("Please don't look at", True),
        ("leave out", True),
        ("don't do the same to", True),
        ("don't describe", False),
        ("skip the label of", False),
    ],
)
def test_only_an_image_that_is_left_out_as_a_whole_is_barred(words: str, barred: bool) -> None:
    assert bars(words) is barred


@given(st.text(max_size=300))
def test_nothing_is_added(text: str) -> None:
    assert len(wanted(text).text) <= len(text)
