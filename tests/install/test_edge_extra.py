"""A node installs and runs with the edge and vision extras alone."""

import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
MUST_BE_ABSENT = ("langgraph", "langchain", "langchain_core", "openai", "flwr", "compressai")


def _python(edge_bin: Path, code: str) -> str:
    run = subprocess.run(
        [edge_bin / "python", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=ROOT / "tests",
    )
    return run.stdout.strip()


def test_the_agent_frameworks_are_not_installed(edge_bin: Path) -> None:
    code = (
        "import importlib.util as u; "
        f"print([m for m in {MUST_BE_ABSENT!r} if u.find_spec(m) is not None])"
    )
    assert _python(edge_bin, code) == "[]"


def test_importing_the_runtime_imports_no_framework(edge_bin: Path) -> None:
    code = (
        "import sys, edgewright.edge_runtime.app, edgewright.edge_runtime.workers.operations; "
        f"print([m for m in {MUST_BE_ABSENT!r} if m in sys.modules])"
    )
    assert _python(edge_bin, code) == "[]"


def test_a_node_client_is_there_and_the_rest_names_its_extra(edge_bin: Path) -> None:
    code = (
        "from edgewright import InvokeOptions, LinkError, NodeClient\n"
        "NodeClient('http://127.0.0.1:9')\n"
        "try: from edgewright import open_session\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    assert "pip install 'edgewright[agent]'" in _python(edge_bin, code)


def test_the_example_node_becomes_ready_and_lists_its_tools(edge_bin: Path, tmp_path: Path) -> None:
    command = [
        edge_bin / "edgewright",
        *("node", "--config", ROOT / "examples/edge.yaml"),
        *("--port", "0"),
    ]
    environment = {**os.environ, "EDGEWRIGHT_HOME": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as node:
        try:
            assert node.stdout is not None
            ready = json.loads(node.stdout.readline())
            with urllib.request.urlopen(f"{ready['url']}/v2/health/ready", timeout=60) as answer:
                assert answer.status == 200
            with urllib.request.urlopen(f"{ready['url']}/v1/tools", timeout=60) as answer:
                tools = {tool["id"]: tool for tool in json.load(answer)}
            assert tools["image-classification"]["available"]
        finally:
            node.send_signal(signal.SIGTERM)
    assert node.returncode == 0
