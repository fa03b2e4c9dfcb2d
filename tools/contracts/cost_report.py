"""The cost report: what a result really cost."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Fallback(BaseModel):
    """One step down the ladder: what was tried, what stopped it, what was done instead."""

    tried: str
    code: str
    reason: str
    used: str


class CostReport(BaseModel):
    """What a result really cost.

    Attributes:
        arm: The arm that produced the result, in words.
        planned_arm: The arm that was chosen at first; differs from ``arm`` after a fallback.
        nodes: Names of the nodes that computed something, in order.
        model: Model id and revision.
        expert: Expert that read the model's output.
        approximate: True when the expert stands in for a better one that is not configured.
        bytes_up: Bytes of bodies sent from device to edge, failed attempts included.
        bytes_down: Bytes of bodies sent back.
        frame_bytes: Size of the co-inference frame, 0 when there was none.
        stages_ms: Milliseconds by stage, in the order they happened.
        head_reused: Whether the head's features were used again after a fallback.
        energy_j: Energy that the device spent, by its configured model; failed attempts included.
        slowdown: Factor by which the device was slowed on purpose; 1 means not.
        fallback: Steps down the ladder; empty when the first choice worked.
    """

    arm: str
    planned_arm: str
    nodes: list[str]
    model: str
    expert: str
    approximate: bool = False
    bytes_up: int = 0
    bytes_down: int = 0
    frame_bytes: int = 0
    stages_ms: dict[str, float] = Field(default_factory=dict)
    head_reused: bool = False
    energy_j: float = 0.0
    slowdown: float = 1.0
    fallback: list[Fallback] = Field(default_factory=list)
