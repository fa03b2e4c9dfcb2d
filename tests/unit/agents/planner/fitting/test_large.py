"""A large catalogue is fitted in closed form, and a further card costs little more than itself."""

import pytest

from edgewright.agents.planner.fitting.examples import LARGE, SHARED, collect
from edgewright.agents.planner.planner import make_embedded_planner
from edgewright.agents.planner.request import PlanRequest
from edgewright.benchmarks.planner.catalogue import another, cards, requests
from edgewright.tools.cards import CardRegistry


def texts(catalogue):
    found = collect(CardRegistry(catalogue)).requests
    return {text for each in found for text in (each.words.whole, *each.words.clauses)}


@pytest.mark.parametrize("place", [0, 200])
def test_a_further_card_brings_few_new_texts(place):
    catalogue = cards(400)
    further = [*catalogue[:place], another(), *catalogue[place:]]
    assert len(texts(further) - texts(catalogue)) < 80


def test_what_cards_share_is_bounded():
    joined = [
        sum(len(each.labels) > 1 for each in collect(CardRegistry(cards(count))).requests)
        for count in (LARGE + 1, 400, 1000)
    ]
    assert all(SHARED / 2 < count < 2 * SHARED for count in joined)


@pytest.mark.slow
def test_cards_are_found_in_other_words_than_demonstrated(planner_cache):
    count = LARGE + 6
    planner = make_embedded_planner(CardRegistry(cards(count)), folder=planner_cache)
    asked = list(requests(count))
    plans = planner.plan_many([PlanRequest(text=text) for text, _ in asked])
    right = [
        [task.tool for task in plan.tasks] == [card]
        for plan, (_, card) in zip(plans, asked, strict=True)
    ]
    assert sum(right) >= 0.95 * len(right)
    foreign = ("what a lovely morning", "translate this letter into French", "good night")
    assert not any(plan.tasks for plan in planner.plan_many([PlanRequest(text=t) for t in foreign]))
