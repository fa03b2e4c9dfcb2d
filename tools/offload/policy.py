"""Picks the arm: every way to run a task is weighed with measured times, link and load."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgewright.tools.contracts.arms import Arm, ServerLoad
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.offload.arms import ProfiledArm, profiled_arms
from edgewright.tools.offload.choice import MARGIN, ArmChoice, Situation, Values
from edgewright.tools.offload.objective import EnergyModel, Objective
from edgewright.tools.offload.queueing import mean_wait_s
from edgewright.tools.offload.tracking import Tracked

#: Length of an edge server's answer, which takes its time on the link too.
_ANSWER_BYTES = 1000
#: Relative error of a profile: what was measured once may be another day's speed.
_PROFILE_ERROR = 0.2
#: Relative error of a coding's size: one picture is busier than another.
_SIZE_ERROR = 0.2


class OffloadingPolicy:
    """Chooses arms for one model, and learns from what they really took.

    How far the profiles are off is learnt as one factor for the device's computing and one for
    the edge server's: a device that is warm or busy is slower in all its stages. What an arm sends
    is learnt for each by itself, as busy pictures grow differently in different codings. The arm
    taken last is kept against others that are hardly better, so that noise does not make it flap.

    Args:
        min_accuracy_retention: Least share of the accuracy that an arm must keep.
        objective: What to minimise, under the deadline.
        energy: What the device spends.
    """

    def __init__(
        self,
        *,
        min_accuracy_retention: float,
        objective: Objective | None = None,
        energy: EnergyModel | None = None,
    ) -> None:
        self._min_accuracy_retention = min_accuracy_retention
        self._objective = objective or Objective()
        self._energy = energy or EnergyModel()
        self._device_factor = Tracked(1.0, error=_PROFILE_ERROR)
        self._edge_factor = Tracked(1.0, error=_PROFILE_ERROR)
        self._sizes: dict[Arm, Tracked] = {}
        self._last: Arm | None = None
        self._table: _Table | None = None

    def choose(self, situation: Situation) -> ArmChoice:
        """Choose the best arm among those that keep enough accuracy.

        The best costs least by the objective among those that are expected to meet the deadline;
        when none is, it is the fastest.
        """
        table = self._table_for(situation)
        obstacle = situation.obstacle
        wait_ms = 0.0 if obstacle else _wait_ms(situation.load)
        latency_ms, energy_j = self._forecast(table, situation, wait_ms)
        if obstacle:  # device-only stands first
            latency_ms, energy_j = latency_ms[:1], energy_j[:1]
        cost = self._objective.seconds / 1000 * latency_ms + self._objective.joules * energy_j
        best = _best(latency_ms, cost, situation.deadline_ms)
        chosen = self._kept(table, best, latency_ms, cost, situation.deadline_ms)
        return ArmChoice(
            situation=situation,
            arms=table.arms,
            latency_ms=latency_ms,
            energy_j=energy_j,
            bytes_up=table.bytes_up,
            cost=cost,
            chosen=chosen,
            kept=chosen != best,
            left_out=table.left_out,
            wait_ms=wait_ms,
            in_joules=self._objective.joules > 0,
        )

    def observe(
        self,
        situation: Situation,
        arm: Arm,
        *,
        device_ms: float,
        edge_ms: float,
        bytes_up: int = 0,
    ) -> None:
        """Learn from a task that an arm completed.

        Args:
            situation: The profiles, and the picture that it worked on.
            arm: The arm; one that is never chosen, such as sending the picture as it is, teaches
                nothing.
            device_ms: What the device's stages took.
            edge_ms: What the edge server's stages took; 0 when it had none.
            bytes_up: Bytes that it sent; 0 when it sent none.
        """
        table = self._table_for(situation)
        known = table.find(arm)
        if known is None:
            return
        self._last = arm
        expected_ms = situation.input_ms + known.device_ms
        if min(device_ms, expected_ms) > 0:
            self._device_factor.see(device_ms / expected_ms)
        if min(edge_ms, known.edge_ms) > 0:
            self._edge_factor.see(edge_ms / known.edge_ms)
        if min(bytes_up, known.bytes_up) > 0:
            size = self._sizes.setdefault(arm, Tracked(known.bytes_up, error=_SIZE_ERROR))
            size.see(bytes_up, noise=_SIZE_ERROR, usual=_SIZE_ERROR)
            table.resize(self._sizes)

    def _table_for(self, situation: Situation) -> _Table:
        device, edge = situation.device, situation.edge
        if self._table is None or self._table.device is not device or self._table.edge is not edge:
            self._table = _Table(device, edge, self._min_accuracy_retention, self._energy)
            self._table.resize(self._sizes)
        return self._table

    def _forecast(
        self, table: _Table, situation: Situation, wait_ms: float
    ) -> tuple[Values, Values]:
        """Return latency in ms and the device's energy in J, an entry for each arm."""
        device_ms: Values = (situation.input_ms + table.device_ms) * self._device_factor.value
        latency_ms = device_ms
        if (link := situation.link) is not None:
            # A kilobyte a second is a byte a millisecond.
            sent = table.bytes_up + _ANSWER_BYTES
            there_ms = link.rtt_ms + wait_ms + sent / link.rate_kb_per_s
            there_ms += table.edge_ms * self._edge_factor.value
            latency_ms = device_ms + there_ms * table.remote
        return latency_ms, self._energy.compute_w / 1000 * device_ms + table.radio_j

    def _kept(
        self, table: _Table, best: int, latency_ms: Values, cost: Values, deadline_ms: float | None
    ) -> int:
        """Return the arm taken last if it is in time and the best is hardly better."""
        last = table.position.get(self._last) if self._last else None
        if last is None or last >= len(cost):
            return best
        in_time = deadline_ms is None or latency_ms[last] <= deadline_ms
        return last if in_time and cost[best] > (1 - MARGIN) * cost[last] else best


