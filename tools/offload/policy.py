"""The offloading policy: compares all arms by measured times, link estimate and load."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgewright.tools.contracts.arms import Arm, ServerLoad
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.offload.arms import ProfiledArm, profiled_arms
from edgewright.tools.offload.backlog import TaskCosts
from edgewright.tools.offload.choice import MARGIN, ArmChoice, FloatArray, Situation
from edgewright.tools.offload.corrections import Corrections
from edgewright.tools.offload.objective import EnergyModel, Objective
from edgewright.tools.offload.queueing import mean_wait_s

#: Assumed size of an edge server's response, which takes time on the link too.
_ANSWER_BYTES = 1000


class OffloadingPolicy:
    """Chooses arms for one model, and learns from their measured costs.

    Errors of the profiles are learned stage by stage (``Corrections``). The previous arm is
    retained against others that are only slightly better, so that noise does not cause flapping.

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
        self._corrections = Corrections()
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
        device_ms, link_ms, edge_ms = self._costs(table, situation)
        latency_ms = _latency_ms(situation, device_ms, link_ms, edge_ms + wait_ms)
        if obstacle:  # device-only is the first arm
            latency_ms = latency_ms[:1]
        cost = self._objective.seconds / 1000 * latency_ms
        if self._objective.joules:
            energy_j = self._energy.joules(device_ms, table.bytes_up, table.bytes_down)
            cost = cost + self._objective.joules * energy_j[: len(cost)]
        best = _best(latency_ms, cost, situation.deadline_ms)
        chosen = self._with_hysteresis(table, best, latency_ms, cost, situation.deadline_ms)
        return ArmChoice(
            situation=situation,
            arms=table.arms,
            latency_ms=latency_ms,
            costs=_task_costs(situation, chosen, device_ms, link_ms, edge_ms),
            device_ms=device_ms,
            bytes_up=table.bytes_up,
            bytes_down=table.bytes_down,
            cost=cost,
            chosen=chosen,
            retained=chosen != best,
            excluded=table.excluded,
            wait_ms=wait_ms,
            energy=self._energy,
            includes_energy=self._objective.joules > 0,
        )

    def costs(self, situation: Situation, arm: Arm) -> TaskCosts | None:
        """Return the expected costs of an arm without waiting; None if it is never chosen."""
        table = self._table_for(situation)
        index = table.position.get(arm)
        if index is None:
            return None
        return _task_costs(situation, index, *self._costs(table, situation))

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

    def _table_for(self, situation: Situation) -> _ArmTable:
        device, edge = situation.device, situation.edge
        if self._table is None or self._table.device is not device or self._table.edge is not edge:
            self._table = _ArmTable(device, edge, self._min_accuracy_retention)
        return self._table

    def _costs(
        self, table: _ArmTable, situation: Situation
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the milliseconds on the device, the link and the edge server, by arm."""
        table.correct(self._corrections, situation.mime)
        device_ms = self._corrections.input_ms(situation) + table.device_ms
        table.resize(self._corrections.detail(situation))
        if (link := situation.link) is None:
            return device_ms, np.zeros_like(device_ms), table.edge_ms
        # A kilobyte per second is a byte per millisecond.
        link_ms = (table.bytes_up + table.bytes_down) / link.rate_kb_per_s
        return device_ms, link_ms, table.edge_ms

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
    """The arms of two profiles as columns, device-only first; computed once for many choices.

    Attributes:
        corrected_for: Type of image for which the columns below hold; None before the first
            choice and after something was learned.
        device_ms: Time on the device after the image is resized.
        edge_ms: Time on the edge server.
        bytes_up: Bytes sent.
        bytes_down: Bytes received.
    """

    def __init__(
        self,
        device: ModelProfile,
        edge: ModelProfile | None,
        min_accuracy_retention: float,
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
        answers = [0 if one is device_only else _ANSWER_BYTES for one in self.arms]
        self.bytes_down: FloatArray = np.array(answers, float)
        self.corrected_for: str | None = None

    def correct(self, corrections: Corrections, mime: str) -> None:
        """Compute the columns from profiles and corrections, unless they hold already.

        Args:
            corrections: What was learned.
            mime: Type of the image.
        """
        if self.corrected_for == mime:
            return
        self.device_ms = np.array([corrections.device_ms(one) for one in self.arms])
        self.edge_ms = np.array([corrections.edge_ms(one) for one in self.arms])
        self._usual_bytes = np.array([corrections.bytes_up(one, mime) for one in self.arms])
        self.corrected_for = mime

    def resize(self, detail: float) -> None:
        """Set the bytes of each arm for an image.

        Args:
            detail: Factor by which the image's encodings are larger than usual.
        """
        self.bytes_up = self._usual_bytes * detail

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


def _latency_ms(
    situation: Situation, device_ms: FloatArray, link_ms: FloatArray, edge_ms: FloatArray
) -> FloatArray:
    """Return the end-to-end latency by arm, waiting for earlier tasks of this device included."""
    ahead, link = situation.ahead, situation.link
    computed_ms = ahead.device_ms + device_ms
    if link is None:
        return computed_ms
    arrived_ms = np.maximum(computed_ms, ahead.link_ms) + link_ms + link.rtt_ms
    answered_ms = np.maximum(arrived_ms, ahead.edge_ms) + edge_ms
    answered_ms[0] = computed_ms[0]  # device-only
    return answered_ms


def _task_costs(
    situation: Situation,
    index: int,
    device_ms: FloatArray,
    link_ms: FloatArray,
    edge_ms: FloatArray,
) -> TaskCosts:
    columns = (device_ms, link_ms, edge_ms)
    return TaskCosts(situation.device.model, *(float(column[index]) for column in columns))


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
