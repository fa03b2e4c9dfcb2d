"""Places are kept, and served fairly by caller."""

import asyncio
import itertools
from collections import Counter

import pytest

from edgewright.edge_runtime.keys import Caller
from edgewright.edge_runtime.workers.places import Places
from edgewright.edge_runtime.workers.queue import FairQueue, Turn
from edgewright.tools.errors import DeadlineError, OverloadedError

SERVICE_S = 0.002


class Server:
    """Serves a queue, and counts the calls of each caller."""

    def __init__(
        self, places: int = 64, service_s: float = SERVICE_S, *, spread: float = 0.0
    ) -> None:
        self.service_s = service_s
        self._factors = itertools.cycle([1 - spread, 1 + spread])
        self.queue = FairQueue(places)
        self.served: Counter[str] = Counter()
        self.order: list[str] = []

    async def call(self, caller: Caller, *, within_s: float = 10.0, least_s: float = 0.0) -> None:
        deadline = asyncio.get_running_loop().time() + within_s
        turn = await self.queue.enter(
            caller, deadline=deadline, usual_s=self.service_s, least_s=least_s
        )
        self.served[caller.name] += 1
        self.order.append(caller.name)
        service = asyncio.create_task(self._serve(turn))
        try:
            await asyncio.shield(service)  # goes on if the client leaves, as in a model worker
        except asyncio.CancelledError:
            turn.client_left()
            raise

    async def _serve(self, turn: Turn) -> None:
        service_s = self.service_s * next(self._factors)
        await asyncio.sleep(service_s)
        turn.end(service_s)

    async def client(self, caller: Caller) -> None:
        while True:
            await self.call(caller)

    async def run(self, callers: list[Caller], seconds: float) -> None:
        """Let a client for each entry call without pause."""
        clients = [asyncio.create_task(self.client(caller)) for caller in callers]
        await asyncio.sleep(seconds)
        for client in clients:
            client.cancel()
        await asyncio.wait(clients)


async def test_calls_of_one_caller_are_served_in_their_order() -> None:
    server, done = Server(), []

    async def numbered(number: int) -> None:
        await server.call(Caller("a"))
        done.append(number)

    await asyncio.gather(*(numbered(number) for number in range(10)))
    assert done == list(range(10))
    assert server.queue.idle


async def test_a_caller_with_many_calls_leaves_one_with_few_its_share() -> None:
    server = Server()
    await server.run([*[Caller("greedy")] * 16, Caller("polite")], 0.5)
    assert server.served["polite"] / server.served.total() == pytest.approx(0.5, abs=0.07)


async def test_obedient_clients_are_served_alike() -> None:
    server = Server(places=16)
    await server.run([Caller(str(number)) for number in range(16)], 1.0)
    assert len(server.served) == 16
    assert max(server.served.values()) <= 1.5 * min(server.served.values())


async def test_weights_divide_the_service() -> None:
    server = Server()
    await server.run([*[Caller("light")] * 8, *[Caller("heavy", weight=3.0)] * 8], 0.6)
    assert server.served["heavy"] / server.served["light"] == pytest.approx(3, rel=0.2)


async def test_a_full_queue_turns_the_greedy_away_and_says_how_long_to_wait() -> None:
    server = Server(places=8)
    calls = [asyncio.create_task(server.call(Caller("greedy"))) for _ in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError) as raised:
        await server.call(Caller("greedy"))
    assert raised.value.retry_after_s == pytest.approx(8 * SERVICE_S)
    await server.call(Caller("polite"))
    assert server.order.index("polite") <= 2
    await asyncio.gather(*calls)
    assert server.served["greedy"] == 8


def test_places_are_limited_however_many_callers_there_are() -> None:
    places = Places(4)
    for number in range(8):
        places.take(str(number), usual_s=lambda: 0)
    with pytest.raises(OverloadedError):
        places.take("one more", usual_s=lambda: 0)
    for number in range(8):
        places.free(str(number))
    assert len(places) == 0
    places.take("one more", usual_s=lambda: 0)


async def test_a_deadline_ends_the_wait_and_frees_the_place() -> None:
    server = Server()
    first = asyncio.create_task(server.call(Caller("a")))
    await asyncio.sleep(0)
    with pytest.raises(DeadlineError):
        await server.call(Caller("b"), within_s=SERVICE_S / 4)
    await first
    assert server.served == {"a": 1}
    assert server.queue.idle


