"""The assistant with the embedded planner and a real node in its own process."""

import pytest
import skimage.data
from PIL import Image

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


async def test_a_photograph_is_classified_with_a_cost_report(opened, photographs):
    async with opened() as session:
        image = resolve_image(str(photographs / "cat.png"), session.services.images)
        reply = await session.ask("Which animal is in this picture?", images=[image])
    assert reply.status == "answered"
    assert "cat" in reply.answer.lower()
    report = reply.results[0].report
    assert report.nodes == ["camera-1"]
    assert report.arm == "device-only"
    assert sum(report.stages_ms.values()) > 0


async def test_the_next_turn_is_about_the_same_image(opened, photographs):
    async with opened("garden") as session:
        image = resolve_image(str(photographs / "cat.png"), session.services.images)
        await session.ask("Which animal is in this picture?", images=[image])
    async with opened("garden") as session:
        reply = await session.ask("And what colour is it?")
    assert [task.args.get("image") for task in reply.plan.tasks] == [image.uri]
    # Labels contain no colours, which the expert reports instead of guessing.
    assert reply.results[0].status == "refused"
    assert "colour" in reply.answer


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
