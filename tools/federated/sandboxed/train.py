"""Training program: runs the generated app's server and clients in this process."""

from __future__ import annotations

import importlib
from pathlib import Path

from edgewright.tools.federated.app.files import finished_rounds
from edgewright.tools.federated.sandboxed.program import (
    FaultError,
    ProgramContext,
    fault_of,
    respond,
    start_program,
)


def main() -> None:
    """Train to the last round; print a fault on failure."""
    context = start_program()
    try:
        _train(context)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - generated code may raise anything
        respond(fault=fault_of(error).model_dump())


def _train(context: ProgramContext) -> None:
    # The app and Flower must only be imported after the lockdown.
    from edgewright.tools.federated.app.strategy import run_server
    from edgewright.tools.federated.grids.in_process import InProcessGrid

    settings = context.settings
    raised: list[Exception] = []

    def on_error(error: Exception) -> None:
        """Abort when as many clients as a round has failed before any round was finished."""
        raised.append(error)
        started = finished_rounds(Path(settings.out) / "checkpoints")
        if not started and len(raised) >= settings.clients_per_round:
            fault = fault_of(raised[0])
            raise FaultError(fault.code, fault.message, fault.slot)

    client_app = importlib.import_module("federated_app.client_app").app
    task = importlib.import_module("federated_app.task").TASK
    grid = InProcessGrid(client_app, settings.clients, settings.run_config(), on_error=on_error)
    run_server(grid, settings, task)


if __name__ == "__main__":
    main()
