"""Simulated servers with their queues, and the policy of the devices that choose between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import simpy

from edgewright.tools.capacity.scenario import DeviceClass
from edgewright.tools.contracts.arms import LinkState, ServerLoad
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.offload.backlog import NOTHING_AHEAD, Ahead
from edgewright.tools.offload.choice import ArmChoice, Server, Situation
from edgewright.tools.offload.crowding import Crowding
from edgewright.tools.offload.load import ArrivalWindow, LoadMeter
from edgewright.tools.offload.policy import OffloadingPolicy

#: How old a server's load is at most when a device decides, as ``peer.poll_s`` of a node.
_POLL_S = 1.0
MIN_ACCURACY_RETENTION = 0.98


@dataclass(frozen=True, slots=True)
class Device:
    """A class of devices: its profile, and its links by tier."""

    kind: DeviceClass
    profile: ModelProfile
    links: Mapping[str, LinkState]


class Station:
    """The servers of a tier at one site, with one queue before all copies of the model.

    Args:
        env: The simulation.
        profile: Profile of the model on one copy.
        units: Copies of the model.

    Attributes:
        profile: Profile of the model on one copy.
        queue: The queue.
        meter: Measures the load, as on a node.
    """

    def __init__(self, env: simpy.Environment, profile: ModelProfile, units: int) -> None:
        self.profile = profile
        self.queue = simpy.Resource(env, capacity=units)
        self.meter = LoadMeter(servers=units, clock=lambda: env.now)
        self._env = env
        self._load: ServerLoad | None = None
        self._asked_at = -_POLL_S

    def load(self, own: ArrivalWindow | None) -> ServerLoad | None:
        """Return the load as last reported, without the asking device's own share.

        Args:
            own: The tasks that the device sent here lately.
        """
        if self._env.now - self._asked_at >= _POLL_S:
            self._load, self._asked_at = self.meter.load(), self._env.now
        if self._load is None or own is None or not (own_per_s := own.rate_per_s()):
            return self._load
        others = max(0.0, self._load.arrivals_per_s - own_per_s)
        return self._load.model_copy(update={"arrivals_per_s": others})


class Planner:
    """The policy of the devices of one class that share their servers.

    Devices that know the same, with nothing to finish first, weigh the same: the policy does so
    once for all of them, and settles for each.

    Args:
        env: The simulation.
        device: The devices.
        stations: The servers that they may use, by tier.
        seed: Seed of what the policy draws.
    """

    def __init__(
        self, env: simpy.Environment, device: Device, stations: Mapping[str, Station], seed: int
    ) -> None:
        self.stations = stations
        self._device = device
        self._policy = OffloadingPolicy(
            min_accuracy_retention=MIN_ACCURACY_RETENTION,
            crowding=Crowding(clock=lambda: env.now, rng=np.random.default_rng(seed)),
        )
        self._weighed: ArmChoice | None = None

    def choose(self, loads: Mapping[str, ServerLoad | None], ahead: Ahead) -> ArmChoice:
        """Return the policy's choice.

        Args:
            loads: The servers' loads, by tier.
            ahead: What earlier tasks of the device still occupy.
        """
        if self._weighed is None or ahead is not NOTHING_AHEAD or not self._same(loads):
            choice = self._policy.weigh(self.situation(loads, ahead))
            self._weighed = choice if ahead is NOTHING_AHEAD else None
        else:
            choice = self._weighed
        return self._policy.settle(choice)

    def situation(self, loads: Mapping[str, ServerLoad | None], ahead: Ahead) -> Situation:
        """Return what a device knows when a task arrives; see ``choose``."""
        peers = {
            name: Server(
                profile=station.profile, link=self._device.links[name], load=loads.get(name)
            )
            for name, station in self.stations.items()
        }
        return Situation(device=self._device.profile, peers=peers, ahead=ahead)

    def observe(self, choice: ArmChoice, stages_ms: Mapping[str, float]) -> None:
        """Let the policy learn from what a task cost.

        Args:
            choice: What the policy chose.
            stages_ms: Milliseconds by stage, as in a cost report.
        """
        arm = choice.arms[choice.chosen]
        self._policy.observe(choice.situation, arm.arm, stages_ms, bytes_up=arm.bytes_up)
        self._weighed = None

    def _same(self, loads: Mapping[str, ServerLoad | None]) -> bool:
        """Return whether the loads are those for which the policy has weighed the arms."""
        assert self._weighed is not None
        known = self._weighed.situation.peers
        return all(known[name].load is load for name, load in loads.items())
