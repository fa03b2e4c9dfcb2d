"""Use is measured by what is there, not by its names; control groups limit what the kernel can."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgewright.tools.sandbox import cgroups, usage
from edgewright.tools.sandbox.cgroups import new_group, version
from edgewright.tools.sandbox.limits import SandboxLimits
from edgewright.tools.sandbox.usage import exceeds_disk


def test_files_without_a_name_count(tmp_path: Path) -> None:
    own = [os.getpid()]
    with (tmp_path / "file").open("wb") as file:
        file.write(bytes(3_000_000))
        file.flush()
        assert exceeds_disk(tmp_path, 2_000_000, own)
        (tmp_path / "file").unlink()
        assert exceeds_disk(tmp_path, 2_000_000, own)
        assert not exceeds_disk(tmp_path, 4_000_000, own)
    assert not exceeds_disk(tmp_path, 2_000_000, own)


def test_files_that_are_only_mapped_count(tmp_path: Path) -> None:
    import mmap

    with (tmp_path / "file").open("w+b") as file:
        file.write(bytes(3_000_000))
        file.flush()
        mapped = mmap.mmap(file.fileno(), 3_000_000)
    (tmp_path / "file").unlink()
    assert exceeds_disk(tmp_path, 2_000_000, [os.getpid()])
    mapped.close()


def test_files_that_are_only_mapped_are_found_without_roots_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may not look at what is mapped cannot measure it, and treats it as a full disk."""
    monkeypatch.setattr(usage, "_add_unlinked", lambda *_: set())
    import mmap

    path = tmp_path / "a \u2028 b"
    with path.open("w+b") as file:
        file.write(bytes(10_000))
        file.flush()
        mapped = mmap.mmap(file.fileno(), 10_000)
    assert not exceeds_disk(tmp_path, 2_000_000, [os.getpid()])
    path.unlink()
    assert exceeds_disk(tmp_path, 2_000_000, [os.getpid()])
    assert not exceeds_disk(tmp_path / "other", 2_000_000, [os.getpid()])
    mapped.close()
    assert not exceeds_disk(tmp_path, 2_000_000, [os.getpid()])


def test_depth_and_number_of_files_are_limited(tmp_path: Path) -> None:
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        for _ in range(70):
            os.mkdir("d" * 200)  # noqa: PTH102 - no path is as long as all of them together
            os.chdir("d" * 200)
    finally:
        os.chdir(here)
    assert exceeds_disk(tmp_path, 10**12, [])
    assert not exceeds_disk(tmp_path / "missing", 1, [])


needs_groups = pytest.mark.skipif(not version(), reason="no control groups for this user")


@needs_groups
@pytest.mark.parametrize(
    "hoard",
    [
        "hoard = mmap.mmap(-1, 400_000_000); hoard.write(b'x' * 400_000_000)",
        "f = os.memfd_create('x'); [os.write(f, b'x' * 1_000_000) for _ in range(400)]",
        "hoard = b'x' * 400_000_000",
    ],
)
def test_the_kernel_limits_memory_of_any_kind(hoard: str) -> None:
    group = new_group(SandboxLimits(memory_bytes=100_000_000))
    assert group is not None
    program = f"import mmap, os; input(); {hoard}; print('HOLDS 400 MB')"
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", program],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        group.add(process.pid)
        output, _ = process.communicate(b"\n", timeout=60)
        assert process.returncode != 0
        assert b"HOLDS" not in output
        assert group.out_of_memory
    finally:
        process.kill()
        process.wait()
        group.remove()


@needs_groups
def test_a_group_is_removed_with_what_is_left_in_it() -> None:
    group = new_group(SandboxLimits())
    assert group is not None
    with subprocess.Popen(["sleep", "60"]) as process:
        group.add(process.pid)
        started = time.monotonic()
        group.remove()
        assert process.wait(5) != 0
        assert time.monotonic() - started < 5
    left = list(Path("/sys/fs/cgroup").glob(f"*/edgewright-{os.getpid()}-*"))
    assert not left


@needs_groups
def test_groups_of_killed_processes_are_removed() -> None:
    source = (
        "import os; from edgewright.tools.sandbox.cgroups import new_group\n"
        "from edgewright.tools.sandbox.limits import SandboxLimits\n"
        "new_group(SandboxLimits()); print(os.getpid(), flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True).stdout
    left = list(Path("/sys/fs/cgroup").glob(f"**/edgewright-{killed.strip()}-*"))
    assert left
    for group in left:
        os.utime(group, (1, 1))
    cgroups._parents.cache_clear()
    assert version()
    assert not any(group.exists() for group in left)
