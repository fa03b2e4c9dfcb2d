"""What the latency benchmark requests, under which conditions, and what a request cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgewright.tools.contracts.arms import Arm, ImageCodec
from edgewright.tools.contracts.cost_report import CostReport
from edgewright.tools.contracts.profiles import ModelProfile


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of request.

    Attributes:
        card: The card.
        expert: The expert that carries it out, whatever else is installed.
        args: The card's arguments.
        share: Share of the requests.
    """

    card: str
    expert: str
    args: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0


MIX = (
    Kind(card="image-classification", expert="efficientnet-lite0-classifier", share=0.1),
    Kind(card="image-to-text", expert="label-captioner", share=0.4),
    Kind(
        card="visual-question-answering",
        expert="label-question-answerer",
        args={"question": "is there a cat in the picture?"},
        share=0.5,
    ),
)
#: Factors by which the device is slower than this machine: a cool one, and a throttled warm one.
SLOWDOWN, WARM_SLOWDOWN = 8.0, 12.0
#: Name of the second peer, and the image as it is sent there.
CLOUD = "cloud"
_CLOUD_IMAGES: tuple[tuple[ImageCodec, int | None], ...] = (("png", None), ("jpeg", 95))
MIN_ACCURACY_RETENTION = 0.99


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The conditions that a request meets.

    Attributes:
        rate_kb_per_s: Rate of the device's link, each way, to whichever server.
        rtt_ms: Round trip to the edge server.
        cloud_rtt_ms: Round trip to the cloud.
        slowdown: Factor by which the device is slower than this machine.
        load: Share of the edge server's time that background requests take.
    """

    rate_kb_per_s: float
    rtt_ms: float = 20.0
    cloud_rtt_ms: float = 100.0
    slowdown: float = SLOWDOWN
    load: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ArmRun:
    """One request: its latency at the caller, and the parts in its cost report.

    Attributes:
        total_ms: From request to answer, measured at the device's caller.
        stages_ms: Milliseconds by stage.
        link_ms: Sum of the transfers.
        bytes_up: Bytes that the device sent.
        bytes_down: Bytes that it received.
        arm: Label of the arm that ran in the end.
    """

    total_ms: float
    stages_ms: dict[str, float]
    link_ms: float
    bytes_up: int
    bytes_down: int
    arm: str

    @classmethod
    def of(cls, total_ms: float, report: CostReport) -> ArmRun:
        """Return the run that a cost report describes."""
        stages = report.stages_ms
        link_ms = stages.get("upload", 0.0) + stages.get("download", 0.0)
        return cls(
            total_ms=round(total_ms, 3),
            stages_ms=stages,
            link_ms=round(link_ms, 3),
            bytes_up=report.bytes_up,
            bytes_down=report.bytes_down,
            arm=report.arm,
        )


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What devices are asked for, and how slow they are.

    Attributes:
        mix: The request mix.
        slowdowns: Factors by which devices are slower than the servers; the policy's device has
            the first one.
        environment: Environment variables for the models.
        runs: Runs of each block when the model is measured.
        camera: Folder of photographs to measure it with; None takes those that ship.
        known: Changes a measured profile before any node reads it.
        deadline_s: Deadline of each request.
    """

    mix: tuple[Kind, ...] = MIX
    slowdowns: tuple[float, ...] = (SLOWDOWN, WARM_SLOWDOWN)
    environment: Mapping[str, str] = field(default_factory=dict)
    runs: int = 9
    camera: Path | None = None
    known: Callable[[ModelProfile], ModelProfile] = lambda profile: profile
    deadline_s: float = 60.0


def cloud_arms() -> list[Arm]:
    """Return the arms that send the image to the cloud, without any loss and as JPEG."""
    return [
        Arm(kind="edge-only", peer=CLOUD, image_codec=codec, quality=quality)
        for codec, quality in _CLOUD_IMAGES
    ]


def cards_drawn(count: int, *, seed: int, mix: Sequence[Kind] = MIX) -> list[str]:
    """Draw cards from a request mix."""
    names, weights = [one.card for one in mix], [one.share for one in mix]
    return [str(card) for card in np.random.default_rng(seed).choice(names, count, p=weights)]
