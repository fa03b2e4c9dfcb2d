"""Upkeep removes what is old or too much, and nothing that a kept thread names."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edgewright.graphs.assistant.context import AssistantContext
from edgewright.graphs.assistant.session import open_session, read_history
from edgewright.graphs.services.thread_file import ThreadFile
from edgewright.graphs.services.upkeep import Upkeep, local_upkeep
from edgewright.tools.errors import InputError, NotFoundError, TransientError
from edgewright.tools.settings import StorageLimits

DAY_S = 86_400


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    monkeypatch.setenv("EDGEWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "scratch").mkdir()


@pytest.fixture
def upkeep(services, tmp_path):
    return Upkeep(
        limits=StorageLimits(), images=services.images, threads=tmp_path / "threads.sqlite"
    )


@pytest.fixture
def asked(services, tmp_path):
    async def ask(thread, images=()):
        context = AssistantContext(services=services)
        async with open_session(
            context, thread=thread, threads=tmp_path / "threads.sqlite"
        ) as session:
            await session.ask("what is it?", images=images)

    return ask


def numbered(picture, number):
    """Return another image: what follows the last chunk of a PNG is not read."""
    return picture + number.to_bytes(8, "big")


def age(path: Path, days: float) -> None:
    past = time.time() - days * DAY_S
    for each in (path, *path.rglob("*")):
        os.utime(each, (past, past))


def by_kind(removals):
    return {each.kind: (each.removed, each.kept) for each in removals}


async def test_an_old_thread_goes_and_its_images_with_it(upkeep, asked, services, picture):
    images = [services.images.put(numbered(picture, n)) for n in range(3)]
    await asked("north.gate", images[:2])
    await asked("south", images[1:2])
    age(services.images._folder, 40)
    assert {thread.name for thread in ThreadFile(upkeep.threads).threads()} == {
        "north.gate", "south",
    }  # fmt: skip
    assert by_kind(upkeep.collect())["images"] == (1, 2)  # nothing names the third

    old = replace(upkeep, limits=replace(upkeep.limits, history_s=0.0))
    planned = old.collect(dry_run=True)
    assert by_kind(planned)["threads"] == (2, 0)
    assert by_kind(planned)["images"] == (2, 0)
    assert services.images.get(images[0])
    assert planned == old.collect()
    assert await read_history("north.gate", threads=upkeep.threads) == []
    with pytest.raises(NotFoundError):
        services.images.get(images[0])


async def test_a_full_store_keeps_what_threads_name_and_what_is_new(
    upkeep, asked, services, picture
):
    refs = [services.images.put(numbered(picture, n)) for n in range(40)]
    named = refs[::4]
    await asked("garden", named)
    age(services.images._folder, 1)
    new = services.images.put(numbered(picture, 99))
    size = len(picture) + 8
    upkeep = replace(upkeep, limits=replace(upkeep.limits, images_bytes=20 * size))
    assert by_kind(upkeep.collect())["images"] == (25, 16)
    for ref in (*named, new):
        assert services.images.get(ref)
    assert services.images.size() == 16 * size


async def test_it_runs_by_itself_when_the_store_is_full(upkeep, asked, services, picture):
    await asked("first")
    assert not upkeep.due()
    assert (upkeep.threads.parent / "upkeep").exists()
    services.images.put(picture)
    full = replace(upkeep, limits=replace(upkeep.limits, images_bytes=1))
    assert not full.due()  # it ran a moment ago
    age(upkeep.threads.parent / "upkeep", 0.02)
    assert full.due()
    assert not upkeep.due()
    age(upkeep.threads.parent / "upkeep", 1.1)
    assert upkeep.due()


async def test_a_locked_file_stops_it_and_no_turn(upkeep, asked, services, picture):
    await asked("garden", [services.images.put(picture)])
    age(services.images._folder, 40)
    other = sqlite3.connect(upkeep.threads, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN IMMEDIATE")
    upkeep = replace(upkeep, limits=replace(upkeep.limits, history_s=0.0))
    with pytest.raises(TransientError):
        upkeep.collect()
    other.close()
    assert len(services.images.stored()) == 1


def test_caches_profiles_and_runs_age_and_the_rest_stays(tmp_path):
    old = [
        "cache/planner/planner-1.safetensors",
        "profiles/device.json",
        "runs/abc/trials/01/result.json",
    ]
    stays = [
        "cache/planner/computing.lock",
        "cache/another-program/file",
        "models/digits/card.yaml",
        "codecs/mine/manifest.json",
        "cards/mine.yaml",
    ]
    for name in (*old, *stays):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        age(path.parent, 200)
    (tmp_path / "runs/abc").touch()
    for path in (tmp_path / "runs").rglob("*"):
        age(path, 200)
    found = by_kind(local_upkeep().collect(runs=False))
    assert "training runs" not in found
    assert (tmp_path / old[2]).exists()
    found = by_kind(local_upkeep().collect())
    assert found["training runs"] == (1, 0)
    assert not any((tmp_path / name).exists() for name in old)
    assert all((tmp_path / name).exists() for name in stays)


def test_a_large_cache_loses_what_was_used_longest_ago(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_CACHE_MB", "0.001")
    folder = tmp_path / "cache" / "planner"
    folder.mkdir(parents=True)
    for number in range(4):
        path = folder / f"planner-{number}.safetensors"
        path.write_bytes(bytes(400))
        age(path, 10 - number)
    assert by_kind(local_upkeep().collect())["caches"] == (2, 2)
    assert sorted(path.name[8] for path in folder.iterdir()) == ["2", "3"]


def test_scratch_folders_of_killed_processes_go(tmp_path):
    holder = (
        "import time\n"
        "from edgewright.tools.storage.scratch import scratch_folder\n"
        "with scratch_folder() as folder: print(folder, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder], stdout=subprocess.PIPE, text=True
    ) as process:
        folder = Path(process.stdout.readline().strip())
        assert by_kind(local_upkeep().collect())["scratch folders"] == (0, 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert by_kind(local_upkeep().collect())["scratch folders"] == (1, 0)
    assert not folder.exists()


@pytest.mark.parametrize("value", ["0", "-1", "plenty", "inf"])
def test_a_wrong_limit_is_named(monkeypatch, value):
    monkeypatch.setenv("EDGEWRIGHT_IMAGES_MB", value)
    with pytest.raises(InputError, match="EDGEWRIGHT_IMAGES_MB"):
        local_upkeep()
