"""Forms that certain clients give to requests, replayed as they send them."""

import base64
import io
import json

import pytest
from PIL import Image

from edgewright.servers.openai.requests import ChatRequest, StreamOptions
from edgewright.servers.openai.responses_input import ResponsesRequest

CHAT = "/v1/chat/completions"


def picture(colour="teal"):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(buffer, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def text(words):
    return {"type": "text", "text": words}


def ask(*content, **more):
    return {"model": "edgewright", "messages": [{"role": "user", "content": list(content)}], **more}


@pytest.mark.parametrize("model", [ChatRequest, ResponsesRequest, StreamOptions])
def test_null_stands_for_a_field_that_is_left_out(model):
    given = {"model": "edgewright", "input": "what?", "messages": [{"role": "user"}]}
    for name, field in model.model_fields.items():
        if not field.is_required():
            assert model.model_validate({**given, name: None}) == model.model_validate(given)


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
async def test_no_limit_on_tokens_has_a_number_of_local_servers(connect, session, reply, field):
    session.reply = reply("one two three four")
    body = (await connect().post(CHAT, json=ask("what?", **{field: -1}))).json()
    assert body["choices"][0]["message"]["content"] == "one two three four"
    assert (await connect().post(CHAT, json=ask("what?", **{field: 0}))).status_code == 400


@pytest.mark.parametrize(
    "form",
    [
        {"type": "json_object", "schema": {"properties": {"cat": {"type": "boolean"}}}},
        {
            "type": "json_schema",
            "json_schema": {"schema": {"properties": {"cat": {"type": "boolean"}}}},
        },
    ],
)
async def test_a_schema_is_read_wherever_servers_have_it(connect, session, reply, form):
    session.reply = reply("Yes.", {"text": "Yes, a cat.", "answer": "yes"})
    body = (await connect().post(CHAT, json=ask("a cat?", response_format=form))).json()
    assert json.loads(body["choices"][0]["message"]["content"]) == {"cat": True}


OPEN_WEBUI_RAG = (
    "### Task:\nRespond to the user query using the provided context, incorporating inline "
    'citations.\n\n<context>\n<source id="1">Cats are animals.</source>\n</context>\n'
)


@pytest.mark.parametrize(
    "prompt",
    [
        OPEN_WEBUI_RAG + "\n<user_query>\nIs there a dog?\n</user_query>\n",
        OPEN_WEBUI_RAG + "\nIs there a dog?",
        OPEN_WEBUI_RAG.replace("animals", "animals. " * 900) + "Is there a dog?",
    ],
)
async def test_a_persons_words_are_found_between_documents(connect, session, prompt):
    body = (await connect().post(CHAT, json=ask(text(prompt), picture()))).json()
    assert session.asked[0][0] == "Is there a dog?"
    assert body["edgewright"]["read_as"]


#: As LibreChat, Chatbox and LobeChat ask for a title.
TITLES = {
    "librechat": [
        {
            "role": "user",
            "content": "Provide a concise, 5-word-or-less title for the conversation, using title "
            "case conventions. Only return the title itself.\n\nConversation:\n"
            "User: Which animal is this?\nAI: It is a cat.\n",
        }
    ],
    "librechat, older": [
        {
            "role": "system",
            "content": "Please generate a concise, 5-word-or-less title for the conversation.\n\n"
            '||>User:\n"Which animal is this?"\n||>Response:\n"A cat"\n\n||>Title:',
        }
    ],
    "chatbox": [
        {
            "role": "user",
            "content": "Based on the chat history, give this conversation a name.\nKeep it short - "
            "10 characters max, no quotes.\n\n```\nUser: Which animal is this?\n---------\n"
            "Assistant: A cat\n```\n\nThe name is:",
        }
    ],
    "lobechat": [
        {"role": "system", "content": "You summarize the user's conversation into a title."},
        {
            "role": "user",
            "content": "user: Which animal is this?\nassistant: A cat\n\nPlease summarize the "
            "above conversation into a title of 10 characters or less.",
        },
    ],
}


@pytest.mark.parametrize("messages", TITLES.values(), ids=TITLES)
async def test_a_title_is_made_of_the_first_words_however_it_is_requested(
    connect, session, messages
):
    given = {"model": "edgewright", "messages": messages}
    body = (await connect().post(CHAT, json=given)).json()
    assert body["choices"][0]["message"]["content"] == "Which animal is this"
    assert session.asked == []


@pytest.mark.parametrize("words", ["Read the title of the book in this chat.", "User: who is it?"])
async def test_what_is_no_request_for_a_title_is_planned(connect, session, words):
    await connect().post(CHAT, json=ask(text(words), picture()))
    assert session.asked[0][0] == words
