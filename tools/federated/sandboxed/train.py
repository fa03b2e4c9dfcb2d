"""Trains: the written app's server and clients in this one process."""

from __future__ import annotations

import importlib
from pathlib import Path

from edgewright.tools.federated.app.files import finished_rounds
from edgewright.tools.federated.sandboxed.program import FaultError, Start, fault_of, say, start


def main() -> None:
    """Train to the last round; print a fault if that cannot be done."""
    orders = start()
    try:
        _train(orders)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - generated code may raise anything
        say(fault=fault_of(error).model_dump())


def _train(orders: Start) -> None:
    # The app and Flower are imported here, behind the walls.
    from edgewright.tools.federated.app.strategy import run_server
    from edgewright.tools.federated.grids.in_process import InProcessGrid

    settings = orders.settings
    raised: list[Exception] = []

    def on_error(error: Exception) -> None:
        """Give up when a whole round's worth of clients failed and no round was ever finished."""
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
