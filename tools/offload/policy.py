"""The offloading policy: compares all arms by measured times, link estimates and load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edgewright.tools.contracts.arms import Arm, ServerLoad
from edgewright.tools.contracts.profiles import Role
from edgewright.tools.offload.arm_table import ArmTable
from edgewright.tools.offload.backlog import TaskCosts
from edgewright.tools.offload.choice import (
    MARGIN,
    PEER_MARGIN,
    ArmChoice,
    FloatArray,
    Situation,
)
from edgewright.tools.offload.corrections import Corrections
from edgewright.tools.offload.crowding import Crowding
from edgewright.tools.offload.objective import EnergyModel, Objective
from edgewright.tools.offload.queueing import mean_wait_s


class OffloadingPolicy:
    """Chooses arms for one model, and learns from their measured costs.

    Errors of the profiles are learned stage by stage (``Corrections``). The previous arm is
    retained against others that are only slightly better, and the previous peer against others that
    are not clearly better, so that noise does not cause flapping. Where the load of a peer drives
    this node away soon after it came, only a share of the tasks go there (``Crowding``).

    Args:
        min_accuracy_retention: Minimum share of the accuracy that an arm must keep.
        objective: What to minimise, subject to the deadline.
        energy: Energy model of the device.
        role: Role of the node that chooses; a server passes on whole tasks only.
        crowding: Which share of the tasks go to a peer that others come to at the same time.
    """

    def __init__(
        self,
        *,
        min_accuracy_retention: float,
        objective: Objective | None = None,
        energy: EnergyModel | None = None,
        role: Role = "device",
        crowding: Crowding | None = None,
    ) -> None:
        self._min_accuracy_retention = min_accuracy_retention
        self._objective = objective or Objective()
        self._energy = energy or EnergyModel()
        self._role: Role = role
        self._corrections = Corrections()
        self._crowding = crowding or Crowding()
        self._last: Arm | None = None
        self._table: ArmTable | None = None

    def choose(self, situation: Situation) -> ArmChoice:
        """Choose the best arm among those with sufficient accuracy retention.

        The best arm minimises the objective among those expected to meet the deadline; if there are
        none, it is the fastest.
        """
        return self.settle(self.weigh(situation))

    def settle(self, choice: ArmChoice) -> ArmChoice:
        """Draw whether one more task takes the chosen arm, or the best one elsewhere.

        Args:
            choice: What ``weigh`` returned.
        """
        if self._crowding.admits(choice.share):
            return choice
        return replace(choice, chosen=choice.elsewhere, retained=False)

    def weigh(self, situation: Situation) -> ArmChoice:
        """Return the best arm, its share of the tasks, and the best arm that others may take."""
        table = self._table_for(situation)
        obstacles = situation.obstacles()
        waits_ms = {
            name: _wait_ms(server.load)
            for name, server in situation.peers.items()
            if name not in obstacles
        }
        device_ms, link_ms, edge_ms = self._costs(table, situation)
        latency_ms = _latency_ms(situation, table, waits_ms, device_ms, link_ms, edge_ms)
        cost = self._objective.seconds / 1000 * latency_ms
        if self._objective.joules:
            energy_j = self._energy.joules(device_ms, table.bytes_up, table.bytes_down)
            cost = cost + self._objective.joules * energy_j
        if self._objective.price:
            cost = cost + self._objective.price * table.price_per_ms * edge_ms
        for name in obstacles:
            latency_ms[table.parts[name]] = cost[table.parts[name]] = np.inf
        best = _best(latency_ms, cost, situation.deadline_ms)
        chosen = self._with_hysteresis(table, best, latency_ms, cost, situation.deadline_ms)
        peer = table.arms[chosen].arm.peer
        self._crowding.note(peer, _pressures_ms(situation, waits_ms), float(latency_ms[chosen]))
        share, elsewhere = self._crowding.share(peer), chosen
        if peer is not None and share < 1:
            elsewhere = _best(*table.without(peer, latency_ms, cost), situation.deadline_ms)
            if latency_ms[chosen] <= (situation.deadline_ms or 0) < latency_ms[elsewhere]:
                share, elsewhere = 1.0, chosen
        return ArmChoice(
            situation=situation,
            arms=table.arms,
            latency_ms=latency_ms,
            device_ms=device_ms,
            link_ms=link_ms,
            bytes_up=table.bytes_up,
            bytes_down=table.bytes_down,
            cost=cost,
            chosen=chosen,
            retained=chosen != best,
            share=share,
            elsewhere=elsewhere,
            excluded=table.excluded,
            price_per_ms=table.price_per_ms,
            edge_ms=edge_ms,
            obstacles=obstacles,
            waits_ms=waits_ms,
            energy=self._energy,
            includes_energy=self._objective.joules > 0,
        )

    def costs(self, situation: Situation, arm: Arm) -> TaskCosts | None:
        """Return the expected costs of an arm without waiting; None if it is never chosen."""
        table = self._table_for(situation)
        index = table.position.get(arm)
        if index is None:
            return None
        device_ms, link_ms, edge_ms = (float(one[index]) for one in self._costs(table, situation))
        return TaskCosts(situation.device.model, device_ms, link_ms, edge_ms, arm.peer or "")

    def observe(
        self, situation: Situation, arm: Arm, stages_ms: Mapping[str, float], *, bytes_up: int = 0
    ) -> None:
        """Learn from the measured costs of a completed task.

        Args:
            situation: The profiles and the image.
            arm: The arm; one that is never chosen, such as sending the original image, is ignored.
            stages_ms: Milliseconds by stage, as in its cost report.
            bytes_up: Bytes sent; 0 if there were none.
        """
        table = self._table_for(situation)
        profiled = table.find(arm)
        if profiled is None:
            return
        self._last = arm
        self._corrections.observe(situation, profiled, stages_ms, bytes_up=bytes_up)
        table.corrected_for = None

    def _table_for(self, situation: Situation) -> ArmTable:
        if self._table is None or not self._table.holds_for(situation):
            self._table = ArmTable(situation, self._min_accuracy_retention, self._role)
        return self._table

    def _costs(
        self, table: ArmTable, situation: Situation
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the milliseconds on the node, the link and the peer, by arm."""
        table.correct(self._corrections, situation)
        device_ms = self._corrections.input_ms(situation) + table.device_ms
        table.resize(self._corrections.detail(situation))
        link_ms: FloatArray = table.bytes_up + table.bytes_down
        for name, part in table.parts.items():
            # A kilobyte per second is a byte per millisecond.
            link_ms[part] /= situation.peers[name].link.rate_kb_per_s
        return device_ms, link_ms, table.edge_ms

    def _with_hysteresis(
        self,
        table: ArmTable,
        best: int,
        latency_ms: FloatArray,
        cost: FloatArray,
        deadline_ms: float | None,
    ) -> int:
        """Return the previous arm, or the best on its peer, unless another is clearly better."""
        last = table.position.get(self._last) if self._last else None
        if last is None:
            return best
        if last == best:
            return best
        limit_ms = np.inf if deadline_ms is None else deadline_ms
        peer = table.arms[last].arm.peer
        if peer is not None and peer != table.arms[best].arm.peer:
            part = table.parts[peer]
            here = np.where(latency_ms[part] <= limit_ms, cost[part], np.inf)
            if cost[best] > (1 - PEER_MARGIN) * here.min():
                best = part.start + int(here.argmin())
        in_time = latency_ms[last] <= limit_ms
        return last if in_time and cost[best] > (1 - MARGIN) * cost[last] else best


