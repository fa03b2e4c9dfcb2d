"""A client with tools of its own, against a server with a scripted chat model and real nodes."""

import base64
import json

import openai
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MODEL = "edgewright"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"Switches a {name}.",
            "parameters": {"type": "object", "properties": {"room": {"type": "string"}}},
        },
    }
    for name in ("light", "heating")
]
#: The same in the form of the Responses API, beside one that OpenAI itself carries out.
FUNCTIONS = [{"type": "function", **tool["function"]} for tool in TOOLS]
HOSTED = {"type": "web_search"}
SYSTEM = {"role": "system", "content": "You control a home with a kitchen."}


def completion(finish="stop", **message):
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}
    body = {"id": "1", "object": "chat.completion", "model": "m", "choices": [choice]}
    return 200, json.dumps(body), 0.0


def calls(*names):
    chosen = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": '{"room": "kitchen"}'},
        }
        for number, name in enumerate(names, 1)
    ]
    return completion("tool_calls", content=None, tool_calls=chosen)


class Script:
    """Plans what it can, and answers a conversation with tools by its last message."""

    def __init__(self):
        self.passed = []

    def __call__(self, request):
        last = request["messages"][-1]
        if last["role"] == "tool":
            self.passed.append(request)
            return completion(content="Both are on.")
        if "tools" in request:
            self.passed.append(request)
            if "broken" in last["content"]:
                return 500, "{}", 0.0
            if "weather" in last["content"]:
                return completion(content="It is sunny, I suppose.")
            return calls("light", "heating")
        return self.planned(str(request["messages"]))

    @staticmethod
    def planned(asked):
        if '"task_id"' in asked:
            return 500, "{}", 0.0  # templates word the answer
        tasks = [{"id": "t1", "tool": "image-classification", "args": [], "depends_on": []}]
        plan = {"tasks": tasks, "confidence": 0.9, "reason": "", "undone": ""}
        request = asked.rpartition("Request:")[2]
        if "animal" not in request:
            plan |= {"tasks": [], "reason": "No tool here does that."}
        elif "light" in request:
            plan |= {"undone": "No tool here switches lights."}
        return completion(content=json.dumps(plan))


@pytest.fixture(scope="module")
def script():
    return Script()


@pytest.fixture(scope="module")
def url(endpoint, script, serve_before, device_node, tmp_path_factory):
    with endpoint(script) as (base, _):
        chat = {"EDGEWRIGHT_CHAT_MODEL": "scripted", "OPENAI_BASE_URL": base}
        state = tmp_path_factory.mktemp("tools")
        with serve_before(device_node.url, state, chat=chat) as found:
            yield found


@pytest.fixture
async def client(url, script):
    script.passed.clear()
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture(scope="session")
def photograph(encoded):
    data = base64.b64encode(encoded()).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}}


def user(*content):
    return {"role": "user", "content": content[0] if len(content) == 1 else list(content)}


def words(text):
    return {"type": "text", "text": text}


async def test_calls_are_chosen_and_their_results_answered(client, script):
    messages = [SYSTEM, user("Switch on light and heating in the kitchen.")]
    options = {"model": MODEL, "tools": TOOLS, "parallel_tool_calls": True}
    reply = await client.chat.completions.create(messages=messages, **options)
    choice = reply.choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert [call.function.name for call in choice.message.tool_calls] == ["light", "heating"]
    assert json.loads(choice.message.tool_calls[0].function.arguments) == {"room": "kitchen"}
    assert reply.model_extra["edgewright"]["status"] == "passed_on"
    (passed,) = script.passed
    assert passed["messages"] == messages
    assert passed["tools"] == TOOLS
    assert passed["parallel_tool_calls"] is True

    messages.append(choice.message.model_dump(exclude_none=True))
    messages += [
        {"role": "tool", "tool_call_id": call.id, "content": "done"}
        for call in choice.message.tool_calls
    ]
    reply = await client.chat.completions.create(messages=messages, **options)
    assert reply.choices[0].message.content == "Both are on."
    assert reply.choices[0].finish_reason == "stop"
    said = script.passed[-1]["messages"]
    assert [each["role"] for each in said] == ["system", "user", "assistant", "tool", "tool"]
    assert [each["id"] for each in said[2]["tool_calls"]] == ["call_1", "call_2"]
    assert said[4] == {"role": "tool", "tool_call_id": "call_2", "content": "done"}


