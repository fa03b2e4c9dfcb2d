"""The inputs of the choice between arms, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.contracts.arms import (
    Arm,
    Decision,
    Forecast,
    LinkState,
    PeerState,
    ServerLoad,
    server_words,
)
from edgewright.tools.contracts.images import ImageFacts
from edgewright.tools.contracts.profiles import DecodingProfile, ModelProfile, Receives
from edgewright.tools.offload.arms import ProfiledArm
from edgewright.tools.offload.backlog import NOTHING_AHEAD, Ahead, TaskCosts
from edgewright.tools.offload.objective import EnergyModel

FloatArray = NDArray[np.float64]

#: The previous arm is retained unless another is expected to be better by more than this share.
MARGIN = 0.02
#: Likewise the previous peer: a change opens a connection to a server whose caches are cold.
PEER_MARGIN = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What is known of a peer when a task arrives.

    Attributes:
        profile: Its profile of the model; None if it has none.
        link: The link to it.
        load: Other callers' load on its model; None when unknown.
        receives: What may be sent to it.
        price_per_hour: Price of an hour of its computing.
    """

    profile: ModelProfile | None
    link: LinkState
    load: ServerLoad | None = None
    receives: Receives = "images"
    price_per_hour: float = 0.0

    def obstacle(self, name: str, revision: str) -> str:
        """Return why it cannot be used; empty if it can.

        Args:
            name: Its name.
            revision: Revision of the node's own weights.
        """
        if not self.link.up:
            return f"{server_words(name)} could not be reached recently"
        if self.profile is None:
            return f"{server_words(name)} has not measured this model yet"
        if self.profile.revision != revision:
            return f"{server_words(name)} has other weights of this model"
        if self.load is not None and (share := self.load.utilisation) >= 1:
            return f"other callers demand {share:.0%} of {server_words(name)}'s capacity"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known when a task arrives.

    Attributes:
        device: The node's own profile of the model, slowdown included.
        peers: Its peers by name, in the order of preference.
        image: The image's type and size; None assumes a camera's image, as in the profile.
        expert: The expert that carries the task out; it matters where experts run networks of
            their own choice.
        deadline_ms: Time left for the task; None means no limit.
        ahead: What earlier tasks of this node still occupy.
    """

    device: ModelProfile
    peers: Mapping[str, Server] = field(default_factory=dict)
    image: ImageFacts | None = None
    expert: str = ""
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

    def obstacles(self) -> dict[str, str]:
        """Return why peers cannot be used, by name; peers that can be used are left out."""
        revision = self.device.revision
        return {
            name: why
            for name, server in self.peers.items()
            if (why := server.obstacle(name, revision))
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmChoice:
    """The chosen arm; the reason is composed only on request.

    Attributes:
        situation: The inputs of the choice.
        arms: Arms with sufficient accuracy retention, those on the node alone first.
        latency_ms: Expected end-to-end latency by arm; infinite where the peer cannot be used.
        device_ms: Expected time on the device, for all arms.
        link_ms: Expected time on the link, for all arms.
        bytes_up: Expected bytes sent, for all arms.
        bytes_down: Expected bytes received, for all arms.
        cost: Value of the objective by arm.
        chosen: Index of the chosen arm.
        retained: Whether the previous arm was retained although another is slightly better.
        share: Share of such tasks that go to the peer of the best arm; less than 1 where others
            come to it at the same time.
        elsewhere: Index of the arm that the remaining tasks take.
        excluded: Arms that are never chosen, with the reasons.
        price_per_ms: Price of a millisecond of the peer's computing, for all arms.
        edge_ms: Expected time on the peer, for all arms.
        obstacles: Why peers cannot be used, by name.
        waits_ms: Expected waiting time behind other callers, by peer.
        energy: Energy model of the device.
        includes_energy: Whether the objective includes energy, so that the reason mentions it.
    """

    situation: Situation
    arms: list[ProfiledArm]
    latency_ms: FloatArray
    device_ms: FloatArray
    link_ms: FloatArray
    bytes_up: FloatArray
    bytes_down: FloatArray
    cost: FloatArray
    chosen: int
    retained: bool
    share: float
    elsewhere: int
    excluded: list[tuple[ProfiledArm, str]]
    price_per_ms: FloatArray
    edge_ms: FloatArray
    obstacles: Mapping[str, str]
    waits_ms: Mapping[str, float]
    energy: EnergyModel
    includes_energy: bool

    @property
    def arm(self) -> Arm:
        """Return the chosen arm."""
        return self.arms[self.chosen].arm

    @property
    def costs(self) -> TaskCosts:
        """Return the expected costs of the chosen arm, without waiting."""
        return TaskCosts(
            self.situation.device.model,
            float(self.device_ms[self.chosen]),
            float(self.link_ms[self.chosen]),
            float(self.edge_ms[self.chosen]),
            self.arm.peer or "",
        )

    @property
    def energy_j(self) -> FloatArray:
        """Return the expected energy that the device spends, for all arms."""
        return self.energy.joules(self.device_ms, self.bytes_up, self.bytes_down)

    def decision(self) -> Decision:
        """Return the choice with its reason and all forecasts, best first."""
        ranked = self._ranked()
        energy_j = self.energy_j
        usable = [
            Forecast(
                arm=self.arms[index].arm,
                latency_ms=float(self.latency_ms[index]),
                bytes_up=round(self.bytes_up[index]),
                energy_j=float(energy_j[index]),
                price=float(self.price_per_ms[index] * self.edge_ms[index]),
            )
            for index in ranked
        ]
        # What is wrong with a peer comes first.
        blocked = [(one, "") for one in self.arms if one.arm.peer in self.obstacles]
        unusable = [
            Forecast(
                arm=one.arm,
                latency_ms=None,
                bytes_up=one.bytes_up,
                unusable=self.obstacles.get(one.arm.peer or "", why),
            )
            for one, why in (*blocked, *self.excluded)
        ]
        situation = self.situation
        return Decision(
            arm=self.arm,
            reason=self._reason(ranked),
            forecasts=[*usable, *unusable],
            peers={
                name: PeerState(
                    link=server.link, load=server.load, obstacle=self.obstacles.get(name, "")
                )
                for name, server in situation.peers.items()
            },
            deadline_ms=situation.deadline_ms,
        )

    def _ranked(self) -> list[int]:
        """Return the indices of the arms that can be used, best first."""
        order = self.cost.argsort(kind="stable")
        return [int(index) for index in order if np.isfinite(self.latency_ms[index])]

    def _reason(self, ranked: list[int]) -> str:
        """Compose the reason: a comparison with the best arm of each other kind and peer."""
        reason = f"{self.arms[self.chosen].description}: {self._expected(self.chosen)} expected"
        others = [
            f"{self._expected(index)} {self.arms[index].summary}"
            for index in self._representatives(ranked)
        ]
        if others:
            reason += f", compared with {' and '.join(others)}"
        elif not self.situation.peers:
            reason += ", and no edge server is configured"
        elif len(self.obstacles) < len(self.situation.peers):
            reason += ", and no other arm retains enough accuracy"
        notes = list(self.obstacles.values())
        notes += [
            f"the expected wait at {server_words(name)} is {wait_ms:.0f} ms"
            for name, wait_ms in self.waits_ms.items()
            if wait_ms >= 1
        ]
        if (ahead_ms := self.situation.ahead.device_ms) >= 1:
            notes.append(f"earlier tasks occupy this node for {ahead_ms:.0f} ms")
        if self.retained:
            notes.append("retained, as no arm is expected to be much better")
        if self.share < 1:
            notes.append(
                f"only {self.share:.0%} of the tasks go where they seem fastest, as the load there "
                "rises whenever they do"
            )
        deadline_ms = self.situation.deadline_ms
        if deadline_ms is not None and self.latency_ms[self.chosen] > deadline_ms:
            notes.append(f"no arm is expected to meet the deadline of {deadline_ms:.0f} ms")
        return "; ".join([reason, *notes])

    def _representatives(self, ranked: list[int]) -> list[int]:
        """Return the best arm of each kind and of each peer, besides the chosen one."""
        seen: set[str | None] = {self.arm.kind, self.arm.peer}
        found: list[int] = []
        for index in ranked:
            arm = self.arms[index].arm
            if not {arm.kind, arm.peer} <= seen:
                found.append(index)
                seen |= {arm.kind, arm.peer}
        return found

    def _expected(self, index: int) -> str:
        energy = f" and {self.energy_j[index]:.2f} J" if self.includes_energy else ""
        return f"{self.latency_ms[index]:.0f} ms{energy}"
