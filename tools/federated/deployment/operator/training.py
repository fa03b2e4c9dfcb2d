"""A run of a deployment, from the operator's side: start it, watch it, resume it, report it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from edgewright.tools.errors import ErrorInfo, InputError, UnavailableError, from_info
from edgewright.tools.federated.app.files import finished_rounds
from edgewright.tools.federated.deployment.folders import DeployedRun, OperatorFolder
from edgewright.tools.federated.deployment.operator.control import Control
from edgewright.tools.federated.deployment.operator.report import (
    read_deployment_report,
    read_round,
    read_statuses,
)
from edgewright.tools.federated.deployment.records import DeploymentReport, Order

_POLL_S = 1.0
#: How long Flower may take to start the server's program on a busy machine.
_START_S = 300.0
_MAX_STARTS = 10

_Tell = Callable[[str], None]


@dataclass(frozen=True)
class Patience:
    """How long to wait.

    Attributes:
        clients_s: For clients that have not joined.
        superlink_s: For a SuperLink that does not answer.
    """

    clients_s: float = 60.0
    superlink_s: float = 600.0


def train_deployment(
    folder: OperatorFolder, order: Order, patience: Patience, tell: _Tell
) -> tuple[str, DeploymentReport]:
    """Train a new run to its end, or resume the newest one if it was interrupted.

    Args:
        folder: The operator's folder.
        order: How the run is carried out.
        patience: How long to wait for clients and for the SuperLink.
        tell: Receives a line whenever something happens.

    Returns:
        The run's name and its report.

    Raises:
        UnavailableError: Too few clients have joined (``too_few_clients``), or the SuperLink does
            not answer (``superlink_unavailable``).
    """
    deployment = folder.deployment()
    if not 1 <= order.minimum <= deployment.clients:
        raise InputError(
            f"the minimum must be from 1 to {deployment.clients}, the number of clients",
            code="usage",
        )
    control = Control(folder, deployment.port)
    if not control.healthy:
        raise UnavailableError(
            f"the SuperLink does not run; start it with 'edgewright federate serve "
            f"{folder.root.name}'",
            code="superlink_unavailable",
        )
    run = folder.next_run()
    run.write_order(order)
    done = finished_rounds(run.checkpoints)
    if done:
        tell(f"resuming {run.root.name} after round {done[-1]}")
    _wait_for_clients(control, deployment.clients, order.minimum, patience, tell)
    _Follower(run, control, patience, tell).follow()
    return run.root.name, read_deployment_report(run)


def _wait_for_clients(
    control: Control, clients: int, minimum: int, patience: Patience, tell: _Tell
) -> None:
    """Wait until all clients have joined, or as many as a round needs and the time is over."""
    deadline = time.monotonic() + patience.clients_s
    said: list[int] | None = None
    while True:
        online = {node.name for node in control.nodes() if node.online}
        missing = [client for client in range(clients) if f"client-{client}" not in online]
        if not missing:
            return
        names = ", ".join(map(str, missing))
        if time.monotonic() > deadline:
            break
        if missing != said:
            tell(f"waiting for client {names}")
            said = missing
        time.sleep(_POLL_S)
    if clients - len(missing) < minimum:
        raise UnavailableError(
            f"{clients - len(missing)} of {clients} clients have joined, fewer than {minimum}; "
            f"missing: client {names}",
            code="too_few_clients",
        )
    tell(f"training without client {names}")


class _Follower:
    """Watches a run and starts it again after the SuperLink was restarted."""

    def __init__(self, run: DeployedRun, control: Control, patience: Patience, tell: _Tell) -> None:
        self._run, self._control, self._patience, self._tell = run, control, patience, tell
        self._told_round = (finished_rounds(run.checkpoints) or [0])[-1]
        self._told_clients = False

    def follow(self) -> None:
        for _ in range(_MAX_STARTS):
            self._run.failure.unlink(missing_ok=True)
            self._run.statuses.unlink(missing_ok=True)
            self._told_clients = False
            self._stop_earlier()
            flower_id = self._control.start_run(self._run.root.name)
            self._run.flower_id.write_text(str(flower_id), "ascii")
            try:
                self._watch(flower_id)
            except KeyboardInterrupt:
                self._stop_earlier()
                raise
            if self._run.report.exists():
                return
            if self._run.failure.exists():
                info = ErrorInfo.model_validate_json(self._run.failure.read_bytes())
                raise from_info(info)
            self._recover()
        raise UnavailableError(
            f"the training was interrupted {_MAX_STARTS} times; see flower/logs/superlink.log",
            code="superlink_unavailable",
        )

    def _stop_earlier(self) -> None:
        """Stop Flower's run of an earlier start, which would train the same rounds."""
        with suppress(OSError, ValueError, UnavailableError):  # there is none, or it has ended
            self._control.stop_run(int(self._run.flower_id.read_text("ascii")))

    def _watch(self, flower_id: int) -> None:
        """Report progress until the server's program has ended, however it did."""
        began = time.monotonic()
        active = False
        while True:
            ended = not self._active()
            self._progress()
            if ended and active:
                return
            active = active or not ended
            if not active and self._never_started(flower_id, began):
                return
            time.sleep(_POLL_S)

    def _active(self) -> bool:
        with self._run.locked() as free:
            return not free

    def _never_started(self, flower_id: int, began: float) -> bool:
        if str(flower_id) in self._starts():
            return True  # it has started and ended between two looks
        if time.monotonic() - began < _START_S:
            return False
        if not self._control.healthy:
            return True
        status, details = self._control.run_status(flower_id)
        self._stop_earlier()
        raise UnavailableError(
            f"Flower has not started the run ({status} {details})", code="flower_unavailable"
        )

    def _starts(self) -> list[str]:
        try:
            return self._run.starts.read_text("utf-8").split()
        except OSError:
            return []

    def _recover(self) -> None:
        """Wait for the SuperLink and say what was lost."""
        done = (finished_rounds(self._run.checkpoints) or [0])[-1]
        self._tell(
            f"the SuperLink was stopped; waiting for it. Rounds up to {done} are stored, and round "
            f"{done + 1} is trained again"
        )
        deadline = time.monotonic() + self._patience.superlink_s
        while not self._control.healthy:
            if time.monotonic() > deadline:
                raise UnavailableError(
                    "the SuperLink does not answer; start it again, and 'edgewright federate run' "
                    f"resumes after round {done}",
                    code="superlink_unavailable",
                )
            time.sleep(_POLL_S)

    def _progress(self) -> None:
        if not self._told_clients and (statuses := read_statuses(self._run)):
            self._told_clients = True
            for each in statuses:
                self._tell(
                    f"client {each.client}: {each.problem}"
                    if each.problem
                    else f"client {each.client}: {each.samples} training samples"
                )
        for number in finished_rounds(self._run.checkpoints):
            if number > self._told_round:
                self._told_round = number
                self._tell(self._round_line(number))

    def _round_line(self, number: int) -> str:
        summary = read_round(self._run, number)
        line = f"round {number}: {len(summary.clients)} clients"
        if number > 1 and (before := read_round(self._run, number - 1)).accuracy is not None:
            line += f"; round {number - 1} was {before.accuracy:.4f} on their validation samples"
        for each in summary.dropped:
            who = f"client {each.client}" if each.client >= 0 else "a client"
            line += f"; {who} left out: {each.reason}"
        return line
