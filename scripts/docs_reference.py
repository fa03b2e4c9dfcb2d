"""Reference pages made from the code itself; MkDocs calls this as a hook (see ``mkdocs.yml``).

``reference/cli.md`` comes from the Typer application, ``reference/http-api.md`` and
``reference/openapi.json`` from the OpenAPI document that a node serves.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import click
import typer.main
from griffe import Docstring
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from typer.models import ArgumentInfo

Json = Mapping[str, Any]

PROGRAM = "edgewright"
_FOREIGN = re.compile(r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="https?://[^"]*"')
_GENERATED = "<!-- Made from the code by scripts/docs_reference.py. -->\n"


def on_startup(command: str, dirty: bool) -> None:
    """Lay the packages out as they are installed, before mkdocstrings looks for them."""
    del command, dirty
    link_packages(Path(__file__).parents[1])


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to the site."""
    document = openapi()
    pages = {
        "reference/cli.md": cli_page(),
        "reference/http-api.md": http_page(document),
        "reference/openapi.json": json.dumps(document, indent=2),
    }
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that would load something from another host."""
    del config
    if foreign := _FOREIGN.search(output):
        raise PluginError(f"{page.file.src_path} loads from another host: {foreign[0]}")
    return output


def link_packages(root: Path) -> None:
    """Make ``build/python-api/edgewright``, with a link for each folder that is installed there.

    Args:
        root: Folder of ``pyproject.toml``.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    target = root / "build" / "python-api"
    shutil.rmtree(target, ignore_errors=True)
    (target / PROGRAM).mkdir(parents=True)
    for package, folder in project["tool"]["setuptools"]["package-dir"].items():
        name = package.removeprefix(PROGRAM).lstrip(".")
        sources = [root / folder] if name else [*(root / folder).iterdir()]
        for source in sources:
            (target / PROGRAM / (name or source.name)).symlink_to(source)


# -- the command line --------------------------------------------------------------------------


def commands(group: click.Group | None = None, name: str = PROGRAM) -> Iterator[click.Context]:
    """Yield a context for every command that does something, in the order of ``--help``."""
    if group is None:
        from edgewright.cli.main import app

        program = typer.main.get_command(app)
        assert isinstance(program, click.Group)
        group = program
    context = click.Context(group, info_name=name)
    for child in group.list_commands(context):
        command = group.get_command(context, child)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {child}")
        else:
            yield click.Context(command, info_name=f"{name} {child}")


def cli_page() -> str:
    """Return the page about the command line."""
    parts = [
        _GENERATED,
        "# Command line\n",
        f"`{PROGRAM} --help` lists the commands, `{PROGRAM} --version` prints the version. "
        "Every command takes `-h` or `--help`.\n",
        "Results go to standard output, progress and cost reports to standard error. With `--json` "
        "a command prints JSON on standard output and nothing else, errors included.\n",
        "| exit code | meaning |\n| --- | --- |\n"
        "| 0 | done; a task that failed is reported in the answer |\n"
        "| 1 | the work failed |\n| 2 | wrong input: an argument, a file, an unknown name |\n"
        "| 130 | stopped with Ctrl-C |\n",
    ]
    parts += [_command(context) for context in commands()]
    return "\n".join(parts)


def _command(context: click.Context) -> str:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [
        f"## {context.command_path}\n",
        f"{_plain(command.help or '')}\n",
        f"```console\n{usage}\n```\n",
    ]
    notes = _argument_help(command)
    rows = [_parameter(each, context, notes) for each in command.params if each.name != "help"]
    if rows:
        parts.append("| argument | default | description |\n| --- | --- | --- |\n" + "".join(rows))
    if examples := _examples(command.epilog or ""):
        parts.append(f"Examples:\n\n```console\n{examples}\n```\n")
    return "\n".join(parts)


def _argument_help(command: click.Command) -> dict[str, str]:
    """Return the help texts of arguments; click drops those that Typer passes on."""
    assert command.callback is not None
    hints = get_type_hints(inspect.unwrap(command.callback), include_extras=True)
    infos = {
        name: info
        for name, hint in hints.items()
        for info in getattr(hint, "__metadata__", ())
        if isinstance(info, ArgumentInfo)
    }
    return {name: info.help or "" for name, info in infos.items()}


