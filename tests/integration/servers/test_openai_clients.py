"""The OpenAI client, and what Open WebUI, Frigate and LLM Vision send, against real nodes."""

import asyncio
import base64
import json
import socket
import subprocess
import sys
import time

import httpx
import openai
import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from edgewright.edge_runtime.keys import new_key

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MODEL = "edgewright"


@pytest.fixture
async def client(served):
    async with openai.AsyncOpenAI(base_url=f"{served}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture(scope="session")
def block(encoded):
    """Return a function that returns the block of a photograph, as clients attach it."""

    def make(name="chelsea", detail="auto"):
        url = f"data:image/jpeg;base64,{base64.b64encode(encoded(name)).decode()}"
        return {"type": "image_url", "image_url": {"url": url, "detail": detail}}

    return make


def words(text):
    return {"type": "text", "text": text}


async def test_a_conversation_with_the_client(client, block):
    assert [model.id for model in (await client.models.list()).data] == [MODEL]
    messages = [{"role": "user", "content": [words("Which animal is this?"), block()]}]
    said = ""
    stream = await client.chat.completions.create(
        model=MODEL, messages=messages, stream=True, stream_options={"include_usage": True}
    )
    async for chunk in stream:
        said += (chunk.choices[0].delta.content or "") if chunk.choices else ""
    assert "cat" in said.lower()
    assert chunk.usage.completion_tokens == len(said.split())

    messages += [
        {"role": "assistant", "content": said},
        {"role": "user", "content": "And is there a dog?"},
    ]
    reply = await client.chat.completions.create(model=MODEL, messages=messages)
    assert "dog" in reply.choices[0].message.content
    (result,) = reply.model_extra["edgewright"]["results"]
    assert result["report"]["nodes"]  # what it cost, and where

    with pytest.raises(openai.NotFoundError) as missing:
        await client.chat.completions.create(model="gpt-4o", messages=messages)
    assert missing.value.code == "model_not_found"
    remote = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    with pytest.raises(openai.UnprocessableEntityError, match="attach the file"):
        await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": [remote]}]
        )
    reply = await client.chat.completions.create(model=MODEL, messages=messages)  # it goes on
    assert reply.choices[0].finish_reason == "stop"


async def test_the_responses_api(client, block):
    image = {"type": "input_image", "image_url": block()["image_url"]["url"], "detail": "auto"}
    given = [{"role": "user", "content": [{"type": "input_text", "text": "what is it?"}, image]}]
    reply = await client.responses.create(model=MODEL, input=given)
    assert "cat" in reply.output_text.lower()
    async with client.responses.stream(model=MODEL, input=given) as stream:
        events = [event async for event in stream]
        final = (await stream.get_final_response()).output_text
    kinds = [event.type for event in events]
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == final
    # The second run may be placed elsewhere: what else it may be can differ, the name does not.
    assert final.split(",")[0] == reply.output_text.split(",")[0]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


class Seen(BaseModel):
    """What a client wants to know, as a model of pydantic."""

    scene: str
    dog_present: bool
    count: int | None = None


async def test_the_client_parses_answers_into_models(client, block):
    asked = [{"role": "user", "content": [words("Is there a dog?"), block()]}]
    options = {"model": MODEL, "messages": asked, "response_format": Seen}
    reply = await client.chat.completions.parse(**options)
    seen = reply.choices[0].message.parsed
    assert (seen.dog_present, seen.count) == (False, None)
    async with client.chat.completions.stream(**options) as stream:
        assert (await stream.get_final_completion()).choices[0].message.parsed == seen
    image = {"type": "input_image", "image_url": block()["image_url"]["url"]}
    given = [{"role": "user", "content": [{"type": "input_text", "text": "A dog?"}, image]}]
    response = await client.responses.parse(model=MODEL, input=given, text_format=Seen)
    assert response.output_parsed.dog_present is False


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
async def test_langchains_client(served, encoded, responses, streaming):
    """As programs of LangChain and n8n's nodes use it, whose newer ones call the Responses API."""
    data = base64.b64encode(encoded()).decode()
    image = {"type": "image", "base64": data, "mime_type": "image/jpeg"}
    asked = [SystemMessage("Be kind."), HumanMessage([words("Which animal is this?"), image])]
    # It closes no connection of its own.
    async with openai.DefaultAsyncHttpxClient() as http:
        model = ChatOpenAI(
            model=MODEL,
            base_url=f"{served}/v1",
            api_key="none",
            use_responses_api=responses,
            streaming=streaming,
            stream_usage=True,
            max_retries=0,
            http_async_client=http,
        )
        answer = await model.ainvoke(asked)
        assert "cat" in answer.text.lower()
        more = await model.ainvoke([*asked, answer, HumanMessage("And is there a dog?")])
        assert "dog" in more.text
        assert more.usage_metadata["output_tokens"] == len(more.text.split())
        seen = await model.with_structured_output(Seen, method="json_schema").ainvoke(asked)
        assert "cat" in seen.scene.lower()


