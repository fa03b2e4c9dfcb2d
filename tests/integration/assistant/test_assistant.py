"""The assistant with the embedded planner and a real node in its own process."""

import asyncio
import json
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
import skimage.data
from PIL import Image
from typer.testing import CliRunner

from edgewright.cli.main import app
from edgewright.graphs.assistant.context import AssistantContext
from edgewright.graphs.assistant.session import open_session
from edgewright.graphs.langchain_tools import make_tools
from edgewright.graphs.services.services import open_services
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.images.files import resolve_image
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.settings import Settings

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("camera")
    for name, pixels in {"cat": skimage.data.chelsea(), "cup": skimage.data.coffee()}.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def device(photographs):
    with launch_node(
        {"name": "camera-1", "role": "device", "port": 0, "camera": str(photographs)}
    ) as node:
        yield node


@pytest.fixture(autouse=True)
def _own_state(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    monkeypatch.delenv("EDGEWRIGHT_CHAT_MODEL", raising=False)


@pytest.fixture
def opened(device, tmp_path):
    return lambda thread=None: open_session(AssistantContext(node_url=device.url), thread=thread)


class CountingRelay:
    """A TCP relay in front of a node.

    Attributes:
        url: Where it listens.
        bytes_up: Bytes that the node has been sent so far, headers included.
    """

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self.url = ""
        self.bytes_up = 0

    @asynccontextmanager
    async def running(self):
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def _accept(self, reader, writer):
        target_reader, target_writer = await asyncio.open_connection(
            self._target.hostname, self._target.port
        )
        await asyncio.gather(
            self._pass_on(reader, target_writer, counted=True),
            self._pass_on(target_reader, writer, counted=False),
        )

    async def _pass_on(self, reader, writer, *, counted):
        while data := await reader.read(65_536):
            self.bytes_up += len(data) if counted else 0
            writer.write(data)
            await writer.drain()
        writer.close()


async def test_an_image_crosses_to_the_device_once(device, photographs):
    async with (
        CountingRelay(device.url).running() as relay,
        open_session(AssistantContext(node_url=relay.url)) as session,
    ):
        image = resolve_image(str(photographs / "cat.png"), session.services.images)
        reply = await session.ask("Which animal is in this picture?", images=[image])
    size = (photographs / "cat.png").stat().st_size
    assert size > 100_000
    assert [result.status for result in reply.results] == ["ok"]
    assert size < relay.bytes_up < 1.5 * size


async def test_a_photograph_is_named_and_billed(opened, photographs):
    async with opened() as session:
        image = resolve_image(str(photographs / "cat.png"), session.services.images)
        reply = await session.ask("Which animal is in this picture?", images=[image])
    assert reply.status == "answered"
    assert "cat" in reply.answer.lower()
    report = reply.results[0].report
    assert report.nodes == ["camera-1"]
    assert report.arm == "device-only"
    assert sum(report.stages_ms.values()) > 0


async def test_the_next_turn_is_about_the_same_picture(opened, device, photographs):
    async with opened("garden") as session:
        image = resolve_image(str(photographs / "cat.png"), session.services.images)
        await session.ask("Which animal is in this picture?", images=[image])
    question = "And what colour is it?"
    options = ["--thread", "garden", "--node", device.url, "--json"]
    planned = await asyncio.to_thread(CliRunner().invoke, app, ["plan", question, *options])
    async with opened("garden") as session:
        reply = await session.ask(question)
    assert json.loads(planned.stdout) == reply.plan.as_json()
    assert [task.args.get("image") for task in reply.plan.tasks] == [image.uri]
    assert reply.results[0].status == "ok"
    assert "brown" in reply.answer


async def test_a_cameras_photograph_never_leaves_its_device(opened):
    async with opened() as session:
        reply = await session.ask("Which animal is in it?", images=[ImageRef.camera("cat.png")])
        lost = await session.ask("Which animal is in it?", images=[ImageRef.camera("dog.png")])
    assert reply.results[0].status == "ok"
    assert "cat" in reply.answer.lower()
    assert lost.results[0].error.code == "unknown_photograph"


async def test_a_truncated_image_is_reported(opened, photographs):
    data = (photographs / "cat.png").read_bytes()
    async with opened() as session:
        image = session.services.images.put(data[: len(data) // 2], "half.png")
        reply = await session.ask("Which animal is in this picture?", images=[image])
    assert reply.results[0].status == "error"
    assert reply.results[0].error.code == "image_truncated"
    assert reply.results[0].output == {}


async def test_tools_for_other_agents_run_on_the_node(device, photographs):
    async with open_services(Settings(node_url=device.url)) as services:
        image = resolve_image(str(photographs / "cup.png"), services.images)
        created = await make_tools(services)
        tools = {tool.name: tool for tool in created}
        message = await tools["image-classification"].ainvoke(
            {
                "type": "tool_call",
                "id": "1",
                "name": "image-classification",
                "args": {"image": image.uri},
            }
        )
    assert "espresso" in message.content.lower()
    assert message.artifact["nodes"] == ["camera-1"]
