"""The composition of the request set, and the independence of its test split."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from edgewright.agents.planner.embedded.vocabulary import known_tasks
from edgewright.agents.planner.plan import Plan, Task
from edgewright.benchmarks.planner.requests import exact, graph_f1, path_of, read, right_tools
from edgewright.tools.cards import CardRegistry

VISION = ("image-classification", "image-to-text", "visual-question-answering")


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9']+", text.lower()))


def near(one: frozenset[str], others: Iterable[frozenset[str]]) -> bool:
    return any(len(one & other) > 0.6 * len(one | other) for other in others)


@pytest.mark.parametrize("split", ["dev", "test", "perception"])
def test_every_label_is_a_card_and_every_link_joins_two_of_its_tasks(split: str) -> None:
    cards = CardRegistry.builtin()
    for truth in read(path_of(split)):
        assert set(truth.tools) <= {card.id for card in cards}
        assert {tool for link in truth.links for tool in link} <= set(truth.tools)
        assert (truth.kind == "follow-up") == bool(truth.request.history)
        if truth.kind in ("single", "none"):
            assert len(truth.tools) == (truth.kind == "single")


def test_the_test_split_has_the_documented_composition() -> None:
    labelled = read(path_of("test"))
    kinds = Counter(truth.kind for truth in labelled)
    assert len(labelled) >= 260
    assert kinds["none"] >= 40
    assert min(kinds["multi"], kinds["follow-up"]) >= 20
    single = Counter(truth.tools for truth in labelled if truth.kind == "single")
    vision = sum(single[card,] for card in VISION)
    for card, part in zip(VISION, (26, 25, 31), strict=True):
        assert single[card,] / vision == pytest.approx(part / 82, abs=0.01)


@pytest.mark.parametrize("split", ["test", "perception"])
def test_no_test_request_is_near_a_development_request_or_a_demonstration(split: str) -> None:
    test = [truth.request.text for truth in read(path_of(split))]
    known = {words(truth.request.text) for truth in read(path_of("dev"))}
    cards = CardRegistry.builtin()
    demonstrations = [one for card in cards for one in card.demonstrations]
    known |= {words(one.request) for one in (*demonstrations, *cards.demonstrations)}
    known |= {words(phrase) for task in known_tasks() for phrase in task.phrases}
    assert [row for row, text in enumerate(test) if near(words(text), known)] == []
    assert len({words(text) for text in test}) == len(test)


def test_requests_of_others_name_their_source(tmp_path: Path) -> None:
    file = tmp_path / "others.jsonl"
    file.write_text(
        '{"kind": "single", "request": "?", "tools": ["a"], "links": [], "source": "them"}\n',
        "utf-8",
    )
    (truth,) = read(file)
    assert (truth.source, truth.request.images) == ("them", ())


def test_a_follow_up_has_its_turns_and_images(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(
        '{"kind": "follow-up", "request": "and here?", "tools": [], "links": [], "image": true,'
        ' "history": [{"request": "what is it", "plan_tools": ["a"], "image": true}]}',
        "utf-8",
    )
    (truth,) = read(file)
    (turn,) = truth.request.history
    assert turn.tools == ("a",)
    assert turn.images != truth.request.images


def test_a_plan_is_compared_by_cards_by_graph_and_by_f1(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(
        '{"kind": "multi", "request": "x", "tools": ["a", "b"], "links": [["a", "b"]]}', "utf-8"
    )
    (truth,) = read(file)
    first = Task(id="t1", tool="a", task_type="a")
    joined = Task(id="t2", tool="b", task_type="b", depends_on=("t1",))
    loose = Task(id="t2", tool="b", task_type="b")
    good = Plan(request="x", tasks=(first, joined), planner="embedded", confidence=1)
    flat = Plan(request="x", tasks=(first, loose), planner="embedded", confidence=1)
    assert exact(good, truth)
    assert right_tools(flat, truth)
    assert not exact(flat, truth)
    expected = (set(truth.tools), set(truth.links))
    assert graph_f1([good, flat], [expected, expected]) == pytest.approx((100, 200 / 3))
