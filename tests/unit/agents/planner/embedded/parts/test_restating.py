"""A request with marked parts, said again in plain sentences."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.agents.planner.embedded.parts.conditions import plain_condition
from edgewright.agents.planner.embedded.parts.part import KINDS, ROLES, STATES, Part
from edgewright.agents.planner.embedded.parts.restating import restated

_MARK = re.compile(
    r"\{(?P<role>task|if|unless|images)(?: (?P<kind>\w+))?(?: (?P<state>\w+))?\|(?P<words>[^}]*)\}"
)


def said(marked: str) -> tuple[str, tuple[str, ...]]:
    """Return a request with marks, said again; "first" and "second" mention images."""
    text, parts, last = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[last : match.start()]
        start = len(text)
        text, last = text + match["words"], match.end()
        kind, state = match["kind"] or "other", match["state"] or "always"
        parts.append(Part(start, len(text), match["role"], kind, state))
    text += marked[last:]
    found = restated(text, parts, lambda words: bool(re.search(r"first|second|oldest", words)))
    return found.text, found.dropped


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("hi, {task describe|describe the first}. My eyes hurt. {task label|Label the second}.",
         "Describe the first. Label the second."),
        ("{if|If there is a dog}, {task describe if|describe it}; {task label else|else label it}.",
         "If there is a dog, then describe it. Otherwise, label it."),
        ("{task describe if|Describe the second} {if|but only if it rains}.",
         "Describe the second if it rains."),
        ("{if|Were there a church to be seen}, {task describe if|I should like a description}.",
         "If there is a church, then I should like a description."),
        ("{if|With a child in it} {task nothing if|do nothing}, {task describe else|else caption}.",
         "If there is a child in it, do nothing. Otherwise, caption."),
        ("{if|Dog?} {task describe if|Then a caption}, {task nothing else|else nothing}.",
         "Dog? Then a caption."),
        ("{task ask|Is there a dog?} {if|If so}, {task describe if|describe it}.",
         "Is there a dog? If so, then describe it."),
        ("{task describe if|Caption} {task label if|and label it}, {if|if there's a horse}.",
         "Caption and label it if there's a horse."),
        ("{task describe|A caption} {task label|and a label}, please.", "A caption and a label."),
        ("Only the oldest matters. {task ask|What's going on there?}",
         "Only the oldest matters. What's going on there?"),
        ("{images|Front view}: {task label|label}. {images|Rear view}: {task ask|count the bolts}.",
         "Front view: label. Rear view: count the bolts."),
        ("{task describe not|No caption}; {task label|the first, yes}.", "Classify the first."),
        ("{if|Eggs?} {if|If so}, {task describe if|caption it}.", "Eggs? If so, then caption it."),
        ("{task describe if|A caption} {if|if it's dark}, {task label if|a label} {if|if bright}.",
         "A caption if it's dark. A label if bright."),
        ("{task label|What is it} - {images|the one by Ann}", "What is it, the one by Ann."),
    ],
)  # fmt: skip
def test_parts_are_said_in_plain_sentences(marked: str, plain: str) -> None:
    assert said(marked)[0] == plain


def test_what_is_not_wanted_is_left_out() -> None:
    text, dropped = said("{task label not|Don't classify it}, {task describe|just describe it}.")
    assert (text, dropped) == ("Just describe it.", ("Don't classify it",))


def test_an_exception_stays_with_what_it_restricts() -> None:
    assert said("{task describe|Describe all}, {task describe not|just not the first}.") == (
        "Describe all, just not the first.",
        (),
    )


@pytest.mark.parametrize(
    "marked", ["Good morning!", "{images|Front view}.", "{task label not|no label}"]
)
def test_without_a_task_the_request_stays_as_it_is(marked: str) -> None:
    assert said(marked)[0] == _MARK.sub(r"\g<words>", marked)


@pytest.mark.parametrize(
    ("words", "role", "plain"),
    [
        ("where nobody smiles", "unless", "if nobody smiles"),
        ("and only in case it is open", "if", "if it is open"),
        ("unless there's a dog", "unless", "unless there's a dog"),
        ("When is there a woman on it", "if", "if there is a woman on it"),
        ("without a helmet", "unless", "if there is no helmet"),
        ("that shows damage", "if", "if it shows damage"),
        ("a dog", "unless", "unless there is a dog"),
        ("yes", "if", "if so"),
        ("where no", "unless", "if not"),
        ("except if it is dark", "unless", "unless it is dark"),
        ("should it be open", "if", "should it be open"),
        ("in that case", "if", "in that case"),
    ],
)
def test_conditions_are_said_in_plain_words(words: str, role: str, plain: str) -> None:
    assert plain_condition(words, role) == plain


@given(st.data())
def test_any_parts_of_any_text_can_be_said(data: st.DataObject) -> None:
    text = data.draw(st.text("ab ?.,if then not \n", max_size=60))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    parts = [
        Part(start, end, data.draw(st.sampled_from(ROLES)), data.draw(st.sampled_from(KINDS)),
             data.draw(st.sampled_from(STATES)))
        for start, end in pairwise(cuts)
    ]  # fmt: skip
    found = restated(text, parts, lambda words: "a" in words)
    wanted = any(part.role == "task" and part.state != "not" for part in parts)
    assert wanted or found.text == text
    assert all(words in text for words in found.dropped)
