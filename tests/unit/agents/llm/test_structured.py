"""Asking, validating and repairing with a scripted model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, Field

from edgewright.agents.llm.client import InvalidAnswerError, Message
from edgewright.agents.llm.structured import (
    MAX_QUOTED_ANSWER,
    ask_validated,
    object_schema,
    parse,
)
from edgewright.tools.errors import LinkError

SCHEMA = object_schema(value={"type": "integer"})
QUESTION = [Message(role="user", content="Which number?")]


class Number(BaseModel):
    value: int = Field(ge=0)


def number(answer: dict[str, Any]) -> int:
    return parse(Number, answer).value


def ask(model: Any, **limits: int) -> int:
    return ask_validated(
        model, QUESTION, SCHEMA, number, repair=lambda complaint: f"Wrong: {complaint}", **limits
    )


def test_a_valid_answer_needs_one_round(scripted):
    model = scripted({"value": 7})
    assert ask(model) == 7
    assert model.conversations == [QUESTION]


@pytest.mark.parametrize(
    ("invalid", "quoted", "complaint"),
    [
        ({"value": -1}, '{"value": -1}', "its field 'value' is wrong"),
        ({}, "{}", "its field 'value' is wrong: Field required"),
        (InvalidAnswerError("it is no object", answer="Seven."), "Seven.", "it is no object"),
    ],
)
def test_a_repair_round_quotes_the_answer_and_what_is_wrong(scripted, invalid, quoted, complaint):
    model = scripted(invalid, {"value": 7})
    assert ask(model) == 7
    question, answer, repair = model.conversations[1]
    assert question == QUESTION[0]
    assert (answer.role, answer.content) == ("assistant", quoted)
    assert repair.role == "user"
    assert repair.content.startswith(f"Wrong: {complaint}")


def test_a_long_answer_is_truncated_when_quoted(scripted):
    model = scripted({"value": "x" * 2 * MAX_QUOTED_ANSWER}, {"value": 7})
    assert ask(model) == 7
    assert len(model.conversations[1][1].content) == MAX_QUOTED_ANSWER


def test_repairs_are_bounded(scripted):
    with pytest.raises(InvalidAnswerError, match="'value' is wrong"):
        ask(scripted({}, {}, {"value": 7}))
    assert ask(scripted({}, {}, {"value": 7}), max_repairs=2) == 7
    with pytest.raises(InvalidAnswerError):
        ask(scripted({}, {"value": 7}), max_repairs=0)


def test_an_endpoint_that_is_down_is_not_asked_again(scripted):
    model = scripted(LinkError("down"), {"value": 7})
    with pytest.raises(LinkError):
        ask(model)
    assert len(model.conversations) == 1


def test_the_schema_requires_every_field_and_allows_no_other():
    schema = object_schema(one={"type": "string"}, two={"type": "string"})
    assert schema["required"] == ["one", "two"]
    assert schema["additionalProperties"] is False
    assert json.loads(json.dumps(schema)) == schema
