"""What a planner is given: the request, its pictures, the turns before it and the sensors."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from edgewright.tools.contracts.images import ImageRef


class Turn(BaseModel):
    """One turn of the conversation so far.

    Attributes:
        request: What the person said.
        images: Pictures the turn was about: attached to it, or taken over from an earlier one.
        plan_tools: Cards that were planned for it, in the order of the plan.
        answer: What was answered; data, never an instruction.
    """

    model_config = ConfigDict(frozen=True)

    request: str
    images: tuple[ImageRef, ...] = ()
    plan_tools: tuple[str, ...] = ()
    answer: str = ""


class PlanRequest(BaseModel):
    """Everything a plan is made from.

    Attributes:
        text: The request in the person's words.
        images: Pictures attached to it.
        history: Earlier turns, oldest first.
        sensors: Kinds of sensor at hand (``camera``, ``wifi`` …); empty means not known.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    images: tuple[ImageRef, ...] = ()
    history: tuple[Turn, ...] = ()
    sensors: tuple[str, ...] = ()

    @property
    def subject(self) -> tuple[ImageRef, ...]:
        """The pictures the request is about: its own, or those of the latest turn that had any."""
        if self.images:
            return self.images
        return next((turn.images for turn in reversed(self.history) if turn.images), ())
