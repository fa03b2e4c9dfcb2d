"""Cards are checked for confusion with others by leaving each demonstration out once."""

import numpy as np
import pytest

from edgewright.agents.planner.fitting import confusion
from edgewright.agents.planner.fitting.confusion import check, left_out_scores
from edgewright.tools.cards import CardRegistry, Demonstration, ToolCard

WEATHER = (
    "Will it rain today?",
    "Is it sunny outside?",
    "How windy is it tomorrow?",
    "Do I need an umbrella?",
    "Tell me the forecast.",
    "Will it snow at the weekend?",
)
MUSIC = (
    "Play some jazz.",
    "I want to hear a song.",
    "Put on my favourite album.",
    "Start the playlist.",
    "Sing something for me.",
    "Turn the music louder.",
)
LIGHT = (
    "Switch the lamp on.",
    "Make the room darker.",
    "Turn off the lights.",
    "Dim the ceiling lamp.",
    "I need more light.",
    "Set the lights to red.",
)


def card(name: str, requests: tuple[str, ...]) -> ToolCard:
    return ToolCard(
        id=name,
        task_type="task",
        title=name,
        description="Does what it is shown to do.",
        inputs=(),
        outputs=("text",),
        demonstrations=tuple(Demonstration(request=request) for request in requests),
    )


OTHERS = CardRegistry([card("weather", WEATHER), card("music", MUSIC)])


def test_a_card_with_its_own_subject_passes() -> None:
    found = check(card("light", LIGHT), OTHERS)
    assert found.passed
    assert found.demonstrations == 6
    assert len(found.lost) <= 1


def test_a_duplicate_card_is_reported_with_its_demonstrations() -> None:
    copied = card("rain", ("Will it rain this evening?", *WEATHER[1:5], "Is it raining?"))
    found = check(copied, OTHERS)
    assert not found.passed
    (exact,) = [each for each in found.lost if each.request == WEATHER[1]]
    assert (exact.card, exact.taken_for, exact.nearest) == ("rain", "weather", WEATHER[1])
    assert exact.similarity == pytest.approx(1, abs=1e-3)
    assert any("'weather'" in advice for advice in found.advice)
    assert any("nearly identical" in advice for advice in found.advice)


def test_a_card_that_takes_requests_of_others_is_reported_with_their_names() -> None:
    greedy = card("everything", (*WEATHER, *MUSIC))
    found = check(greedy, CardRegistry([card("weather", WEATHER), card("light", LIGHT)]))
    assert not found.passed
    assert {each.card for each in found.taken} == {"weather"}
    assert all(each.taken_for == "everything" for each in found.taken)
    assert any("would take" in advice for advice in found.advice)


def test_a_card_with_too_few_demonstrations_fails() -> None:
    found = check(card("light", LIGHT[:2]), OTHERS)
    assert not found.passed
    assert "at least 5 demonstrations" in found.advice[0]


def test_a_card_is_not_confused_with_its_own_earlier_version() -> None:
    found = check(card("music", MUSIC), OTHERS)
    assert "music" not in {each.taken_for for each in found.lost}
    assert found.passed


def test_a_single_card_cannot_be_confused() -> None:
    found = check(card("music", MUSIC), CardRegistry([]))
    assert (found.passed, found.lost, found.taken) == (True, (), ())


def test_left_out_scores_are_those_of_a_fit_without_the_example() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(12, 4)).astype(np.float32)
    truth = np.arange(12) % 3
    scores = left_out_scores(vectors, truth, 3)
    x = np.hstack([vectors, np.ones((12, 1))]).astype(np.float64)
    # Each example keeps the weight it has in the whole set.
    weights = 1 / np.bincount(truth)[truth]
    for left in range(12):
        others = np.arange(12) != left
        weighted = x[others].T * weights[others]
        gram = weighted @ x[others] + confusion.RIDGE * np.eye(5)
        fitted = np.linalg.solve(gram, weighted @ np.eye(3)[truth[others]])
        assert scores[left] == pytest.approx(x[left] @ fitted, abs=1e-4)
