import os
import threading
from pathlib import Path

from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.sandbox.watcher import Confined, Handle


class Gone(Handle):
    """A program that has ended while somebody still holds its pipes."""

    def __init__(self) -> None:
        out, said = os.pipe()
        err, complained = os.pipe()
        unread, into = os.pipe()
        os.close(unread)
        self.stdout, self.stderr = os.fdopen(out, "rb", 0), os.fdopen(err, "rb", 0)
        self.stdin = os.fdopen(into, "wb", 0)
        self.said, self.complained = os.fdopen(said, "wb", 0), os.fdopen(complained, "wb", 0)

    def let_go(self) -> None:
        self.said.close()
        self.complained.close()

    def poll(self) -> int:
        return 0

    def kill(self) -> None:
        pass

    @property
    def pids(self) -> list[int]:
        return []


def test_what_a_program_said_last_is_heard_after_its_end(tmp_path: Path) -> None:
    gone = Gone()

    def deliver() -> None:
        gone.said.write(b"last words\n")
        gone.complained.write(b"a reason")
        gone.let_go()

    later = threading.Timer(0.3, deliver)
    later.start()
    with Confined(gone, Policy(scratch=tmp_path)) as confined:
        assert confined.receive(10) == "last words"
        assert confined.wait(10) == 0
        assert confined.errors == "a reason"
        assert confined.receive(10) is None
    later.join()


def test_pipes_that_somebody_else_holds_open_are_not_waited_for(tmp_path: Path) -> None:
    gone = Gone()
    with Confined(gone, Policy(scratch=tmp_path)) as confined:
        assert confined.wait(10) == 0
    gone.let_go()
