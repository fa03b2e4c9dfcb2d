"""The baselines that the embedded planner is compared with."""

from edgewright.benchmarks.planner.baselines import NONE, ZeroShot
from edgewright.tools.cards import CardRegistry


def test_the_best_threshold_is_right_most_often() -> None:
    cards = CardRegistry.builtin()
    texts = [card.description for card in cards] + ["Rhubarb, rhubarb.", "1 + 1"]
    expected = [card.id for card in cards] + [NONE, NONE]
    threshold = ZeroShot(cards, 0).best_threshold(texts, expected)
    baseline = ZeroShot(cards, threshold)
    assert [baseline.name(text) for text in texts] == expected
