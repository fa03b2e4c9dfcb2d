"""What a server of this package needs to know of what it serves: a node, or another front."""

from __future__ import annotations

from typing import Protocol

from edgewright.edge_runtime.config import ApiKey, RequestLimits, Tls
from edgewright.edge_runtime.keys import KeyRing
from edgewright.edge_runtime.metrics import RequestMetrics
from edgewright.edge_runtime.workers.places import Places
from edgewright.tools.tracing import Tracing


class Listening(Protocol):
    """How something listens; ``NodeConfig`` implements it."""

    @property
    def host(self) -> str:
        """Address to listen on."""
        ...

    @property
    def port(self) -> int:
        """Port to listen on; 0 takes a free one."""
        ...

    @property
    def keys(self) -> tuple[ApiKey, ...]:
        """Keys that callers may use."""
        ...

    @property
    def tls(self) -> Tls | None:
        """Certificate, to serve HTTPS."""
        ...

    @property
    def limits(self) -> RequestLimits:
        """Limits on requests."""
        ...


class Served(Protocol):
    """What is served; ``Node`` implements it.

    Attributes:
        keys: The keys of its callers.
        requests: Places of the requests that it serves, by caller.
        draining: Whether it is stopping and accepts no more work.
        tracing: Begins the traces of its requests.
    """

    keys: KeyRing
    requests: Places
    tracing: Tracing
    draining: bool

    @property
    def config(self) -> Listening:
        """How it listens."""
        ...

    @property
    def metrics(self) -> RequestMetrics:
        """Metrics of its requests."""
        ...

    @property
    def mean_service_s(self) -> float:
        """Mean time that a request takes, in seconds."""
        ...
