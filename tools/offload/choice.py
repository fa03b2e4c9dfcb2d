"""What a choice of an arm depends on, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.contracts.arms import Arm, Decision, Forecast, LinkState, ServerLoad
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.offload.arms import ProfiledArm

Values = NDArray[np.float64]

#: The arm taken last is kept unless another is expected to be better by more than this.
MARGIN = 0.02


class ImageSize(Protocol):
    """Size of the picture that is to be worked on."""

    @property
    def width(self) -> int:
        """Pixels."""
        ...

    @property
    def height(self) -> int:
        """Pixels."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known when a task arrives.

    Attributes:
        device: The device's profile of the model, its slow-down included.
        edge: The edge server's; None when it has none or there is no edge server.
        link: The link between them; None without an edge server.
        load: Other callers' load on the edge server's model; None when it is not known.
        image: Size of the picture; None when it is like those that the profile was measured with.
        deadline_ms: Time that is left for the task; None means no limit.
    """

    device: ModelProfile
    edge: ModelProfile | None
    link: LinkState | None
    load: ServerLoad | None = None
    image: ImageSize | None = None
    deadline_ms: float | None = None

    @property
    def input_ms(self) -> float:
        """How long the device reads and fits the picture, by its profile."""
        if self.image is None:
            return self.device.preprocess_ms
        pixels = self.image.width * self.image.height
        return self.device.preprocess_ms * pixels / self.device.preprocess_pixels

    @property
    def obstacle(self) -> str:
        """What keeps all work on the device; empty if nothing does."""
        if self.link is None:
            return "no edge server is configured"
        if not self.link.up:
            return "the edge server could not be reached just now"
        if self.edge is None:
            return "the edge server has not measured this model yet"
        if self.edge.revision != self.device.revision:
            return "the edge server has other weights of this model"
        if self.load is not None and (share := self.load.utilisation) >= 1:
            return f"other callers ask the edge server for {share:.0%} of what it can do"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmChoice:
    """The chosen arm; why is told only when somebody asks.

    Attributes:
        situation: What was known.
        arms: Arms that keep enough accuracy, device-only first.
        latency_ms: Expected end-to-end times; only the first when nothing can leave the device.
        energy_j: Expected energies of the device.
        bytes_up: Expected bytes sent, of all arms.
        cost: Both by the objective's weights.
        chosen: Place of the chosen arm in them.
        kept: Whether it was kept although another is expected to be a little better.
        left_out: Arms that are never chosen, and why.
        wait_ms: Expected waiting at the edge server for other callers' work.
        in_joules: Whether energy counts, and so is worth a word.
    """

    situation: Situation
    arms: list[ProfiledArm]
    latency_ms: Values
    energy_j: Values
    bytes_up: Values
    cost: Values
    chosen: int
    kept: bool
    left_out: list[tuple[ProfiledArm, str]]
    wait_ms: float
    in_joules: bool

    @property
    def arm(self) -> Arm:
        """Return the chosen arm."""
        return self.arms[self.chosen].arm

    def decision(self) -> Decision:
        """Return the choice with its reason and all forecasts, best first."""
        ranked = [int(index) for index in self.cost.argsort(kind="stable")]
        usable = [
            Forecast(
                arm=self.arms[index].arm,
                latency_ms=float(self.latency_ms[index]),
                bytes_up=round(self.bytes_up[index]),
                energy_j=float(self.energy_j[index]),
            )
            for index in ranked
        ]
        blocked = [(one, "") for one in self.arms[len(ranked) :]]
        obstacle = self.situation.obstacle
        unusable = [
            Forecast(arm=one.arm, latency_ms=None, bytes_up=one.bytes_up, unusable=obstacle or why)
            for one, why in (*blocked, *self.left_out)
        ]
        return Decision(
            arm=self.arm,
            reason=self._reason(ranked),
            forecasts=[*usable, *unusable],
            link=self.situation.link,
            load=self.situation.load,
            deadline_ms=self.situation.deadline_ms,
        )

    def _reason(self, ranked: list[int]) -> str:
        """Say why: against the best of the other kinds, or why there is none."""
        reason = f"{self.arms[self.chosen].words}: {self._expected(self.chosen)} expected"
        best_of_kind: dict[str, int] = {self.arm.kind: self.chosen}
        for index in ranked:
            best_of_kind.setdefault(self.arms[index].arm.kind, index)
        others = [
            f"{self._expected(index)} {self.arms[index].short}"
            for index in best_of_kind.values()
            if index != self.chosen
        ]
        if obstacle := self.situation.obstacle:
            reason += f", and {obstacle}"
        elif others:
            reason += f", against {' and '.join(others)}"
        else:
            reason += ", and no other arm keeps enough accuracy"
        if self.wait_ms >= 1:
            reason += f"; work would wait {self.wait_ms:.0f} ms at the edge server"
        if self.kept:
            reason += f"; kept, as nothing is expected to be more than {MARGIN:.0%} better"
        deadline_ms = self.situation.deadline_ms
        if deadline_ms is not None and self.latency_ms[self.chosen] > deadline_ms:
            reason += f"; no arm is expected to meet the deadline of {deadline_ms:.0f} ms"
        return reason

    def _expected(self, index: int) -> str:
        energy = f" and {self.energy_j[index]:.2f} J" if self.in_joules else ""
        return f"{self.latency_ms[index]:.0f} ms{energy}"
