"""The program of the server's task: Flower's, with our server app in place of the sent one.

Flower starts a program again that is silent for half a minute, so the app is imported late.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from flwr.superlink.cli.flwr_serverapp import flwr_serverapp

from edgewright.tools.federated.deployment.folders import OperatorFolder
from edgewright.tools.federated.deployment.programs import end_with_starter


def main() -> None:
    """Run one task; the first argument is the operator's folder, the others are Flower's."""
    end_with_starter()
    folder = OperatorFolder(Path(sys.argv[1]))
    sys.argv[:2] = ["flwr-serverapp"]

    def run(*, grid: Any, server_app_dir: str, server_app_attr: str | None, context: Any) -> Any:
        from edgewright.tools.federated.deployment.operator.server_app import serve_run

        del server_app_attr
        serve_run(grid, context, folder, Path(server_app_dir))
        return context

    # Its caller has read the project file of the app that was sent, but imported none of its code.
    module: Any = importlib.import_module("flwr.superlink.runtime.run_serverapp")
    module.run_ = run
    flwr_serverapp()


if __name__ == "__main__":
    main()
