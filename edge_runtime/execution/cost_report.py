"""Recording what a result really costs, as it happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgewright.edge_runtime.config import PeerConfig
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.cost_report import CostReport, Fallback
from edgewright.tools.contracts.profiles import EngineInfo, NodeProfile
from edgewright.tools.models.expert import Expert
from edgewright.tools.nodes.exchange import Transfer
from edgewright.tools.offload.objective import EnergyModel

_HOUR_MS = 3_600_000


@dataclass
class CostRecorder:
    """Collects the figures of a cost report.

    Attributes:
        planned: The arm that was chosen first.
        slowdown: Factor by which this node is slowed down to simulate a weaker one.
        energy: The device's energy model; None on a server, whose energy is not counted.
        own_ms: Time of this node's own stages.
        price: What the peers' computing cost so far.
        bytes_up: Body bytes sent to peers so far.
        bytes_down: Body bytes received from them so far.
        frame_bytes: Size of the frame, if there was one.
        cached: Kinds of perception that were known before.
        head_reused: Whether a head's features were reused.
        nodes: The nodes that computed something, in order.
        stages_ms: Milliseconds by stage, in the order they happened.
        fallback: Steps of the fallback chain.
    """

    planned: Arm
    slowdown: float
    energy: EnergyModel | None
    own_ms: float = 0.0
    price: float = 0.0
    bytes_up: int = 0
    bytes_down: int = 0
    frame_bytes: int = 0
    head_reused: bool = False
    cached: list[str] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    stages_ms: dict[str, float] = field(default_factory=dict)
    fallback: list[Fallback] = field(default_factory=list)

    def computed(self, node: str, stages_ms: Mapping[str, float]) -> None:
        """Record stages that this node computed.

        Args:
            node: Name of this node.
            stages_ms: Milliseconds by stage.
        """
        self.own_ms += self._computed(node, stages_ms)

    def moved(
        self, transfer: Transfer, edge_stages_ms: Mapping[str, float], peer: PeerConfig
    ) -> None:
        """Record a transfer, whether or not it succeeded.

        Args:
            transfer: Bytes and times of the transfer.
            edge_stages_ms: The peer's stages, as it reports them; empty if it did not answer.
            peer: The peer.
        """
        self.bytes_up += transfer.bytes_up
        self.bytes_down += transfer.bytes_down
        if transfer.wait_ms:
            self._add("link_wait", transfer.wait_ms)
        self._add("upload", transfer.upload_ms)
        if edge_stages_ms:
            took_ms = self._computed(peer.name, edge_stages_ms, "edge_")
            self.price += peer.price_per_hour * took_ms / _HOUR_MS
            # Its queue, its checks, and the exchange between its processes.
            self._add("edge_other", max(0.0, transfer.server_ms - took_ms))
        if transfer.bytes_down:
            self._add("download", transfer.download_ms)

    def passed_on(self, report: CostReport, peer: str, profile: NodeProfile | None) -> None:
        """Record the nodes to which a peer passed the task on, and what they cost.

        Args:
            report: The peer's own report.
            peer: Name of the peer.
            profile: Its profile, which has the name that it gives itself; None if unknown.
        """
        self.price += report.price
        own = profile.node if profile else peer
        self.nodes += [name for name in report.nodes if name not in (own, peer, *self.nodes)]

    @property
    def energy_j(self) -> float:
        """Energy that the device has spent, in joules; 0 on an edge server."""
        if self.energy is None:
            return 0.0
        return self.energy.joules(self.own_ms, self.bytes_up, self.bytes_down)

    def report(
        self, arm: Arm, expert: Expert, model: str, engines: Mapping[str, EngineInfo]
    ) -> CostReport:
        """Return the cost report of a result.

        Args:
            arm: The arm that produced it.
            expert: The expert that read the output.
            model: Model id and revision.
            engines: Engines by the names of their nodes, as far as they are known.
        """
        return CostReport(
            arm=arm.label,
            planned_arm=self.planned.label,
            nodes=self.nodes,
            engines={node: engines[node].label for node in self.nodes if node in engines},
            model=model,
            precision=arm.precision,
            expert=expert.id,
            approximate=expert.approximate,
            bytes_up=self.bytes_up,
            bytes_down=self.bytes_down,
            frame_bytes=self.frame_bytes,
            stages_ms={stage: round(ms, 3) for stage, ms in self.stages_ms.items()},
            cached=self.cached,
            head_reused=self.head_reused,
            energy_j=round(self.energy_j, 6),
            price=self.price,
            slowdown=self.slowdown,
            fallback=self.fallback,
        )

    def _computed(self, node: str, stages_ms: Mapping[str, float], prefix: str = "") -> float:
        """Record stages, and return their total time."""
        if node not in self.nodes:
            self.nodes.append(node)
        for stage, ms in stages_ms.items():
            self._add(prefix + stage, ms)
        return sum(stages_ms.values())

    def _add(self, stage: str, ms: float) -> None:
        self.stages_ms[stage] = self.stages_ms.get(stage, 0.0) + ms
