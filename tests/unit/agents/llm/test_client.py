"""The client of a chat model: reading answers, and opening and closing connections."""

from __future__ import annotations

from typing import Any

import pytest

from edgewright.agents.llm.client import ChatModel, InvalidAnswerError, _first_object
from edgewright.tools.errors import from_info
from edgewright.tools.settings import ChatModelSettings


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Here: ```json\n{"a": {"b": 2}}\n``` {"c": 3}', {"a": {"b": 2}}),
        ('{broken} {"a": 1}', {"a": 1}),
    ],
)
def test_the_first_object_in_prose_is_returned(text: str, value: dict[str, Any]) -> None:
    assert _first_object(text) == value


@pytest.mark.parametrize("text", ["", "[1]", "{", "no json"])
def test_text_without_an_object_is_invalid(text: str) -> None:
    with pytest.raises(InvalidAnswerError, match="not a JSON object") as raised:
        _first_object(text)
    assert raised.value.answer == text


def test_an_invalid_answer_can_be_sent_to_another_process() -> None:
    info = InvalidAnswerError("it is no object", answer="Seven.").info()
    rebuilt = from_info(info)
    assert isinstance(rebuilt, InvalidAnswerError)
    assert rebuilt.message == "it is no object"


def test_connections_are_opened_once_and_closed() -> None:
    with ChatModel(ChatModelSettings(model="m", base_url="http://127.0.0.1:9/v1")) as model:
        client = model._opened()
        assert model._opened() is client
        assert not client.is_closed()
    assert client.is_closed()


def test_a_model_without_connections_can_be_closed() -> None:
    ChatModel(ChatModelSettings(model="m")).close()