async def test_frigate(client, block):
    """As frigate/genai/plugins/openai.py sends them: ``models.list``, then prompt and images."""
    prompt = (
        "\nYour task is to analyze a sequence of images taken in chronological order from a "
        "security camera.\n\n## Task Instructions\n\n" + "Describe what you observe. " * 250
    )
    schema = {
        "title": "ReviewMetadata",
        "type": "object",
        "properties": {
            "observations": {"type": "array", "items": {"type": "string"}},
            "title": {"type": "string", "maxLength": 80},
            "scene": {"type": "string"},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "potential_threat_level": {"type": "integer", "minimum": 0, "maximum": 2},
        },
        "required": ["observations", "title", "scene", "confidence", "potential_threat_level"],
        "additionalProperties": False,
    }
    content = [words(prompt)]
    for number, name in enumerate(("chelsea", "coffee"), 1):
        content += [words(f"Frame {number} (0.{number} s)"), block(name, "low")]
    reply = await client.with_options(timeout=60).chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": content}],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "review_metadata", "strict": True, "schema": schema},
        },
    )
    value = json.loads(reply.choices[0].message.content.strip())
    assert set(value) == set(schema["properties"])
    assert "cat" in value["scene"].lower()
    assert len(value["observations"]) == 2
    assert 0 < value["confidence"] <= 1
    assert reply.model_extra["edgewright"]["unanswered"] == ["potential_threat_level"]


async def test_llm_vision(served, block):
    """As custom_components/llmvision/providers.py posts them, with a key that is not checked."""
    headers = {"Content-type": "application/json", "Authorization": "Bearer sk-any"}
    url = f"{served}/v1/chat/completions"
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        hello = {"role": "user", "content": [words("Hi")]}
        body = {"model": MODEL, "messages": [hello], "max_tokens": 1, "temperature": 0.5}
        response = await client.post(url, json=body)
        assert response.status_code == 200
        assert response.json()["choices"][0]["message"]["content"]

        content = [words("Image 1:"), block(detail="low"), words("front door:"), block("coffee")]
        content.append(words("Describe the main objects in these images in one sentence"))
        body = {
            "model": MODEL,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": 100,
            "temperature": 0.5,
        }
        said = (await client.post(url, json=body)).json()["choices"][0]["message"]["content"]
    assert "Image 1" in said
    assert "front door" in said
    assert "cat" in said.lower()


async def test_open_webui(served, block):
    """As backend/open_webui/routers/openai.py and its tasks send them."""
    async with httpx.AsyncClient(base_url=f"{served}/v1", timeout=60) as client:
        assert (await client.get("/models")).json()["data"][0]["id"] == MODEL
        question = {"role": "user", "content": [words("Which animal is this?"), block()]}
        body = {
            "stream": True,
            "model": MODEL,
            "messages": [{"role": "system", "content": "Answer in rhymes."}, question],
            "stream_options": {"include_usage": True},
            "max_tokens": 500,
        }
        async with client.stream("POST", "/chat/completions", json=body) as response:
            lines = [line async for line in response.aiter_lines()]
        assert lines[-2] == "data: [DONE]"
        chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
        said = "".join(
            choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]
        )
        assert "cat" in said.lower()
        title = (
            "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat "
            'history.\n### Output:\nJSON format: { "title": "your concise title here" }\n'
            "### Chat History:\n<chat_history>\nUSER: Which animal is this?\nASSISTANT: "
            f"{said}\n</chat_history>"
        )
        body = {"model": MODEL, "messages": [{"role": "user", "content": title}], "stream": False}
        began = time.perf_counter()
        reply = (await client.post("/chat/completions", json=body)).json()
        assert time.perf_counter() - began < 10
        assert json.loads(reply["choices"][0]["message"]["content"]) == {
            "title": "Which animal is this"
        }


async def test_a_request_that_is_cancelled_frees_its_place(client, block):
    # A large image that no other test asks about, so that nothing of it is cached.
    long = [words("how many people are there?"), block("hubble_deep_field")]
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.05).chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": long}]
        )
    reply = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": [words("what is it?"), block()]}]
    )
    assert reply.choices


async def test_fifty_streams_progress_alike_and_a_slow_reader_holds_nobody(served, client, block):
    body = {
        "model": MODEL,
        "stream": True,
        "messages": [{"role": "user", "content": [words("what is it?"), block()]}],
    }
    data = json.dumps(body).encode()
    host, port = served.removeprefix("http://").split(":")
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(head.encode() + data)  # and reads nothing

        async def words_received():
            said = ""
            async for chunk in await client.chat.completions.create(**body):
                said += (chunk.choices[0].delta.content or "") if chunk.choices else ""
            return len(said.split())

        client.timeout = 120
        received = await asyncio.gather(*(words_received() for _ in range(50)))
    assert max(received) / min(received) <= 1.5


def test_the_interface_conforms_to_its_description(serve, tmp_path):
    key, sha256 = new_key()
    config = tmp_path / "serve.yaml"
    config.write_text(f"keys: [{{name: test, sha256: {sha256}, scopes: [infer, admin]}}]\n")
    with serve("--config", str(config)) as url:
        result = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
                *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
                *("--max-examples", "30", "--seed", "1", "--continue-on-failure", "--no-color"),
                *("--suppress-health-check", "all", "-H", f"Authorization: Bearer {key}"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert httpx.get(f"{url}/v1/models").status_code == 401
    assert result.returncode == 0, result.stdout


def test_a_server_for_others_needs_keys(serve):
    with pytest.raises(AssertionError, match="set 'keys' or 'tls'"), serve("--host", "0.0.0.0"):
        pytest.fail("it was served")
