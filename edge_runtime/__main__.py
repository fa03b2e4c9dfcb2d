"""``python -m edgewright.edge_runtime``: run a node, check its health, or make a key for one.

Imports little at the top, because every worker process imports this module again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edgewright.tools.errors import EdgewrightError

_HEALTH_TIMEOUT_S = 5.0


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
        if options.command == "check-health":
            return _check_health(options)
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
    given = {
        "host": options.host,
        "port": options.port,
        "grpc_port": options.grpc_port,
        "name": options.name,
    }
    serve(load_config(options.config, overrides=given), attached=options.attached)


def _check_health(options: argparse.Namespace) -> int:
    """Return 0 if this machine's node is ready; the health check of a container."""
    import http.client

    from edgewright.edge_runtime.config import load_config

    config = load_config(options.config, overrides={"host": options.host, "port": options.port})
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104
    connection = http.client.HTTPConnection(host, config.port, timeout=_HEALTH_TIMEOUT_S)
    if config.tls:
        import ssl

        context = ssl.create_default_context()
        # It is this machine's own certificate, and made for another name than loopback.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            host, config.port, timeout=_HEALTH_TIMEOUT_S, context=context
        )
    try:
        connection.request("GET", "/v2/health/ready")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"no answer from {host} port {config.port}: {error}\n")
        return 1
    finally:
        connection.close()
    sys.stdout.write(f"{'ready' if status == http.client.OK else 'not ready'}\n")
    return int(status != http.client.OK)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m edgewright.edge_runtime",
        description="Run a node, check its health, or make a key for one.",
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=["serve", "check-health", "hash-key"],
        default="serve",
        help="run a node (the default), check whether it is ready, or print a new API key and its "
        "digest",
    )
    parser.add_argument("--config", type=Path, help="YAML file; defaults apply without it")
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", type=int, help="port to listen on; 0 takes a free one")
    parser.add_argument(
        "--grpc-port", type=int, help="port for gRPC; 0 takes a free one, without it there is none"
    )
    parser.add_argument("--name", help="name of the node")
    parser.add_argument("--attached", action="store_true", help="stop when standard input closes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
