"""The bill: what a result really costs, written down as it happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.cost_report import CostReport, Fallback
from edgewright.tools.models.expert import Expert
from edgewright.tools.nodes.client import Transfer
from edgewright.tools.offload.objective import EnergyModel


@dataclass
class CostRecorder:
    """Collects the parts of a report.

    Attributes:
        planned: The arm that was chosen at first.
        slowdown: Factor by which this node is slowed on purpose.
        energy: What a device spends; None on an edge server, where nobody counts.
        own_ms: What this node's own stages took.
        peer_ms: What the peer's stages took.
        bytes_up: Body bytes sent to the peer so far.
        bytes_down: Body bytes received from it so far.
        frame_bytes: Size of the frame, if there was one.
        head_reused: Whether a head's features were used again.
        nodes: Who computed something, in order.
        stages_ms: Milliseconds by stage, in the order they happened.
        fallback: Steps down the ladder.
    """

    planned: Arm
    slowdown: float
    energy: EnergyModel | None
    own_ms: float = 0.0
    peer_ms: float = 0.0
    bytes_up: int = 0
    bytes_down: int = 0
    frame_bytes: int = 0
    head_reused: bool = False
    nodes: list[str] = field(default_factory=list)
    stages_ms: dict[str, float] = field(default_factory=dict)
    fallback: list[Fallback] = field(default_factory=list)

    def computed(self, node: str, stages_ms: Mapping[str, float]) -> None:
        """Write down that this node computed something.

        Args:
            node: Its name.
            stages_ms: Its stages.
        """
        self.own_ms += self._computed(node, stages_ms)

    def moved(self, transfer: Transfer, edge_stages_ms: Mapping[str, float], peer: str) -> None:
        """Write down a transfer, whether or not it succeeded.

        Args:
            transfer: What was moved.
            edge_stages_ms: What the peer says of its own stages; empty when it did not answer.
            peer: Name of the peer.
        """
        self.bytes_up += transfer.bytes_up
        self.bytes_down += transfer.bytes_down
        self._add("upload", transfer.upload_ms)
        if edge_stages_ms:
            took_ms = self._computed(peer, edge_stages_ms, "edge_")
            self.peer_ms += took_ms
            # Its queue, its checks and the way between its processes.
            self._add("edge_other", max(0.0, transfer.server_ms - took_ms))
        if transfer.bytes_down:
            self._add("download", transfer.download_ms)

    def report(self, arm: Arm, expert: Expert, model: str) -> CostReport:
        """Return the report of a result.

        Args:
            arm: The arm that produced it.
            expert: Who read the output.
            model: Model id and revision.
        """
        energy_j = 0.0
        if self.energy is not None:
            energy_j = self.energy.joules(self.own_ms, self.bytes_up, self.bytes_down)
        return CostReport(
            arm=arm.label,
            planned_arm=self.planned.label,
            nodes=self.nodes,
            model=model,
            expert=expert.id,
            approximate=expert.approximate,
            bytes_up=self.bytes_up,
            bytes_down=self.bytes_down,
            frame_bytes=self.frame_bytes,
            stages_ms={stage: round(ms, 3) for stage, ms in self.stages_ms.items()},
            head_reused=self.head_reused,
            energy_j=round(energy_j, 6),
            slowdown=self.slowdown,
            fallback=self.fallback,
        )

    def _computed(self, node: str, stages_ms: Mapping[str, float], prefix: str = "") -> float:
        """Write stages down, and return what they took together."""
        if node not in self.nodes:
            self.nodes.append(node)
        for stage, ms in stages_ms.items():
            self._add(prefix + stage, ms)
        return sum(stages_ms.values())

    def _add(self, stage: str, ms: float) -> None:
        self.stages_ms[stage] = self.stages_ms.get(stage, 0.0) + ms
