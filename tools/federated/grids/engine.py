"""The one thing that a trial asks of an engine: start the written app, watch it, stop it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from edgewright.tools.federated.grids.flower import flower_run
from edgewright.tools.federated.records.layout import TrialFolder
from edgewright.tools.federated.records.trial import SANDBOXED_ENGINES, TrialRequest
from edgewright.tools.sandbox.backends import find_sandbox
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.policy import Policy
from edgewright.tools.sandbox.programs import command, fault_from, orders_for
from edgewright.tools.sandbox.watcher import SandboxedProcess


class Training(Protocol):
    """A training that has been started."""

    @property
    def ended(self) -> bool:
        """Whether it has ended, well or not."""
        ...

    def stop(self) -> None:
        """End it if it runs."""
        ...

    def fault(self) -> Fault | None:
        """Say what went wrong, after its end; None if nothing did."""
        ...


@contextmanager
def start_training(
    request: TrialRequest, folder: TrialFolder, data: Path, *, clients: int
) -> Iterator[Training]:
    """Start a trial's written app in its engine; nothing is left running afterwards.

    Args:
        request: The trial.
        folder: Where its app lies and what it writes.
        data: The training split.
        clients: How many clients there are.
    """
    if request.engine not in SANDBOXED_ENGINES:
        with flower_run(request, folder, clients=clients) as training:
            yield training
        return
    limits = request.limits
    policy = Policy(scratch=folder.out, read=(folder.app, data), limits=limits)
    orders = orders_for(folder.app, limits)
    with find_sandbox().start(
        command("edgewright.tools.federated.sandboxed.train", orders), policy
    ) as confined:
        yield InProcessTraining(confined)


class InProcessTraining:
    """The app in one sandboxed process, with the in-process grid.

    Args:
        confined: That process.
    """

    def __init__(self, confined: SandboxedProcess) -> None:
        self._confined = confined
        self._stopped = False

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._confined.ended

    def stop(self) -> None:
        """End it if it runs; that is no fault then."""
        if not self.ended:
            self._stopped = True
            self._confined.stop()

    def fault(self) -> Fault | None:
        """Read the fault that the program printed, or why it was ended."""
        said = None if self._stopped else self._confined.receive(1)
        healthy = self._confined.ended_by is None and said is None
        if self._stopped or (healthy and self._confined.status == 0):
            return None
        return fault_from(said, self._confined)
