"""Turns of the real graph over scripted services."""

from collections.abc import Callable

import pytest
from langchain_core.messages import HumanMessage

from edgewright.graphs.assistant.context import AssistantContext
from edgewright.graphs.assistant.failures import RETRY
from edgewright.graphs.assistant.graph import LIMITS, build_graph
from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.report import RunReport

QUICK = RETRY._replace(initial_interval=0.01)


class ScriptedTrainer:
    """Trains nothing."""

    async def train(self, purpose: str, on_event: Callable[..., None]) -> RunReport:
        raise InputError("there are no data", code="data_unnamed")


@pytest.fixture
def run(services):
    async def ask(text="what is it?", *, attachments=(), message=None, **options):
        compiled = build_graph(retry=QUICK, **options).compile()
        events = []
        state = None
        async for mode, part in compiled.astream(
            {"messages": [message or HumanMessage(text)], "attachments": list(attachments)},
            LIMITS,
            context=AssistantContext(services=services, trainer=ScriptedTrainer(), deadline_s=5.0),
            stream_mode=["custom", "values"],
        ):
            if mode == "custom":
                events.append(part)
            else:
                state = part
        return state, events

    return ask


@pytest.fixture
def attached(services, picture):
    return services.images.put(picture, "gate.png").model_dump(mode="json")
