"""The cost report: the measured cost of a result."""

from __future__ import annotations

from pydantic import BaseModel, Field

from edgewright.tools.contracts.arms import Precision


class Fallback(BaseModel):
    """One step of the fallback chain: what was tried, why it failed and what replaced it."""

    tried: str
    code: str
    reason: str
    used: str


class CostReport(BaseModel):
    """The measured cost of a result.

    Attributes:
        arm: Label of the arm that produced the result.
        planned_arm: Label of the arm chosen first; differs from ``arm`` after a fallback.
        nodes: Names of the nodes that computed something, in order.
        engines: Engine that each of them used, by the name of the node.
        model: Model id and revision.
        precision: Precision at which it ran.
        expert: Id of the expert that interpreted the model's output.
        approximate: Whether the expert stands in for a better one that is not configured.
        sensor_bytes: Bytes of the sensors' windows that were read; they do not leave the node.
        bytes_up: Bytes of bodies sent to peers, failed attempts included.
        bytes_down: Bytes of bodies sent back.
        frame_bytes: Size of the co-inference frame; 0 when there was none.
        stages_ms: Milliseconds by stage, in order of execution.
        cached: Kinds of perception that were known from an earlier request about the same image.
        head_reused: Whether the head's features were reused after a fallback.
        energy_j: Energy that the device spent according to its configured energy model, failed
            attempts included.
        price: What the peers' computing cost, by their configured prices.
        slowdown: Factor by which the device was slowed deliberately; 1 means full speed.
        fallback: Steps of the fallback chain; empty when the first choice worked.
    """

    arm: str
    planned_arm: str
    nodes: list[str]
    engines: dict[str, str] = Field(default_factory=dict)
    model: str
    precision: Precision = "fp32"
    expert: str
    approximate: bool = False
    sensor_bytes: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    frame_bytes: int = 0
    stages_ms: dict[str, float] = Field(default_factory=dict)
    cached: list[str] = Field(default_factory=list)
    head_reused: bool = False
    energy_j: float = 0.0
    price: float = 0.0
    slowdown: float = 1.0
    fallback: list[Fallback] = Field(default_factory=list)
