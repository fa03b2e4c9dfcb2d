"""The watcher reads a process's last output and does not wait for pipes held by others."""

import os
import threading
from pathlib import Path

from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.sandbox.watcher import ProcessHandle, SandboxedProcess


class EndedProcess(ProcessHandle):
    """A process that has ended while another one still holds its pipes open."""

    def __init__(self) -> None:
        out, stdout_writer = os.pipe()
        err, stderr_writer = os.pipe()
        stdin_reader, stdin_writer = os.pipe()
        os.close(stdin_reader)
        self.stdout, self.stderr = os.fdopen(out, "rb", 0), os.fdopen(err, "rb", 0)
        self.stdin = os.fdopen(stdin_writer, "wb", 0)
        self.stdout_writer, self.stderr_writer = (
            os.fdopen(stdout_writer, "wb", 0),
            os.fdopen(stderr_writer, "wb", 0),
        )

    def close_pipes(self) -> None:
        self.stdout_writer.close()
        self.stderr_writer.close()

    def poll(self) -> int:
        return 0

    def kill(self) -> None:
        pass

    @property
    def pids(self) -> list[int]:
        return []


def test_the_last_output_of_a_process_is_read_after_its_end(tmp_path: Path) -> None:
    handle = EndedProcess()

    def write_late() -> None:
        handle.stdout_writer.write(b"last words\n")
        handle.stderr_writer.write(b"a reason")
        handle.close_pipes()

    timer = threading.Timer(0.3, write_late)
    timer.start()
    with SandboxedProcess(handle, Policy(scratch=tmp_path)) as process:
        assert process.receive(10) == "last words"
        assert process.wait(10) == 0
        assert process.errors == "a reason"
        assert process.receive(10) is None
    timer.join()


def test_the_watcher_does_not_wait_for_pipes_that_others_hold_open(tmp_path: Path) -> None:
    handle = EndedProcess()
    with SandboxedProcess(handle, Policy(scratch=tmp_path)) as process:
        assert process.wait(10) == 0
    handle.close_pipes()
