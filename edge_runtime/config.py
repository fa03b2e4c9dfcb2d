"""A node's configuration: explicit argument > environment > file > default."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from edgewright.edge_runtime.config_file import read_config
from edgewright.edge_runtime.exposure import check_exposure
from edgewright.tools.contracts.arms import DEFAULT_PEER
from edgewright.tools.contracts.profiles import Receives, Role
from edgewright.tools.images.probe import MAX_PIXELS
from edgewright.tools.nodes.urls import shown_url
from edgewright.tools.offload.objective import EnergyModel, Objective

#: Pattern of the names of nodes and peers.
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

Scope = Literal["infer", "artifacts", "train", "admin"]

#: Environment variables that override the file, and the fields they set. Each may also name a file
#: with the value: ``EDGEWRIGHT_PEER_API_KEY_FILE``.
VARIABLES: Mapping[str, tuple[str | int, ...]] = {
    "EDGEWRIGHT_NODE_NAME": ("name",),
    "EDGEWRIGHT_NODE_ROLE": ("role",),
    "EDGEWRIGHT_NODE_HOST": ("host",),
    "EDGEWRIGHT_NODE_PORT": ("port",),
    "EDGEWRIGHT_NODE_KEYS": ("keys",),
    "EDGEWRIGHT_NODE_CAMERA": ("camera",),
    "EDGEWRIGHT_NODE_PEERS": ("peers",),
    # Of the first peer, so that one needs no list.
    "EDGEWRIGHT_PEER_URL": ("peers", 0, "url"),
    "EDGEWRIGHT_PEER_API_KEY": ("peers", 0, "api_key"),
}
_SECRET_NAME = re.compile(r"key|token|secret|password|credential", re.IGNORECASE)
_MASK = "**********"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PeerConfig(_Section):
    """A server that a node may send work to.

    Attributes:
        name: Its name in arms, cost reports and metrics.
        url: Its base URL.
        api_key: API key for it; for the first peer preferably set by ``EDGEWRIGHT_PEER_API_KEY``,
            or its file.
        ca: Certificate to trust, if it has one of its own.
        fingerprint: SHA-256 of the only certificate to trust, hexadecimal; ``ca`` does not count
            then.
        fetch_models: Whether to fetch models of ``preload`` that are not on this device from it,
            with a key that has the scope ``artifacts``.
        poll_s: Seconds between attempts to reach it while it is down, and between link probes
            while tasks arrive that do not use the link.
        receives: What may be sent to it: ``images``, or only the ``features`` of models that are
            cut.
        forwards: Whether it may pass tasks on to peers of its own.
        price_per_hour: Price of an hour of its computing, in a currency of your choice.
    """

    name: str = Field(default=DEFAULT_PEER, pattern=NAME)
    url: str = Field(pattern=r"^https?://[^\s/]+/?$")
    api_key: SecretStr | None = None
    ca: Path | None = None
    fingerprint: str | None = Field(default=None, pattern=r"^([0-9A-Fa-f]{2}:?){32}$")
    fetch_models: bool = True
    poll_s: float = Field(default=1.0, gt=0)
    receives: Receives = "images"
    forwards: bool = False
    price_per_hour: float = Field(default=0.0, ge=0)


class ApiKey(_Section):
    """A key that callers may use; ``python -m edgewright.edge_runtime hash-key`` makes one.

    Attributes:
        name: Name of its owner, for the log.
        sha256: Digest of the key, hexadecimal. A key has 256 random bits, so a plain digest
            cannot be reversed by guessing.
        scopes: Scopes that it grants.
        weight: Share of a busy model's time, relative to other keys'.
    """

    name: str = Field(min_length=1, max_length=100)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scopes: frozenset[Scope]
    weight: float = Field(default=1.0, gt=0, le=1000)


class Tls(_Section):
    """Certificate and private key, PEM."""

    certificate: Path
    private_key: Path


class RequestLimits(_Section):
    """Limits on requests.

    Attributes:
        body_bytes: Maximum length of a request body.
        pixels: Maximum number of pixels of an image.
        concurrency: Maximum number of requests at once, waiting ones included; further ones are
            rejected, unless their caller has fewer than its share.
        queue: Maximum number of calls per model, running and waiting, likewise.
        deadline_s: Maximum deadline of a call, and maximum time that a model may compute for one
            before its process is replaced.
        upload_s: Maximum time for a request body to arrive.
        head_s: Maximum time for a request's head to arrive, from the opening of the connection or
            from the head's first byte on.
        connections: Maximum number of connections. Beyond it, a new one takes the place of one
            without a request.
        connections_per_address: Likewise, from one address.
        send_s: Maximum time in which a caller must take a response, besides that of its bytes.
        send_bytes_per_s: Minimum rate at which a caller must take them.
        load_s: Maximum time for a model to load.
        drain_s: Maximum time for running requests to finish when the node stops.
        peer_patience_s: How long an edge peer may stay silent beyond three times the expected
            transfer time, before the device continues alone.
    """

    body_bytes: int = Field(default=16_000_000, gt=0)
    pixels: int = Field(default=MAX_PIXELS, gt=0)
    concurrency: int = Field(default=128, gt=0)
    queue: int = Field(default=64, gt=0)
    deadline_s: float = Field(default=120.0, gt=0)
    upload_s: float = Field(default=30.0, gt=0)
    head_s: float = Field(default=10.0, gt=0)
    connections: int = Field(default=1000, gt=0)
    connections_per_address: int = Field(default=256, gt=0)
    send_s: float = Field(default=10.0, gt=0)
    send_bytes_per_s: float = Field(default=4000.0, gt=0)
    load_s: float = Field(default=120.0, gt=0)
    drain_s: float = Field(default=10.0, ge=0)
    peer_patience_s: float = Field(default=2.0, gt=0)


class SensorConfig(_Section):
    """A sensor of the node, and who may read what of it.

    Attributes:
        name: Its name.
        kind: ``camera``, ``microphone``, ``wifi`` (network traffic), or a plug-in's kind.
        source: A file or folder, ``live``, or for ``wifi`` also ``live:INTERFACE``.
        use: Names of the keys whose tasks may read it; only their results leave the node. ``*``
            means every caller.
        raw: Names of the keys that may read its windows as they are; ``*`` means every caller.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    kind: str = Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")
    source: str = Field(min_length=1, max_length=4096)
    use: tuple[str, ...] = ("*",)
    raw: tuple[str, ...] = ()


