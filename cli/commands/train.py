"""``edgewright train``: a model for a purpose, trained on data that stay with their owners."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

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


def train(
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
        typer.Option(metavar="ACCURACY", help="Stop at this validation accuracy, 0 to 1."),
    ] = None,
    time: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="Maximum time for all trials together.")
    ] = 90.0,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Random seed.")] = 0,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Resume an interrupted run.")
    ] = None,
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
        from edgewright.tools.errors import InputError
        from edgewright.tools.federated.records.trial import SANDBOXED_ENGINES

        if (purpose is None) == (resume is None):
            raise InputError("give either PURPOSE or --resume RUN", code="usage")
        if target is not None and not 0 < target <= 1:
            raise InputError("--target must be above 0 and at most 1", code="usage")
        default = Approval.auto if engine.value in SANDBOXED_ENGINES else Approval.ask
        settings = TrainSettings(
            approval=(approve or default).value,
            engine=engine.value,
            trials=trials,
            target=target,
            time_s=time,
            seed=seed,
        )
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

            report = asyncio.run(_train(begin, resume, embedded, _refuse, lambda _: None))
            print_json(outcome(report))
        else:
            _train_live(begin, resume, embedded)


def _train_live(begin: _Begin | None, resume: str | None, embedded: bool) -> None:
    import asyncio

    from edgewright.cli.views.approval import Asker
    from edgewright.cli.views.training import TrainingView
    from edgewright.graphs.federated.context import run_folder

    console = progress_console()
    with TrainingView(console) as view:
        try:
            report = asyncio.run(_train(begin, resume, embedded, Asker(console, view), view))
        except KeyboardInterrupt:
            if view.run:
                console.print(f"to continue: edgewright train --resume {view.run}")
            raise
    folder = run_folder(report.run).root
    if report.test is None:
        say(f"no model ({report.stop}); 'edgewright runs show {report.run}' lists the trials")
        raise typer.Exit(FAILED)
    say(
        f"{report.tool}: test accuracy {report.test.accuracy:.4f}, worst client "
        f"{report.test.worst_client:.4f}; model and report are in {folder}"
    )


async def _train(
    begin: _Begin | None,
    resume: str | None,
    embedded: bool,
    approve: Approve,
    on_event: Callable[[Event], None],
) -> RunReport:
    from edgewright.graphs.federated.context import TrainingContext
    from edgewright.graphs.federated.session import open_run

    context = TrainingContext(coder="embedded" if embedded else "auto")
    async with open_run(context, resume=resume) as run:
        if begin is None:
            return await run.resume(approve=approve, on_event=on_event)
        return await run.begin(*begin, approve=approve, on_event=on_event)


def outcome(report: RunReport) -> dict[str, Any]:
    """Return a run's outcome as JSON values, for programs."""
    best = report.best_trial
    return {
        "run": report.run,
        "tool": report.tool,
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
        "the proposal needs approval, and --json cannot ask for it; resume the run without --json",
        code="approval_needed",
    )