async def test_a_call_that_cannot_be_done_in_time_is_not_begun() -> None:
    server = Server()
    with pytest.raises(DeadlineError):
        await server.call(Caller("a"), within_s=SERVICE_S, least_s=2 * SERVICE_S)
    assert server.queue.idle
    assert not server.order


async def test_a_client_that_leaves_gives_its_place_to_others() -> None:
    server = Server()
    calls = [asyncio.create_task(server.call(Caller(name))) for name in "abcd"]
    await asyncio.sleep(0)
    calls[1].cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert server.order == ["a", "c", "d"]
    assert server.queue.idle


@pytest.mark.parametrize("leaves_first", [False, True])
async def test_a_client_that_leaves_as_its_turn_comes_passes_it_on(leaves_first: bool) -> None:
    server = Server()
    loop = asyncio.get_running_loop()
    turn = await server.queue.enter(Caller("a"), deadline=loop.time() + 1, usual_s=0.0, least_s=0.0)
    leaving = asyncio.create_task(server.call(Caller("b")))
    following = asyncio.create_task(server.call(Caller("c")))
    await asyncio.sleep(0)
    if leaves_first:
        leaving.cancel()
    turn.end(0.0)  # b's turn has come, but b has not noticed yet
    leaving.cancel()
    await asyncio.wait_for(following, 1)
    assert server.order == ["c"]
    assert server.queue.idle


async def _impatient(server: Server, patience_s: float, until: float) -> int:
    """Call without pause, and leave when patience ends; return the number of answers."""
    loop, answers = asyncio.get_running_loop(), 0
    while loop.time() < until:
        try:
            async with asyncio.timeout(patience_s):
                await server.call(Caller("one"))
            answers += 1
        except TimeoutError:
            continue
    return answers


async def test_calls_whose_clients_will_have_left_are_not_begun() -> None:
    server = Server(service_s=0.02)
    until = asyncio.get_running_loop().time() + 2.0
    clients = (_impatient(server, 0.16, until) for _ in range(16))
    answered = sum(await asyncio.gather(*clients))
    assert answered >= 0.8 * len(server.order)  # in the order of arrival, it is a fifth
    await asyncio.sleep(0.1)
    assert server.queue.idle


async def _hurried(server: Server, within_s: float, until: float) -> int:
    """Call without pause, each time with a deadline; return the number of answers before it."""
    loop, answers = asyncio.get_running_loop(), 0
    while loop.time() < until:
        deadline = loop.time() + within_s
        try:
            await server.call(Caller("one"), within_s=within_s, least_s=server.service_s / 2)
        except DeadlineError:
            continue
        answers += loop.time() <= deadline
    return answers


async def test_calls_that_would_be_late_are_not_begun_although_single_ones_take_longer() -> None:
    server = Server(service_s=0.02, spread=0.5)
    until = asyncio.get_running_loop().time() + 2.0
    answered = sum(await asyncio.gather(*(_hurried(server, 0.16, until) for _ in range(16))))
    assert answered >= 0.8 * len(server.order)  # in the order of arrival, it is a half
    assert server.queue.idle


async def test_a_late_call_is_begun_if_no_other_waits() -> None:
    server = Server()
    await server.call(Caller("a"), within_s=1.5 * SERVICE_S)
    assert server.order == ["a"]


async def test_a_patient_client_is_not_starved_by_impatient_ones() -> None:
    server = Server(service_s=0.02)
    until = asyncio.get_running_loop().time() + 2.0
    impatient = asyncio.gather(*(_impatient(server, 0.16, until) for _ in range(16)))
    await asyncio.sleep(0.5)
    began = asyncio.get_running_loop().time()
    await server.call(Caller("one"))
    # Starved, it would wait until the others stop, for 1.5 s.
    assert asyncio.get_running_loop().time() - began < 1.2
    await impatient


async def test_the_order_is_that_of_arrival_again_once_nobody_leaves() -> None:
    server = Server()
    leaving = [asyncio.create_task(server.call(Caller("a"))) for _ in range(3)]
    await asyncio.sleep(SERVICE_S / 2)
    leaving[2].cancel()
    await asyncio.wait(leaving)
    done: list[int] = []

    async def numbered(number: int) -> None:
        await server.call(Caller("a"))
        done.append(number)

    await asyncio.gather(*(numbered(number) for number in range(10)))
    assert done == list(range(10))
