"""Configuration of ``edgewright serve``: explicit argument > environment > file > default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edgewright.edge_runtime.config import (
    ApiKey,
    RequestLimits,
    Tls,
)
from edgewright.edge_runtime.config_file import read_config
from edgewright.edge_runtime.exposure import check_exposure

#: Environment variables that override the file, and the fields they set; each may also name a file
#: with the value: ``EDGEWRIGHT_SERVE_KEYS_FILE``.
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "EDGEWRIGHT_SERVE_HOST": ("host",),
    "EDGEWRIGHT_SERVE_PORT": ("port",),
    "EDGEWRIGHT_SERVE_KEYS": ("keys",),
}


class ServeConfig(BaseModel):
    """Configuration of the server of interfaces.

    Attributes:
        host: Address to listen on; only loopback without ``keys`` or ``tls``.
        port: Port to listen on; 0 takes a free one.
        keys: Keys that callers may use, as those of nodes; empty means that no key is needed.
        tls: Certificate, to serve HTTPS.
        limits: Limits on requests, as those of nodes; a body may hold several images.
        data: Folders and ``.npz`` files that trainings of the web console may use, besides the
            named data sets.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8770, ge=0, le=65535)
    keys: tuple[ApiKey, ...] = ()
    tls: Tls | None = None
    limits: RequestLimits = RequestLimits(body_bytes=32_000_000, concurrency=64)
    data: tuple[Path, ...] = ()

    @model_validator(mode="after")
    def _safe(self) -> ServeConfig:
        check_exposure(self.host, secured=bool(self.keys or self.tls))
        return self


def load_config(
    path: Path | None,
    *,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> ServeConfig:
    """Read the configuration.

    Args:
        path: YAML file; None means that of ``EDGEWRIGHT_SERVE_CONFIG``, or defaults.
        overrides: Explicit values of top-level fields; None values are ignored.
        environ: Environment to read ``VARIABLES`` from.

    Raises:
        InputError: The file, or a variable's file, cannot be read, or a field is invalid; the
            message names it.
    """
    if path is None and (named := environ.get("EDGEWRIGHT_SERVE_CONFIG")):
        path = Path(named)
    return read_config(ServeConfig, path, VARIABLES, overrides or {}, environ)
