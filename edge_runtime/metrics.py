"""Metrics of a node, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edgewright.edge_runtime.workers.pool import WorkerPool
from edgewright.tools.contracts.arms import LinkState

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class RequestMetrics:
    """Metrics of requests, in a registry of their own.

    Those with labels are functions of these that remember what they return, since looking a label
    up takes longer than counting.

    Args:
        role: Role of what serves them.

    Attributes:
        requests: Requests by route and status.
        seconds: Response time, by route.
        in_flight: Requests that are being served.
    """

    def __init__(self, role: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        built = Gauge(
            "edgewright_build_info",
            "Always 1: the labels say what runs.",
            ["version", "role"],
            registry=self.registry,
        )
        built.labels(version("edgewright"), role).set(1)
        self.requests = cache(
            Counter(
                "edgewright_requests", "Requests.", ["route", "status"], registry=self.registry
            ).labels
        )
        self.seconds = cache(
            Histogram(
                "edgewright_request_seconds",
                "Response time.",
                ["route"],
                buckets=_BUCKETS,
                registry=self.registry,
            ).labels
        )
        self.in_flight = Gauge(
            "edgewright_requests_in_flight", "Requests being served.", registry=self.registry
        )

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class Metrics(RequestMetrics):
    """A node's metrics.

    Args:
        workers: The model workers, read at each scrape.
        role: Role of the node.

    Attributes:
        bytes_up: Body bytes sent, by peer.
        bytes_down: Body bytes received, by peer.
        arms: Results by the kind of arm that produced them, and its peer.
        fallbacks: Fallback steps, by the code of the error.
        link_rate: Estimated uplink rate, by peer.
        link_rtt: Estimated round-trip time, by peer.
        link_up: Whether the last contact succeeded, by peer.
        stages: Time of the stages of calls.
        energy: Energy that calls cost this device.
    """

    def __init__(self, workers: WorkerPool, role: str) -> None:
        super().__init__(role)
        self.bytes_up = cache(
            Counter(
                "edgewright_peer_sent_bytes",
                "Body bytes sent to a peer.",
                ["peer"],
                registry=self.registry,
            ).labels
        )
        self.bytes_down = cache(
            Counter(
                "edgewright_peer_received_bytes",
                "Body bytes from a peer.",
                ["peer"],
                registry=self.registry,
            ).labels
        )
        self.arms = cache(
            Counter(
                "edgewright_results", "Results by arm.", ["arm", "peer"], registry=self.registry
            ).labels
        )
        self.fallbacks = cache(
            Counter(
                "edgewright_fallbacks",
                "Fallback steps by error code.",
                ["code"],
                registry=self.registry,
            ).labels
        )
        self.link_rate = cache(
            Gauge(
                "edgewright_link_bytes_per_second",
                "Estimated uplink rate.",
                ["peer"],
                registry=self.registry,
            ).labels
        )
        self.link_rtt = cache(
            Gauge(
                "edgewright_link_round_trip_seconds",
                "Estimated round-trip time.",
                ["peer"],
                registry=self.registry,
            ).labels
        )
        self.link_up = cache(
            Gauge(
                "edgewright_link_up",
                "Whether the last contact succeeded.",
                ["peer"],
                registry=self.registry,
            ).labels
        )
        self.stages = cache(
            Histogram(
                "edgewright_stage_seconds",
                "Time of a stage of a call; the peers' stages together are the stage peer.",
                ["stage"],
                buckets=_BUCKETS,
                registry=self.registry,
            ).labels
        )
        self.energy = Counter(
            "edgewright_energy_joules",
            "Energy that the device spent, by its energy model.",
            registry=self.registry,
        )
        self.registry.register(_WorkerCollector(workers))

    def link(self, peer: str, state: LinkState) -> None:
        """Update the gauges of the link to a peer."""
        self.link_rate(peer).set(state.rate_kb_per_s * 1000)
        self.link_rtt(peer).set(state.rtt_ms / 1000)
        self.link_up(peer).set(state.up)

    def spent(self, stages_ms: Mapping[str, float], energy_j: float) -> None:
        """Record what a call cost, whether or not it succeeded.

        Args:
            stages_ms: Milliseconds by stage, as in a cost report.
            energy_j: Energy that this device spent, in joules.
        """
        self.energy.inc(energy_j)
        peer_ms = 0.0
        for stage, ms in stages_ms.items():
            # The names of the peer's stages are the peer's, which may invent any number of them.
            if stage.startswith("edge_"):
                peer_ms += ms
            else:
                self.stages(stage).observe(ms / 1000)
        if peer_ms:
            self.stages("peer").observe(peer_ms / 1000)


class _WorkerCollector(Collector):
    def __init__(self, workers: WorkerPool) -> None:
        self._workers = workers

    def collect(self) -> Iterable[Metric]:
        replaced = CounterMetricFamily(
            "edgewright_worker_replacements", "Lost or killed processes.", labels=["model"]
        )
        memory = GaugeMetricFamily(
            "edgewright_worker_resident_memory_bytes",
            "Memory of a model's process.",
            labels=["model"],
        )
        queued = GaugeMetricFamily(
            "edgewright_queue_calls", "Calls that run or wait for a model.", labels=["model"]
        )
        waited = CounterMetricFamily(
            "edgewright_queue_wait_seconds", "Time that calls have waited.", labels=["model"]
        )
        busy = CounterMetricFamily(
            "edgewright_worker_busy_seconds", "Time that a model has computed.", labels=["model"]
        )
        calls = CounterMetricFamily(
            "edgewright_worker_calls", "Calls whose turn came.", labels=["model"]
        )
        for worker in self._workers:
            model, work = [worker.model], worker.work
            replaced.add_metric(model, worker.replaced)
            memory.add_metric(model, worker.rss_bytes)
            queued.add_metric(model, worker.queued)
            waited.add_metric(model, work.waited_s)
            busy.add_metric(model, work.busy_s)
            calls.add_metric(model, work.calls)
        return [replaced, memory, queued, waited, busy, calls]
