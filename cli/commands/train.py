"""``edgewright train``: a model for a purpose, trained on data that stay with their owners."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from edgewright.cli.views.output import (
    FAILED,
    Embedded,
    Json,
    progress_console,
    reported_errors,
)
from edgewright.cli.views.safe import print_json, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewright.graphs.federated.events import Event
    from edgewright.graphs.federated.session import Approve
    from edgewright.graphs.federated.state import TrainSettings
    from edgewright.tools.federated.records.report import RunReport
    from edgewright.tools.federated.trials.prepare import DataRequest

    #: Purpose, data and settings of a new run.
    _Begin = tuple[str, DataRequest, TrainSettings]


class Partition(StrEnum):
    """How samples are distributed to clients."""

    iid = "iid"
    dirichlet = "dirichlet"
    attribute = "attribute"


class Approval(StrEnum):
    """Whether the user approves each proposal before it is trained."""

    ask = "ask"
    auto = "auto"


class EngineName(StrEnum):
    """Where proposals are trained."""

    in_process = "in-process"
    simulation = "simulation"
    deployment = "deployment"


EXAMPLES = """\
Examples:

edgewright train "ten clinics each have photos of handwritten digits; I need a classifier"

edgewright train "sort our parts; some sites have far more pictures" --data parts/ --clients 5

edgewright train "recognise clothes over metered links" --data fashion-mnist --samples 6000