async def test_calls_are_streamed_in_the_form_that_the_client_joins(client):
    messages = [user("Switch on light and heating in the kitchen.")]
    async with client.chat.completions.stream(
        model=MODEL, messages=messages, tools=TOOLS
    ) as stream:
        kinds = [event.type async for event in stream]
        final = (await stream.get_final_completion()).choices[0]
    assert "tool_calls.function.arguments.done" in kinds
    assert final.finish_reason == "tool_calls"
    assert [(call.id, call.function.name) for call in final.message.tool_calls] == [
        ("call_1", "light"),
        ("call_2", "heating"),
    ]


async def test_an_image_is_answered_by_our_own_plan_also_between_calls(client, script, photograph):
    options = {"model": MODEL, "tools": TOOLS}
    messages = [user(words("Which animal is this?"), photograph)]
    reply = await client.chat.completions.create(messages=messages, **options)
    assert "cat" in reply.choices[0].message.content.lower()
    assert reply.model_extra["edgewright"]["results"][0]["report"]["nodes"]
    assert script.passed == []

    messages += [reply.choices[0].message.model_dump(exclude_none=True), user("Lights on, please.")]
    reply = await client.chat.completions.create(messages=messages, **options)
    assert reply.choices[0].finish_reason == "tool_calls"
    # The chat model gets words, and no image.
    assert script.passed[0]["messages"][0] == user("Which animal is this?")
    messages.append(reply.choices[0].message.model_dump(exclude_none=True))
    messages += [
        {"role": "tool", "tool_call_id": call.id, "content": "done"}
        for call in reply.choices[0].message.tool_calls
    ]
    reply = await client.chat.completions.create(messages=messages, **options)
    messages += [{"role": "assistant", "content": reply.choices[0].message.content}]
    messages += [user("And which animal was it?")]
    reply = await client.chat.completions.create(messages=messages, **options)
    assert "cat" in reply.choices[0].message.content.lower()


async def test_of_a_mixed_request_the_rest_is_told_and_done_when_asked_for(
    client, script, photograph
):
    options = {"model": MODEL, "tools": TOOLS}
    messages = [user(words("Which animal is this? And switch on the light."), photograph)]
    reply = await client.chat.completions.create(messages=messages, **options)
    said = reply.choices[0].message
    assert "cat" in said.content.lower()
    assert said.content.endswith("No tool here switches lights.")
    assert (said.tool_calls, script.passed) == (None, [])

    messages += [said.model_dump(exclude_none=True), user("Then switch it on yourself.")]
    reply = await client.chat.completions.create(messages=messages, **options)
    assert reply.choices[0].finish_reason == "tool_calls"
    # The chat model knows what "it" is.
    assert "switch on the light" in script.passed[0]["messages"][0]["content"]


async def test_a_demanded_call_needs_no_plan(client, script, photograph):
    reply = await client.chat.completions.create(
        model=MODEL,
        messages=[user(words("Which animal is this?"), photograph)],
        tools=TOOLS,
        tool_choice={"type": "function", "function": {"name": "light"}},
    )
    assert reply.choices[0].finish_reason == "tool_calls"
    assert script.passed[0]["tool_choice"]["function"]["name"] == "light"
    with pytest.raises(openai.BadRequestError) as refused:
        await client.chat.completions.create(
            model=MODEL, messages=[user("Lights on.")], tool_choice="required"
        )
    assert refused.value.param == "tools"


@pytest.mark.parametrize(
    ("request_words", "options", "note"),
    [
        ("What is the weather?", {"tools": TOOLS}, None),
        ("Mend the broken door.", {"tools": TOOLS}, "status 500"),
        ("Lights on.", {"tools": TOOLS, "tool_choice": "none"}, None),
        ("Lights on.", {}, None),
    ],
)
async def test_without_a_call_our_own_answer_stays(client, request_words, options, note):
    reply = await client.chat.completions.create(
        model=MODEL, messages=[user(request_words)], **options
    )
    assert reply.choices[0].message.content == "No tool here does that."
    assert reply.choices[0].finish_reason == "stop"
    extension = reply.model_extra["edgewright"]
    assert extension["status"] == "nothing_to_do"
    assert (note or "") in extension.get("tools", "")
    assert ("tools" in extension) == bool(note)


