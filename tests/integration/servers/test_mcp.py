"""The SDK's client over both transports and generations of the protocol, against real nodes."""

import base64
import json

import anyio
import httpx
import mcp_types as types
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from edgewright.edge_runtime.keys import new_key

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(480),
    # The client leaves the sockets of its streams to the garbage collector.
    pytest.mark.usefixtures("collected"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MODES = ["legacy", "auto"]
SECONDS = 120


@pytest.fixture(params=["http", "stdio"])
def server(request, served, stdio):
    return f"{served}/mcp" if request.param == "http" else stdio


@pytest.fixture
def cat(encoded):
    return base64.b64encode(encoded()).decode()


@pytest.mark.parametrize("mode", MODES)
async def test_a_scripted_session(server, mode, cat):
    async with Client(server, mode=mode, read_timeout_seconds=SECONDS) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert {"ask", "plan", "train", "image-classification"} <= set(tools)
        assert tools["image-classification"].annotations.read_only_hint
        assert not tools["train"].annotations.read_only_hint
        assert "image" in tools["image-classification"].input_schema["properties"]

        result = await client.call_tool("image-classification", {"image": cat})
        assert not result.is_error
        assert "cat" in result.structured_content["text"].lower()
        assert result.structured_content["report"]["nodes"]
        (link,) = [each for each in result.content if each.type == "resource_link"]
        (stored,) = (await client.read_resource(link.uri)).contents
        assert stored.blob == cat

        steps = []

        async def progress(number, total, message):
            steps.append(message)

        request = {"request": "Which animal is this, and what is it doing?", "images": [cat]}
        plan = await client.call_tool("plan", request)
        assert plan.structured_content["tasks"]
        reply = await client.call_tool("ask", request, progress_callback=progress)
        assert reply.structured_content["plan"]["tasks"]
        assert reply.structured_content["results"]
        assert steps[0] == "understood"
        assert steps[-1] == "answered"

        image = link.uri.rpartition("/")[2]
        again = await client.call_tool("image-classification", {"image": f"store:{image}"})
        # The policy may choose another arm, whose label may be a neighbouring one.
        assert "cat" in again.structured_content["text"].lower()

        node = (await client.read_resource("edgewright://node")).contents[0]
        assert "image-classification" in node.text
        uris = [each.uri for each in (await client.list_resources()).resources]
        assert "edgewright://node" in [str(uri) for uri in uris]


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("image-classification", {"image": "%%%"}, "not_an_image"),
        ("image-classification", {"image": "store:abc"}, "image_unknown"),
        ("image-classification", {"image": f"store:{'0' * 64}"}, "image_missing"),
        ("image-classification", {}, "invalid_arguments"),
        ("image-classification", {"image": "a", "more": 1}, "invalid_arguments"),
        ("ask", {"request": ""}, "invalid_arguments"),
        ("train", {"purpose": "digits"}, "approval_needed"),
        ("train", {"purpose": "parts", "data": "/etc", "approve": "auto"}, "data_not_allowed"),
        ("book-a-flight", {}, "unknown_tool"),
    ],
)
async def test_errors_have_codes(served, tool, arguments, code):
    async with Client(f"{served}/mcp", read_timeout_seconds=SECONDS) as client:
        result = await client.call_tool(tool, arguments)
        assert result.is_error
        assert result.structured_content["error"]["code"] == code


async def test_words_reach_no_other_data(served):
    request = {"request": "Train a new classifier on the photos of parts in /etc/ssl/"}
    async with Client(f"{served}/mcp", read_timeout_seconds=SECONDS) as client:
        reply = await client.call_tool("ask", request)
        (result,) = reply.structured_content["results"]
        assert result["error"]["code"] == "data_not_allowed"


async def test_an_unknown_resource_is_an_error(served):
    async with Client(f"{served}/mcp", read_timeout_seconds=SECONDS) as client:
        for uri in ("edgewright://nothing", f"edgewright://images/{'0' * 64}", "file:///etc/hosts"):
            with pytest.raises(MCPError):
                await client.read_resource(uri)