def _best(latency_ms: FloatArray, cost: FloatArray, deadline_ms: float | None) -> int:
    if deadline_ms is not None:
        timely = latency_ms <= deadline_ms
        if not timely.any():
            return int(latency_ms.argmin())
        cost = np.where(timely, cost, np.inf)
    return int(cost.argmin())


def _latency_ms(
    situation: Situation,
    table: ArmTable,
    waits_ms: Mapping[str, float],
    device_ms: FloatArray,
    link_ms: FloatArray,
    edge_ms: FloatArray,
) -> FloatArray:
    """Return the end-to-end latency by arm, waiting for earlier tasks of this node included.

    Args:
        situation: The links, and what is ahead.
        table: The arms.
        waits_ms: Expected waiting time behind other callers, by peer.
        device_ms: Time on the node, by arm.
        link_ms: Time on the link.
        edge_ms: Time on the peer, waiting excluded.
    """
    ahead = situation.ahead
    computed_ms = ahead.device_ms + device_ms
    latency_ms = computed_ms.copy()
    for name, part in table.parts.items():
        times_ms = latency_ms[part]  # a view
        if free_ms := ahead.link_ms.get(name):
            np.maximum(times_ms, free_ms, out=times_ms)
        times_ms += link_ms[part]
        times_ms += situation.peers[name].link.rtt_ms
        if free_ms := ahead.edge_ms.get(name):
            np.maximum(times_ms, free_ms, out=times_ms)
        times_ms += edge_ms[part]
        if wait_ms := waits_ms.get(name):
            times_ms += wait_ms
    return latency_ms


def _pressures_ms(situation: Situation, waits_ms: Mapping[str, float]) -> dict[str, float]:
    """Return the expected waits by peer, infinite at those that are overloaded."""
    overloaded = {
        name: np.inf
        for name, server in situation.peers.items()
        if server.load is not None and server.load.utilisation >= 1
    }
    return {**waits_ms, **overloaded}


def _wait_ms(load: ServerLoad | None) -> float:
    if load is None:
        return 0.0
    wait_s = mean_wait_s(
        load.arrivals_per_s,
        load.service_ms / 1000,
        load.servers,
        arrival_scv=load.arrival_scv,
        service_scv=load.service_scv,
    )
    return 1000 * wait_s
