"""Invocations: how a card is requested from a node, and what the node answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.contracts.arms import Arm, ServerLoad
from edgewright.tools.contracts.cost_report import CostReport
from edgewright.tools.errors import ErrorInfo

#: Header that carries an ``InvokeOptions`` as ASCII JSON beside a raw body (picture or frame).
OPTIONS_HEADER = "Edgewright-Options"


#: Header by which one request is followed through all nodes and logs.
REQUEST_ID_HEADER = "Edgewright-Request-Id"


Status = Literal["ok", "refused", "unavailable", "error"]


class InvokeOptions(BaseModel):
    """How a card is to be run; the picture travels beside it.

    Attributes:
        args: The card's arguments, by name, without the picture.
        camera: Name of a picture in the device's camera, instead of sending one.
        arm: Fixed arm, or None to let the device choose.
        deadline_s: Longest time for the whole call.
        expert: Fixed expert, or None for the first that is available.
    """

    model_config = ConfigDict(extra="forbid")

    args: dict[str, str] = Field(default_factory=dict)
    camera: str | None = Field(default=None, max_length=200)
    arm: Arm | None = None
    deadline_s: float = Field(default=30.0, gt=0, le=600)
    expert: str | None = Field(default=None, max_length=100)


class InvokeRequest(InvokeOptions):
    """The JSON form of an invocation, for tool-calling programs.

    Attributes:
        image_base64: The picture, encoded; or use ``camera``, or send the picture as raw body
            with the options in the header.
    """

    image_base64: str | None = None


class InvokeResponse(BaseModel):
    """What a node answers to an invocation.

    Attributes:
        status: ``ok``, or ``refused`` when the expert cannot know the answer.
        output: The expert's output, JSON values only; empty unless ``ok``.
        report: The bill; None when nothing was run.
        error: Set unless ``ok``.
        load: On an edge server: how busy the model is that served.
    """

    status: Status
    output: dict[str, Any] = Field(default_factory=dict)
    report: CostReport | None = None
    error: ErrorInfo | None = None
    load: ServerLoad | None = None


class TailResult(BaseModel):
    """What the tail route answers.

    Attributes:
        output: The expert's output.
        model: Model id and revision.
        expert: Expert that read the output.
        stages_ms: ``decode``, ``tail`` and ``postprocess`` on the edge server.
        load: How busy the model is.
    """

    output: dict[str, Any]
    model: str
    expert: str
    stages_ms: dict[str, float]
    load: ServerLoad | None = None


class LinkProbe(BaseModel):
    """What the probe route answers: the bytes came through, and this is how busy the models are.

    Attributes:
        load: By model id, of the models that were called lately.
    """

    load: dict[str, ServerLoad] = Field(default_factory=dict)
