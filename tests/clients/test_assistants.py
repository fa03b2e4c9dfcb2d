"""``openai``, ``mcp`` and ``langgraph_sdk``, in an environment of their own, and real servers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import skimage.data
from PIL import Image

REPOSITORY = Path(__file__).parents[2]
EDGEWRIGHT = (sys.executable, "-c", "from edgewright.cli.main import app; app()")
STARTS_WITHIN_S = 120.0

Hold = Callable[..., None]


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("image") / "cat.jpg"
    Image.fromarray(skimage.data.chelsea()).save(file)
    return str(file)


@contextmanager
def running(folder: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server; it logs into the folder, and is stopped at the end."""
    environment = {**os.environ, "EDGEWRIGHT_HOME": str(folder), "LANGSMITH_TRACING": "false"}
    environment["LANGGRAPH_CLI_NO_ANALYTICS"] = "1"
    environment.pop("EDGEWRIGHT_CHAT_MODEL", None)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield server
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.communicate(timeout=60)


@pytest.mark.parametrize("script", ["openai_session.py", "mcp_session.py"])
def test_clients_of_serve(tmp_path: Path, hold: Hold, photograph: str, script: str) -> None:
    with running(tmp_path, *EDGEWRIGHT, "serve", "--port", "0", "--json", "--embedded") as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line, (tmp_path / "log").read_text()
        hold(script, json.loads(line)["url"], photograph)


def test_langgraph_sdk(tmp_path: Path, hold: Hold, photograph: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    config = str(REPOSITORY / "langgraph.json")
    command = (sys.executable, "-m", "langgraph_cli", "dev", "--config", config)
    url = f"http://127.0.0.1:{port}"
    with running(tmp_path, *command, "--no-browser", "--no-reload", "--port", port) as server:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline:
            assert server.poll() is None, (tmp_path / "log").read_text()
            try:
                httpx.get(f"{url}/ok", timeout=1.0).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        hold("langgraph_session.py", url, photograph)
