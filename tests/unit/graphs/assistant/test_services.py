"""Services that are opened once and kept for runs that bring none, as under a server."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from langgraph.runtime import Runtime

from edgewright.graphs.assistant import services as module
from edgewright.graphs.assistant.context import Context
from edgewright.tools.errors import LinkError


@pytest.fixture
def opened(services, monkeypatch):
    contexts = []

    @asynccontextmanager
    async def scripted(context):
        contexts.append(context)
        await asyncio.sleep(0.01)
        if context.node_url == "http://down":
            raise LinkError("no node answers")
        yield services

    monkeypatch.setattr(module, "open_services", scripted)
    return contexts


async def test_the_callers_services_are_used(services, opened):
    context = Context(services=services)
    assert await module.services_of(Runtime(context=context)) is services
    assert opened == []


async def test_concurrent_first_runs_open_one_set(services, opened):
    runs = [module.services_of(Runtime(context=None)) for _ in range(5)]
    assert await asyncio.gather(*runs) == [services] * 5
    assert opened == [Context()]
    await module.services_of(Runtime(context=Context(node_url="http://other")))
    assert len(opened) == 2


async def test_a_failure_is_not_kept(opened):
    runtime = Runtime(context=Context(node_url="http://down"))
    for _ in range(2):
        with pytest.raises(LinkError):
            await module.services_of(runtime)
    assert len(opened) == 2


async def test_a_cancelled_run_does_not_close_what_others_wait_for(services, opened):
    runtime = Runtime(context=Context(node_url="http://shared"))
    first = asyncio.create_task(module.services_of(runtime))
    await asyncio.sleep(0)
    second = asyncio.create_task(module.services_of(runtime))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is services
