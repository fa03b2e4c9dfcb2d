"""The card tools in agents of others: LangChain's standard suite for each, and a whole session."""

import asyncio
import json
import re

import pytest
from anyio.from_thread import start_blocking_portal
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import Field

from edgewright.cli.demo.moods import write_sound, write_traffic
from edgewright.graphs.langchain_tools import make_tools
from edgewright.graphs.services.services import open_services
from edgewright.tools.cards import CardRegistry
from edgewright.tools.images.store import ImageStore
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: Made by a model that set-up does not install, or by no expert at all.
LACKING = {"federated-training", "pose-to-image"}
TOOLS = sorted({card.id for card in CardRegistry.builtin()} - LACKING)


@pytest.fixture(scope="module")
def portal():
    """A thread with an event loop of its own, as a server has it."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def node(tmp_path_factory, camera_folder):
    """A device with every kind of sensor."""
    folder = tmp_path_factory.mktemp("sensors")
    write_traffic(folder / "traffic.pcap", "tense", 3)
    write_sound(folder / "sound.wav", "tense", 3)
    sensors = [
        {"name": "flat", "kind": "wifi", "source": str(folder / "traffic.pcap")},
        {"name": "bedroom", "kind": "microphone", "source": str(folder / "sound.wav")},
    ]
    config = {
        "name": "device",
        "role": "device",
        "port": 0,
        "measure": "never",
        "camera": str(camera_folder),
        "sensors": sensors,
        "limits": {"deadline_s": 120},
    }
    with launch_node(config) as running:
        yield running


@pytest.fixture(scope="module")
def opened(portal, node, tmp_path_factory, encoded):
    state = tmp_path_factory.mktemp("state")
    with (
        pytest.MonkeyPatch.context() as patch,
        portal.wrap_async_context_manager(open_services(Settings(node_url=node.url))) as services,
    ):
        patch.setenv("EDGEWRIGHT_HOME", str(state))
        services.images = ImageStore(state / "images")
        made = portal.call(lambda: make_tools(services, deadline_s=120))
        images = {name: services.images.put(encoded(name)).uri for name in ("chelsea", "astronaut")}
        yield {tool.name: tool for tool in made}, images


@pytest.fixture(scope="module")
def tools(opened):
    return opened[0]


@pytest.fixture(scope="module")
def images(opened):
    return opened[1]


class CardTool:
    """Gives the standard suites one card's tool after the other."""

    @pytest.fixture(autouse=True, params=TOOLS)
    def _card(self, request, tools, images):
        estimate = {"labels": [["tense", 0.7], ["calm", 0.3]]}
        self.tool_of_card = tools[request.param]
        self.examples = {
            "image": images["astronaut"],
            "question": "Is there a person?",
            "objects": "person",
            "recording": "sensor:bedroom",
            "traffic": "sensor:flat",
            "first": json.dumps({"source": "wifi"} | estimate),
            "second": json.dumps({"source": "microphone"} | estimate),
        }

    @property
    def tool_constructor(self):
        return self.tool_of_card

    @property
    def tool_invoke_params_example(self):
        return {name: self.examples[name] for name in self.tool_of_card.args}


class TestUnitSuite(CardTool, ToolsUnitTests):
    pass


class TestIntegrationSuite(CardTool, ToolsIntegrationTests):
    pass


class ScriptedModel(BaseChatModel):
    """Calls the tool that a message names, about the last image named, and words its result."""

    offered: list[dict] = Field(default_factory=list)

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **_):
        self.offered = [convert_to_openai_tool(tool)["function"] for tool in tools]
        return self

    def _generate(self, messages, stop=None, run_manager=None, **_):
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    async def _astream(self, messages, stop=None, run_manager=None, **_):
        message = self._next(messages)
        for call in message.tool_calls:
            piece = {**call, "args": json.dumps(call["args"]), "index": 0}
            chunk = AIMessageChunk(content="", tool_call_chunks=[piece])
            yield ChatGenerationChunk(message=chunk)
        for word in re.findall(r"\S+\s*", message.text):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))

    def _next(self, messages):
        last = messages[-1]
        if isinstance(last, ToolMessage):
            return AIMessage(f"The tool says: {last.content}")
        name, _, question = last.text.partition(": ")
        (schema,) = [one["parameters"] for one in self.offered if one["name"] == name]
        image = re.findall(r"store:\S+", " ".join(message.text for message in messages))[-1:]
        known = {
            "image": image[0] if image else "",
            "question": question,
            "traffic": "sensor:flat",
        }
        known |= {"recording": "sensor:bedroom"}
        args = {argument: known[argument] for argument in schema["required"]}
        return AIMessage("", tool_calls=[{"name": name, "args": args, "id": "1"}])


async def converse(agent, thread, text):
    """Return the tokens, and the messages of the turn."""
    tokens, messages = [], []
    config = {"configurable": {"thread_id": thread}}
    given = {"messages": [HumanMessage(text)]}
    async for mode, event in agent.astream(given, config, stream_mode=["messages", "updates"]):
        if mode == "messages" and isinstance(event[0], AIMessageChunk):
            tokens.append(event[0].text)
        elif mode == "updates":
            messages += [each for step in event.values() for each in step["messages"]]
    return [token for token in tokens if token], messages


async def test_a_scripted_session(tools, images, portal):
    agent = create_agent(ScriptedModel(), list(tools.values()), checkpointer=InMemorySaver())

    tokens, (_, found, answer) = await converse(
        agent, "a", f"image-classification: {images['chelsea']}"
    )
    assert "cat" in answer.text
    assert len(tokens) > 3
    assert "".join(tokens) == answer.text
    assert found.artifact["nodes"] == ["device"]

    _, (_, found, answer) = await converse(agent, "a", "visual-question-answering: is it a cat?")
    assert found.status == "success"
    assert "yes" in answer.text.lower()

    missing = f"store:{'0' * 64}"
    _, (_, found, answer) = await converse(agent, "a", f"image-classification: {missing}")
    assert found.status == "error"
    assert found.content in answer.text

    turn = asyncio.create_task(converse(agent, "b", "mood-from-acoustic-signals: now"))
    while not portal.call(calls_running):
        await asyncio.sleep(0.01)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    await asyncio.sleep(0.1)
    assert not portal.call(calls_running)
    # The turn that was cancelled is no part of another thread, and the tools still work.
    _, messages = await converse(agent, "c", f"image-classification: {images['chelsea']}")
    assert "cat" in messages[-1].text


def calls_running():
    """Return the number of calls of tools that run in the loop of the services."""
    return sum("_tool.<locals>.run" in repr(task.get_coro()) for task in asyncio.all_tasks())


def test_a_tool_refuses_where_it_would_wait_for_itself(tools, portal, images):
    tool = tools["image-classification"]
    message = portal.call(tool.invoke, {"image": images["chelsea"]})
    assert "ainvoke" in message
