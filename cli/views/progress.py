"""Progress on a terminal: a status line for what takes long, and on request every step of a turn.

Without a terminal there is no status line; only the planner's one-time preparation is announced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.status import Status
from rich.text import Text

from edgewright.cli.views.cost import arm_words
from edgewright.cli.views.results import decision_view, plan_table
from edgewright.cli.views.training import proposal_view, sparkline

if TYPE_CHECKING:
    from edgewright.graphs.assistant.events import Event
    from edgewright.graphs.federated.events import Event as FederatedEvent
    from edgewright.tools.contracts.images import ImageRef


class Waiting:
    """Shows on one line what the program is doing.

    Args:
        console: Where to show it.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._status: Status | None = None
        self._doing = ""
        self._announced = False

    @contextmanager
    def during(self, doing: str) -> Iterator[None]:
        """Show what is being done while the block runs."""
        with self.console.status(Text(doing)) as self._status:
            self._doing = doing
            try:
                yield
            finally:
                self._status = None

    def update(self, doing: str) -> None:
        """Show something else from now on."""
        self._doing = doing
        if self._status is not None:
            self._status.update(Text(doing))

    def preparing(self, done: int, total: int) -> None:
        """Show how far the planner's first use has come.

        Called in the planner's thread.

        Args:
            done: Texts encoded so far.
            total: Texts to encode.

        Raises:
            CancelledError: Nobody waits for it any more, as after Ctrl-C.
        """
        if self._status is None:
            raise CancelledError("preparing the planner was interrupted")
        if done == total:
            self._status.update(Text(self._doing))
        elif self.console.is_terminal:
            self._status.update(f"preparing the planner (once): {100 * done // total} %")
        elif not self._announced:
            self._announced = True
            self.console.print("preparing the planner (once)")


class TurnView(Waiting):
    """Follows the events of a turn on the status line.

    Args:
        console: Where to show them.
        explain: Whether to print the plan, the expected costs and each step too.
    """

    def __init__(self, console: Console, *, explain: bool = False) -> None:
        super().__init__(console)
        self.explain = explain
        self._names: dict[str, str] = {}
        self._places: dict[str, str] = {}

    def name(self, images: Iterable[ImageRef]) -> None:
        """Show these images under their names from now on."""
        self._names |= {image.uri: image.name or image.uri for image in images}

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if event.event == "understood":
            self.update("planning")
        elif event.event == "planned":
            self._explain(plan_table(event.plan, self._names))
            self.update("choosing where to run")
        elif event.event == "offloaded":
            self._places[event.task_id] = arm_words(event.decision.arm)
            self._explain(decision_view(event.task_id, event.decision))
        elif event.event == "task_started":
            self.update(f"{event.tool} {self._places.get(event.task_id, '')}")
        elif event.event == "training":
            self._train(event.step)
        elif event.event == "task_finished":
            mark = Text("✓ ", "green") if event.status == "ok" else Text("✗ ", "yellow")
            line = f"{event.task_id} {event.status} in {event.ms:.0f} ms: {event.text}"
            self._explain(mark + Text(line))

    def _train(self, step: FederatedEvent) -> None:
        if step.event == "proposed":
            self._explain(proposal_view(step.number, step.proposal))
        elif step.event == "trial_started":
            self.update(f"training, trial {step.number}")
        elif step.event == "scored":
            accuracy = step.point.validation.accuracy
            self.update(f"training, trial {step.number}: accuracy {accuracy:.2f}")
        elif step.event == "trial_ended" and step.result.best is not None:
            curve = [point.validation.accuracy for point in step.result.curve]
            line = f"trial {step.result.number}: {max(curve):.4f} {sparkline(curve)}"
            self._explain(Text(line))

    def _explain(self, renderable: object) -> None:
        if self.explain:
            self.console.print(renderable)
