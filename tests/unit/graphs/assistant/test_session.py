"""Conversations: what a thread stores, and what happens when its file cannot be used."""

import asyncio
import resource
import sqlite3
from dataclasses import replace

import pytest

from edgewright.agents.planner.planner import make_embedded_planner
from edgewright.graphs.assistant.context import AssistantContext
from edgewright.graphs.assistant.history import LATEST
from edgewright.graphs.assistant.session import open_session
from edgewright.graphs.services.threads import CHECKPOINTS, open_threads
from edgewright.tools.cards import CardRegistry
from edgewright.tools.errors import EdgewrightError, InputError, StorageError, TransientError


@pytest.fixture
def opened(services, tmp_path):
    def open_again(thread=None):
        return open_session(
            AssistantContext(services=services), thread=thread, threads=tmp_path / "threads.sqlite"
        )

    return open_again


async def test_a_reply_holds_answer_plan_and_results(opened, planner, task):
    planner.tasks = (task(1, image="camera:a"),)
    events = []
    async with opened() as session:
        reply = await session.ask("what is it?", on_event=events.append)
    assert reply.status == "answered"
    assert reply.decisions["t1"].arm.kind == "device-only"
    assert set(reply.as_json()) == {"answer", "plan", "results"}
    assert reply.as_json()["results"][0]["report"]["stages_ms"] == {"whole": 12.0}
    assert events[0].event == "understood"
    assert events[-1].text == reply.answer


async def test_the_next_turn_knows_the_image_of_the_last(opened, planner, services, picture, task):
    image = services.images.put(picture, "gate.png")
    async with opened() as session:
        await session.ask("what is it?", images=[image])
        await session.ask("and what colour is it?")
    request = planner.requests[1]
    assert request.images == ()
    assert request.subject == (image,)


async def test_a_thread_continues_in_another_session(opened, planner, node, task):
    planner.tasks = (task(1, image="camera:a"),)
    async with opened("garden") as session:
        await session.ask("first")
    async with opened("garden") as session:
        planner.tasks = ()
        reply = await session.ask("second")
        assert [turn.request for turn in await session.history()] == ["first", "second"]
        assert reply.results == ()
        session.start_new_thread()
        assert await session.history() == []


async def test_requests_at_the_same_time_are_both_kept(opened, planner, node, task):
    planner.tasks = (task(1, image="camera:a"),)
    async with opened("garden") as one, opened("garden") as other:
        replies = await asyncio.gather(
            one.ask("first"), other.ask("second"), one.ask("third"), other.ask("fourth")
        )
        assert [reply.status for reply in replies] == ["answered"] * 4
        kept = [turn.request for turn in await one.history()]
    assert sorted(kept) == ["first", "fourth", "second", "third"]
    # Each was planned with what was said before it.
    known = {request.text: len(request.history) for request in planner.requests}
    assert [known[text] for text in kept] == [0, 1, 2, 3]


async def test_a_request_that_is_cancelled_lets_the_next_one_in(opened, planner, node, task):
    planner.tasks = (task(1, image="camera:a"),)
    async with opened("garden") as session:
        first = asyncio.create_task(session.ask("first"))
        await asyncio.sleep(0)
        second = asyncio.create_task(session.ask("second"))
        await asyncio.sleep(0.02)
        second.cancel()
        await first
        async with asyncio.timeout(10):
            assert (await session.ask("third")).status == "answered"


async def test_a_resumed_thread_keeps_its_conditions(
    services, node, picture, ok, planner_cache, tmp_path
):
    services = replace(
        services, planner=make_embedded_planner(CardRegistry.builtin(), folder=planner_cache)
    )
    first, second = (services.images.put(picture, name) for name in ("yard.png", "gate.png"))
    context, threads = AssistantContext(services=services), tmp_path / "threads.sqlite"
    node.answers["visual-question-answering"] = [ok("no"), ok("yes"), ok("no")]
    async with open_session(context, thread="garden", threads=threads) as session:
        before = await session.ask("If there is a dog, describe it.", images=[first])
    async with open_session(context, thread="garden", threads=threads) as session:
        again = await session.ask("and this one?", images=[second])
        once_more = await session.ask("the first one again")
    outcomes = [[each.status for each in reply.results] for reply in (before, again, once_more)]
    assert outcomes == [["ok", "skipped"], ["ok", "ok"], ["ok", "skipped"]]
    for reply, image in ((before, first), (again, second), (once_more, first)):
        question, caption = reply.plan.tasks
        assert (question.args["image"], caption.args["image"]) == (image.uri, image.uri)
        assert caption.when.checks[0].task == question.id


