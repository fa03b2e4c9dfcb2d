"""The clients of the serving benchmark, obedient and impatient ones."""

import asyncio
from contextlib import suppress

import pytest

from edgewright.benchmarks.serving.clients import Client, request, run_all

TURNED_AWAY = b"HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
LATE = b"HTTP/1.1 504 Late\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Gives the same answer to all requests, after a delay."""

    def __init__(self, answer: bytes, delay_s: float = 0.005) -> None:
        self._answer, self._delay_s = answer, delay_s
        self.requests: list[bytes] = []
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"length: ")[2].split()[0]))
                self.requests.append(head)
                await asyncio.sleep(self._delay_s)
                writer.write(self._answer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client has left, or the test is over
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def test_clients_count_their_answers() -> None:
    server = Server(OK)
    async with server as port:
        clients = [Client(port, request("/predict", b"image", deadline_s=2)) for _ in range(3)]
        per_s = await run_all(clients, 0.3)
    assert all(client.times_ms and min(client.times_ms) >= 5 for client in clients)
    assert per_s == pytest.approx(len(server.requests) / 0.3, rel=0.3)
    assert b'Edgewright-Options: {"deadline_s": 2}' in server.requests[0]


@pytest.mark.parametrize(("obedient", "most"), [(True, 1), (False, 200)])
async def test_an_obedient_client_waits_as_long_as_it_is_told(obedient: bool, most: int) -> None:
    server = Server(TURNED_AWAY)
    async with server as port:
        client = Client(port, request("/predict", b"image"), obedient=obedient)
        await run_all([client], 0.8)
    assert client.times_ms == []
    assert most / 20 < client.refused <= most


async def test_a_client_gives_up_when_its_patience_or_its_deadline_ends() -> None:
    async with Server(OK, delay_s=5) as port:
        client = Client(port, request("/predict", b"image"), patience_s=0.05)
        await run_all([client], 0.3)
    assert client.left >= 3
    async with Server(LATE) as port:
        client = Client(port, request("/predict", b"image"))
        await run_all([client], 0.1)
    assert client.left >= 2
