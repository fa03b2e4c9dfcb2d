"""Discrete-event simulation of many users whose devices decide by the offloading policy itself.

Devices, links and queues are simulated; the policy, the load meter of a server, the windows of
arrivals and a device's backlog are the code that nodes run, on the simulation's clock. Devices of
one class that share their servers share what their policy has learned.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, NamedTuple

import numpy as np
import simpy

from edgewright.tools.capacity.estimate import estimate, gpus_per_unit, units_of
from edgewright.tools.capacity.outcome import Outcome, Recorder
from edgewright.tools.capacity.paper_profile import paper_profile
from edgewright.tools.capacity.response import phases
from edgewright.tools.capacity.scenario import DeviceClass, Scenario, Tier
from edgewright.tools.capacity.stations import MIN_ACCURACY_RETENTION, Device, Planner, Station
from edgewright.tools.contracts.arms import LinkState
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.errors import InputError
from edgewright.tools.offload.arms import ProfiledArm
from edgewright.tools.offload.backlog import NOTHING_AHEAD, Backlog, RunningTask
from edgewright.tools.offload.choice import ArmChoice, Server, Situation
from edgewright.tools.offload.corrections import reported_stages
from edgewright.tools.offload.load import ArrivalWindow
from edgewright.tools.offload.policy import OffloadingPolicy

#: Who decides: the policy, or nobody because every task is offloaded or none is.
Rule = Literal["policy", "offload", "device"]

_LEARN_EVERY = 10
_CHUNK = 10_000
_STEPS = 100


class _Chosen(NamedTuple):
    """How a task is carried out; with what decided it, if that learns from the outcome."""

    tier: str
    arm: ProfiledArm
    station: Station | None = None
    planner: Planner | None = None
    choice: ArmChoice | None = None


class Simulation:
    """Users, their devices, and the servers of all tiers.

    Args:
        scenario: The scenario; a tier without ``servers`` gets as many as ``estimate`` says.
        seed: Seed of arrivals, of who asks, and of service times.
        rule: Who decides where a task runs.
        warm_up_s: Requests before this time are not counted.
        profiles: Measured profiles by the names of tiers and classes of devices; on paper without.
        learn_every: From which share of the tasks the policy learns: every so many.

    Raises:
        InputError: The scenario names no devices (``invalid_scenario``).
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int = 0,
        rule: Rule = "policy",
        warm_up_s: float = 60.0,
        profiles: Mapping[str, ModelProfile] | None = None,
        learn_every: int = _LEARN_EVERY,
    ) -> None:
        if not scenario.devices:
            raise InputError(
                "the simulation needs 'devices' in the scenario: their GPU and link by name",
                code="invalid_scenario",
            )
        self._scenario, self._rule = scenario, rule
        self._profiles, self._learn_every = profiles or {}, learn_every
        self._rng = np.random.default_rng(seed)
        self._env = simpy.Environment()
        self._devices = [self._device(name, kind) for name, kind in scenario.devices.items()]
        self._stations = self._all_stations()
        shares = np.array([kind.share for kind in scenario.devices.values()])
        self._class_of = self._rng.choice(len(shares), scenario.users, p=shares / shares.sum())
        self._free_at = np.zeros(scenario.users)
        self._link_free_at: dict[tuple[int, str], float] = {}
        self._sent: dict[tuple[int, str], ArrivalWindow] = {}
        self._backlogs: dict[int, Backlog] = {}
        self._planners: dict[tuple[int, ...], Planner] = {}
        self._fixed_arms: dict[int, tuple[str, ProfiledArm]] = {}
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
        units = {
            name: int(each[0].queue.capacity) * len(each) for name, each in self._stations.items()
        }
        return self._recorder.outcome(seconds, units)

    def _device(self, name: str, kind: DeviceClass) -> Device:
        profile = self._profiles.get(name) or paper_profile(
            self._scenario.demand, kind.gpu, kind.efficiency
        )
        links = {tier: _link(kind, each) for tier, each in self._scenario.tiers.items()}
        return Device(kind, profile, links)

    def _all_stations(self) -> dict[str, list[Station]]:
        scenario = self._scenario
        missing = any(tier.servers is None for tier in scenario.tiers.values())
        planned = estimate(scenario).tiers if missing else {}
        stations = {}
        for name, tier in scenario.tiers.items():
            group = gpus_per_unit(scenario.demand, tier)
            units = units_of(scenario.demand, tier, tier.servers or planned[name].servers)
            profile = self._profiles.get(name) or paper_profile(
                scenario.demand, tier.gpu, tier.efficiency, group
            )
            stations[name] = [Station(self._env, profile, max(1, units)) for _ in range(tier.sites)]
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
        chosen = self._choose(user, device)
        arm, station = chosen.arm, chosen.station
        situation = chosen.choice.situation if chosen.choice else Situation(device=device.profile)
        input_ms = situation.decode_ms + situation.resize_ms
        computed_s = device.kind.slowdown * (input_ms + arm.device_ms) / 1000
        self._free_at[user] = done_s = max(began, float(self._free_at[user])) + computed_s
        answer_s = served_s = waited_s = 0.0
        with self._running(user, chosen) as task:
            yield env.timeout(done_s - env.now)
            if station is not None:
                if task is not None:
                    self._backlogs[user].computed(task)
                link = device.links[chosen.tier]
                key = (user, chosen.tier)
                left_s = max(done_s, self._link_free_at.get(key, 0.0))
                left_s += arm.bytes_up / 1000 / link.rate_kb_per_s
                self._link_free_at[key] = left_s
                yield env.timeout(left_s - env.now + link.rtt_ms / 2000)
                arrived = env.now
                station.meter.arrived()
                with station.queue.request() as turn:
                    yield turn
                    waited_s = env.now - arrived
                    served_s = self._service_s(arm.edge_ms / 1000)
                    yield env.timeout(served_s)
                station.meter.served(served_s)
                # Nothing depends on when the answer arrives, so that needs no event.
                answer_s = self._scenario.demand.output_kb / link.rate_kb_per_s
                answer_s += link.rtt_ms / 2000
        if not self._backlogs.get(user):
            self._backlogs.pop(user, None)
        took_s = env.now + answer_s - began
        self._recorder.add(began, took_s, arm, chosen.tier, waited_s, served_s)
        if chosen.planner and chosen.choice and next(self._tasks) % self._learn_every == 0:
            slower = served_s * 1000 / arm.edge_ms if arm.edge_ms else 1.0
            stages_ms = reported_stages(situation, arm, device.kind.slowdown, slower)
            chosen.planner.observe(chosen.choice, stages_ms)

    def _running(
        self, user: int, chosen: _Chosen
    ) -> AbstractContextManager[RunningTask] | AbstractContextManager[None]:
        """Count a task of a user's device while it runs, if its policy asks for that."""
        if chosen.choice is None:
            return nullcontext()
        if (backlog := self._backlogs.get(user)) is None:
            backlog = self._backlogs[user] = Backlog(clock=lambda: self._env.now)
        return backlog.running(chosen.choice.costs)

    def _choose(self, user: int, device: Device) -> _Chosen:
        """Return how a task is carried out."""
        if self._rule != "policy":
            return self._fixed(user, device)
        planner = self._planner(user)
        loads = {
            tier: station.load(self._sent.get((user, tier)))
            for tier, station in planner.stations.items()
        }
        backlog = self._backlogs.get(user)
        ahead = backlog.ahead(device.profile.model) if backlog else NOTHING_AHEAD
        choice = planner.choose(loads, ahead)
        tier = choice.arm.peer or ""
        if tier:
            self._note_sent(user, tier)
        arm, station = choice.arms[choice.chosen], planner.stations.get(tier)
        return _Chosen(tier, arm, station, planner, choice)

    def _fixed(self, user: int, device: Device) -> _Chosen:
        """Return the best arm of one kind, as it is without load; it is the same for a class."""
        key = int(self._class_of[user])
        if key not in self._fixed_arms:
            self._fixed_arms[key] = self._best_fixed(device)
        tier, arm = self._fixed_arms[key]
        return _Chosen(tier, arm, self._near(user).get(tier))

    def _best_fixed(self, device: Device) -> tuple[str, ProfiledArm]:
        peers = {
            tier: Server(profile=each[0].profile, link=device.links[tier])
            for tier, each in self._stations.items()
        }
        choice = OffloadingPolicy(min_accuracy_retention=MIN_ACCURACY_RETENTION).choose(
            Situation(device=device.profile, peers=peers)
        )
        arms = [
            (float(latency_ms), arm.arm.peer or "", arm)
            for arm, latency_ms in zip(choice.arms, choice.latency_ms, strict=True)
            if (arm.arm.kind == "device-only") == (self._rule == "device")
        ]
        _, tier, arm = min(arms, key=lambda one: one[0])
        return tier, arm

    def _note_sent(self, user: int, tier: str) -> None:
        if (window := self._sent.get((user, tier))) is None:
            window = self._sent[user, tier] = ArrivalWindow(clock=lambda: self._env.now)
        window.arrived()

    def _near(self, user: int) -> dict[str, Station]:
        """Return the servers that a user's device may use, by tier."""
        return {tier: each[user % len(each)] for tier, each in self._stations.items()}

    def _planner(self, user: int) -> Planner:
        kind = int(self._class_of[user])
        key = (kind, *(user % len(each) for each in self._stations.values()))
        if key not in self._planners:
            self._planners[key] = Planner(
                self._env, self._devices[kind], self._near(user), len(self._planners)
            )
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


def _link(kind: DeviceClass, tier: Tier) -> LinkState:
    rate = min(kind.rate_kb_per_s, tier.rate_kb_per_s or kind.rate_kb_per_s)
    return LinkState(rate_kb_per_s=rate, rtt_ms=tier.rtt_ms, samples=1, up=True)


def _drawn(draw: Callable[[int], Any]) -> Iterator[float]:
    """Yield random numbers one by one, drawn many at a time."""
    while True:
        yield from draw(_CHUNK).tolist()
