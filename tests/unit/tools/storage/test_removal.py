"""Folders that hostile programs filled are removed, whatever their depth, names and modes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgewright.tools.storage.removal import remove
from edgewright.tools.storage.scratch import scratch_folder

FILL = """
import os, sys
os.chdir(sys.argv[1])
for level in range(3000):
    name = "a" * 40
    os.mkdir(name)
    os.chdir(name)
    if level % 100 == 0:
        open("f", "w").close()
        os.mkfifo("p")
        os.mkdir(f".{level // 50}")
os.mkdir("closed", 0)
"""


def fill(folder: Path) -> None:
    """Nest 3,000 folders whose names together are far longer than any path may be."""
    subprocess.run([sys.executable, "-S", "-c", FILL, str(folder)], check=True)


def test_a_deep_folder_is_removed(tmp_path: Path) -> None:
    deep = tmp_path / "deep"
    deep.mkdir()
    fill(deep)
    (tmp_path / "kept").write_text("1")
    (deep / "link").symlink_to(tmp_path)
    assert remove(deep)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_what_is_no_folder_is_removed_too(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("pipe", "link", "missing"):
        assert remove(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_removal_gives_up_in_time(tmp_path: Path) -> None:
    deep = tmp_path / "deep"
    deep.mkdir()
    (deep / "file").touch()
    assert not remove(deep, seconds=-1)
    assert remove(deep)


def test_no_orphan_stops_the_next_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    orphan = tmp_path / "edgewright-scratch-orphan"
    orphan.mkdir()
    fill(orphan)
    os.mkfifo(tmp_path / "edgewright-scratch-pipe")
    foreign = tmp_path / "edgewright-scratch-foreign"
    foreign.mkdir()
    if os.geteuid() == 0:
        os.chown(foreign, 65534, 65534)
    for _ in range(5):  # each command removes for two seconds at most
        with scratch_folder():
            pass
    assert not orphan.exists()
    assert foreign.exists() == (os.geteuid() == 0)
