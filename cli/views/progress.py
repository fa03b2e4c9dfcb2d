"""Progress of a turn on a terminal, as its events come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.status import Status
from rich.text import Text

from edgewright.cli.views.results import decision_view, plan_table
from edgewright.cli.views.training import proposal_view, sparkline

if TYPE_CHECKING:
    from edgewright.graphs.assistant.events import Event
    from edgewright.graphs.federated.events import Event as FederatedEvent
    from edgewright.tools.contracts.images import ImageRef


class ProgressView:
    """Prints what happens and keeps a spinner with what is being waited for.

    Args:
        console: Where to print.
        status: The spinner.
        images: The turn's pictures, to show their names.
    """

    def __init__(self, console: Console, status: Status, images: Iterable[ImageRef]) -> None:
        self._console = console
        self._status = status
        self._names = {image.uri: image.name or image.uri for image in images}

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if event.event == "understood":
            self._status.update("planning")
        elif event.event == "planned":
            self._console.print(plan_table(event.plan, self._names))
            self._status.update("choosing where to run")
        elif event.event == "offloaded":
            self._console.print(decision_view(event.task_id, event.decision))
        elif event.event == "task_started":
            self._status.update(f"{event.task_id}: {event.tool}, {event.arm}")
        elif event.event == "training":
            self._train(event.step)
        elif event.event == "task_finished":
            mark = Text("✓ ", "green") if event.status == "ok" else Text("✗ ", "yellow")
            line = Text(f"{event.task_id} {event.status} in {event.ms:.0f} ms: {event.text}")
            self._console.print(mark + line)

    def _train(self, step: FederatedEvent) -> None:
        if step.event == "proposed":
            self._console.print(proposal_view(step.number, step.proposal))
        elif step.event == "trial_started":
            self._status.update(f"training, trial {step.number}")
        elif step.event == "trial_ended" and step.result.best is not None:
            accuracy = [point.validation.accuracy for point in step.result.curve]
            line = f"trial {step.result.number}: {max(accuracy):.4f} {sparkline(accuracy)}"
            self._console.print(Text(line))


@contextmanager
def progress(console: Console, images: Iterable[ImageRef]) -> Iterator[ProgressView]:
    """Show progress while the block runs."""
    with console.status("opening") as status:
        yield ProgressView(console, status, images)
