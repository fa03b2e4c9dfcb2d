"""A pool opens services once for runs that have none, and closes them."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from edgewright.graphs.services.pool import ServicePool
from edgewright.tools.errors import LinkError
from edgewright.tools.settings import Settings

DOWN = Settings(node_url="http://down")


@pytest.fixture
def opened():
    """URLs for which services were opened; a minus sign marks those closed."""
    return []


@pytest.fixture
def pool(services, opened):

    @asynccontextmanager
    async def scripted(settings):
        opened.append(settings.node_url)
        await asyncio.sleep(0.01)
        if settings == DOWN:
            raise LinkError("no node answers")
        yield services
        opened.append(f"-{settings.node_url}")

    return ServicePool(scripted)


async def test_concurrent_first_runs_open_one_set(pool, services, opened):
    runs = [pool.get(Settings(node_url="one")) for _ in range(5)]
    assert await asyncio.gather(*runs) == [services] * 5
    await pool.get(Settings(node_url="other"))
    assert opened == ["one", "other"]


async def test_a_failure_is_not_remembered(pool, opened):
    for _ in range(2):
        with pytest.raises(LinkError):
            await pool.get(DOWN)
    assert opened == [DOWN.node_url] * 2


async def test_a_cancelled_run_does_not_close_what_others_wait_for(pool, services):
    first = asyncio.create_task(pool.get(Settings()))
    await asyncio.sleep(0)
    second = asyncio.create_task(pool.get(Settings()))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is services


async def test_everything_that_was_opened_is_closed(pool, opened):
    await pool.get(Settings(node_url="one"))
    await pool.get(Settings(node_url="other"))
    await pool.aclose()
    assert opened == ["one", "other", "-other", "-one"]


async def test_what_is_still_being_opened_is_closed_too(pool, opened):
    run = asyncio.create_task(pool.get(Settings(node_url="one")))
    await asyncio.sleep(0)
    await pool.aclose()
    await run
    assert opened == ["one", "-one"]
