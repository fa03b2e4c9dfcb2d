"""A real ``edgewright serve`` in front of the device and the edge server."""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import StdioServerParameters

from edgewright.tools.nodes.launch import NodeProcess

Serve = Callable[..., Any]


@contextmanager
def serving(
    node: str, state: Path, *options: str, chat: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run the command; yield the URL that it announces.

    Args:
        node: URL of the device.
        state: State folder.
        options: Options of the command.
        chat: Variables of a chat model; None means that there is none.
    """
    environment = os.environ | {"EDGEWRIGHT_HOME": str(state)}
    environment.pop("EDGEWRIGHT_CHAT_MODEL", None)
    environment |= chat or {}
    command = [sys.executable, "-c", "from edgewright.cli.main import app; app()", "serve"]
    options = ("--port", "0", "--node", node, "--json", *options)
    with (
        (state / "serve.log").open("wb") as log,
        subprocess.Popen([*command, *options], env=environment, stdout=-1, stderr=log) as process,
    ):
        assert process.stdout is not None
        try:
            line = json.loads(process.stdout.readline() or "{}")
            assert "url" in line, line or (state / "serve.log").read_text()
            yield line["url"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    assert process.returncode == 0, (state / "serve.log").read_text()
    assert "Traceback" not in (state / "serve.log").read_text()


@pytest.fixture(scope="session")
def serve(device_node: NodeProcess, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Return a function that runs the command with options."""
    return lambda *options: serving(device_node.url, tmp_path_factory.mktemp("serve"), *options)


@pytest.fixture(scope="session")
def serve_before() -> Serve:
    """Return a function that runs the command in front of a node, given its URL and a folder."""
    return serving


@pytest.fixture(scope="session")
def served(serve: Serve) -> Iterator[str]:
    """Return the URL of a server that needs no key."""
    with serve() as url:
        yield url


@pytest.fixture(scope="session")
def stdio(
    device_node: NodeProcess, tmp_path_factory: pytest.TempPathFactory
) -> StdioServerParameters:
    """Return the command that a desktop client starts."""
    environment = {**os.environ, "EDGEWRIGHT_HOME": str(tmp_path_factory.mktemp("mcp"))}
    return StdioServerParameters(
        command=sys.executable,
        args=[
            *("-c", "from edgewright.cli.main import app; app()"),
            *("mcp", "--node", device_node.url, "--embedded"),
        ],
        env=environment,
    )


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect garbage after the test, so that what it left open is no warning in a later one."""
    yield
    gc.collect()