async def test_requests_that_cannot_be_read_leave_the_thread_unchanged(opened):
    async with opened() as session:
        await session.ask("first")
        with pytest.raises(InputError):
            await session.ask("   ")
        await session.ask("second")
        assert [turn.request for turn in await session.history()] == ["first", "second"]


async def test_a_locked_file_is_reported_and_nothing_is_lost(opened, services, tmp_path):
    path = tmp_path / "threads.sqlite"
    async with opened("garden") as session:
        await session.ask("first")
    context = AssistantContext(services=services)
    async with open_session(context, thread="garden", threads=path, lock_timeout_s=0.1) as session:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError) as caught:
            await session.ask("second")
        other.execute("ROLLBACK")
        other.close()
        await session.ask("third")
        requests = [turn.request for turn in await session.history()]
    assert caught.value.info().code == "threads_locked"
    assert requests == ["first", "third"]


async def test_a_file_that_is_not_a_database_is_reported(tmp_path):
    path = tmp_path / "threads.sqlite"
    path.write_bytes(b"this is not a database, but it is long enough to look like one" * 40)
    with pytest.raises(EdgewrightError) as caught:
        async with open_threads(path):
            pass
    assert caught.value.info().code == "threads_damaged"


async def test_a_folder_that_cannot_be_created_is_reported(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        async with open_threads(tmp_path / "file" / "threads.sqlite"):
            pass


async def test_a_full_disk_is_reported_and_the_thread_stays(opened):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with opened("garden") as session:
        await session.ask("first")
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            with pytest.raises(StorageError):
                await session.ask("second")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await session.ask("third")
        assert [turn.request for turn in await session.history()] == ["first", "third"]


async def test_a_plan_that_is_too_deep_is_refused(opened, planner, task):
    planner.tasks = tuple(
        task(n, "image-classification", *([f"t{n - 1}"] if n > 1 else []), image="camera:a")
        for n in range(1, 31)
    )
    async with opened() as session:
        with pytest.raises(InputError) as caught:
            await session.ask("a lot")
    assert caught.value.info().code == "plan_too_deep"


async def test_a_cancelled_turn_leaves_the_thread_usable(opened, planner, node, task):
    planner.tasks = (task(1, image="camera:a"),)
    node.answers["image-classification"] = [30.0]
    async with opened() as session:
        turn = asyncio.create_task(session.ask("first"))
        await asyncio.sleep(0.3)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        planner.tasks = ()
        await session.ask("second")
        assert [turn.request for turn in await session.history()] == ["second"]


async def test_a_long_thread_stays_small_and_keeps_every_turn(opened, planner, tmp_path):
    async with opened("garden.north") as session:
        for number in range(150):
            await session.ask(f"request {number}: is the gate of the garden still closed?")
        turns = await session.history()
    file = sqlite3.connect(tmp_path / "threads.sqlite")
    checkpoints, largest = file.execute(
        "SELECT count(*), max(length(checkpoint)) FROM checkpoints"
    ).fetchone()
    file.close()
    assert [turn.request.split(":")[0] for turn in turns] == [f"request {n}" for n in range(150)]
    assert len(planner.requests[-1].history) == LATEST
    assert checkpoints == CHECKPOINTS
    assert largest < 60_000
    assert sum(path.stat().st_size for path in tmp_path.glob("threads.sqlite*")) < 6_000_000


async def test_an_old_checkpoint_takes_its_writes_with_it(opened, tmp_path):
    async with opened("a") as session:
        for _ in range(2 * CHECKPOINTS):
            await session.ask("first")
        session.thread = "b"
        await session.ask("first")
    file = sqlite3.connect(tmp_path / "threads.sqlite")
    orphans = file.execute(
        "SELECT count(*) FROM writes WHERE checkpoint_id NOT IN "
        "(SELECT checkpoint_id FROM checkpoints)"
    ).fetchone()
    threads = dict(file.execute("SELECT thread_id, count(*) FROM checkpoints GROUP BY 1"))
    file.close()
    assert orphans == (0,)
    assert threads["a"] == CHECKPOINTS
    assert 0 < threads["b"] < CHECKPOINTS
