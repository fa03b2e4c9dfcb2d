"""Programs of the corpus that exhaust a resource are ended, as measured from outside."""

import os
import threading
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path

import psutil
import pytest

from edgewright.tools.sandbox import cgroups
from edgewright.tools.storage.removal import remove

POLL_S = 0.02
#: What the kernel enforces holds within this share; the rest is ended within this time.
WITHIN, ENDED_S = 1.1, 2.0
#: Time for a hog to reach its limit, and for a busy machine to start it.
PATIENCE_S = 30.0


@pytest.fixture
def limits(limits):
    return limits.model_copy(update={"time_s": PATIENCE_S})


class Use:
    """What a sandboxed program uses, sampled from outside until it has ended.

    Attributes:
        peak: Most that was used.
        passed: Time at which the limit was passed; None if it was not.

    Args:
        measure: Returns the use.
        limit: The limit.
    """

    def __init__(self, measure, limit):
        self._measure, self._limit = measure, limit
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.peak, self.passed = 0, None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.ended = time.monotonic()
        self._ended.set()
        self._thread.join()

    def _watch(self):
        while not self._ended.wait(POLL_S):
            with suppress(OSError, psutil.Error):
                self.peak = max(self.peak, self._measure())
            if self.passed is None and self.peak > self._limit:
                self.passed = time.monotonic()


def _resident(host):
    """Return the memory of the processes that the host has started since, in bytes.

    Between fork and exec, a child still shows the memory of the host itself.
    """
    own = host.cmdline()
    return sum(
        each.memory_info().rss for each in host.children(recursive=True) if each.cmdline() != own
    )


def _threads(host):
    return sum(each.num_threads() for each in host.children(recursive=True))


def _blocks(folder):
    """Return the bytes of the files in a folder; those in folders below it are not counted."""
    # A program that makes files without end is not waited for.
    return sum(512 * path.lstat().st_blocks for path in islice(folder.iterdir(), 500))


def _ended_by_limit(confined, fault):
    """Return whether a program was ended for this, or ended itself as it was refused more."""
    return confined.ended_by == fault or (confined.ended_by is None and confined.status != 0)


@pytest.mark.skipif(not cgroups.version(), reason="no control groups for this user")
def test_memory_is_limited_by_the_kernel(run, outside, limits, memory_hog):
    host = psutil.Process()
    with Use(lambda: _resident(host) - outside.resident, limits.memory_bytes) as use:
        output, confined = run(memory_hog)
    assert _ended_by_limit(confined, "memory"), output
    assert use.peak <= WITHIN * limits.memory_bytes
    outside.unharmed()


def test_memory_is_watched_without_control_groups(run, outside, limits, memory_hog, monkeypatch):
    monkeypatch.setattr(cgroups, "_parents", lambda: None)
    host = psutil.Process()
    with Use(lambda: _resident(host) - outside.resident, limits.memory_bytes) as use:
        output, confined = run(memory_hog)
    assert _ended_by_limit(confined, "memory"), output
    assert use.passed is None or use.ended - use.passed < ENDED_S
    outside.unharmed()


@pytest.mark.parametrize("by_kernel", [True, False], ids=["kernel", "watcher"])
def test_threads_are_limited(run, outside, limits, task_hog, by_kernel, monkeypatch):
    if not by_kernel:
        monkeypatch.setattr(cgroups, "_parents", lambda: None)
    elif not cgroups.version():
        pytest.skip("no control groups for this user")
    host = psutil.Process()
    with Use(lambda: _threads(host), cgroups.MAX_TASKS) as use:
        output, confined = run(task_hog)
    assert _ended_by_limit(confined, "timeout" if by_kernel else "memory"), output
    if by_kernel:
        assert use.peak <= WITHIN * cgroups.MAX_TASKS
    else:
        assert use.passed is None or use.ended - use.passed < ENDED_S
    outside.unharmed()


def test_disk_is_watched(run, outside, limits, disk_hog):
    scratch = outside.root / "scratch"
    with Use(lambda: _blocks(scratch), limits.disk_bytes) as use:
        output, confined = run(disk_hog)
    assert _ended_by_limit(confined, "disk"), output
    # How much it writes meanwhile depends on the disk, so that is no bound.
    assert use.passed is None or use.ended - use.passed < ENDED_S
    outside.unharmed()
    remove(scratch)  # pytest could not, where it is too deep


class TestTime:
    """The time limit ends what nothing else ends."""

    @pytest.fixture
    def limits(self, limits):
        return limits.model_copy(update={"time_s": 3.0})

    def test_time_is_limited(self, start, outside, limits, time_hog):
        began = time.monotonic()
        with start(time_hog) as confined:
            while confined.receive(limits.time_s + 10) is not None:
                pass
            confined.wait(10)
            ended = time.monotonic()
            assert confined.ended_by == "timeout", confined.errors
            assert limits.time_s <= ended - began < limits.time_s + ENDED_S
            assert len(confined.errors) <= limits.output_bytes
        outside.unharmed()


def test_the_host_is_left_as_it_was(run, outside, limits):
    """No process, group or descriptor stays of a program that was ended."""
    host = psutil.Process()
    before = (len(host.children(recursive=True)), host.num_fds(), _groups())
    for _ in range(3):
        run("while True: bytearray(10_000_000)[::4096]; open('f', 'ab').write(b'x' * 10_000_000)")
    assert (len(host.children(recursive=True)), host.num_fds(), _groups()) == before


def _groups():
    """Return how many control groups of this process there are; other tests have their own."""
    return len(list(Path("/sys/fs/cgroup").glob(f"**/edgewright-{os.getpid()}-*")))
