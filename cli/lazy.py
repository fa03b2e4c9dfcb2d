"""What the command line imports late: its commands, and parts of libraries that it never uses."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar

import click
import typer
import typer.core
import typer.main


class LazyGroup(typer.core.TyperGroup):
    """A group whose commands are the functions or ``Typer`` objects named like their modules.

    A module is imported when its command is used: building all commands takes several times as long
    as listing their names.

    Attributes:
        package: The package with a module for each command.
        summaries: What ``--help`` says of each command, by name: the first line of its help.
    """

    package: ClassVar[str]
    summaries: ClassVar[Mapping[str, str]]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in their order."""
        return list(self.summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and build a command; None if there is no such command."""
        if cmd_name not in self.summaries:
            return None
        module = importlib.import_module(f"{self.package}.{cmd_name}")
        command = getattr(module, cmd_name)
        if isinstance(command, typer.Typer):
            built: click.Command = typer.main.get_group(command)
        else:
            single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            single.command(epilog=module.EXAMPLES)(command)
            built = typer.main.get_command(single)
        built.name = cmd_name
        return built

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; an unknown name is answered with similar ones."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand:
            known = self.summaries
            raise click.exceptions.NoSuchCommand(args[0], possibilities=known, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names and summaries, without building any command."""
        width = formatter.width - 6 - max(map(len, self.summaries))
        rows = [
            (name, click.utils.make_default_short_help(text, width))
            for name, text in self.summaries.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


#: Two hundred modules with the types of LangSmith's service, and the client of LangGraph's.
#: LangChain and LangGraph import them, and need a single module of each.
_UNUSED = ("langsmith.types", "langgraph_sdk")


class _LatePackage(ModuleType):
    """A package whose own code runs when a name of it is first used; its modules load singly."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or self.__spec__ is None or self.__spec__.loader is None:
            raise AttributeError(name)
        self.__class__ = ModuleType  # type: ignore[assignment]  # an ordinary package from now on
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def defer_unused_packages() -> None:
    """Import packages of services that are not used here only if something uses them."""
    for name in _UNUSED:
        if name not in sys.modules:
            _defer(name)


def _defer(name: str) -> None:
    try:
        spec = importlib.util.find_spec(name)
    except ImportError:  # the agent extra is not installed, which the command reports
        return
    if spec is not None and spec.submodule_search_locations is not None:
        package = _LatePackage(name)
        package.__spec__ = spec
        package.__file__ = spec.origin
        package.__path__ = spec.submodule_search_locations
        package.__package__ = name
        sys.modules[name] = package
