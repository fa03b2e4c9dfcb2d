"""A node's configuration: explicit argument > environment > file > default."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from edgewright.tools.contracts.profiles import Role
from edgewright.tools.errors import InputError
from edgewright.tools.images.probe import MAX_PIXELS
from edgewright.tools.offload.objective import EnergyModel, Objective
from edgewright.tools.settings import variable
from edgewright.tools.storage.documents import DocumentError, parse_yaml
from edgewright.tools.storage.reading import decode, read_file

#: Maximum size of a configuration, in bytes.
MAX_CONFIG_BYTES = 1_000_000

Scope = Literal["infer", "train", "admin"]

#: Environment variables that override the file, and the fields they set. Each may also name a file
#: with the value: ``EDGEWRIGHT_PEER_API_KEY_FILE``.
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "EDGEWRIGHT_NODE_NAME": ("name",),
    "EDGEWRIGHT_NODE_ROLE": ("role",),
    "EDGEWRIGHT_NODE_HOST": ("host",),
    "EDGEWRIGHT_NODE_PORT": ("port",),
    "EDGEWRIGHT_NODE_KEYS": ("keys",),
    "EDGEWRIGHT_NODE_CAMERA": ("camera",),
    "EDGEWRIGHT_PEER_URL": ("peer", "url"),
    "EDGEWRIGHT_PEER_API_KEY": ("peer", "api_key"),
}
#: Those whose value is YAML, as in the file.
_YAML_VARIABLES = ("EDGEWRIGHT_NODE_KEYS",)
_SECRET_NAME = re.compile(r"key|token|secret|password|credential", re.IGNORECASE)
_MASK = "**********"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PeerConfig(_Section):
    """The edge node that a device may send work to.

    Attributes:
        url: Its base URL.
        api_key: API key for it; preferably set by ``EDGEWRIGHT_PEER_API_KEY``, or its file.
        ca: Certificate to trust, if it has one of its own.
        poll_s: Seconds between attempts to reach it while it is down, and between link probes
            while tasks arrive that do not use the link.
    """

    url: str = Field(pattern=r"^https?://[^\s/]+/?$")
    api_key: SecretStr | None = None
    ca: Path | None = None
    poll_s: float = Field(default=1.0, gt=0)


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
    load_s: float = Field(default=120.0, gt=0)
    drain_s: float = Field(default=10.0, ge=0)
    peer_patience_s: float = Field(default=2.0, gt=0)


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
        role: ``device`` (has sensors, chooses arms) or ``edge`` (computes for devices).
        host: Address to listen on; only loopback without ``keys`` or ``tls``.
        port: Port to listen on; 0 takes a free one.
        peer: A device's edge peer.
        keys: Keys that callers may use; empty means that no key is needed.
        tls: Certificate, to serve HTTPS.
        limits: Limits on requests.
        preload: Models to load before the node is ready; others are loaded on first use.
        slowdown: Factor by which all computing is slowed down, to simulate a weaker device.
        threads: Threads of each model worker.
        memory_budget_mb: Memory for all models together, in MB; beyond it, the least recently
            used ones are unloaded. None means no limit.
        camera: Folder of photographs that simulates the camera.
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

    name: str = Field(default="node", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    role: Role = "device"
    host: str = "127.0.0.1"
    port: int = Field(default=8760, ge=0, le=65535)
    peer: PeerConfig | None = None
    keys: tuple[ApiKey, ...] = ()
    tls: Tls | None = None
    limits: RequestLimits = RequestLimits()
    preload: tuple[str, ...] = ("efficientnet-lite0",)
    slowdown: float = Field(default=1.0, ge=1.0, le=1000.0)
    threads: int = Field(default=1, ge=1, le=256)
    memory_budget_mb: int | None = Field(default=None, gt=0)
    camera: Path | None = None
    link_prior: LinkPrior = LinkPrior()
    profile_file: Path | None = None
    profile_runs: int = Field(default=5, ge=1)
    measure: Literal["when-idle", "before-ready", "never"] = "when-idle"
    min_accuracy_retention: float = Field(default=0.99, ge=0, le=1)
    objective: Objective = Objective()
    energy: EnergyModel = EnergyModel()
    environment: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _safe(self) -> NodeConfig:
        if self.role == "edge" and self.peer is not None:
            raise ValueError("an edge node cannot have a peer; set 'peer' on the device")
        if not (self.keys or self.tls or _is_loopback(self.host)):
            raise ValueError(
                f"host {self.host!r} can be reached from other machines; set 'keys' or 'tls', "
                "or listen on 127.0.0.1"
            )
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
    values = _read(path) if path is not None else {}
    for name, field in VARIABLES.items():
        if (text := variable(name, environ)) is not None:
            _put(values, field, _parsed(text, name) if name in _YAML_VARIABLES else text)
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    try:
        return NodeConfig.model_validate({**values, **given})
    except ValidationError as error:
        raise InputError(_first_fault(error), code="invalid_config") from None


def _first_fault(error: ValidationError) -> str:
    """Say what is wrong without the value, which may be a key."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown key {where!r} in the configuration; check its spelling"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def masked(config: NodeConfig) -> dict[str, Any]:
    """Return a configuration as plain values, in its own order, with secrets masked.

    Args:
        config: The configuration.
    """
    values = config.model_dump(mode="json")
    for key in values["keys"]:
        key["scopes"].sort()
    if config.peer is not None:
        values["peer"]["url"] = re.sub(r"//[^@/]*@", f"//{_MASK}@", config.peer.url)
    values["environment"] = {
        name: _MASK if _SECRET_NAME.search(name) else value
        for name, value in config.environment.items()
    }
    return values


def _read(path: Path) -> dict[str, Any]:
    try:
        values = parse_yaml(decode(read_file(path, MAX_CONFIG_BYTES)))
    except DocumentError:
        raise InputError(
            f"the configuration {str(path)!r} is not valid YAML", code="invalid_config"
        ) from None
    except InputError as error:
        raise InputError(f"the configuration: {error.message}", code="invalid_config") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(
            f"the configuration {str(path)!r} must hold 'field: value' lines", code="invalid_config"
        )
    return values


def _parsed(text: str, name: str) -> Any:
    try:
        return parse_yaml(text)
    except DocumentError:
        raise InputError(f"{name} is not valid YAML", code="invalid_config") from None


def _put(values: dict[str, Any], field: tuple[str, ...], value: str) -> None:
    for name in field[:-1]:
        inner = values.get(name)
        values[name] = dict(inner) if isinstance(inner, dict) else {}
        values = values[name]
    values[field[-1]] = value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
