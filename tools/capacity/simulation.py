"""Discrete-event simulation of many users whose devices decide by the offloading policy itself.

Devices, links and queues are simulated; the policy, the load meter of a server and the windows of
arrivals are the code that nodes run, on the simulation's clock. Devices of one class at one site
share what their policy has learned, and it learns from every tenth task.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import simpy

from edgewright.tools.capacity.estimate import estimate, gpus_per_unit, units_of
from edgewright.tools.capacity.outcome import Outcome, Recorder
from edgewright.tools.capacity.paper_profile import paper_profile
from edgewright.tools.capacity.response import phases
from edgewright.tools.capacity.scenario import DeviceClass, Scenario, Tier
from edgewright.tools.contracts.arms import LinkState, ServerLoad
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.errors import InputError
from edgewright.tools.offload.arms import ProfiledArm
from edgewright.tools.offload.backlog import Ahead
from edgewright.tools.offload.choice import ArmChoice, Server, Situation
from edgewright.tools.offload.crowding import Crowding
from edgewright.tools.offload.load import ArrivalWindow, LoadMeter
from edgewright.tools.offload.policy import OffloadingPolicy

#: Who decides: the policy, or nobody because every task is offloaded or none is.
Rule = Literal["policy", "offload", "device"]

#: How old a server's load is at most when a device decides, as ``peer.poll_s`` of a node.
_POLL_S = 1.0
_LEARN_EVERY = 10
_CHUNK = 10_000
_STEPS = 100
_MIN_ACCURACY_RETENTION = 0.98
#: Name by which each device knows the server that it is asked about.
_SERVER = "server"


@dataclass(frozen=True, slots=True)
class _Device:
    """A class of devices: its profile, and its links by tier."""

    kind: DeviceClass
    profile: ModelProfile
    links: list[LinkState]


class _Station:
    """The servers of a tier at one site, with one queue before all copies of the model."""

    def __init__(
        self, env: simpy.Environment, tier: int, profile: ModelProfile, units: int
    ) -> None:
        self.tier, self.profile = tier, profile
        self.queue = simpy.Resource(env, capacity=units)
        self.meter = LoadMeter(servers=units, clock=lambda: env.now)
        self._env = env
        self._load: ServerLoad | None = None
        self._asked_at = -_POLL_S

    def load(self, own: ArrivalWindow | None) -> ServerLoad | None:
        """Return the load as last reported, without the asking device's own share."""
        if self._env.now - self._asked_at >= _POLL_S:
            self._load, self._asked_at = self.meter.load(), self._env.now
        if self._load is None or own is None:
            return self._load
        others = max(0.0, self._load.arrivals_per_s - own.rate_per_s())
        return self._load.model_copy(update={"arrivals_per_s": others})


class _Planner:
    """The policy of the devices of one class towards one server.

    Devices that know the same, with nothing to finish first, weigh the same: the policy does so
    once for all of them, and settles for each.
    """

    def __init__(self, env: simpy.Environment, seed: int) -> None:
        self._policy = OffloadingPolicy(
            min_accuracy_retention=_MIN_ACCURACY_RETENTION,
            crowding=Crowding(clock=lambda: env.now, rng=np.random.default_rng(seed)),
        )
        self._choice: ArmChoice | None = None

    def choose(
        self, device: _Device, station: _Station, load: ServerLoad | None, ahead_ms: float
    ) -> ArmChoice:
        """Return the policy's choice."""
        last = self._choice
        if last and not ahead_ms and last.situation.peers[_SERVER].load is load:
            return self._policy.settle(last)
        server = Server(profile=station.profile, link=device.links[station.tier], load=load)
        situation = Situation(
            device=device.profile, peers={_SERVER: server}, ahead=Ahead(device_ms=ahead_ms)
        )
        choice = self._policy.weigh(situation)
        self._choice = None if ahead_ms else choice
        return self._policy.settle(choice)

    def observe(self, choice: ArmChoice, stages_ms: Mapping[str, float]) -> None:
        """Let the policy learn from what a task cost."""
        arm = choice.arms[choice.chosen]
        self._policy.observe(choice.situation, arm.arm, stages_ms, bytes_up=arm.bytes_up)
        self._choice = None


class _Chosen(NamedTuple):
    """How a task is carried out; with what decided it, if that learns from the outcome."""

    station: _Station
    arm: ProfiledArm
    planner: _Planner | None = None
    choice: ArmChoice | None = None


