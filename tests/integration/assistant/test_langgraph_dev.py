"""``langgraph dev`` serves the assistant offline; the LangGraph SDK drives a thread."""

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest
import skimage.data
from langgraph_sdk import get_client
from PIL import Image
from pydantic import TypeAdapter

from edgewright.graphs.assistant.events import Event
from edgewright.graphs.federated.events import Event as TrainingEvent
from edgewright.tools.images.store import ImageStore

REPOSITORY = Path(__file__).parents[3]
STARTS_WITHIN_S = 60.0

#: What the server sends as JSON are the graph's own events.
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
TRAINING: TypeAdapter[TrainingEvent] = TypeAdapter(TrainingEvent)

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("log") / "server.log"


@pytest.fixture(scope="module")
def server(state, log, tmp_path_factory):
    """The running server's process and address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "EDGEWRIGHT_HOME": str(state),
        "LANGGRAPH_STRICT_MSGPACK": "true",
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        "LANGSMITH_TRACING": "false",
    }
    for name in ("EDGEWRIGHT_DEVICE_URL", "EDGEWRIGHT_CHAT_MODEL"):
        environment.pop(name, None)
    command = [
        *(sys.executable, "-m", "langgraph_cli", "dev"),
        *("--config", str(REPOSITORY / "langgraph.json")),
        *("--no-browser", "--no-reload", "--port", str(port)),
    ]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            # The server stores its threads in the working directory.
            cwd=tmp_path_factory.mktemp("work"),
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            await_ok(address, server, log)
            yield server, address
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


@pytest.fixture
def url(server):
    return server[1]


def await_ok(address, server, log):
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            if httpx.get(f"{address}/ok", timeout=1.0).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"not ready within {STARTS_WITHIN_S:.0f} s: {log.read_text()}")


@pytest.fixture
async def client(url):
    async with get_client(url=url) as client:
        yield client


@pytest.fixture
def cat(state, tmp_path):
    Image.fromarray(skimage.data.chelsea()).save(tmp_path / "cat.png")
    data = (tmp_path / "cat.png").read_bytes()
    return ImageStore(state / "images").put(data, "cat.png").model_dump(mode="json")


async def run(client, thread, text, **more):
    """Run a turn; return its progress events and the final state."""
    events, values = [], {}
    turn = {"messages": [{"role": "user", "content": text}], **more}
    async for part in client.runs.stream(
        thread["thread_id"], "assistant", input=turn, stream_mode=["custom", "values"]
    ):
        assert part.event != "error", part.data
        if part.event == "custom":
            events.append(EVENT.validate_python(part.data))
        elif part.event == "values":
            values = part.data
    return events, values


async def test_a_thread_is_served_streamed_and_resumed(client, log, cat):
    drawing = await client.assistants.get_graph("assistant")
    names = {node["id"] for node in drawing["nodes"]}
    assert {"understand", "plan", "offload", "execute", "answer"} <= names

    thread = await client.threads.create()
    events, values = await run(
        client, thread, "Which animal is in this picture?", attachments=[cat]
    )
    assert [event.event for event in events] == [
        "understood",
        "planned",
        "offloaded",
        "task_started",
        "task_finished",
        "answered",
    ]
    assert "cat" in values["messages"][-1]["content"].lower()

    events, values = await run(client, thread, "And what colour is it?")
    assert events[1].plan.tasks[0].args["image"] == cat["uri"]
    assert [turn["request"] for turn in values["history"]] == [
        "Which animal is in this picture?",
        "And what colour is it?",
    ]
    state = await client.threads.get_state(thread["thread_id"])
    assert len(state["values"]["messages"]) == 4

    logged = log.read_text()
    assert "BlockingError" not in logged
    assert "Blocking call" not in logged
    assert "Traceback" not in logged


async def failure(client, thread, content):
    """Run a turn that fails; return the error that the client receives."""
    turn = {"messages": [{"type": "human", "content": content}]}
    parts = [
        part
        async for part in client.runs.stream(
            thread["thread_id"], "assistant", input=turn, stream_mode=["values", "messages"]
        )
    ]
    (error,) = [part.data for part in parts if part.event == "error"]
    return error


async def test_what_agent_chat_ui_sends_is_answered_and_leaves_no_bytes_behind(client, tmp_path):
    """Its message form is that of src/lib/multimodal-utils.ts and components/thread/index.tsx."""
    Image.fromarray(skimage.data.chelsea()).save(tmp_path / "cat.jpg", quality=80)
    data = base64.b64encode((tmp_path / "cat.jpg").read_bytes()).decode()
    metadata = {"name": "cat.jpg"}
    image = {"type": "image", "mimeType": "image/jpeg", "data": data, "metadata": metadata}
    human = {"id": "m1", "type": "human", "content": [image]}
    thread = await client.threads.create()
    parts = [
        part
        async for part in client.runs.stream(
            thread["thread_id"],
            "assistant",
            input={"messages": [human]},
            stream_mode=["values"],
            stream_subgraphs=True,
            stream_resumable=True,
        )
    ]
    assert not [part.data for part in parts if part.event == "error"]
    question, answer = parts[-1].data["messages"]
    assert (question["id"], question["content"]) == ("m1", "What is this?")
    assert "cat" in answer["content"].lower()

    refused = {**image, "data": data[:3000] + "%"}
    error = await failure(client, thread, [{"type": "text", "text": "and this?"}, refused])
    assert "not valid base64" in error["message"]
    remote = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}
    error = await failure(client, thread, [remote])
    assert "attach the file" in error["message"]

    history = await client.threads.get_history(thread["thread_id"], limit=50)
    assert len(history) > 4
    assert data[300:400] not in str(history)
    _, values = await run(client, thread, "And what colour is it?")  # the thread goes on
    assert len(values["messages"]) == 4


async def test_a_training_is_approved_through_an_interrupt(client):
    thread = await client.threads.create()
    settings = {"approval": "ask", "trials": 1, "target": 0.5}
    purpose = "two clinics have photos of handwritten digits; I need a classifier"

    async def stream(**more):
        return [
            part
            async for part in client.runs.stream(
                thread["thread_id"], "federated", stream_mode=["custom", "updates"], **more
            )
        ]

    data = {"source": "digits", "clients": 2, "samples": 300}
    parts = await stream(input={"purpose": purpose, "data": data, "settings": settings})
    (asked,) = [p.data["__interrupt__"] for p in parts if "__interrupt__" in (p.data or {})]
    (question,) = asked[0]["value"]  # the schema of the agent inbox
    assert question["action_request"]["action"] == "train"
    assert question["config"]["allow_accept"]

    parts = await stream(command={"resume": [{"type": "accept", "args": None}]})
    assert not [part.data for part in parts if part.event == "error"]
    events = [TRAINING.validate_python(part.data) for part in parts if part.event == "custom"]
    assert events[-1].event == "registered"
    assert events[-1].report.test.accuracy > 0.5


async def test_the_schemas_are_available_to_studio(client):
    (assistant,) = await client.assistants.search(graph_id="assistant")
    schemas = await client.assistants.get_schemas(assistant["assistant_id"])
    assert set(schemas["input_schema"]["properties"]) == {"messages", "attachments"}
    assert set(schemas["context_schema"]["properties"]) == {"node_url", "planner", "deadline_s"}
    (federated,) = await client.assistants.search(graph_id="federated")
    schemas = await client.assistants.get_schemas(federated["assistant_id"])
    assert set(schemas["input_schema"]["properties"]) == {"purpose", "data", "settings", "run"}
    assert set(schemas["context_schema"]["properties"]) == {"coder", "changes"}


def running(processes):
    """Return those that still run; an orphan that nobody has collected yet is a zombie."""
    left = [each for each in processes if each.is_running()]
    return [each for each in left if each.status() != psutil.STATUS_ZOMBIE]


async def test_a_server_that_is_stopped_leaves_no_process_behind(server, client, cat):
    process, _ = server
    thread = await client.threads.create()
    await run(client, thread, "Which animal is in this picture?", attachments=[cat])
    started = psutil.Process(process.pid).children(recursive=True)
    (node,) = [each for each in started if "edgewright.edge_runtime" in each.cmdline()]
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    assert running([node]) == []  # stopped before the server ended, not by its end
    deadline = time.monotonic() + 10
    while running(started) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert running(started) == []
