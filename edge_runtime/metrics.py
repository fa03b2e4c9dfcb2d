"""Metrics of a node, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edgewright.edge_runtime.workers.pool import WorkerPool
from edgewright.tools.contracts.arms import LinkState

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """A node's metrics, in a registry of their own.

    Args:
        workers: The model workers, read at each scrape for memory and replacements.

    Attributes:
        requests: Requests by route and status.
        seconds: Response time, by route.
        in_flight: Requests that are being served.
        bytes_up: Body bytes sent to the peer.
        bytes_down: Body bytes received from the peer.
        arms: Results by the kind of arm that produced them.
        fallbacks: Fallback steps, by the code of the error.
        link_rate: Estimated uplink rate.
        link_rtt: Estimated round-trip time.
    """

    def __init__(self, workers: WorkerPool) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "edgewright_requests", "Requests.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "edgewright_request_seconds",
            "Response time.",
            ["route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "edgewright_requests_in_flight", "Requests being served.", registry=self.registry
        )
        self.bytes_up = Counter(
            "edgewright_peer_bytes_up", "Body bytes sent to the peer.", registry=self.registry
        )
        self.bytes_down = Counter(
            "edgewright_peer_bytes_down", "Body bytes from the peer.", registry=self.registry
        )
        self.arms = Counter(
            "edgewright_results", "Results by arm.", ["arm"], registry=self.registry
        )
        self.fallbacks = Counter(
            "edgewright_fallbacks",
            "Fallback steps by error code.",
            ["code"],
            registry=self.registry,
        )
        self.link_rate = Gauge(
            "edgewright_link_kb_per_s", "Estimated uplink rate.", registry=self.registry
        )
        self.link_rtt = Gauge(
            "edgewright_link_rtt_ms", "Estimated round-trip time.", registry=self.registry
        )
        self.registry.register(_WorkerCollector(workers))

    def link(self, state: LinkState) -> None:
        """Update the gauges of the link."""
        self.link_rate.set(state.rate_kb_per_s)
        self.link_rtt.set(state.rtt_ms)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class _WorkerCollector(Collector):
    def __init__(self, workers: WorkerPool) -> None:
        self._workers = workers

    def collect(self) -> Iterable[Metric]:
        replaced = CounterMetricFamily(
            "edgewright_worker_replacements", "Lost or killed processes.", labels=["model"]
        )
        memory = GaugeMetricFamily(
            "edgewright_worker_rss_bytes", "Memory of a model's process.", labels=["model"]
        )
        for worker in self._workers:
            replaced.add_metric([worker.model], worker.replaced)
            memory.add_metric([worker.model], worker.rss_bytes)
        return [replaced, memory]
