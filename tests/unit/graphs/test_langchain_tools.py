"""The cards as LangChain tools."""

import pytest

from edgewright.graphs.langchain_tools import make_tools
from edgewright.tools.cards import CardRegistry
from edgewright.tools.contracts.invocation import InvokeResponse
from edgewright.tools.errors import ErrorInfo, LinkError

QUESTION = "visual-question-answering"


@pytest.fixture
async def tools(services):
    made = await make_tools(services)
    return {tool.name: tool for tool in made}


def call(name, **args):
    return {"type": "tool_call", "id": "1", "name": name, "args": args}


async def test_only_cards_that_can_be_run_become_tools(tools):
    assert QUESTION in tools
    lacking = [card.id for card in CardRegistry.builtin() if not card.experts]
    assert not set(lacking) & set(tools)
    assert set(tools[QUESTION].args) == {"image", "question"}


async def test_a_call_returns_the_text_and_the_report(tools, node, services, picture):
    image = services.images.put(picture)
    message = await tools[QUESTION].ainvoke(call(QUESTION, image=image.uri, question="A cat?"))
    assert message.content == "tabby"
    assert message.artifact["arm"] == "device-only"
    assert node.calls[0][1].args == {"question": "A cat?"}
    assert node.calls[0][2] == picture


@pytest.mark.parametrize(
    "failure",
    [
        LinkError("the link is down"),
        InvokeResponse(
            status="refused",
            error=ErrorInfo(
                code="refused", message="the link is down", retryable=False, status=422
            ),
        ),
    ],
)
async def test_errors_are_returned_to_the_agent(tools, node, failure):
    node.answers[QUESTION] = [failure]
    message = await tools[QUESTION].ainvoke(call(QUESTION, image="camera:a", question="A cat?"))
    assert message.status == "error"
    assert message.content == "the link is down"


async def test_a_path_is_not_an_image(tools, node):
    message = await tools[QUESTION].ainvoke(call(QUESTION, image="/etc/passwd", question="?"))
    assert message.status == "error"
    assert node.calls == []
