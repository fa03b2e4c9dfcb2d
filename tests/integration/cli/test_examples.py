"""The Python examples run, and use nothing but the public interface."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgewright.tools.nodes.launch import NodeProcess

EXAMPLES = Path(__file__).parents[3] / "examples"

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, edge_node: NodeProcess) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("EDGEWRIGHT_")
    }
    state = tmp_path_factory.mktemp("state")
    cache = os.environ["EDGEWRIGHT_CACHE"]
    return inherited | {
        "EDGEWRIGHT_CACHE": cache,
        "EDGEWRIGHT_DEVICE_URL": edge_node.url,
        "EDGEWRIGHT_HOME": str(state),
    }


def _run(environment: dict[str, str], *arguments: object) -> str:
    run = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=environment, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_imports_only_the_public_interface(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= sys.stdlib_module_names
        elif isinstance(node, ast.ImportFrom):
            assert node.module == "edgewright" or node.module in sys.stdlib_module_names


def test_asking(environment: dict[str, str], camera_folder: Path) -> None:
    output = _run(
        environment, EXAMPLES / "ask.py", camera_folder / "cat.jpg", "What animal is this?"
    )
    assert "cat" in output.lower()
    assert re.search(r"^image-classification: .+, 0 bytes sent$", output, re.MULTILINE)


def test_langchain_tools(environment: dict[str, str], camera_folder: Path) -> None:
    output = _run(environment, EXAMPLES / "langchain_tools.py", camera_folder / "cat.jpg")
    assert "image-classification" in output
    assert "cat" in output.lower()


def test_calling_a_node(
    environment: dict[str, str], edge_node: NodeProcess, camera_folder: Path
) -> None:
    script = EXAMPLES / "node_client.py"
    output = _run(environment, script, edge_node.url, camera_folder / "cat.jpg")
    assert "image-classification" in output
    assert "cat" in output.lower()


def test_a_node_that_is_not_there_is_reported_in_a_line(
    environment: dict[str, str], camera_folder: Path
) -> None:
    script, photograph = EXAMPLES / "node_client.py", camera_folder / "cat.jpg"
    run = subprocess.run(
        [sys.executable, script, "http://127.0.0.1:9", photograph],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
