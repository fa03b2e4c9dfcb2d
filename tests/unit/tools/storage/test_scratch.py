"""Scratch folders are removed at the end of their block, or by the next one after a kill."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgewright.tools.storage.scratch import scratch_folder

HOLDER = """
import sys, time
from edgewright.tools.storage.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "file").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)  # clear the cached value
    return tmp_path


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_the_folder_is_removed_in_every_case(
    temporary: Path, error: type[BaseException] | None
) -> None:
    def use() -> None:
        with scratch_folder() as folder:
            assert folder.parent == temporary.resolve()
            assert folder.stat().st_mode & 0o777 == 0o700
            (folder / "file").write_text("x")
            if error is not None:
                raise error

    if error is None:
        use()
    else:
        with pytest.raises(error):
            use()
    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_killed_process_is_removed_by_the_next(temporary: Path) -> None:
    foreign = temporary / "edgewright-node-x"
    foreign.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        abandoned = Path(holder.stdout.readline().strip())
        with scratch_folder() as own:
            assert own != abandoned
            assert (abandoned / "file").exists()  # its owner is alive
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert abandoned.exists()
    with scratch_folder() as own:
        assert set(temporary.iterdir()) == {own, foreign}
