"""What the code has is documented, and what the documentation names exists."""

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import edgewright
from edgewright.edge_runtime import config
from edgewright.tools import errors
from edgewright.tools.contracts.cost_report import CostReport, Fallback
from edgewright.tools.contracts.invocation import DecideRequest
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.models.specification import BUILTIN_MODELS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGES = ("agents", "cli", "edge_runtime", "graphs", "servers", "tools")
SOURCE = "".join(
    path.read_text("utf-8") for folder in PACKAGES for path in sorted((ROOT / folder).rglob("*.py"))
)
README_BYTES = 8192


def _page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def _rows(page: str) -> list[list[str]]:
    """Return the cells of every table row of a page."""
    return [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| ")
    ]


FAULTS = [row for row in _rows(_page("explanation/faults.md")) if "::" in row[-1]]


@pytest.mark.parametrize("row", FAULTS, ids=[row[0] for row in FAULTS])
def test_each_fault_has_its_test_and_its_code(row: list[str]) -> None:
    file, _, name = row[3].strip("`").partition("::")
    found = list((ROOT / "tests").rglob(file))
    assert len(found) == 1, file
    assert re.search(rf"def {name}\(", found[0].read_text("utf-8")), name
    for code in re.findall(r"`([a-z_]+)`", row[2]):
        assert f'"{code}"' in SOURCE, code


def test_faults_are_all_there() -> None:
    assert len(FAULTS) >= 32


def test_every_error_class_is_documented() -> None:
    classes = [
        each
        for each in vars(errors).values()
        if isinstance(each, type)
        and issubclass(each, EdgewrightError)
        and each is not EdgewrightError
    ]
    rows = {row[0]: row[1:] for row in _rows(_page("explanation/faults.md"))}
    assert classes
    for each in classes:
        expected = [f"`{each.code}`", str(each.status), "yes" if each.retryable else "no"]
        assert rows[f"`{each.__name__}`"] == expected, each.__name__


