"""The client of a chat model reads answers; real endpoints are in tests/integration."""

from __future__ import annotations

from typing import Any

import httpx
import openai
import pytest

from edgewright.agents.llm.client import InvalidAnswerError, _first_object, _translated
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


@pytest.mark.parametrize(
    ("base_url", "named"),
    [
        ("", "of the provider"),
        ("http://127.0.0.1:9/v1",) * 2,
        (
            "http://me:secret@chat.example/v1?key=b",
            "http://**********@chat.example/v1?key=**********",
        ),
    ],
)
def test_an_endpoint_that_is_down_is_named(base_url: str, named: str) -> None:
    error = openai.APIConnectionError(request=httpx.Request("POST", "http://127.0.0.1:9/v1"))
    translated = _translated(error, ChatModelSettings(model="a-model", base_url=base_url))
    assert str(translated).startswith(f"the chat endpoint {named} cannot be reached; ")
