"""Invocations: requests to run a card on a node, and the node's responses."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.contracts.arms import Arm, ServerLoad
from edgewright.tools.contracts.cost_report import CostReport
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.errors import ErrorInfo

#: Header that carries an ``InvokeOptions`` as ASCII JSON beside a raw body (image or frame).
OPTIONS_HEADER = "Edgewright-Options"


#: Header that identifies a request across nodes and logs.
REQUEST_ID_HEADER = "Edgewright-Request-Id"


Status = Literal["ok", "refused", "unavailable", "error"]


class InvokeOptions(BaseModel):
    """How to run a card; the image travels separately.

    Attributes:
        args: The card's arguments by name, without the image.
        camera: Name of an image in the device's camera, instead of sending one.
        arm: Arm to use, or None to let the device choose.
        deadline_s: Maximum time for the whole call.
        expert: Id of the expert to use, or None for the first available one.
        forward: Whether a server may pass the task on to a peer of its own.
    """

    model_config = ConfigDict(extra="forbid")

    args: dict[str, str] = Field(default_factory=dict)
    camera: str | None = Field(default=None, max_length=200)
    arm: Arm | None = None
    deadline_s: float = Field(default=30.0, gt=0, le=600)
    expert: str | None = Field(default=None, max_length=100)
    forward: bool = True


class InvokeRequest(InvokeOptions):
    """The JSON form of an invocation, for tool-calling programs.

    Attributes:
        image_base64: The image, base64-encoded. Alternatives: name it in ``camera``, or send it as
            the raw body with the options in the header.
    """

    image_base64: str | None = None


class PlannedTask(BaseModel):
    """A task that will be invoked just before the one that a decision is requested for.

    Attributes:
        card: Its card.
        arm: The arm chosen for it.
        expert: Its expert, or None for the first available one.
        camera: Name of its image in the device's camera.
        image: Facts about its image; None without ``camera`` assumes a usual one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    card: str = Field(max_length=200)
    arm: Arm
    expert: str | None = Field(default=None, max_length=100)
    camera: str | None = Field(default=None, max_length=200)
    image: ImageFacts | None = None


class DecideRequest(InvokeOptions):
    """A request for the arm that an invocation would take.

    Attributes:
        image: Facts about the image that the invocation will carry; or use ``camera``.
        ahead: Tasks of the same request that will be invoked just before it. They share the
            device, the link and the edge server with it.
    """

    image: ImageFacts | None = None
    ahead: tuple[PlannedTask, ...] = Field(default=(), max_length=32)


class InvokeResponse(BaseModel):
    """A node's response to an invocation.

    Attributes:
        status: ``ok``, or ``refused`` when the expert cannot know the answer.
        output: The expert's output, JSON values only; empty unless ``ok``.
        report: The cost report; None when nothing was run.
        error: Set unless ``ok``.
        load: On a server: the load of the model that served the call.
    """

    status: Status
    output: dict[str, Any] = Field(default_factory=dict)
    report: CostReport | None = None
    error: ErrorInfo | None = None
    load: ServerLoad | None = None


class TailResult(BaseModel):
    """Response of the tail route.

    Attributes:
        output: The expert's output.
        model: Model id and revision.
        expert: Id of the expert that interpreted the model's output.
        stages_ms: Milliseconds of ``decode``, ``tail`` and ``postprocess`` on the edge server.
        load: The model's load.
    """

    output: dict[str, Any]
    model: str
    expert: str
    stages_ms: dict[str, float]
    load: ServerLoad | None = None


class LinkProbe(BaseModel):
    """Response of the link-probe route: the bytes arrived, and this is the models' load.

    Attributes:
        load: Load by model id, for the recently called models.
    """

    load: dict[str, ServerLoad] = Field(default_factory=dict)
