"""``python -m edgewright.edge_runtime``: run a node, or make a key for one.

Imports little at the top, because every worker process imports this module again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edgewright.tools.errors import EdgewrightError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Command-line arguments; None means those of the process.

    Returns:
        The exit code: 0, or 1 after an error, which is reported in one line.
    """
    options = _parser().parse_args(arguments)
    if options.command == "hash-key":
        from edgewright.edge_runtime.keys import new_key

        key, digest = new_key()
        sys.stdout.write(
            f"key (for the caller, shown once): {key}\nsha256 (for 'keys'): {digest}\n"
        )
        return 0
    try:
        _serve(options)
    except EdgewrightError as error:
        sys.stderr.write(f"{error.info().code}: {error.message}\n")
        return 1
    return 0


def _serve(options: argparse.Namespace) -> None:
    from edgewright.edge_runtime.config import load_config
    from edgewright.edge_runtime.logs import log_to_stderr
    from edgewright.edge_runtime.serve import serve

    log_to_stderr()
    given = {"host": options.host, "port": options.port, "name": options.name}
    serve(load_config(options.config, overrides=given), attached=options.attached)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m edgewright.edge_runtime", description="Run a node, or make a key for one."
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=["serve", "hash-key"],
        default="serve",
        help="run a node (the default), or print a new API key and its digest",
    )
    parser.add_argument("--config", type=Path, help="YAML file; defaults apply without it")
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", type=int, help="port to listen on; 0 takes a free one")
    parser.add_argument("--name", help="name of the node")
    parser.add_argument("--attached", action="store_true", help="stop when standard input closes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
