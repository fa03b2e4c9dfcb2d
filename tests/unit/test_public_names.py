"""The public interface: what it names exists, nothing else is public, and importing it is cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import edgewright

ROOT = Path(__file__).parents[2]
MAX_IMPORT_MS = 30.0
HEAVY = {"flwr", "httpx", "langchain_core", "langgraph", "numpy", "pydantic", "torch"}


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)


@pytest.mark.parametrize("name", edgewright.__all__)
def test_each_name_resolves(name: str) -> None:
    assert getattr(edgewright, name) is not None


def test_nothing_else_is_public() -> None:
    star: dict[str, object] = {}
    exec("from edgewright import *", star)
    assert star.keys() - {"__builtins__"} == set(edgewright.__all__)
    assert dir(edgewright) == sorted(edgewright.__all__)
    with pytest.raises(AttributeError, match="'CardRegistry'"):
        edgewright.CardRegistry  # noqa: B018


def test_type_checkers_see_the_same_names_from_the_same_modules() -> None:
    tree = ast.parse(Path(edgewright.__file__).read_text("utf-8"))
    (block,) = (n for n in tree.body if isinstance(n, ast.If) and isinstance(n.test, ast.Name))
    static = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    lazy = {name: f"edgewright.{module}" for name, module in edgewright._MODULE_OF.items()}
    assert static == lazy
    assert {*static, "__version__"} == set(edgewright.__all__)


def test_the_version_is_that_of_the_package() -> None:
    assert f'version = "{edgewright.__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_importing_it_is_cheap() -> None:
    times_ms = []
    for _ in range(5):  # the least of five: other processes share this machine
        report = _run("-X", "importtime", "-c", "import edgewright").stderr
        (line,) = (line for line in report.splitlines() if line.endswith("| edgewright"))
        times_ms.append(int(line.split("|")[1]) / 1000)
    assert min(times_ms) < MAX_IMPORT_MS


def test_importing_it_imports_nothing_heavy() -> None:
    output = _run("-c", "import sys, edgewright; print(*sys.modules)").stdout.split()
    assert HEAVY.isdisjoint(output)


def test_a_node_client_needs_no_agent_framework() -> None:
    output = _run("-c", "import sys; from edgewright import NodeClient; print(*sys.modules)").stdout
    assert {"langgraph", "langchain_core", "openai", "torch"}.isdisjoint(output.split())


def test_a_missing_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['langgraph'] = None\n"
        "try: from edgewright import open_session\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    output = _run("-c", code).stdout
    assert "edgewright.open_session" in output
    assert "pip install 'edgewright[agent]'" in output
