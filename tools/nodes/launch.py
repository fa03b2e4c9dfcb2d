"""Starting and stopping a node as a subprocess."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Self

import yaml

from edgewright.tools.errors import UnavailableError
from edgewright.tools.storage.scratch import scratch_folder

_STOP_GRACE_S = 15.0


class NodeProcess:
    """A node in a subprocess; ``with`` and ``async with`` both start and stop it.

    Attributes:
        url: Base URL, once started.
        pid: Process id, once started.
        name: Name of the node, once started.
        grpc: Address and port of its gRPC, once started; empty if it serves none.
    """

    def __init__(
        self,
        config: Path | Mapping[str, Any],
        *,
        environment: Mapping[str, str] | None,
        log: Path | None,
        timeout_s: float,
    ) -> None:
        self.url = ""
        self.pid = 0
        self.name = ""
        self.grpc = ""
        self._config = config
        self._environment = environment or {}
        self._log = log
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[str] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)

    @property
    def returncode(self) -> int | None:
        """Exit code, or None while the process is running."""
        return None if self._process is None else self._process.poll()

    def kill(self) -> None:
        """Kill the node immediately, as a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Stop the node gracefully; kill it if it does not exit in time."""
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_GRACE_S)
            except subprocess.TimeoutExpired:
                self.kill()
        if process is not None:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        self._stack.close()

    def _start(self) -> None:
        folder = self._stack.enter_context(scratch_folder())
        config = self._config
        if not isinstance(config, Path):
            path = folder / "node.yaml"
            # The configuration may contain the peer's API key.
            path.touch(mode=0o600)
            path.write_text(yaml.safe_dump(dict(config)), "utf-8")
            config = path
        log = self._log or folder / "node.log"
        with log.open("a", encoding="utf-8") as stderr:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [
                    # Files in the working folder are not modules (-P).
                    *(sys.executable, "-P", "-m", "edgewright.edge_runtime"),
                    *("--config", str(config), "--attached"),
                ],
                # The node exits when this pipe closes, so it cannot outlive a killed parent.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, **self._environment},
                # Ctrl-C must reach only the parent, which then stops the node gracefully.
                start_new_session=True,
            )
        ready = self._await_ready(self._process, log)
        self.url, self.pid, self.name = ready["url"], ready["pid"], ready["node"]
        self.grpc = ready.get("grpc", "")

    def _await_ready(self, process: subprocess.Popen[str], log: Path) -> dict[str, Any]:
        assert process.stdout is not None
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_read_line, args=(process.stdout, lines), daemon=True).start()
        try:
            line = lines.get(timeout=self._timeout_s)
        except queue.Empty:
            raise UnavailableError(
                f"the node was not ready within {self._timeout_s:.3g} s; increase timeout_s",
                code="node_not_ready",
            ) from None
        if not line:
            raise UnavailableError(
                f"the node did not start: {_last_line(log)}", code="node_not_started"
            )
        ready: dict[str, Any] = json.loads(line)
        return ready


def launch_node(
    config: Path | Mapping[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    timeout_s: float = 90.0,
) -> NodeProcess:
    """Return a node that is started by ``with`` or ``async with``.

    Args:
        config: A configuration file, or its content.
        environment: Environment variables to set in addition to the inherited ones.
        log: Log file; None logs to a temporary folder.
        timeout_s: Maximum wait until the node is ready.

    Returns:
        The node. Entering it raises ``UnavailableError`` with the node's own error message if it
        does not start.
    """
    return NodeProcess(config, environment=environment, log=log, timeout_s=timeout_s)


def _read_line(stream: IO[str], lines: queue.Queue[str]) -> None:
    lines.put(stream.readline())


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it exited without a log message"
