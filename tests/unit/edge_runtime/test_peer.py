"""A device's peer over a link of limited rate."""

import asyncio
import time

import httpx
import pytest

from edgewright.edge_runtime.config import LinkPrior, PeerConfig
from edgewright.edge_runtime.metrics import Metrics
from edgewright.edge_runtime.peers.peer import Peer
from edgewright.edge_runtime.workers.pool import WorkerPool
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.errors import DeadlineError
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.exchange import Transfer

MODEL = "efficientnet-lite0"
RATE_KB_PER_S = 50.0


class SharedLink(httpx.AsyncBaseTransport):
    """A link that all requests share: the more are sent at once, the slower each of them is."""

    def __init__(self, app) -> None:
        self._inner = httpx.ASGITransport(app=app)
        self.sending = 0
        self.most_at_once = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = b"".join([chunk async for chunk in request.stream])
        self.sending += 1
        self.most_at_once = max(self.most_at_once, self.sending)
        await self._pass(body)
        self.sending -= 1
        again = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        response = await self._inner.handle_async_request(again)
        answer = b"".join([chunk async for chunk in response.stream])
        await self._pass(answer)
        stream = httpx.ByteStream(answer)
        return httpx.Response(response.status_code, headers=response.headers, stream=stream)

    async def _pass(self, data: bytes) -> None:
        left_s, now = len(data) / 1000 / RATE_KB_PER_S, time.monotonic()
        while left_s > 0:
            await asyncio.sleep(min(left_s, 0.005))
            before, now = now, time.monotonic()
            left_s -= (now - before) / max(1, self.sending)


@pytest.fixture
async def link(make_app):
    return SharedLink(make_app(role="edge", name="edge"))


@pytest.fixture
async def peer(link):
    async with NodeClient("http://127.0.0.1:8761", transport=link) as client:
        yield Peer(
            PeerConfig(url="http://127.0.0.1:8761", poll_s=60),
            client,
            LinkPrior(),
            Metrics(WorkerPool([], lambda model: None), "device"),
            patience_s=5,
        )


async def _met(peer: Peer) -> None:
    watching = asyncio.create_task(peer.watch())
    async with asyncio.timeout(10):
        while peer.profile is None:
            await asyncio.sleep(0.01)
    watching.cancel()


async def test_a_link_is_known_before_the_first_task(peer) -> None:
    await _met(peer)
    assert peer.link.state().samples >= 4
    # A busy machine makes the link slower than intended; the prior is 1,000.
    assert RATE_KB_PER_S / 2 < peer.link.state().rate_kb_per_s < 1.5 * RATE_KB_PER_S


async def test_tasks_that_send_at_once_take_turns(peer, link) -> None:
    await _met(peer)
    link.most_at_once = 0
    frame, options = bytes(5_000), InvokeOptions(expert="none")
    transfers = [Transfer() for _ in range(3)]
    began = time.monotonic()
    await asyncio.gather(
        *(peer.tail(MODEL, frame, options, transfer) for transfer in transfers),
        return_exceptions=True,
    )
    assert time.monotonic() - began < 3 * 5 / RATE_KB_PER_S + 1.0
    assert link.most_at_once <= 2  # an estimate ends each turn
    waits = [transfer.wait_ms for transfer in transfers]
    assert waits == sorted(waits)
    assert waits[0] < 20
    assert waits[2] == pytest.approx(2 * 100, rel=0.4)


async def test_a_deadline_ends_the_wait_for_the_link(peer) -> None:
    await _met(peer)
    first = asyncio.create_task(
        peer.tail(MODEL, bytes(10_000), InvokeOptions(expert="none"), Transfer())
    )
    await asyncio.sleep(0)
    hurried = InvokeOptions(expert="none", deadline_s=0.05)
    with pytest.raises(DeadlineError, match="used the link"):
        await peer.tail(MODEL, bytes(1000), hurried, Transfer())
    await asyncio.wait([first])
    assert first.exception() is not None  # the frame is no frame
