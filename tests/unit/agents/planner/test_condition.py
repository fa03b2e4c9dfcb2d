"""Deciding conditions on results."""

from typing import Any

import pytest

from edgewright.agents.planner.condition import Check, Condition, Operator, ResultField


@pytest.mark.parametrize(
    ("field", "op", "value", "output", "holds"),
    [
        ("answer", "equals", "yes", {"answer": "yes"}, True),
        ("answer", "equals", "no", {"text": "Yes, a dog."}, False),
        ("answer", "not", "yes", {"text": "no"}, True),
        ("answer", "equals", "yes", {"answer": "unsure", "text": "Yes?"}, None),
        ("answer", "equals", "yes", {"text": "Perhaps."}, None),
        ("count", "at_least", "3", {"text": "There are 4 boats."}, True),
        ("count", "at_most", "3", {"answer": "four"}, False),
        ("count", "equals", "2", {"count": 2}, True),
        ("count", "at_least", "1", {"text": "many"}, None),
        ("label", "contains", "cat", {"label": "tabby cat"}, True),
        ("label", "contains", "cat", {"label": "caterpillar"}, False),
        ("label", "not", "cat", {"label": "tabby cat"}, False),
        ("label", "equals", "cat", {"label": "Cat"}, True),
        ("text", "contains", "stop", {"text": "It says STOP here."}, True),
        ("text", "contains", "stop", {}, None),
    ],
)
def test_a_check_is_decided_by_the_output(
    field: ResultField, op: Operator, value: str, output: dict[str, Any], holds: bool | None
) -> None:
    check = Check(task="t1", field=field, op=op, value=value)
    assert check.holds(output) is holds


@pytest.mark.parametrize(
    ("match", "answers", "holds"),
    [
        ("all", ("yes", "yes"), True),
        ("all", ("yes", "unsure"), None),
        ("all", ("unsure", "no"), False),
        ("any", ("no", "yes"), True),
        ("any", ("unsure", "yes"), True),
        ("any", ("no", "unsure"), None),
        ("any", ("no", "no"), False),
    ],
)
def test_checks_are_joined(match: Any, answers: tuple[str, str], holds: bool | None) -> None:
    checks = tuple(Check(task=f"t{n}", field="answer", op="equals", value="yes") for n in range(2))
    outputs = {f"t{n}": {"answer": answer} for n, answer in enumerate(answers)}
    assert Condition(match=match, checks=checks).holds(outputs) is holds
    assert Condition(match=match, checks=checks).holds({}) is None


def test_a_condition_is_worded_with_what_it_asks_for() -> None:
    first = Check(task="t1", field="answer", op="equals", value="no")
    second = Check(task="t2", field="count", op="at_least", value="3")
    assert Condition(checks=(first, second)).wording == "t1 is no and t2 is at least 3"
    assert Condition(match="any", checks=(first, second)).wording == "t1 is no or t2 is at least 3"