async def test_files_are_read_for_local_callers_only(served, stdio, tmp_path, encoded):
    file = tmp_path / "cat.jpg"
    file.write_bytes(encoded())
    arguments = {"image": str(file)}
    async with Client(stdio, read_timeout_seconds=SECONDS) as client:
        result = await client.call_tool("image-classification", arguments)
        assert "cat" in result.structured_content["text"].lower()
    async with Client(f"{served}/mcp", read_timeout_seconds=SECONDS) as client:
        result = await client.call_tool("image-classification", arguments)
        assert result.is_error


async def test_a_call_that_is_cancelled_ends(server, cat):
    async with Client(server, mode="legacy", read_timeout_seconds=SECONDS) as client:
        with anyio.move_on_after(0.05) as scope:
            await client.call_tool("ask", {"request": "What is it?", "images": [cat] * 8})
        assert scope.cancelled_caught
        result = await client.call_tool("plan", {"request": "What is it?", "images": [cat]})
        assert result.structured_content["tasks"]


DIGITS = {
    "purpose": "two clinics each have photos of handwritten digits; I need a classifier",
    "data": "digits",
    "clients": 2,
    "trials": 1,
}


@pytest.fixture
def trainer(stdio, tmp_path):
    """Return a server with a node of its own, which shares its folder of models."""
    environment = {**stdio.env, "EDGEWRIGHT_HOME": str(tmp_path)}
    return stdio.model_copy(update={"env": environment, "args": [*stdio.args[:3], "--embedded"]})


async def test_a_training_is_approved_by_elicitation_and_adds_a_tool(trainer):
    asked, changed, steps = [], anyio.Event(), []

    async def approve(context, params):
        asked.append(params.message)
        return types.ElicitResult(action="accept", content={"decision": "accept"})

    async def on_message(message):
        if isinstance(message, types.ToolListChangedNotification):
            changed.set()

    async def progress(number, total, message):
        steps.append(message)

    client = Client(
        trainer,
        mode="legacy",
        elicitation_callback=approve,
        message_handler=on_message,
        read_timeout_seconds=400,
    )
    async with client:
        before = {tool.name for tool in (await client.list_tools()).tools}
        result = await client.call_tool("train", DIGITS, progress_callback=progress)
        assert not result.is_error, result.content
        assert len(asked) == 1
        assert "def build_model" in asked[0]  # what would run is shown
        assert "registered" in steps
        assert result.structured_content["test_accuracy"] > 0.5
        with anyio.fail_after(30):
            await changed.wait()
        after = {tool.name for tool in (await client.list_tools()).tools}
        assert after - before == {result.structured_content["tool"]}
        run = result.structured_content["run"]
        (report,) = (await client.read_resource(f"edgewright://reports/{run}")).contents
        assert json.loads(report.text)["tool"] == result.structured_content["tool"]


async def test_a_proposal_is_changed_and_declined_by_elicitation(trainer):
    asked = []

    async def decide(context, params):
        asked.append(params.message)
        answer = {"decision": "respond", "words": "only 2 rounds"}
        return types.ElicitResult(
            action="accept", content=answer if len(asked) == 1 else {"decision": "decline"}
        )

    client = Client(trainer, mode="auto", elicitation_callback=decide, read_timeout_seconds=400)
    async with client:
        before = {tool.name for tool in (await client.list_tools()).tools}
        result = await client.call_tool("train", DIGITS)
        assert not result.is_error, result.content
        assert len(asked) == 2
        assert "2 rounds" in asked[1] and "2 rounds" not in asked[0]
        assert "declined" in result.content[0].text
        assert {tool.name for tool in (await client.list_tools()).tools} == before


async def test_keys_and_their_scopes(serve, tmp_path, cat):
    key, sha256 = new_key()
    config = tmp_path / "serve.yaml"
    config.write_text(f"keys: [{{name: test, sha256: {sha256}, scopes: [infer]}}]\n")
    with serve("--config", str(config)) as url:
        refused = httpx.post(f"{url}/mcp", json={})
        assert refused.status_code == 401
        http = create_mcp_http_client(headers={"Authorization": f"Bearer {key}"})
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, read_timeout_seconds=SECONDS) as client:
            result = await client.call_tool("image-classification", {"image": cat})
            assert not result.is_error
            result = await client.call_tool("train", {"purpose": "digits", "approve": "auto"})
            assert result.structured_content["error"]["code"] == "scope_missing"
