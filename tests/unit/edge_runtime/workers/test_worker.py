"""A model worker: called in turn, replaced when stuck or lost."""

import asyncio
import operator
import os
import signal
import time
from collections.abc import AsyncIterator
from multiprocessing import forkserver

import psutil
import pytest

from edgewright.benchmarks.runtime.null_worker import enter_null_worker
from edgewright.edge_runtime.workers.pool import WorkerPool
from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.edge_runtime.workers.worker import ModelWorker
from edgewright.tools.errors import (
    DeadlineError,
    InputError,
    NotFoundError,
    OverloadedError,
    UnavailableError,
    WorkerLostError,
)


@pytest.fixture
async def worker() -> AsyncIterator[ModelWorker]:
    made = _worker("null", queue=2)
    yield made
    await made.close()


def _worker(model: str, queue: int = 8, call_s: float = 60) -> ModelWorker:
    settings = WorkerSettings(model=model)
    return ModelWorker(settings, queue=queue, load_s=20, call_s=call_s, entry=enter_null_worker)


def _in(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def _wrong_frame(worker: ModelWorker, seconds: float = 10) -> None:
    with pytest.raises(InputError):
        await worker.call("tail", {}, b"nonsense", deadline=_in(seconds))


def _pid(worker: ModelWorker) -> int:
    assert worker._process is not None
    pid = worker._process.process.pid
    assert pid is not None
    return pid


async def test_an_operations_error_comes_back_and_the_process_stays(worker: ModelWorker) -> None:
    await _wrong_frame(worker)
    pid = _pid(worker)
    await _wrong_frame(worker)
    assert (_pid(worker), worker.replaced) == (pid, 0)
    assert worker.description["revision"] == "null"
    assert worker.rss_bytes > 1_000_000


async def test_a_killed_process_is_replaced_within_seconds(worker: ModelWorker) -> None:
    await worker.load()
    await asyncio.sleep(1.1)
    began = time.monotonic()
    os.kill(_pid(worker), signal.SIGKILL)
    while worker.replaced == 0:
        await asyncio.sleep(0.01)
    await _wrong_frame(worker)
    assert time.monotonic() - began < 20
    assert worker.replaced == 1


async def test_a_process_killed_during_a_call_is_reported(worker: ModelWorker) -> None:
    await worker.load()
    os.kill(_pid(worker), signal.SIGSTOP)
    call = asyncio.create_task(worker.call("tail", {}, b"x", deadline=_in(10)))
    await asyncio.sleep(0.05)
    os.kill(_pid(worker), signal.SIGKILL)
    with pytest.raises(WorkerLostError) as raised:
        await call
    assert raised.value.info().retryable
    await _wrong_frame(worker)


async def test_a_stuck_process_is_replaced_after_the_nodes_own_limit() -> None:
    worker = _worker("null", call_s=0.5)
    try:
        await worker.load()
        stuck = _pid(worker)
        os.kill(stuck, signal.SIGSTOP)
        with pytest.raises(DeadlineError, match="stuck"):
            # More than a socket's buffer holds; neither side may wait for the other forever.
            await worker.call("tail", {}, bytes(3_000_000), deadline=_in(10))
        await _wrong_frame(worker)
        assert _pid(worker) != stuck
        assert not psutil.pid_exists(stuck)
    finally:
        await worker.close()


async def test_a_callers_deadline_ends_its_wait_and_not_the_worker(worker: ModelWorker) -> None:
    await worker.load()
    pid = _pid(worker)
    for _ in range(3):
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(DeadlineError):
            await worker.call("tail", {}, b"x", deadline=_in(0.05))
        assert time.monotonic() - began < 10
        os.kill(pid, signal.SIGCONT)
        await _wrong_frame(worker)  # gets its own answer, not the late one
    assert (_pid(worker), worker.replaced) == (pid, 0)
    with pytest.raises(DeadlineError):
        await worker.call("tail", {}, b"x", deadline=_in(0))


async def test_calls_wait_their_turn_and_too_many_are_rejected(worker: ModelWorker) -> None:
    await worker.load()
    await _wrong_frame(worker)
    os.kill(_pid(worker), signal.SIGSTOP)
    waiting = [
        asyncio.create_task(worker.call("tail", {}, b"x", deadline=_in(10))) for _ in range(2)
    ]
    await asyncio.sleep(0.05)
    with pytest.raises(OverloadedError) as raised:
        await worker.call("tail", {}, b"x", deadline=_in(10))
    assert raised.value.retry_after_s == pytest.approx(2 * worker.meter.mean_s)
    os.kill(_pid(worker), signal.SIGCONT)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [InputError, InputError]
    assert worker.idle


async def test_time_spent_waiting_counts_and_does_not_kill(worker: ModelWorker) -> None:
    await worker.load()
    pid = _pid(worker)
    os.kill(pid, signal.SIGSTOP)
    first = asyncio.create_task(worker.call("tail", {}, b"x", deadline=_in(10)))
    await asyncio.sleep(0.05)
    with pytest.raises(DeadlineError):
        await worker.call("tail", {}, b"x", deadline=_in(0.1))
    os.kill(pid, signal.SIGCONT)
    with pytest.raises(InputError):
        await first
    assert _pid(worker) == pid


async def test_an_unloaded_worker_loads_again(worker: ModelWorker) -> None:
    await worker.load()
    await worker.close()
    assert not worker.loaded
    assert worker.rss_bytes == 0
    await _wrong_frame(worker)
    assert worker.replaced == 0


async def test_a_worker_can_be_closed_while_it_loads(worker: ModelWorker) -> None:
    loading = asyncio.create_task(worker.load())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await worker.close()
    with pytest.raises(asyncio.CancelledError):
        await loading


async def test_a_model_that_does_not_exist_cannot_be_loaded() -> None:
    worker = ModelWorker(WorkerSettings(model="nonsense"), load_s=60)
    with pytest.raises(NotFoundError) as raised:
        await worker.load()
    assert raised.value.info().code == "unknown_model"
    await worker.close()


async def test_a_process_that_dies_while_loading_is_reported() -> None:
    # Any function of two arguments that does nothing serves as a process that ends at once.
    worker = ModelWorker(WorkerSettings(model="null"), load_s=20, entry=operator.is_)  # type: ignore[arg-type]
    with pytest.raises(UnavailableError) as raised:
        await worker.load()
    assert raised.value.info().code == "model_not_loaded"
    await worker.close()


async def test_a_process_that_is_killed_while_loading_may_be_called_again(
    worker: ModelWorker,
) -> None:
    await worker.load()  # the process that forks workers runs from now on
    await worker.close()
    own = psutil.Process()
    before = {child.pid for child in own.children(recursive=True)}
    loading = asyncio.create_task(worker.load())
    while not (new := {child.pid for child in own.children(recursive=True)} - before):
        await asyncio.sleep(0)
    os.kill(new.pop(), signal.SIGKILL)
    with pytest.raises(WorkerLostError):
        await loading
    await worker.load()


async def test_workers_start_although_what_forks_them_was_killed(worker: ModelWorker) -> None:
    await worker.load()
    await worker.close()
    pid = forkserver._forkserver._forkserver_pid
    os.kill(pid, signal.SIGKILL)
    await worker.load()
    assert forkserver._forkserver._forkserver_pid != pid


async def test_a_pool_knows_its_models_only() -> None:
    pool = WorkerPool(["a"], _worker)
    with pytest.raises(NotFoundError) as raised:
        await pool.call("b", "tail", {}, deadline=_in(1))
    assert raised.value.info().code == "unknown_model"
    await pool.close()


async def test_a_pool_unloads_the_least_recently_used_beyond_its_budget() -> None:
    pool = WorkerPool(["a", "b", "c"], _worker, budget_bytes=1)
    await pool.load("a")
    assert [worker.loaded for worker in pool] == [True, False, False]
    with pytest.raises(InputError):
        await pool.call("b", "tail", {}, b"x", deadline=_in(10))
    assert [worker.loaded for worker in pool] == [False, True, False]
    await pool.load("c")
    assert [worker.loaded for worker in pool] == [False, False, True]
    await pool.close()


async def test_a_pool_with_room_keeps_what_it_has() -> None:
    pool = WorkerPool(["a", "b"], _worker, budget_bytes=10**12)
    await pool.load("a")
    await pool.load("b")
    assert [worker.loaded for worker in pool] == [True, True]
    await pool.close()


async def test_a_worker_counts_as_busy_until_the_next_call_has_it() -> None:
    """A waiting call cannot distinguish service from the time between two calls."""
    worker = _worker("null", queue=50)
    try:
        await worker.load()
        await asyncio.sleep(0.3)  # no call waits, so this is not service time
        occupied = asyncio.create_task(_occupy_the_loop())
        began = time.monotonic()
        await asyncio.gather(*(_wrong_frame(worker) for _ in range(30)))
        span_s = time.monotonic() - began
        occupied.cancel()
        services_s = sum(worker.meter._services_s)
        assert 0.9 * span_s <= services_s <= span_s
    finally:
        await worker.close()


async def _occupy_the_loop() -> None:
    """Slow the event loop down by a few milliseconds per turn, as responses to others do."""
    while True:
        time.sleep(0.004)
        await asyncio.sleep(0)
