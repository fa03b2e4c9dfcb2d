"""The inputs of the choice between arms, and its result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.contracts.arms import Arm, Decision, Forecast, LinkState, ServerLoad
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.profiles import DecodingProfile, ModelProfile
from edgewright.tools.offload.arms import ProfiledArm
from edgewright.tools.offload.backlog import NOTHING_AHEAD, Ahead, TaskCosts
from edgewright.tools.offload.objective import EnergyModel

FloatArray = NDArray[np.float64]

#: The previous arm is retained unless another is expected to be better by more than this share.
MARGIN = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known when a task arrives.

    Attributes:
        device: The device's profile of the model, slowdown included.
        edge: The edge server's profile; None if it has none or there is no edge server.
        link: The link between them; None without an edge server.
        load: Other callers' load on the edge server's model; None when unknown.
        image: The image's type and size; None assumes a camera's image, as in the profile.
        deadline_ms: Time left for the task; None means no limit.
        ahead: What earlier tasks of this device still occupy.
    """

    device: ModelProfile
    edge: ModelProfile | None
    link: LinkState | None
    load: ServerLoad | None = None
    image: ImageFacts | None = None
    deadline_ms: float | None = None
    ahead: Ahead = NOTHING_AHEAD

    @property
    def decoding(self) -> DecodingProfile:
        """The device's profile of decoding images of this type; a camera's if it has none."""
        profiles = self.device.decoding
        return next((one for one in profiles if one.mime == self.mime), profiles[0])

    @property
    def mime(self) -> str:
        """Type of the image."""
        return self.device.decoding[0].mime if self.image is None else self.image.mime

    @property
    def decode_ms(self) -> float:
        """Time for the device to decode the image, according to its profile."""
        profile, image = self.decoding, self.image
        if image is None:
            return profile.ms(profile.pixels, profile.bytes)
        return profile.ms(image.width * image.height, image.size_bytes)

    @property
    def resize_ms(self) -> float:
        """Time for the device to resize the image, according to its profile."""
        if self.image is None:
            return self.device.preprocess_ms
        pixels = self.image.width * self.image.height
        return self.device.preprocess_ms * pixels / self.device.preprocess_pixels

    @property
    def detail(self) -> float:
        """Bytes per pixel of the image, relative to the profile's photographs in its type.

        An image with much detail is larger in every encoding.
        """
        if self.image is None or self.image.mime != self.decoding.mime:
            return 1.0
        usual = self.decoding.bytes / self.decoding.pixels
        return self.image.size_bytes / (self.image.width * self.image.height) / usual

    @property
    def obstacle(self) -> str:
        """Why all work must stay on the device; empty if it need not."""
        if self.link is None:
            return "no edge server is configured"
        if not self.link.up:
            return "the edge server could not be reached recently"
        if self.edge is None:
            return "the edge server has not measured this model yet"
        if self.edge.revision != self.device.revision:
            return "the edge server has other weights of this model"
        if self.load is not None and (share := self.load.utilisation) >= 1:
            return f"other callers demand {share:.0%} of the edge server's capacity"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmChoice:
    """The chosen arm; the reason is composed only on request.

    Attributes:
        situation: The inputs of the choice.
        arms: Arms with sufficient accuracy retention, device-only first.
        latency_ms: Expected end-to-end latency by arm; only the first when all work must stay on
            the device.
        costs: Expected time of the chosen arm on the device, the link and the edge server, without
            waiting.
        device_ms: Expected time on the device, for all arms.
        bytes_up: Expected bytes sent, for all arms.
        bytes_down: Expected bytes received, for all arms.
        cost: Value of the objective by arm.
        chosen: Index of the chosen arm.
        retained: Whether the previous arm was retained although another is slightly better.
        excluded: Arms that are never chosen, with the reasons.
        wait_ms: Expected waiting time at the edge server behind other callers.
        energy: Energy model of the device.
        includes_energy: Whether the objective includes energy, so that the reason mentions it.
    """

    situation: Situation
    arms: list[ProfiledArm]
    latency_ms: FloatArray
    costs: TaskCosts
    device_ms: FloatArray
    bytes_up: FloatArray
    bytes_down: FloatArray
    cost: FloatArray
    chosen: int
    retained: bool
    excluded: list[tuple[ProfiledArm, str]]
    wait_ms: float
    energy: EnergyModel
    includes_energy: bool

    @property
    def arm(self) -> Arm:
        """Return the chosen arm."""
        return self.arms[self.chosen].arm

    @property
    def energy_j(self) -> FloatArray:
        """Return the expected energy that the device spends, for all arms."""
        return self.energy.joules(self.device_ms, self.bytes_up, self.bytes_down)

    def decision(self) -> Decision:
        """Return the choice with its reason and all forecasts, best first."""
        ranked = [int(index) for index in self.cost.argsort(kind="stable")]
        energy_j = self.energy_j
        usable = [
            Forecast(
                arm=self.arms[index].arm,
                latency_ms=float(self.latency_ms[index]),
                bytes_up=round(self.bytes_up[index]),
                energy_j=float(energy_j[index]),
            )
            for index in ranked
        ]
        blocked = [(one, "") for one in self.arms[len(ranked) :]]
        obstacle = self.situation.obstacle
        unusable = [
            Forecast(arm=one.arm, latency_ms=None, bytes_up=one.bytes_up, unusable=obstacle or why)
            for one, why in (*blocked, *self.excluded)
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
        """Compose the reason: a comparison with the best arm of each other kind."""
        reason = f"{self.arms[self.chosen].description}: {self._expected(self.chosen)} expected"
        best_of_kind: dict[str, int] = {self.arm.kind: self.chosen}
        for index in ranked:
            best_of_kind.setdefault(self.arms[index].arm.kind, index)
        others = [
            f"{self._expected(index)} {self.arms[index].summary}"
            for index in best_of_kind.values()
            if index != self.chosen
        ]
        if obstacle := self.situation.obstacle:
            reason += f", and {obstacle}"
        elif others:
            reason += f", compared with {' and '.join(others)}"
        else:
            reason += ", and no other arm retains enough accuracy"
        if self.wait_ms >= 1:
            reason += f"; the expected wait at the edge server is {self.wait_ms:.0f} ms"
        if self.situation.ahead.device_ms >= 1:
            reason += (
                f"; earlier tasks occupy the device for {self.situation.ahead.device_ms:.0f} ms"
            )
        if self.retained:
            reason += f"; retained, as no arm is expected to be more than {MARGIN:.0%} better"
        deadline_ms = self.situation.deadline_ms
        if deadline_ms is not None and self.latency_ms[self.chosen] > deadline_ms:
            reason += f"; no arm is expected to meet the deadline of {deadline_ms:.0f} ms"
        return reason

    def _expected(self, index: int) -> str:
        energy = f" and {self.energy_j[index]:.2f} J" if self.includes_energy else ""
        return f"{self.latency_ms[index]:.0f} ms{energy}"
