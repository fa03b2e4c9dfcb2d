"""The folders are installed in one package; nothing imports them by their bare names."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("agents", "benchmarks", "cli", "edge_runtime", "graphs", "servers", "tools")
SOURCES = sorted(path for folder in (*FOLDERS, "tests") for path in (ROOT / folder).rglob("*.py"))


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add((node.module or "").split(".")[0])
    return names


def test_no_module_imports_a_folder_by_its_bare_name() -> None:
    bare = {str(path): found for path in SOURCES if (found := _imported(path) & set(FOLDERS))}
    assert bare == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_package_says_what_belongs_there(folder: str) -> None:
    for package in (ROOT / folder).rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(package.read_text("utf-8"))), package


@pytest.mark.parametrize(
    "module",
    ["edgewright.edge_runtime.app", "edgewright.tools.nodes.client", "edgewright.cli.main"],
)
def test_light_modules_import_no_framework_and_no_torch(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(m for m in sys.modules if '.' not in m))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    heavy = {"torch", "transformers", "langgraph", "langchain", "langchain_core", "openai", "flwr"}
    assert heavy.isdisjoint(run.stdout.split())


def test_help_needs_neither_rich_nor_asyncio(tmp_path: Path) -> None:
    loaded = _modules_after("--help", home=tmp_path)
    assert loaded.isdisjoint({"rich", "asyncio", "numpy", "pydantic", "httpx", "yaml"})


def test_ask_imports_only_what_it_needs(tmp_path: Path) -> None:
    loaded = _modules_after("ask", "book a table for two", "--embedded", home=tmp_path)
    assert "edgewright.graphs.assistant.session" in loaded
    unused = (
        *("edgewright.agents.fl_coder", "edgewright.tools.vision"),
        *("langsmith.types.dataset", "langgraph_sdk.client"),
    )
    assert not [name for name in loaded if name.startswith(unused)]
    assert loaded.isdisjoint(
        {
            "edgewright.graphs.federated",
            "flwr",
            "matplotlib",
            "openai",
            "optuna",
            "sandlock",
            "scipy",
            "sklearn",
            "torch",
            "transformers",
        }
    )


def _modules_after(*arguments: str, home: Path) -> set[str]:
    """Return the modules that a command has imported in its process."""
    code = f"""
import sys
from edgewright.cli.main import app
try:
    app({list(arguments)!r})
finally:
    print(*sys.modules, file=sys.stderr)
"""
    # An address where nothing listens: the request needs no node.
    environment = {
        **os.environ,
        "EDGEWRIGHT_HOME": str(home),
        "EDGEWRIGHT_DEVICE_URL": "http://127.0.0.1:9",
    }
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, env=environment
    )
    assert run.returncode == 0, run.stderr
    return set(run.stderr.split())
