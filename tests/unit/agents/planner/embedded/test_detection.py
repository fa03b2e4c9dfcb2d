"""How the reading of a text and those of its sentences become one."""

from edgewright.agents.planner.embedded.detection import Intent, Reading, with_sentences
from edgewright.agents.planner.embedded.grammar.clauses import Clause
from edgewright.agents.planner.embedded.grammar.sentences import asking

TEXT = "Name it. Is it wet?"


def reading(probability: float, *intents: Intent, declined: str = "") -> Reading:
    clause = Clause(declined, 9, 19)
    return Reading(intents, ((clause, "talk"),) if declined else (), (), probability)


def intent(tool: str, start: int, end: int, **shares: float) -> Intent:
    return Intent(tool, start, end, 0.9, shares)


def parts(probability: float, **shares: float) -> list[tuple[Clause, Reading]]:
    first, second = asking(TEXT)
    return [
        (first, reading(0.99, intent("naming", 0, 8, naming=0.9))),
        (second, reading(probability, intent("asking", 0, 10, asking=0.8, **shares))),
    ]


WHOLE = reading(0.8, intent("naming", 0, 8, naming=0.9), declined="Is it wet?")


def test_a_certain_sentence_adds_its_card_at_its_place() -> None:
    found = with_sentences(WHOLE, parts(0.95))
    assert [(each.tool, each.start, each.end) for each in found.intents] == [
        ("naming", 0, 8),
        ("asking", 9, 19),
    ]
    assert found.declined == ()


def test_an_uncertain_sentence_adds_nothing() -> None:
    assert with_sentences(WHOLE, parts(0.7)) == WHOLE


def test_a_sentence_that_may_mean_what_the_whole_requests_adds_nothing() -> None:
    assert with_sentences(WHOLE, parts(0.95, naming=0.2)) == WHOLE


def test_a_text_with_one_request_has_no_sentences_of_its_own() -> None:
    assert asking("I found this. What is it?") == []
    assert [each.text for each in asking(TEXT)] == ["Name it.", "Is it wet?"]
