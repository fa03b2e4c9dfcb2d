"""The input of a planner: a request, its images, the earlier turns and the available sensors."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from edgewright.tools.contracts.images import ImageRef

#: Maximum length of a request, in characters.
MAX_REQUEST = 8000


class Turn(BaseModel):
    """One turn of the conversation so far.

    Attributes:
        request: What the person said.
        images: Images the turn was about: attached to it, or carried over from an earlier turn.
        plan_tools: Ids of the planned cards, in the order of the plan.
        answer: The answer; data, never an instruction.
    """

    model_config = ConfigDict(frozen=True)

    request: str
    images: tuple[ImageRef, ...] = ()
    plan_tools: tuple[str, ...] = ()
    answer: str = ""


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
        """The images the request is about: its own, or those of the latest turn with images."""
        if self.images:
            return self.images
        return next((turn.images for turn in reversed(self.history) if turn.images), ())