async def test_without_a_chat_model_tools_are_ignored(served):
    async with openai.AsyncOpenAI(base_url=f"{served}/v1", api_key="none", max_retries=0) as client:
        call = {"id": "1", "type": "function", "function": {"name": "light", "arguments": "{}"}}
        messages = [
            user("Switch on the light in the kitchen."),
            {"role": "assistant", "content": "Let me see.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "done"},
        ]
        for asked in (messages[:1], messages):
            reply = await client.chat.completions.create(model=MODEL, messages=asked, tools=TOOLS)
            assert reply.choices[0].message.tool_calls is None
            assert reply.model_extra["edgewright"]["status"] == "nothing_to_do"
        with pytest.raises(openai.BadRequestError, match="without a chat model"):
            await client.chat.completions.create(
                model=MODEL, messages=messages[:1], tools=TOOLS, tool_choice="required"
            )


def outputs(reply):
    return [
        {"type": "function_call_output", "call_id": item.call_id, "output": "done"}
        for item in reply.output
        if item.type == "function_call"
    ]


async def test_the_responses_api_chooses_calls_and_answers_their_results(client, script):
    given = [{"role": "user", "content": "Switch on light and heating in the kitchen."}]
    options = {
        "model": MODEL,
        "instructions": SYSTEM["content"],
        "tools": [*FUNCTIONS, HOSTED],
        "parallel_tool_calls": True,
    }
    reply = await client.responses.create(input=given, **options)
    assert [item.type for item in reply.output] == ["function_call"] * 2
    assert [item.name for item in reply.output] == ["light", "heating"]
    assert json.loads(reply.output[0].arguments) == {"room": "kitchen"}
    assert (reply.status, reply.output_text) == ("completed", "")
    assert reply.model_extra["edgewright"]["status"] == "passed_on"
    (passed,) = script.passed
    assert passed["messages"] == [SYSTEM, *given]
    assert passed["tools"] == TOOLS
    assert passed["parallel_tool_calls"] is True

    given += [*reply.output, *outputs(reply)]
    reply = await client.responses.create(input=given, **options)
    assert reply.output_text == "Both are on."
    said = script.passed[-1]["messages"]
    assert [each["role"] for each in said] == ["system", "user", "assistant", "tool", "tool"]
    assert [each["id"] for each in said[2]["tool_calls"]] == ["call_1", "call_2"]
    assert said[4] == {"role": "tool", "tool_call_id": "call_2", "content": "done"}


async def test_the_responses_api_streams_calls(client):
    async with client.responses.stream(
        model=MODEL, input="Switch on light and heating in the kitchen.", tools=FUNCTIONS
    ) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_response()
    done = [each for each in events if each.type == "response.function_call_arguments.done"]
    assert [(each.output_index, each.name) for each in done] == [(0, "light"), (1, "heating")]
    assert [each.item_id for each in done] == [item.id for item in final.output]
    assert [each.sequence_number for each in events if hasattr(each, "sequence_number")] == [
        *range(len(events))
    ]
    assert [(item.call_id, item.arguments) for item in final.output] == [
        ("call_1", '{"room": "kitchen"}'),
        ("call_2", '{"room": "kitchen"}'),
    ]


async def test_the_responses_api_answers_images_by_our_own_plan(client, script, photograph):
    image = {"type": "input_image", "image_url": photograph["image_url"]["url"], "detail": "auto"}
    question = {"type": "input_text", "text": "Which animal is this?"}
    given = [{"role": "user", "content": [question, image]}]
    options = {"model": MODEL, "tools": FUNCTIONS}
    reply = await client.responses.create(input=given, **options)
    assert "cat" in reply.output_text.lower()
    assert script.passed == []

    given += [*reply.output, {"role": "user", "content": "Lights on, please."}]
    reply = await client.responses.create(input=given, **options)
    given += [*reply.output, *outputs(reply)]
    reply = await client.responses.create(input=given, **options)
    assert reply.output_text == "Both are on."
    given += [*reply.output, {"role": "user", "content": "And which animal was it?"}]
    reply = await client.responses.create(input=given, **options)
    assert "cat" in reply.output_text.lower()

    options["tool_choice"] = {"type": "function", "name": "light"}
    reply = await client.responses.create(input=given[:1], **options)
    assert reply.output[0].name == "light"
    assert script.passed[-1]["tool_choice"] == {"type": "function", "function": {"name": "light"}}


async def test_the_responses_api_ignores_tools_without_a_chat_model(served):
    async with openai.AsyncOpenAI(base_url=f"{served}/v1", api_key="none", max_retries=0) as client:
        call = {"type": "function_call", "call_id": "1", "name": "light", "arguments": "{}"}
        done = {"type": "function_call_output", "call_id": "1", "output": "done"}
        given = [{"role": "user", "content": "Switch on the light in the kitchen."}, call, done]
        for asked in (given[:1], given):
            reply = await client.responses.create(model=MODEL, input=asked, tools=FUNCTIONS)
            assert [item.type for item in reply.output] == ["message"]
            assert reply.model_extra["edgewright"]["status"] == "nothing_to_do"
        with pytest.raises(openai.BadRequestError, match="without a chat model"):
            await client.responses.create(
                model=MODEL, input=given[:1], tools=FUNCTIONS, tool_choice="required"
            )
