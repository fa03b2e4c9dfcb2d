"""Model workers start whatever the temporary folder is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.edge_runtime.workers.spawning import spawn


def entry(channel, settings):
    channel.sendall(settings.model.encode())


if __name__ == "__main__":
    process, channel = spawn(entry, WorkerSettings(model="here", threads=1))
    print(channel.recv(10).decode())
    process.join()
"""


@pytest.mark.timeout(300)
def test_a_worker_starts_although_the_path_of_the_temporary_folder_is_long(tmp_path: Path) -> None:
    folder = tmp_path / ("long-" * 20) / ("path-" * 20)
    folder.mkdir(parents=True)
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM, "utf-8")
    run = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, timeout=250, check=False,
        env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip
    assert run.stdout == "here\n", run.stderr
    assert not list(folder.glob("pymp-*"))
