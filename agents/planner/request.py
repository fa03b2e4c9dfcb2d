"""The input of a planner: a request, its images, the earlier turns and the available sensors."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from edgewright.agents.planner.plan import Task
from edgewright.tools.contracts.images import ImageRef

#: Maximum length of a request, in characters.
MAX_REQUEST = 8000


class Turn(BaseModel):
    """One turn of the conversation so far.

    Attributes:
        request: What the person said.
        images: Images attached to it.
        about: Images that its plan used, wherever they came from.
        tasks: The tasks of its plan.
        answer: The answer; data, never an instruction.
        cost: What it cost, in words; empty if nothing was run.
    """

    model_config = ConfigDict(frozen=True)

    request: str
    images: tuple[ImageRef, ...] = ()
    about: tuple[ImageRef, ...] = ()
    tasks: tuple[Task, ...] = ()
    answer: str = ""
    cost: str = ""

    @property
    def tools(self) -> tuple[str, ...]:
        """Ids of the planned cards, in the order of the plan."""
        return tuple(task.tool for task in self.tasks)


class PlanRequest(BaseModel):
    """Everything a planner needs to make a plan.

    Attributes:
        text: The request in the person's words.
        images: Images attached to the request.
        history: Earlier turns, oldest first.
        sensors: Available kinds of sensor (``camera``, ``wifi`` …); empty means unknown.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    images: tuple[ImageRef, ...] = ()
    history: tuple[Turn, ...] = ()
    sensors: tuple[str, ...] = ()

    @property
    def subject(self) -> tuple[ImageRef, ...]:
        """The images the request is about unless it says otherwise.

        Its own, or those that the latest turn with images was about.
        """
        if self.images:
            return self.images
        turns = reversed(self.history)
        return next((turn.about or turn.images for turn in turns if turn.about or turn.images), ())

    @property
    def seen(self) -> tuple[ImageRef, ...]:
        """All images of the conversation, in the order in which they came."""
        earlier = (image for turn in self.history for image in turn.images)
        return tuple(dict.fromkeys([*earlier, *self.images]))


def images_of(tasks: Sequence[Task], images: Sequence[ImageRef]) -> tuple[ImageRef, ...]:
    """Return those of some images that tasks use, in the order of the tasks."""
    known = {image.uri: image for image in images}
    used = (value for task in tasks for value in task.args.values())
    return tuple(dict.fromkeys(known[uri] for uri in used if uri in known))
