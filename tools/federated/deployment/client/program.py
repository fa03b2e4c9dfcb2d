"""The program of a client's task: Flower's, with our client app in place of the sent one.

Flower starts a program again that is silent for half a minute, so the app is imported late.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from flwr.common.config import get_project_dir
from flwr.supernode.cli.flwr_clientapp import flwr_clientapp

from edgewright.tools.federated.deployment.folders import ClientFolder
from edgewright.tools.federated.deployment.programs import end_with_starter


def main() -> None:
    """Run one task; the first argument is the client's folder, the others are Flower's."""
    end_with_starter()
    folder = ClientFolder(Path(sys.argv[1]))
    sys.argv[:2] = ["flwr-clientapp"]

    def loader(**_: object) -> Any:
        from edgewright.tools.federated.deployment.client.app import client_app

        return lambda *fab: client_app(folder, get_project_dir(*fab))

    module: Any = importlib.import_module("flwr.supernode.runtime.run_clientapp")
    module.get_load_client_app_fn = loader
    flwr_clientapp()


if __name__ == "__main__":
    main()