edgewright train --resume RUN
"""


#: Options that may change when a run is resumed, and the settings they are.
_CHANGEABLE = {
    "approve": "approval", "trials": "trials", "target": "target", "time": "time_s",
    "replace": "replace",
}  # fmt: skip
#: Options that are decided when a run begins.
_FIXED = ("data", "clients", "partition", "alpha", "samples", "engine", "seed")


def train(
    context: typer.Context,
    purpose: Annotated[
        str | None,
        typer.Argument(metavar="PURPOSE", help="What the model is for, and its constraints."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="A folder of class folders, an .npz file, or digits, fashion-mnist, elpv. "
            "[default: the data that PURPOSE names]",
        ),
    ] = None,
    clients: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=1000,
            help="Number of clients. [default: as many as PURPOSE says, else 10]",
        ),
    ] = None,
    partition: Annotated[
        Partition | None,
        typer.Option(
            help="How samples are distributed to clients. "
            "[default: dirichlet if PURPOSE says that clients differ, else iid]"
        ),
    ] = None,
    alpha: Annotated[
        float,
        typer.Option(
            metavar="NUMBER",
            min=0.001,
            max=1000,
            help="Dirichlet concentration; lower means more skew.",
        ),
    ] = 0.3,
    samples: Annotated[
        int, typer.Option(metavar="N", min=0, help="Maximum number of samples; 0 means all.")
    ] = 0,
    approve: Annotated[
        Approval | None,
        typer.Option(
            help="Approve each proposal yourself, or rely on the sandbox. "
            "[default: auto in-process, ask elsewhere]"
        ),
    ] = None,
    engine: Annotated[
        EngineName,
        typer.Option(
            metavar="ENGINE",
            help="in-process (the only one with a sandbox), simulation or deployment.",
        ),
    ] = EngineName.in_process,
    trials: Annotated[
        int, typer.Option(metavar="N", min=1, max=100, help="Maximum number of trials.")
    ] = 4,
    target: Annotated[
        float | None,
        typer.Option(
            metavar="ACCURACY",
            help="Stop at this validation accuracy, 0 to 1. [default: as PURPOSE says]",
        ),
    ] = None,
    time: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=1,
            help="Maximum time for all trials together. [default: as PURPOSE says, else 90]",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Random seed.")] = 0,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Resume an interrupted run, with other --trials, --time, --target, --approve or "
            "--replace if given.",
        ),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Install the model even in the place of a better one."),
    ] = False,
    embedded: Embedded = False,
    as_json: Json = False,
) -> None:
    """Train a model by federated learning and install it as a tool.

    Progress goes to standard error, the outcome to standard output.
    Generated code is trained in a sandbox without network access; the data
    never leave this machine. Ctrl-C interrupts a run; --resume continues it.
    """
    with reported_errors(as_json):
        from edgewright.graphs.federated.data import data_request
        from edgewright.graphs.federated.state import TrainSettings
        from edgewright.graphs.federated.validation import validated
        from edgewright.tools.errors import InputError
        from edgewright.tools.federated.records.trial import SANDBOXED_ENGINES

        if (purpose is None) == (resume is None):
            raise InputError("give either PURPOSE or --resume RUN", code="usage")
        if target is not None and not 0 < target <= 1:
            raise InputError("--target must be above 0 and at most 1", code="usage")
        if data is not None and not data.strip():
            raise InputError("--data is empty; name a folder, a file or a data set", code="usage")
        default = Approval.auto if engine.value in SANDBOXED_ENGINES else Approval.ask
        values: dict[str, Any] = {
            "approval": (approve or default).value,
            "engine": engine.value,
            "trials": trials,
            "seed": seed,
            "replace": replace,
        }
        spoken = {"target": target, "time_s": time}  # which the purpose may state instead
        values |= {name: value for name, value in spoken.items() if value is not None}
        settings = validated(TrainSettings, values)
        changes = _changes(context, settings) if resume is not None else {}
        begin: _Begin | None = None
        if purpose is not None:
            request = data_request(
                purpose,
                source=data,
                clients=clients,
                partition=partition.value if partition else None,
                alpha=alpha,
                samples=samples,
                seed=seed,
            )
            begin = (purpose, request, settings)
        if as_json:
            import asyncio

            source = _Source(begin, resume, changes, embedded)
            report = asyncio.run(_train(source, _refuse, lambda _: None))
            print_json(outcome(report))
        else:
            _train_live(_Source(begin, resume, changes, embedded))


@dataclass(frozen=True)
class _Source:
    """A new run, or one to resume with changes of its settings; and its coder."""

    begin: _Begin | None
    resume: str | None
    changes: dict[str, Any]
    embedded: bool


def _changes(context: typer.Context, settings: TrainSettings) -> dict[str, Any]:
    """Return the settings that were given with ``--resume``."""
    from edgewright.tools.errors import InputError

    def given(name: str) -> bool:
        source = context.get_parameter_source(name)
        return source is not None and source.name == "COMMANDLINE"

    fixed = [f"--{name}" for name in _FIXED if given(name)]
    if fixed:
        raise InputError(
            f"{fixed[0]} was decided when the run began; start a new run to change it", code="usage"
        )
    values = settings.model_dump(mode="json")
    return {field: values[field] for name, field in _CHANGEABLE.items() if given(name)}


def _train_live(source: _Source) -> None:
    import asyncio

    from edgewright.cli.views.approval import Asker
    from edgewright.cli.views.training import TrainingView
    from edgewright.graphs.federated.context import run_folder

    console = progress_console()
    with TrainingView(console) as view:
        try:
            report = asyncio.run(_train(source, Asker(console, view), view))
        except KeyboardInterrupt:
            if view.run:
                console.print(f"to continue: edgewright train --resume {view.run}")
            raise
    folder = run_folder(report.run).root
    if report.test is None:
        say(f"no model ({report.stop}); 'edgewright runs show {report.run}' lists the trials")
        raise typer.Exit(FAILED)
    say(
        f"{report.tool or 'no tool'}: test accuracy {report.test.accuracy:.4f}, worst client "
        f"{report.test.worst_client:.4f}; model and report are in {folder}"
    )
    for line in (report.placement, *(f"caution: {each}" for each in report.cautions)):
        if line:
            say(line)


async def _train(source: _Source, approve: Approve, on_event: Callable[[Event], None]) -> RunReport:
    from edgewright.graphs.federated.context import TrainingContext, run_folder
    from edgewright.graphs.federated.session import open_run
    from edgewright.tools.errors import EdgewrightError

    coder: Literal["embedded", "auto"] = "embedded" if source.embedded else "auto"
    context = TrainingContext(coder=coder, changes=source.changes)
    async with open_run(context, resume=source.resume) as run:
        try:
            if source.begin is None:
                return await run.resume(approve=approve, on_event=on_event)
            return await run.begin(*source.begin, approve=approve, on_event=on_event)
        except EdgewrightError as error:
            folder = run_folder(run.name)
            if (folder.data / "card.json").exists() and not (folder.root / "report.json").exists():
                error.message += f"; to continue: edgewright train --resume {run.name}"
            raise


def outcome(report: RunReport) -> dict[str, Any]:
    """Return a run's outcome as JSON values, for programs."""
    best = report.best_trial
    return {
        "run": report.run,
        "tool": report.tool,
        "placement": report.placement,
        "cautions": list(report.cautions),
        "stop": report.stop,
        "best_trial": report.best,
        "test": report.test.model_dump(mode="json") if report.test else None,
        "worst_client": report.test.worst_client if report.test else None,
        "reading": report.reading.model_dump(mode="json") if report.reading else None,
        "reasons": [each.model_dump() for each in best.reasons] if best else [],
        "trials": [
            {
                "number": trial.result.number if trial.result else None,
                "status": trial.result.status if trial.result else "refused",
                "coder": trial.coder,
                "rationale": trial.candidate.rationale,
                "strategy": trial.candidate.strategy.model_dump(mode="json"),
                "faults": [fault.code for fault in trial.complaints],
                "validation_accuracy": trial.best.validation.accuracy if trial.best else None,
                **(trial.costs or {}),
            }
            for trial in report.trials
        ],
    }


def _refuse(asked: dict[str, Any]) -> dict[str, Any]:
    """End a run that needs approval where nobody can be asked; it can be resumed."""
    from edgewright.tools.errors import InputError

    del asked
    raise InputError(
        "the proposal needs approval, and --json cannot ask for it; resume the run without it",
        code="approval_needed",
    )
