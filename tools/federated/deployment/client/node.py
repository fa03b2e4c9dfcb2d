"""The program of a SuperNode: Flower's, with heartbeats that make its death known sooner.

A SuperLink takes a node for gone after twice the interval that the node promised. Flower promises
30 seconds, and a round waits for a dead client for a minute.
"""

from __future__ import annotations

import importlib
from typing import Any

from flwr.supernode.cli.flower_supernode import flower_supernode

#: Promised time between heartbeats. Flower sends them at about half of it, so that a busy client
#: may miss two of them.
HEARTBEAT_S = 15


def main() -> None:
    """Run a SuperNode; all arguments are Flower's."""
    for name in ("flwr.supercore.heartbeat", "flwr.supernode.fleet_http_connection"):
        module: Any = importlib.import_module(name)
        module.HEARTBEAT_DEFAULT_INTERVAL = HEARTBEAT_S
    flower_supernode()


if __name__ == "__main__":
    main()
