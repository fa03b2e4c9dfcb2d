"""The server app: validates and aggregates updates, and writes a checkpoint per round."""

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp

from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.strategy import run_server
from federated_app.task import TASK

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Train to the last round, from the newest checkpoint or from the start."""
    run_server(grid, AppSettings.read(context.run_config), TASK)
