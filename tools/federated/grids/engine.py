"""The engine interface for trials: start a generated app, watch it, stop it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from edgewright.tools.federated.grids.flower import flower_run
from edgewright.tools.federated.records.layout import TrialFolder
from edgewright.tools.federated.records.trial import SANDBOXED_ENGINES, TrialRequest
from edgewright.tools.models.engines.torch.lite0_weights import weights_files
from edgewright.tools.sandbox.backends import find_sandbox
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.sandbox.programs import command, fault_from, program_argument
from edgewright.tools.sandbox.watcher import SandboxedProcess


class Training(Protocol):
    """A training run that has been started."""

    @property
    def ended(self) -> bool:
        """Whether it has ended, successfully or not."""
        ...

    def stop(self) -> None:
        """Stop it if it is running."""
        ...

    def fault(self) -> Fault | None:
        """Return what went wrong, after its end; None if nothing did."""
        ...


@contextmanager
def start_training(
    request: TrialRequest, folder: TrialFolder, data: Path, *, clients: int
) -> Iterator[Training]:
    """Start a trial's generated app in its engine; it is stopped at the end of the block.

    Args:
        request: The trial.
        folder: Folder of the trial, with its app and its output.
        data: Folder with the training split.
        clients: Number of clients.
    """
    if request.engine not in SANDBOXED_ENGINES:
        weights_files()  # its processes may not convert them
        with flower_run(request, folder, clients=clients) as training:
            yield training
        return
    limits = request.limits
    policy = Policy(scratch=folder.out, read=(folder.app, data, *weights_files()), limits=limits)
    argument = program_argument(folder.app, limits)
    with find_sandbox().start(
        command("edgewright.tools.federated.sandboxed.train", argument), policy
    ) as process:
        yield InProcessTraining(process)


class InProcessTraining:
    """The app in a sandboxed process, with the in-process grid.

    Args:
        process: The process.
    """

    def __init__(self, process: SandboxedProcess) -> None:
        self._process = process
        self._stopped = False

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.ended

    def stop(self) -> None:
        """Stop it if it is running; this does not count as a fault."""
        if not self.ended:
            self._stopped = True
            self._process.stop()

    def fault(self) -> Fault | None:
        """Return the fault that the program printed, or the reason why it was killed."""
        line = None if self._stopped else self._process.receive(1)
        healthy = self._process.ended_by is None and line is None
        if self._stopped or (healthy and self._process.status == 0):
            return None
        return fault_from(line, self._process)