def _parameter(parameter: click.Parameter, context: click.Context, notes: Json) -> str:
    metavar = parameter.make_metavar(context).replace(" RANGE", "").replace("|", "\\|")
    if isinstance(parameter, click.Option):
        name = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
        name += "" if parameter.is_flag else f" `{metavar}`"
        text = parameter.help or ""
    else:
        name, text = f"`{metavar}`", notes.get(str(parameter.name), "")
    default = parameter.default
    hidden = default is None or default is False or callable(default)
    shown = "" if hidden else f"`{getattr(default, 'value', default)}`"
    variables = [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or ()
    text = " ".join([_plain(text), *(f"Environment: `{name}`." for name in variables)])
    return f"| {name} | {shown} | {_cell(text)} |\n"


def _examples(epilog: str) -> str:
    lines = [line.strip() for line in epilog.splitlines()]
    return "\n".join(line for line in lines if line.startswith(PROGRAM))


def _plain(text: str) -> str:
    """Undo what help texts escape for Rich's markup."""
    return text.replace("\\[", "[").strip()


def _cell(text: str) -> str:
    """Fit a text into a table; only code may hold an opening angle bracket."""
    line = " ".join(text.replace("|", "\\|").split())
    return "".join(
        part if part.startswith("`") else part.replace("<", "&lt;")
        for part in re.split(r"(`[^`]*`)", line)
    )


# -- the HTTP API ------------------------------------------------------------------------------

_TAGS = {
    "health": "Health",
    "tools": "Tools",
    "split": "Split execution",
    "models": "Models",
    "artifacts": "Exported models",
    "inference": "Open Inference Protocol",
    "node": "Node",
}
_BINARY = "binary"


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of a node with its default configuration."""
    from edgewright.edge_runtime.app import create_app
    from edgewright.edge_runtime.config import NodeConfig

    # Cards and models that were added on this machine are no part of the documentation.
    before = os.environ.get("EDGEWRIGHT_HOME")
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGEWRIGHT_HOME"] = home
        try:
            return dict(create_app(NodeConfig()).openapi())
        finally:
            if before is None:
                del os.environ["EDGEWRIGHT_HOME"]
            else:
                os.environ["EDGEWRIGHT_HOME"] = before


def http_page(document: Json) -> str:
    """Return the page about a node's HTTP API.

    Args:
        document: The OpenAPI document.
    """
    parts = [
        _GENERATED,
        "# HTTP API\n",
        "Every node, device or edge, serves the same routes. A running node serves this "
        "description as `GET /openapi.json`; [openapi.json](openapi.json) is the document of a "
        "node with the default configuration.\n",
        "All routes but health and `/openapi.json` need a key where the node's configuration "
        "has `keys`: `Authorization: Bearer KEY`. The scope is `infer`, and `admin` for "
        "`/metrics`. Errors are `application/problem+json` ([Problem](#problem)); their codes are "
        "listed in [Faults](../explanation/faults.md). Every answer carries "
        "`Edgewright-Request-Id`; a caller may set it (1 to 64 letters, digits, `.`, `_`, `-`).\n",
    ]
    for tag, title in _TAGS.items():
        parts.append(f"## {title}\n")
        parts += [
            _operation(path, method, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if tag in operation["tags"]
        ]
    parts.append("## Schemas\n")
    schemas = document["components"]["schemas"]
    options = schemas["InvokeOptions"]
    parts += [_schema(name, schema, options) for name, schema in sorted(schemas.items())]
    return "\n".join(parts)


def _operation(path: str, method: str, operation: Json) -> str:
    text = operation.get("description", "").replace("``", "`")
    parts = [f"### {method.upper()} {path}\n", f"{text}\n"]
    if rows := [
        f"| `{each['name']}` | {each['in']} | {_type(each['schema'])} | "
        f"{_cell(each.get('description', ''))} |\n"
        for each in operation.get("parameters", ())
    ]:
        head = "| parameter | in | type | description |\n| --- | --- | --- | --- |\n"
        parts.append(head + "".join(rows))
    if body := operation.get("requestBody"):
        rows = [f"| `{media}` | {_type(one['schema'])} |\n" for media, one in _content(body)]
        parts.append("| request body | type |\n| --- | --- |\n" + "".join(rows))
    answers: dict[str, list[str]] = {}
    for status, response in operation["responses"].items():
        answer = ", ".join(_type(one["schema"]) for _, one in _content(response))
        answers.setdefault(answer, []).append(status)
    rows = [f"| {', '.join(statuses)} | {answer} |\n" for answer, statuses in answers.items()]
    parts.append("| status | answer |\n| --- | --- |\n" + "".join(rows))
    return "\n".join(parts)


def _content(part: Json) -> list[tuple[str, Json]]:
    return list(part.get("content", {}).items())


def _schema(name: str, schema: Json, base: Json) -> str:
    """Describe a schema; fields that it takes over from ``base`` are described there."""
    text, fields = _docstring(schema.get("description", ""))
    if base["properties"].items() <= schema.get("properties", {}).items():
        fields = _docstring(base["description"])[1] | fields
    parts = [f"### {name}\n", f"{text}\n"]
    required = schema.get("required", ())
    rows = [
        f"| `{field}` | {_type(spec)} | {_default(spec, field in required)} | "
        f"{_cell(fields.get(field, ''))} |\n"
        for field, spec in schema.get("properties", {}).items()
    ]
    if rows:
        head = "| field | type | default | description |\n| --- | --- | --- | --- |\n"
        parts.append(head + "".join(rows))
    return "\n".join(parts)


def _docstring(description: str) -> tuple[str, dict[str, str]]:
    """Split a class's docstring into its text and the descriptions of its attributes."""
    texts: list[str] = []
    fields: dict[str, str] = {}
    for section in Docstring(description).parse("google", warnings=False):
        if section.kind.value == "text":
            texts.append(section.value)
        elif section.kind.value == "attributes":
            fields |= {each.name: each.description for each in section.value}
    return "\n\n".join(texts).replace("``", "`"), {
        name: re.sub(r"\bNone\b", "null", text).replace("``", "`") for name, text in fields.items()
    }


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    if schema.get("format") == _BINARY:
        return "bytes"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"object of {_type(values)}" if isinstance(values, dict) and values else "object"
    return str(schema.get("type", "any"))


def _default(schema: Json, required: bool) -> str:
    if required:
        return "required"
    return f"`{json.dumps(schema['default'])}`" if "default" in schema else ""
