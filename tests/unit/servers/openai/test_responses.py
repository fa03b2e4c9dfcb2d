"""The Responses API: what is read of a request, and the form of a response."""

import base64
import io
import json

import pytest
from PIL import Image


def picture(colour="teal"):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(buffer, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


async def test_the_responses_api_answers_alike(connect, session):
    client = connect()
    block = {"type": "input_image", "image_url": picture()["image_url"]["url"]}
    given = [{"role": "user", "content": [{"type": "input_text", "text": "what?"}, block]}]
    body = (await client.post("/v1/responses", json={"model": "edgewright", "input": given})).json()
    assert body["output"][0]["content"][0]["text"] == "A cat."
    assert (session.asked[0][0], len(session.asked[0][1])) == ("what?", 1)
    stored = {"model": "edgewright", "input": "and?", "previous_response_id": "resp_1"}
    refused = await client.post("/v1/responses", json=stored)
    assert refused.json()["error"]["param"] == "previous_response_id"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"conversation": "conv_1"}, "conversation"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input.0"),
        ({"input": [{"type": "function_call", "name": "light", "arguments": "{}"}]}, None),
        ({"input": [{"type": "function_call_output", "call_id": "1"}]}, "input.0.output"),
        ({"input": 7}, None),
        ({"input": ""}, None),
        ({"input": []}, None),
        ({"input": [{"role": "user", "content": "what?"}] * 1001}, None),
        ({"tools": "light"}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
    ],
)
async def test_what_the_responses_api_refuses(connect, session, fields, param):
    given = {"model": "edgewright", "input": "what?", **fields}
    refused = await connect().post("/v1/responses", json=given)
    assert refused.status_code == 400
    assert param in (None, refused.json()["error"]["param"])
    assert session.asked == []


async def test_the_responses_api_takes_a_text_as_long_as_any(connect, session):
    words = "what is it? " * 300
    body = {"model": "edgewright", "input": words}
    assert (await connect().post("/v1/responses", json=body)).is_success
    assert session.asked[0][0] == words.strip()


@pytest.mark.parametrize("stream", [False, True])
async def test_a_response_that_was_cut_is_incomplete(connect, session, reply, stream):
    session.reply = reply("one two three four")
    given = {"model": "edgewright", "input": "what?", "max_output_tokens": 2, "stream": stream}
    answered = await connect().post("/v1/responses", json=given)
    body = answered.json() if not stream else {}
    if stream:
        kind, data = answered.text.strip().rpartition("\n\n")[2].splitlines()
        assert kind == "event: response.incomplete"
        body = json.loads(data.removeprefix("data: "))["response"]
    assert body["status"] == body["output"][0]["status"] == "incomplete"
    assert body["incomplete_details"] == {"reason": "max_output_tokens"}
    assert body["output"][0]["content"][0]["text"] == "one two"
