"""The console script itself: help, version, and how errors are reported."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer
import typer.main

from edgewright.cli.main import app
from edgewright.cli.views.output import reported_errors
from edgewright.tools.errors import InputError, LinkError, NotFoundError

ROOT = Path(__file__).parents[3]
PACKAGES = ("agents", "cli", "edge_runtime", "graphs", "servers", "tools")
COMMANDS = ["ask", "chat", "demo", "doctor", "node", "plan", "profile", "train"]
GROUPS = {
    "cards": ("approve", "check", "from-manual"),
    "codec": ("export", "inspect", "train"),
    "runs": ("compare", "list", "show"),
}
GROUPED = [f"{group} {command}" for group, commands in GROUPS.items() for command in commands]
#: It asks a question on the terminal.
WITHOUT_JSON = "cards approve"


def test_help_lists_the_commands(edgewright):
    result = edgewright("--help")
    assert result.exit_code == 0
    for command in (*COMMANDS, *GROUPS):
        assert command in result.stdout
    assert "Exit codes" in result.stdout


def named_commands():
    """Yield the commands that messages and pages name, with the file."""
    for folder in (*PACKAGES, "docs", "examples"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix not in (".py", ".md", ".js"):
                continue
            text = re.sub(r'"\s*\n\s*f?"', "", path.read_text("utf-8"))  # one string on two lines
            for found in re.finditer(r"['`]edgewright ((?:[a-z-]+ ?){1,3})", text):
                yield path, found[1].split()


def test_commands_that_are_named_exist():
    program = typer.main.get_command(app)
    named = list(named_commands())
    assert len(named) > 100
    for path, words in named:
        group = program
        for word in words:
            if not isinstance(group, click.Group):
                break
            group = group.get_command(click.Context(group), word)
            assert group is not None, (path, words)


def test_the_list_says_what_the_help_of_each_command_says():
    group = typer.main.get_command(app)
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command.name == name
        assert group.summaries[name] == command.help.partition("\n\n")[0].replace("\n", " ")


def test_types_that_were_deferred_are_there_for_whoever_uses_them():
    code = (
        "from edgewright.cli.lazy import defer_unused_packages as defer; defer(); defer();"
        "import sys, langsmith.client; before = 'langsmith.types.dataset' in sys.modules;"
        "from langsmith.types import Dataset; print(before, Dataset.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False Dataset\n"


def test_unknown_commands_are_answered_with_a_similar_one(edgewright):
    result = edgewright("modles")
    assert result.exit_code == 2
    assert "models" in result.output


@pytest.mark.parametrize("command", [*COMMANDS, *GROUPS, *GROUPED])
def test_every_command_has_help_with_an_example(edgewright, command):
    result = edgewright(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"edgewright {command}" in result.stdout.partition("Example")[2]


def test_help_explains_arguments(edgewright):
    assert "The request, in plain language." in edgewright("ask", "--help").stdout


@pytest.mark.parametrize("command", [*COMMANDS, *GROUPED])
def test_every_command_prints_json_on_request(edgewright, command):
    assert ("--json" in edgewright(*command.split(), "--help").stdout) == (command != WITHOUT_JSON)


def test_the_version(edgewright):
    assert edgewright("--version").stdout.count(".") == 2


def test_help_and_nodes_need_no_agent_framework():
    # In a process of its own, because this one has imported everything.
    heavy = "{'torch', 'langgraph', 'langchain_core', 'openai', 'pydantic', 'httpx', 'flwr'}"
    code = (
        "import sys; from edgewright.cli.main import app; app(['--help'], standalone_mode=False);"
        f"print({heavy} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (InputError("wrong"), 2),
        (NotFoundError("not there"), 2),
        (LinkError("down\nagain"), 1),
        (ValueError("a defect"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_every_error_is_one_line_and_an_exit_code(capsys, error, exit_code, as_json):
    with pytest.raises(typer.Exit) as caught, reported_errors(as_json):
        raise error
    assert caught.value.exit_code == exit_code
    out, err = capsys.readouterr()
    assert (out + err).count("\n") == 1
    assert "Traceback" not in out + err


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_defect_shows_its_traceback_only_on_request(debug, tmp_path):
    code = (
        "import edgewright.cli.commands.checks as checks; checks.python = lambda: 1 / 0;"
        "from edgewright.cli.main import app; app()"
    )
    environment = os.environ | {"EDGEWRIGHT_DEBUG": debug, "EDGEWRIGHT_HOME": str(tmp_path)}
    command = [sys.executable, "-c", code, "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert "a defect in the program (ZeroDivisionError" in done.stderr
    assert ("Traceback" in done.stderr) == bool(debug)
