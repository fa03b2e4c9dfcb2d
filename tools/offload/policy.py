"""The offloading policy: compares all arms by measured times, link estimate and load."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgewright.tools.contracts.arms import Arm, ServerLoad
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.offload.arms import ProfiledArm, profiled_arms
from edgewright.tools.offload.choice import MARGIN, ArmChoice, FloatArray, Situation
from edgewright.tools.offload.objective import EnergyModel, Objective
from edgewright.tools.offload.queueing import mean_wait_s
from edgewright.tools.offload.tracking import LogKalmanFilter

#: Assumed size of an edge server's response, which takes time on the link too.
_ANSWER_BYTES = 1000
#: Relative error of a profile: the node's speed may have changed since it was measured.
_PROFILE_ERROR = 0.2
#: Relative error of an encoding's size, which depends on the image.
_SIZE_ERROR = 0.2


class OffloadingPolicy:
    """Chooses arms for one model, and learns from their measured costs.

    Errors of the profiles are learned as one factor for the device's compute times and one for the
    edge server's, since a throttled or busy node is slower in all stages. The bytes that an arm
    sends are learned per arm, since an image's content affects encodings differently. The previous
    arm is retained against others that are only slightly better, so that noise does not cause
    flapping.

    Args:
        min_accuracy_retention: Minimum share of the accuracy that an arm must keep.
        objective: What to minimise, subject to the deadline.
        energy: Energy model of the device.
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
        self._device_factor = LogKalmanFilter(1.0, error=_PROFILE_ERROR)
        self._edge_factor = LogKalmanFilter(1.0, error=_PROFILE_ERROR)
        self._sizes: dict[Arm, LogKalmanFilter] = {}
        self._last: Arm | None = None
        self._table: _ArmTable | None = None

    def choose(self, situation: Situation) -> ArmChoice:
        """Choose the best arm among those with sufficient accuracy retention.

        The best arm minimises the objective among those expected to meet the deadline; if there are
        none, it is the fastest.
        """
        table = self._table_for(situation)
        obstacle = situation.obstacle
        wait_ms = 0.0 if obstacle else _wait_ms(situation.load)
        latency_ms, energy_j = self._forecast(table, situation, wait_ms)
        if obstacle:  # device-only is the first arm
            latency_ms, energy_j = latency_ms[:1], energy_j[:1]
        cost = self._objective.seconds / 1000 * latency_ms + self._objective.joules * energy_j
        best = _best(latency_ms, cost, situation.deadline_ms)
        chosen = self._with_hysteresis(table, best, latency_ms, cost, situation.deadline_ms)
        return ArmChoice(
            situation=situation,
            arms=table.arms,
            latency_ms=latency_ms,
            energy_j=energy_j,
            bytes_up=table.bytes_up,
            cost=cost,
            chosen=chosen,
            retained=chosen != best,
            excluded=table.excluded,
            wait_ms=wait_ms,
            includes_energy=self._objective.joules > 0,
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
        """Learn from the measured costs of a completed task.

        Args:
            situation: The profiles and the size of the image.
            arm: The arm; one that is never chosen, such as sending the original image, is ignored.
            device_ms: Time of the device's stages.
            edge_ms: Time of the edge server's stages; 0 if there were none.
            bytes_up: Bytes sent; 0 if there were none.
        """
        table = self._table_for(situation)
        profiled = table.find(arm)
        if profiled is None:
            return
        self._last = arm
        expected_ms = situation.input_ms + profiled.device_ms
        if min(device_ms, expected_ms) > 0:
            self._device_factor.update(device_ms / expected_ms)
        if min(edge_ms, profiled.edge_ms) > 0:
            self._edge_factor.update(edge_ms / profiled.edge_ms)
        if min(bytes_up, profiled.bytes_up) > 0:
            size = self._sizes.setdefault(
                arm, LogKalmanFilter(profiled.bytes_up, error=_SIZE_ERROR)
            )
            size.update(bytes_up, noise=_SIZE_ERROR, expected_noise=_SIZE_ERROR)
            table.resize(self._sizes)

    def _table_for(self, situation: Situation) -> _ArmTable:
        device, edge = situation.device, situation.edge
        if self._table is None or self._table.device is not device or self._table.edge is not edge:
            self._table = _ArmTable(device, edge, self._min_accuracy_retention, self._energy)
            self._table.resize(self._sizes)
        return self._table

    def _forecast(
        self, table: _ArmTable, situation: Situation, wait_ms: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return the latency in ms and the device's energy in J of each arm."""
        device_ms: FloatArray = (situation.input_ms + table.device_ms) * self._device_factor.value
        latency_ms = device_ms
        if (link := situation.link) is not None:
            # A kilobyte per second is a byte per millisecond.
            sent = table.bytes_up + _ANSWER_BYTES
            there_ms = link.rtt_ms + wait_ms + sent / link.rate_kb_per_s
            there_ms += table.edge_ms * self._edge_factor.value
            latency_ms = device_ms + there_ms * table.remote
        return latency_ms, self._energy.compute_w / 1000 * device_ms + table.radio_j

    def _with_hysteresis(
        self,
        table: _ArmTable,
        best: int,
        latency_ms: FloatArray,
        cost: FloatArray,
        deadline_ms: float | None,
    ) -> int:
        """Return the previous arm if it meets the deadline and the best is only slightly better."""
        last = table.position.get(self._last) if self._last else None
        if last is None or last >= len(cost):
            return best
        in_time = deadline_ms is None or latency_ms[last] <= deadline_ms
        return last if in_time and cost[best] > (1 - MARGIN) * cost[last] else best


class _ArmTable:
    """The arms of two profiles as columns, device-only first; computed once for many choices."""

    def __init__(
        self,
        device: ModelProfile,
        edge: ModelProfile | None,
        min_accuracy_retention: float,
        energy: EnergyModel,
    ) -> None:
        self.device, self.edge = device, edge
        device_only, *remote = profiled_arms(device, edge)
        self.arms = [device_only]
        self.excluded: list[tuple[ProfiledArm, str]] = []
        for one in remote:
            if why := _exclusion_reason(one, min_accuracy_retention):
                self.excluded.append((one, why))
            else:
                self.arms.append(one)
        self.position = {one.arm: index for index, one in enumerate(self.arms)}
        self.remote = np.array([one is not device_only for one in self.arms], float)
        self.device_ms = np.array([one.device_ms for one in self.arms])
        self.edge_ms = np.array([one.edge_ms for one in self.arms])
        self._energy = energy

    def resize(self, sizes: Mapping[Arm, LogKalmanFilter]) -> None:
        """Set the bytes that each arm sends: the learned size, or the profile's.

        Args:
            sizes: Learned sizes in bytes, by arm.
        """
        learned = [sizes[one.arm].value if one.arm in sizes else one.bytes_up for one in self.arms]
        self.bytes_up = np.array(learned, float)
        radio_j = [self._energy.joules(0, size, _ANSWER_BYTES) for size in learned]
        self.radio_j = np.array(radio_j) * self.remote

    def find(self, arm: Arm) -> ProfiledArm | None:
        """Return the entry of an arm; None if it is never chosen."""
        index = self.position.get(arm)
        return None if index is None else self.arms[index]


def _exclusion_reason(one: ProfiledArm, min_accuracy_retention: float) -> str:
    """Return why an arm is never chosen; empty if it may be."""
    if one.accuracy_retention < min_accuracy_retention:
        return (
            f"its accuracy retention is {one.accuracy_retention:.1%}, below the minimum of "
            f"{min_accuracy_retention:.1%}"
        )
    return "the edge server does not have this codec" if one.codec_missing else ""


def _best(latency_ms: FloatArray, cost: FloatArray, deadline_ms: float | None) -> int:
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
