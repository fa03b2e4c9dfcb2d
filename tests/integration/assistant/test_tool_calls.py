"""A chat model that chooses among tools of the caller, against a scripted endpoint on loopback."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from edgewright.agents.llm.client import ChatModel
from edgewright.agents.llm.tool_calls import ToolAnswer, ToolQuestion, ask_with_tools
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.settings import ChatModelSettings

Endpoint = Callable[..., AbstractContextManager[tuple[str, list[dict[str, Any]]]]]

LIGHT = {"type": "function", "function": {"name": "light", "parameters": {"type": "object"}}}


def completion(finish: str = "stop", **message: Any) -> str:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}
    return json.dumps({"id": "1", "object": "chat.completion", "model": "m", "choices": [choice]})


def calls(*chosen: dict[str, Any]) -> str:
    each = [{"id": "c1", "type": "function", "function": function} for function in chosen]
    return completion("tool_calls", content=None, tool_calls=each)


def ask(url: str, **options: Any) -> ToolAnswer:
    settings = ChatModelSettings(model="scripted", base_url=url, api_key="k", timeout_s=5)
    question = ToolQuestion(
        messages=[{"role": "user", "content": "Light on."}], tools=[LIGHT], options=options
    )
    return ask_with_tools(ChatModel(settings), question)


def test_calls_are_read_and_the_limit_has_either_name(endpoint: Endpoint) -> None:
    chosen = calls({"name": "light", "arguments": '{"on": true}'})
    refused = '{"error": {"message": "unknown field max_completion_tokens"}}'
    with endpoint([(400, refused, 0), (200, chosen, 0)]) as (url, requests):
        answer = ask(url, tool_choice="required")
    assert [(call.id, call.name, call.arguments) for call in answer.calls] == [
        ("c1", "light", '{"on": true}')
    ]
    assert answer.text == ""
    assert [request["tools"] for request in requests] == [[LIGHT], [LIGHT]]
    assert [request["tool_choice"] for request in requests] == ["required"] * 2
    assert requests[1]["max_tokens"] == requests[0]["max_completion_tokens"]


def test_arguments_may_be_missing_or_an_object_and_half_a_character_is_replaced(
    endpoint: Endpoint,
) -> None:
    odd = calls(
        {"name": "light", "arguments": ""},
        {"name": "light", "arguments": {"on": False}},
        {"name": "light", "arguments": '{"room": "\\ud800"}'},
    ).replace('"c1"', "null")
    with endpoint([(200, odd, 0), (200, completion(content="On \ud83d."), 0)]) as (url, _):
        answer = ask(url)
        assert ask(url).text == "On ?."
    assert [json.loads(call.arguments) for call in answer.calls] == [
        {},
        {"on": False},
        {"room": "\ufffd"},
    ]
    assert len({call.id for call in answer.calls}) == 3


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, calls({"name": "door", "arguments": "{}"}), "'door', which is not a tool"),
        (200, calls({"name": "light", "arguments": "on"}), "no JSON object"),
        (200, calls({"name": "light", "arguments": "[1]"}), "no JSON object"),
        (200, calls(*[{"name": "light", "arguments": "{}"}] * 33), "more than 32"),
        (200, completion(content=None), "neither text nor tool calls"),
        (200, completion(content="x", tool_calls=7), "not a chat completion"),
        (200, "<html>", "not a chat completion"),
        (200, "{}", "no choices"),
        (500, "{}", "status 500"),
    ],
)
def test_nonsense_and_refusals_are_named(
    endpoint: Endpoint, status: int, body: str, why: str
) -> None:
    with (
        endpoint([(status, body, 0)]) as (url, _),
        pytest.raises(EdgewrightError, match=why),
    ):
        ask(url)