# -- reference -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """The hook that makes pages from the code."""
    spec = importlib.util.spec_from_file_location(
        "docs_reference", ROOT / "scripts" / "docs_reference.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_command_and_option_is_documented(reference: ModuleType) -> None:
    page = reference.cli_page()
    contexts = list(reference.commands())
    assert len(contexts) >= 16
    for context in contexts:
        section = page.partition(f"\n## {context.command_path}\n")[2].partition("\n## ")[0]
        assert section, context.command_path
        assert context.command.help, context.command_path
        for parameter in context.command.params:
            name = parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar
            assert name == "--help" or f"{name}" in section, (context.command_path, name)


def test_every_argument_has_its_description(reference: ModuleType) -> None:
    rows = [row for row in _rows(reference.cli_page()) if len(row) == 3 and row[0].startswith("`")]
    bare = [row[0] for row in rows if not row[2] and "--seed" not in row[0]]
    assert bare == []


def test_every_route_and_schema_is_documented(reference: ModuleType) -> None:
    document = reference.openapi()
    page = reference.http_page(document)
    operations = [
        f"### {method.upper()} {path}\n"
        for path, methods in document["paths"].items()
        for method in methods
    ]
    assert len(operations) >= 10
    for heading in (*operations, *(f"### {name}\n" for name in document["components"]["schemas"])):
        assert page.count(heading) == 1, heading
    anchors = set(re.findall(r"\]\(#([a-z]+)\)", page))
    assert anchors <= {name.lower() for name in document["components"]["schemas"]}


def _keys(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """Return every key of a configuration file with its default."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        found[prefix + name] = field.default
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= _keys(part, f"{prefix}{name}.")
    return found


def test_every_key_of_a_node_is_documented_with_its_default() -> None:
    page = _page("reference/configuration.md")
    rows = {row[0].strip("`"): row[1] for row in _rows(page) if row[0].startswith("`")}
    keys = _keys(config.NodeConfig)
    for key, default in keys.items():
        assert key in rows, key
        shown = rows[key]
        if default is PydanticUndefined:
            assert shown in ("required", "empty"), key
        elif isinstance(default, BaseModel):
            assert shown == "below", key
        elif isinstance(default, tuple):
            assert shown == (f"`[{', '.join(default)}]`" if default else "empty"), key
        else:
            assert shown == ("none" if default is None else f"`{default}`"), key
    assert {key for key in rows if key.islower()} == set(keys)


def test_every_variable_is_documented() -> None:
    page = _page("reference/configuration.md")
    named = set(re.findall(r"\b(?:EDGEWRIGHT|OPENAI|XDG)_[A-Z_]+\b", SOURCE))
    named |= {spec.variable for spec in BUILTIN_MODELS if spec.variable} | set(config.VARIABLES)
    assert len(named) >= 18
    assert [name for name in sorted(named) if name not in page] == []
    documented = set(re.findall(r"^\| `(EDGEWRIGHT_[A-Z_]+)`", page, re.MULTILINE))
    assert documented <= named


def test_every_variable_of_the_example_file_is_documented() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    names = re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE)
    assert names
    page = _page("reference/configuration.md")
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("model", [CostReport, Fallback])
def test_every_field_of_the_cost_report_is_documented(model: type[BaseModel]) -> None:
    rows = {row[0].strip("`") for row in _rows(_page("reference/cost-report.md"))}
    assert set(model.model_fields) <= rows


def test_every_public_name_is_documented() -> None:
    page = _page("reference/python-api.md")
    described = set(re.findall(r"^::: (\S+)$", page, re.MULTILINE))
    for name in edgewright.__all__:
        if name == "__version__":
            assert "`edgewright.__version__`" in page
            continue
        module = getattr(edgewright, name).__module__
        assert {module, f"{module}.{name}"} & described, name


def test_the_body_for_a_decision_is_valid() -> None:
    page = _page("explanation/offloading.md")
    body = re.search(r"```json\n(.+?)```", page, re.DOTALL)
    assert body is not None
    request = DecideRequest.model_validate_json(body[1])
    assert request.image is not None


# -- pages ---------------------------------------------------------------------------------------


def _pages_in(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [page for part in parts for page in _pages_in(part)]


def test_every_page_is_in_the_navigation(reference: ModuleType) -> None:
    listed = _pages_in(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])
    assert len(listed) == len(set(listed))
    written = {
        str(path.relative_to(DOCS))
        for path in DOCS.rglob("*.md")
        if path.parent.name != "results"  # the fragments that results.md is made of
    }
    assert set(listed) == written | {"reference/cli.md", "reference/http-api.md"}


def _targets(text: str) -> list[str]:
    outside_code = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", outside_code)


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "CODE_OF_CONDUCT.md"]
)
def test_links_of_the_top_pages_lead_somewhere(name: str) -> None:
    for target in _targets((ROOT / name).read_text("utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        assert (ROOT / path).is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text("utf-8"), re.MULTILINE)
            plain = [
                re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in headings
            ]
            assert anchor in plain, target


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    places = [
        *DOCS.rglob("*.md"),
        *ROOT.glob("*.md"),
        *(ROOT / ".github").rglob("*"),
        ROOT / ".ci" / "run",
    ]
    for place in filter(Path.is_file, places):
        text = place.read_text("utf-8")
        named = re.findall(r"(?:^|`|run: |sudo )make ([a-z][a-z0-9 -]*)", text, re.MULTILINE)
        names = {name for words in named for name in words.split() if not name.endswith("-")}
        assert names <= targets, place.name


def test_readme_is_short_and_has_a_place_for_the_headline_table() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.encode()) <= README_BYTES
    assert text.index("<!-- headlines -->") < text.index("<!-- /headlines -->")


def test_the_architecture_page_names_files_that_exist() -> None:
    page = _page("explanation/architecture.md")
    table = page.partition("## Where do I change X?")[2].partition("\n## ")[0]
    named = [
        name for name in re.findall(r"`([\w./*-]+/[\w./*-]*)`", table) if "prompts" not in name
    ]
    assert len(named) >= 25
    assert [name for name in named if not list(ROOT.glob(name.rstrip("/")))] == []


def test_the_drawing_of_the_layers_is_that_of_the_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    lines = next(c for c in contracts["contracts"] if c["name"] == "layers of tools")["layers"]
    expected = [re.split(r" [:|] ", line) for line in lines]
    record = _page("adr/0008-order-of-tools.md").partition("```\n")[2].partition("```")[0]
    assert [line.split(" · ") for line in record.splitlines()] == expected
    drawn = re.findall(r'font-size="14"[^>]*>([^<]+)<', _page("assets/layers.svg"))
    assert drawn == [name for line in expected for name in line]
