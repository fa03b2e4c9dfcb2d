"""What a request becomes on its way to tasks: units of its text, and steps of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from edgewright.agents.planner.embedded.detection import Intent
from edgewright.agents.planner.embedded.grammar.guards import Guard, Premise
from edgewright.agents.planner.embedded.grammar.references import STAND_IN
from edgewright.agents.planner.embedded.ordering import Images
from edgewright.agents.planner.plan import Task
from edgewright.tools.cards import ToolCard


@dataclass(frozen=True)
class Unit:
    """A part of a request that is read by itself.

    Attributes:
        text: What it says, with a stand-in for the images that it mentions.
        images: The images that it is about.
        guard: The condition that it depends on.
        checked: The images that the condition is about, if it names its own.
        again: The tasks of an earlier turn that it repeats.
        question: The whole question, if the text leaves a part of it to the turn before.
        named: Whether the request says which images it is about.
    """

    text: str
    images: Images = ()
    guard: Guard | None = None
    checked: Images | None = None
    again: tuple[Task, ...] = ()
    question: str = ""
    named: bool = False

    @property
    def only_checks(self) -> bool:
        """Whether nothing is done but to ask the questions of the condition."""
        return not self.text and not self.again


@dataclass
class Step:
    """A task under construction.

    Attributes:
        card: The card that carries it out.
        intent: The intent behind it.
        args: Arguments so far; an output of another step is its position as ``<n>``.
        parents: Positions of the steps whose outputs it needs.
        image_args: Names of the arguments that take the image of the request.
        produces: Whether it was added to produce the input of a later step.
    """

    card: ToolCard
    intent: Intent
    args: dict[str, str] = field(default_factory=dict)
    parents: set[int] = field(default_factory=set)
    image_args: set[str] = field(default_factory=set)
    produces: bool = False


def repeated(tasks: Sequence[Task], images: Images) -> list[Unit]:
    """Return the units that repeat tasks, each on the condition that it had."""
    asked = {task.id: task.args.get("question", "") for task in tasks}
    by_guard: dict[Guard | None, list[Task]] = {}
    for task in tasks:
        guard = None
        if task.when:
            premises = (
                Premise(asked[check.task], check.field, check.op, check.value)
                for check in task.when.checks
            )
            guard = Guard(tuple(dict.fromkeys(premises)), any=task.when.match == "any")
        by_guard.setdefault(guard, []).append(task)
    return [Unit(STAND_IN, images, guard, again=tuple(group)) for guard, group in by_guard.items()]
