"""OpenAI's API: what is read of a request, and the forms of answers and errors."""

import asyncio
import base64
import io
import json

import pytest
from PIL import Image

from edgewright.edge_runtime.keys import new_key
from edgewright.tools.errors import DeadlineError, OverloadedError, UnavailableError

CHAT = "/v1/chat/completions"


def picture(colour="teal"):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(buffer, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def with_detail(detail):
    block = picture()
    block["image_url"]["detail"] = detail
    return block


def text(words):
    return {"type": "text", "text": words}


def ask(*content, **more):
    return {"model": "edgewright", "messages": [{"role": "user", "content": list(content)}], **more}


def events(response):
    lines = [line for line in response.text.split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


async def test_the_model_is_listed_and_described(connect):
    client = connect()
    (model,) = (await client.get("/v1/models")).json()["data"]
    assert model["id"] == "edgewright"
    assert (await client.get("/v1/models/edgewright")).json() == model
    missing = await client.get("/v1/models/gpt-4o")
    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "model_not_found"


async def test_a_completion_carries_plan_results_and_cost(connect, session, reply):
    session.reply = reply("A cat.", {"text": "A cat."})
    body = (await connect().post(CHAT, json=ask("what?", picture(), n=2))).json()
    assert [each["message"]["content"] for each in body["choices"]] == ["A cat.", "A cat."]
    assert body["usage"]["total_tokens"] == 3
    assert body["edgewright"]["results"][0]["output"] == {"text": "A cat."}
    assert body["edgewright"]["status"] == "answered"
    assert session.forgotten == 1


@pytest.mark.parametrize("detail", ["auto", "low", "high", "original", None])
async def test_the_detail_of_an_image_changes_nothing(connect, session, detail):
    client = connect()
    for block in (picture(), with_detail(detail)):
        assert (await client.post(CHAT, json=ask(text("what?"), block))).is_success
    assert session.asked[0] == session.asked[1]


async def test_what_systems_and_tools_say_is_no_request(connect, session):
    messages = [
        {"role": "system", "content": "Always say that it is a dog."},
        {"role": "developer", "content": "Delete all threads."},
        {"role": "user", "content": "what is it?"},
        {"role": "tool", "content": "a dog", "tool_call_id": "1"},
    ]
    await connect().post(CHAT, json={"model": "edgewright", "messages": messages})
    assert [asked[0] for asked in session.asked] == ["what is it?"]


async def test_tags_of_images_are_names_and_no_words(connect, session):
    content = [text("Image 1:"), picture(), text("front door:"), picture("red"), text("Who?")]
    await connect().post(CHAT, json=ask(*content))
    ((words, images, _),) = session.asked
    assert words == "Who?"
    assert [image.name for image in images] == ["Image 1", "front door"]


async def test_a_question_that_ends_in_a_colon_is_no_tag(connect, session):
    await connect().post(CHAT, json=ask(text("What is in this image:"), picture()))
    await connect().post(CHAT, json=ask(text("Image 1:"), picture()))
    assert [asked[0] for asked in session.asked] == ["What is in this image:", "What is this?"]


async def test_a_prompt_for_a_language_model_is_read_as_a_description(connect, session):
    prompt = "Your task is to analyze images from a security camera. " + "Focus on details. " * 9
    body = (await connect().post(CHAT, json=ask(text(prompt), picture(), picture("red")))).json()
    assert session.asked[0][0] == "What is in each of these images?"
    assert body["edgewright"]["read_as"] == "What is in each of these images?"
    assert body["usage"]["prompt_tokens"] > 20


async def test_a_conversation_is_remembered_by_what_clients_send_of_it(connect, session, reply):
    client = connect()
    messages = [{"role": "user", "content": [text("what is it?"), picture()]}]
    session.reply = reply("A cat.", {"text": "A cat."}, request="what is it?")
    said = (await client.post(CHAT, json={"model": "edgewright", "messages": messages})).json()
    messages.append(said["choices"][0]["message"])
    messages.append({"role": "user", "content": "And its colour?"})
    await client.post(CHAT, json={"model": "edgewright", "messages": messages})
    assert session.asked[1][2] == (session.reply.turn,)  # with its tasks

    messages[1]["content"] = "A dog."  # another conversation: its words and images are what is left
    await client.post(CHAT, json={"model": "edgewright", "messages": messages})
    (turn,) = session.asked[2][2]
    assert (turn.request, turn.answer, len(turn.images), turn.tasks) == (
        "what is it?",
        "A dog.",
        1,
        (),
    )


async def test_an_answer_that_calls_a_tool_is_no_last_word(connect, session, reply):
    client = connect()
    call = {"id": "1", "type": "function", "function": {"name": "light", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": [text("what is it?"), picture()]},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "on"},
    ]
    body = {"model": "edgewright", "messages": messages, "tools": [{"type": "function"}]}
    said = (await client.post(CHAT, json=body)).json()["choices"][0]
    assert "tool_calls" not in said["message"]
    assert (session.asked[0][0], len(session.asked[0][1])) == ("what is it?", 1)


async def test_a_stream_begins_with_a_role_and_ends_with_usage(connect, session, reply):
    session.reply = reply("A cat, perhaps.", {"text": "A cat"})
    options = {"stream": True, "stream_options": {"include_usage": True}}
    response = await connect().post(CHAT, json=ask("what?", picture(), **options))
    assert response.headers["content-type"].startswith("text/event-stream")
    first, *middle, last, usage = events(response)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    words = [chunk["choices"][0]["delta"]["content"] for chunk in middle]
    assert words == ["A", " cat,", " perhaps."]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["edgewright"]["plan"]
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == 3
    assert len({chunk["id"] for chunk in [first, *middle, last, usage]}) == 1


async def test_an_error_in_a_stream_is_an_event(connect, session):
    session.reply = DeadlineError("the node did not answer; try again")
    response = await connect().post(CHAT, json=ask("what?", stream=True))
    assert events(response)[-1]["error"]["code"] == "deadline_exceeded"


async def test_a_schema_is_answered_with_its_types(connect, session, reply):
    session.reply = reply("Yes.", {"text": "Yes, a cat.", "answer": "yes", "score": 0.9})
    schema = {
        "type": "object",
        "properties": {"cat_present": {"type": "boolean"}, "threat": {"type": "integer"}},
    }
    form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    body = (await connect().post(CHAT, json=ask("a cat?", response_format=form))).json()
    assert json.loads(body["choices"][0]["message"]["content"]) == {
        "cat_present": True,
        "threat": 0,
    }
    assert body["edgewright"]["unanswered"] == ["threat"]


async def test_a_text_is_cut_where_the_client_says(connect, session, reply):
    session.reply = reply("one two three four")
    body = (await connect().post(CHAT, json=ask("what?", max_tokens=2))).json()
    assert body["choices"][0]["message"]["content"] == "one two"
    assert body["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        (b"{", 400, "invalid_json", None),
        (b"[]", 400, "invalid_request", None),
        ({"model": "edgewright"}, 400, "invalid_request", "messages"),
        ({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}, 404, None, "model"),
        ({"model": "edgewright", "messages": [{"role": "user"}]}, 400, None, "messages"),
        (
            {"model": "edgewright", "messages": [{"role": "assistant", "content": "hi"}]},
            400,
            None,
            "messages",
        ),
        (ask("what?", tool_choice="required"), 400, "unsupported", "tool_choice"),
        (ask("what?", tools="light"), 400, "invalid_request", "tools"),
        (ask(with_detail("huge")), 400, "invalid_request", "messages.0.content"),
        (ask(with_detail(7)), 400, "invalid_request", "messages.0.content"),
        (
            ask({"type": "input_image", "image_url": "data:,", "detail": "most"}),
            400,
            "invalid_request",
            "messages.0.content",
        ),
        (ask("x" * 5000), 422, "request_too_long", None),
        (
            ask({"type": "image_url", "image_url": {"url": "https://a/b.png"}}),
            422,
            "image_remote",
            None,
        ),
        (
            ask({"type": "input_audio", "input_audio": {"data": "aGk="}}),
            422,
            "attachment_unknown",
            None,
        ),
    ],
)
async def test_errors_have_openais_form(connect, session, body, status, code, param):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = await connect().post(
        CHAT, content=content, headers={"content-type": "application/json"}
    )
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert code in (None, error["code"])
    assert param in (None, error["param"])
    assert session.asked == []


async def test_errors_of_the_session_keep_their_status(connect, session):
    session.reply = UnavailableError("no model is installed; install one")
    response = await connect().post(CHAT, json=ask("what?"))
    assert (response.status_code, response.json()["error"]["type"]) == (503, "server_error")
    session.reply = OverloadedError("all busy; try again", retry_after_s=7)
    response = await connect().post(CHAT, json=ask("what?"))
    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"
    assert response.json()["error"]["type"] == "rate_limit_error"


async def test_other_media_types_and_paths_are_refused(connect):
    client = connect()
    response = await client.post(CHAT, content=b"hi", headers={"content-type": "text/plain"})
    assert response.status_code == 415
    response = await client.get(CHAT)
    assert (response.status_code, response.json()["error"]["code"]) == (405, "not_found")
    assert (await client.get("/v1/engines")).json()["error"]["type"] == "invalid_request_error"
    assert (await client.get("/elsewhere")).json()["code"] == "not_found"


async def test_a_body_is_limited(connect):
    client = connect(limits={"body_bytes": 1000})
    response = await client.post(CHAT, json=ask("x" * 2000))
    assert (response.status_code, response.json()["error"]["code"]) == (413, "body_too_large")


async def test_a_key_is_needed_where_keys_are_configured(connect):
    key, sha256 = new_key()
    other, other_sha256 = new_key()
    client = connect(
        host="0.0.0.0",
        keys=[
            {"name": "home", "sha256": sha256, "scopes": ["infer"]},
            {"name": "trainer", "sha256": other_sha256, "scopes": ["train"]},
        ],
    )
    refused = await client.get("/v1/models")
    assert refused.status_code == 401
    assert refused.json()["error"]["type"] == "authentication_error"
    assert refused.headers["www-authenticate"].startswith("Bearer")
    headers = {"authorization": f"Bearer {other}"}
    refused = await client.get("/v1/models", headers=headers)
    assert refused.json()["error"]["type"] == "permission_error"
    headers = {"authorization": f"Bearer {key}"}
    assert (await client.get("/v1/models", headers=headers)).is_success
    assert (await client.get("/health")).is_success


async def test_places_are_shared_among_streams_too(connect, session):
    session.wait_s = 5.0
    client = connect(limits={"concurrency": 1})
    first = asyncio.create_task(client.post(CHAT, json=ask("what?", stream=True)))
    while not session.asked:
        await asyncio.sleep(0.01)
    refused = await client.post(CHAT, json=ask("what?", stream=True))
    assert refused.status_code == 429
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert session.cancelled == 1


@pytest.mark.parametrize("path", [CHAT, "/v1/responses"])
async def test_an_answer_is_remembered_as_text_and_as_blocks(connect, session, reply, path):
    client = connect()
    session.reply = reply("A cat.", {"text": "A cat."}, request="what is it?")
    key = "messages" if path == CHAT else "input"
    given = [{"role": "user", "content": "what is it?"}]
    await client.post(path, json={"model": "edgewright", key: given})
    kind = "text" if path == CHAT else "output_text"
    for content in ("A cat.", [{"type": kind, "text": "A cat."}]):
        more = [{"role": "assistant", "content": content}, {"role": "user", "content": "And?"}]
        await client.post(path, json={"model": "edgewright", key: [*given, *more]})
        assert session.asked[-1][2] == (session.reply.turn,)


async def test_a_compressed_body_is_refused(connect, session):
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await connect().post(CHAT, content=b"\x1f\x8b", headers=packed)
    assert (response.status_code, session.asked) == (415, [])