class _Table:
    """The arms of two profiles as columns, device-only first; made once for many choices."""

    def __init__(
        self,
        device: ModelProfile,
        edge: ModelProfile | None,
        min_accuracy_retention: float,
        energy: EnergyModel,
    ) -> None:
        self.device, self.edge = device, edge
        alone, *remote = profiled_arms(device, edge)
        self.arms = [alone]
        self.left_out: list[tuple[ProfiledArm, str]] = []
        for one in remote:
            if why := _unfitness(one, min_accuracy_retention):
                self.left_out.append((one, why))
            else:
                self.arms.append(one)
        self.position = {one.arm: index for index, one in enumerate(self.arms)}
        self.remote = np.array([one is not alone for one in self.arms], float)
        self.device_ms = np.array([one.device_ms for one in self.arms])
        self.edge_ms = np.array([one.edge_ms for one in self.arms])
        self._energy = energy

    def resize(self, sizes: Mapping[Arm, Tracked]) -> None:
        """Set what each arm sends: as much as it did lately, or as the profile says.

        Args:
            sizes: What was learnt, in bytes.
        """
        learnt = [sizes[one.arm].value if one.arm in sizes else one.bytes_up for one in self.arms]
        self.bytes_up = np.array(learnt, float)
        radio_j = [self._energy.joules(0, size, _ANSWER_BYTES) for size in learnt]
        self.radio_j = np.array(radio_j) * self.remote

    def find(self, arm: Arm) -> ProfiledArm | None:
        """Return an arm's entry, if it may be chosen."""
        index = self.position.get(arm)
        return None if index is None else self.arms[index]


def _unfitness(one: ProfiledArm, min_accuracy_retention: float) -> str:
    """Say why an arm is never chosen; empty if it may be."""
    if one.accuracy_retention < min_accuracy_retention:
        return (
            f"its accuracy retention is {one.accuracy_retention:.1%}, below the minimum of "
            f"{min_accuracy_retention:.1%}"
        )
    return "the edge server does not know this codec" if one.unknown else ""


def _best(latency_ms: Values, cost: Values, deadline_ms: float | None) -> int:
    if deadline_ms is not None:
        timely = latency_ms <= deadline_ms
        if not timely.any():
            return int(latency_ms.argmin())
        cost = np.where(timely, cost, np.inf)
    return int(cost.argmin())


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
