"""``edgewright runs``: the training runs of this machine, their reports, and comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgewright.cli.views.output import Json, print_table, reported_errors
from edgewright.cli.views.safe import print_json, say

if TYPE_CHECKING:
    from edgewright.tools.federated.records.report import RunReport

EXAMPLES = """\
Examples:

edgewright runs list

edgewright runs show RUN

edgewright runs compare RUN RUN
"""

runs = typer.Typer(
    help="List, show and compare training runs.", epilog=EXAMPLES, no_args_is_help=True
)
Run = Annotated[
    str, typer.Argument(metavar="RUN", help="Name of a run; see 'edgewright runs list'.")
]


@runs.command(name="list", epilog="Example: edgewright runs list --json")
def list_runs(as_json: Json = False) -> None:
    """List the runs, newest first, including those that can be resumed."""
    with reported_errors(as_json):
        rows = [_row(name) for name in _names()]
        if as_json:
            print_json(rows)
            return
        if not rows:
            say("no runs yet; 'edgewright train' starts one", err=True)
            return
        from edgewright.cli.views.training import runs_view

        print_table(runs_view(rows))


@runs.command(epilog="Example: edgewright runs show RUN")
def show(run: Run, as_json: Json = False) -> None:
    """Show a run's summary, or with --json its whole report."""
    with reported_errors(as_json):
        report = _report(run)
        if as_json:
            print_json(report.model_dump(mode="json"))
            return
        from edgewright.cli.views.training import run_view

        print_table(run_view(report))


@runs.command(epilog="Example: edgewright runs compare RUN RUN")
def compare(
    names: Annotated[list[str], typer.Argument(metavar="RUN...", help="Names of runs.")],
    as_json: Json = False,
) -> None:
    """Show the trials of several runs in one table."""
    with reported_errors(as_json):
        reports = [_report(name) for name in names]
        if as_json:
            from edgewright.cli.commands.train import outcome

            print_json([outcome(report) for report in reports])
            return
        from edgewright.cli.views.training import trials_table

        print_table(trials_table(reports))


def _names() -> list[str]:
    from edgewright.tools.settings import home

    folders = (path for path in (home() / "runs").glob("*") if path.is_dir())
    return [path.name for path in sorted(folders, key=lambda p: -p.stat().st_mtime)]


def _row(name: str) -> dict[str, Any]:
    from edgewright.graphs.federated.context import run_folder
    from edgewright.tools.errors import NotFoundError
    from edgewright.tools.federated.records.intent import read_intent

    try:
        report = _report(name)
    except NotFoundError:
        intent = read_intent(run_folder(name))
        return {
            "run": name,
            "state": "interrupted",
            "tool": "",
            "test_accuracy": None,
            "data": intent.data if intent else "",
            "purpose": intent.purpose if intent else "",
            "resume": f"edgewright train --resume {name}" if intent else "",
        }
    return {
        "run": name,
        "state": report.stop,
        "tool": report.tool,
        "test_accuracy": report.test.accuracy if report.test else None,
        "data": report.data.name,
        "purpose": report.purpose,
        "resume": "",
    }


def _report(name: str) -> RunReport:
    from edgewright.graphs.federated.context import run_folder
    from edgewright.tools.federated.records.report import read_report

    return read_report(run_folder(name))
