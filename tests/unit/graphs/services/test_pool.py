"""A pool opens services once for runs that bring none, and closes them."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from edgewright.graphs.services import pool as module
from edgewright.graphs.services.pool import ServicePool
from edgewright.tools.errors import LinkError
from edgewright.tools.settings import Settings

DOWN = Settings(node_url="http://down")


@pytest.fixture
def opened(services, monkeypatch):
    """The settings for which services were opened, and with a minus sign those closed."""
    seen = []

    @asynccontextmanager
    async def scripted(settings):
        seen.append(settings.node_url)
        await asyncio.sleep(0.01)
        if settings == DOWN:
            raise LinkError("no node answers")
        yield services
        seen.append(f"-{settings.node_url}")

    monkeypatch.setattr(module, "open_services", scripted)
    return seen


async def test_concurrent_first_runs_open_one_set(services, opened):
    pool = ServicePool()
    runs = [pool.get(Settings(node_url="one")) for _ in range(5)]
    assert await asyncio.gather(*runs) == [services] * 5
    await pool.get(Settings(node_url="other"))
    assert opened == ["one", "other"]


async def test_a_failure_is_not_remembered(opened):
    pool = ServicePool()
    for _ in range(2):
        with pytest.raises(LinkError):
            await pool.get(DOWN)
    assert opened == [DOWN.node_url] * 2


async def test_a_cancelled_run_does_not_close_what_others_wait_for(services, opened):
    pool = ServicePool()
    first = asyncio.create_task(pool.get(Settings()))
    await asyncio.sleep(0)
    second = asyncio.create_task(pool.get(Settings()))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is services


async def test_everything_that_was_opened_is_closed(opened):
    pool = ServicePool()
    await pool.get(Settings(node_url="one"))
    await pool.get(Settings(node_url="other"))
    await pool.aclose()
    assert opened == ["one", "other", "-other", "-one"]