class LinkPrior(_Section):
    """Assumptions about the link before the first transfer.

    Attributes:
        rate_kb_per_s: Uplink rate in kilobytes (1000 bytes) a second.
        rtt_ms: Round-trip time.
    """

    rate_kb_per_s: float = Field(default=1000.0, gt=0)
    rtt_ms: float = Field(default=20.0, ge=0)


class NodeConfig(_Section):
    """Configuration of a node. Relative paths are relative to the working folder.

    Attributes:
        name: Name in reports and logs.
        role: ``device`` (has sensors, chooses arms), ``edge`` (computes for devices) or ``cloud``
            (likewise, farther away).
        host: Address to listen on; only loopback without ``keys`` or ``tls``.
        port: Port to listen on; 0 takes a free one.
        grpc_port: Port for the Open Inference Protocol over gRPC; 0 takes a free one, None means
            that the node serves no gRPC.
        announce: Whether it announces itself on the local network, by multicast DNS.
        peers: Servers that it may send work to, in the order of preference. An edge server may
            pass whole tasks on to them; a cloud has none.
        keys: Keys that callers may use; empty means that no key is needed.
        tls: Certificate, to serve HTTPS.
        limits: Limits on requests.
        preload: Models to load before the node is ready; others are loaded on first use.
        slowdown: Factor by which all computing is slowed down, to simulate a weaker device.
        threads: Threads of each model worker.
        memory_budget_mb: Memory for all models together, in MB; beyond it, the least recently
            used ones are unloaded. None means no limit.
        camera: Folder of photographs that simulates the camera.
        sensors: Its other sensors, and who may read what of them.
        link_prior: Assumptions about the link before the first transfer.
        profile_file: File for measured times; None means one in the state folder.
        profile_runs: Number of repetitions of each measurement.
        measure: When a node measures models whose times are not stored: ``when-idle``, in short
            pieces while no call needs them; ``before-ready``; or ``never``.
        min_accuracy_retention: Minimum accuracy retention of an arm; an arm below it is never
            chosen.
        objective: What the choice of an arm minimises, in seconds and joules.
        energy: Energy model of the device, for the objective and the cost report.
        environment: Environment variables for the models, such as ``EDGEWRIGHT_VIT``.
    """

    name: str = Field(default="node", pattern=NAME)
    role: Role = "device"
    host: str = "127.0.0.1"
    port: int = Field(default=8760, ge=0, le=65535)
    grpc_port: int | None = Field(default=None, ge=0, le=65535)
    announce: bool = False
    peers: tuple[PeerConfig, ...] = ()
    keys: tuple[ApiKey, ...] = ()
    tls: Tls | None = None
    limits: RequestLimits = RequestLimits()
    preload: tuple[str, ...] = ("efficientnet-lite0",)
    slowdown: float = Field(default=1.0, ge=1.0, le=1000.0)
    threads: int = Field(default=1, ge=1, le=256)
    memory_budget_mb: int | None = Field(default=None, gt=0)
    camera: Path | None = None
    sensors: tuple[SensorConfig, ...] = ()
    link_prior: LinkPrior = LinkPrior()
    profile_file: Path | None = None
    profile_runs: int = Field(default=5, ge=1)
    measure: Literal["when-idle", "before-ready", "never"] = "when-idle"
    min_accuracy_retention: float = Field(default=0.99, ge=0, le=1)
    objective: Objective = Objective()
    energy: EnergyModel = EnergyModel()
    environment: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _peers_are_a_list(cls, values: Any) -> Any:
        if isinstance(values, dict) and "peer" in values:
            raise ValueError("'peer' is now the list 'peers': write peers: [{url: ...}]")
        return values

    @model_validator(mode="after")
    def _safe(self) -> NodeConfig:
        if self.role == "cloud" and self.peers:
            raise ValueError("a cloud node cannot have peers; set 'peers' on devices and servers")
        names = [peer.name for peer in self.peers]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two peers are named {repeated[0]!r}; give each a 'name' of its own")
        check_exposure(self.host, secured=bool(self.keys or self.tls))
        return self


def load_config(
    path: Path | None,
    *,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> NodeConfig:
    """Read a node's configuration.

    Args:
        path: YAML file; None means that of ``EDGEWRIGHT_NODE_CONFIG``, or defaults.
        overrides: Explicit values of top-level fields; None values are ignored.
        environ: Environment to read ``VARIABLES`` from.

    Raises:
        InputError: The file, or a variable's file, cannot be read, or a field is invalid; the
            message names it.
    """
    if path is None and (named := environ.get("EDGEWRIGHT_NODE_CONFIG")):
        path = Path(named)
    return read_config(NodeConfig, path, VARIABLES, overrides or {}, environ)


def masked(config: NodeConfig) -> dict[str, Any]:
    """Return a configuration as plain values, in its own order, with secrets masked.

    Args:
        config: The configuration.
    """
    values = config.model_dump(mode="json")
    for key in values["keys"]:
        key["scopes"].sort()
    for peer in values["peers"]:
        peer["url"] = shown_url(peer["url"])
    values["environment"] = {
        name: _MASK if _SECRET_NAME.search(name) else shown_url(value)
        for name, value in config.environment.items()
    }
    return values