class Simulation:
    """Users, their devices, and the servers of all tiers.

    Args:
        scenario: The scenario; a tier without ``servers`` gets as many as ``estimate`` says.
        seed: Seed of arrivals, of who asks, and of service times.
        rule: Who decides where a task runs.
        warm_up_s: Requests before this time are not counted.

    Raises:
        InputError: The scenario names no devices (``invalid_scenario``).
    """

    def __init__(
        self, scenario: Scenario, *, seed: int = 0, rule: Rule = "policy", warm_up_s: float = 60.0
    ) -> None:
        if not scenario.devices:
            raise InputError(
                "the simulation needs 'devices' in the scenario: their GPU and link by name",
                code="invalid_scenario",
            )
        self._scenario, self._rule = scenario, rule
        self._rng = np.random.default_rng(seed)
        self._env = simpy.Environment()
        self._devices = [_device(scenario, kind) for kind in scenario.devices.values()]
        self._stations = self._all_stations()
        shares = np.array([kind.share for kind in scenario.devices.values()])
        self._class_of = self._rng.choice(len(shares), scenario.users, p=shares / shares.sum())
        self._free_at = np.zeros(scenario.users)
        self._sent: dict[tuple[int, int], ArrivalWindow] = {}
        self._planners: dict[tuple[int, int, int], _Planner] = {}
        self._fixed_arms: dict[int, tuple[int, ProfiledArm]] = {}
        self._tasks = itertools.count()
        self._uniform = _drawn(self._rng.random)
        self._exponential = _drawn(self._rng.standard_exponential)
        self._recorder = Recorder(scenario, warm_up_s)

    def run(
        self, seconds: float, on_progress: Callable[[float], None] = lambda share: None
    ) -> Outcome:
        """Simulate for a while.

        Args:
            seconds: Simulated seconds.
            on_progress: Called with the share that is done.
        """
        self._env.process(self._arrivals())
        for step in range(1, _STEPS + 1):
            self._env.run(until=seconds * step / _STEPS)
            on_progress(step / _STEPS)
        units = [int(one[0].queue.capacity) * len(one) for one in self._stations]
        return self._recorder.outcome(seconds, units)

    def _all_stations(self) -> list[list[_Station]]:
        scenario = self._scenario
        missing = any(tier.servers is None for tier in scenario.tiers.values())
        planned = estimate(scenario).tiers if missing else {}
        stations = []
        for index, (name, tier) in enumerate(scenario.tiers.items()):
            group = gpus_per_unit(scenario.demand, tier)
            units = units_of(scenario.demand, tier, tier.servers or planned[name].servers)
            profile = paper_profile(scenario.demand, tier.gpu, tier.efficiency, group)
            stations.append(
                [_Station(self._env, index, profile, max(1, units)) for _ in range(tier.sites)]
            )
        return stations

    def _arrivals(self) -> Generator[simpy.Event, Any, None]:
        """Let users ask: independently of each other, so together they are a Poisson process."""
        users = self._scenario.users
        gap_s = 1 / (users * self._scenario.requests_per_user_per_s)
        while True:
            yield self._env.timeout(gap_s * next(self._exponential))
            self._env.process(self._task(int(next(self._uniform) * users)))

    def _task(self, user: int) -> Generator[simpy.Event, Any, None]:
        """Carry out one request, from the moment it is made to its answer."""
        env, began = self._env, self._env.now
        device = self._devices[self._class_of[user]]
        station, arm, planner, choice = self._choose(user, device)
        computed_ms = device.kind.slowdown * arm.device_ms
        done_s = max(began, self._free_at[user]) + computed_ms / 1000
        self._free_at[user] = done_s
        served_s = waited_s = 0.0
        if arm.bytes_up:
            link = device.links[station.tier]
            size_kb = arm.bytes_up / 1000 + self._scenario.demand.output_kb
            yield env.timeout(done_s - env.now + size_kb / link.rate_kb_per_s + link.rtt_ms / 1000)
            arrived = env.now
            station.meter.arrived()
            with station.queue.request() as turn:
                yield turn
                waited_s = env.now - arrived
                served_s = self._service_s(arm.edge_ms / 1000)
                yield env.timeout(served_s)
            station.meter.served(served_s)
        else:
            yield env.timeout(done_s - env.now)
        tier = station.tier if arm.bytes_up else None
        self._recorder.add(began, env.now - began, arm, tier, waited_s, served_s)
        if planner and choice and next(self._tasks) % _LEARN_EVERY == 0:
            planner.observe(choice, _stages(arm, computed_ms, 1000 * served_s))

    def _choose(self, user: int, device: _Device) -> _Chosen:
        """Return how a task is carried out: on the cheapest server, by what the policy expects."""
        if self._rule != "policy":
            return self._fixed(user, device)
        kind = int(self._class_of[user])
        ahead_ms = 1000 * max(0.0, float(self._free_at[user]) - self._env.now)
        best: _Chosen | None = None
        cheapest = np.inf
        for tier, stations in enumerate(self._stations):
            site = user % len(stations)
            planner = self._planner(kind, tier, site)
            load = stations[site].load(self._sent.get((user, tier)))
            choice = planner.choose(device, stations[site], load, ahead_ms)
            if (cost := float(choice.cost[choice.chosen])) < cheapest:
                cheapest = cost
                best = _Chosen(stations[site], choice.arms[choice.chosen], planner, choice)
        assert best is not None
        if best.arm.bytes_up:
            self._note_sent(user, best.station)
        return best

    def _fixed(self, user: int, device: _Device) -> _Chosen:
        """Return the best arm of one kind, as it is without load; it is the same for a class."""
        key = int(self._class_of[user])
        if key not in self._fixed_arms:
            self._fixed_arms[key] = self._best_fixed(device)
        tier, arm = self._fixed_arms[key]
        return _Chosen(self._stations[tier][user % len(self._stations[tier])], arm)

    def _best_fixed(self, device: _Device) -> tuple[int, ProfiledArm]:
        found = []
        for tier, stations in enumerate(self._stations):
            server = Server(profile=stations[0].profile, link=device.links[tier])
            choice = OffloadingPolicy(min_accuracy_retention=_MIN_ACCURACY_RETENTION).choose(
                Situation(device=device.profile, peers={_SERVER: server})
            )
            for arm, latency_ms in zip(choice.arms, choice.latency_ms, strict=True):
                if (arm.arm.kind == "device-only") == (self._rule == "device"):
                    found.append((float(latency_ms), tier, arm))
        _, tier, arm = min(found, key=lambda one: one[0])
        return tier, arm

    def _note_sent(self, user: int, station: _Station) -> None:
        key = (user, station.tier)
        if (window := self._sent.get(key)) is None:
            window = self._sent[key] = ArrivalWindow(clock=lambda: self._env.now)
        window.arrived()

    def _planner(self, kind: int, tier: int, site: int) -> _Planner:
        key = (kind, tier, site)
        if key not in self._planners:
            self._planners[key] = _Planner(self._env, len(self._planners))
        return self._planners[key]

    def _service_s(self, mean_s: float) -> float:
        pick, total_s = next(self._uniform), 0.0
        for probability, shift_s, exponential_s in phases(mean_s, self._scenario.demand.scv):
            total_s = shift_s
            if exponential_s:
                total_s += exponential_s * next(self._exponential)
            pick -= probability
            if pick < 0:
                break
        return total_s


def _device(scenario: Scenario, kind: DeviceClass) -> _Device:
    links = [_link(kind, tier) for tier in scenario.tiers.values()]
    return _Device(kind, paper_profile(scenario.demand, kind.gpu, kind.efficiency), links)


def _link(kind: DeviceClass, tier: Tier) -> LinkState:
    rate = min(kind.rate_kb_per_s, tier.rate_kb_per_s or kind.rate_kb_per_s)
    return LinkState(rate_kb_per_s=rate, rtt_ms=tier.rtt_ms, samples=1, up=True)


def _stages(arm: ProfiledArm, device_ms: float, edge_ms: float) -> dict[str, float]:
    """Return the stages of a cost report."""
    if arm.arm.kind == "device-only":
        return {"whole": device_ms}
    if arm.arm.kind == "edge-only":
        return {"edge_whole": edge_ms}
    return {"head": device_ms, "edge_tail": edge_ms}


def _drawn(draw: Callable[[int], Any]) -> Iterator[float]:
    """Yield random numbers one by one, drawn many at a time."""
    while True:
        yield from draw(_CHUNK).tolist()
