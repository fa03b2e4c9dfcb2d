"""The profile from which servers and devices of other speeds are made."""

from __future__ import annotations

import tempfile
from pathlib import Path

from edgewright.benchmarks.common.progress import log
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.profiling.measure import measure_profile
from edgewright.tools.contracts.profiles import ModelProfile, NodeProfile

#: The model of the benchmarks.
MODEL = "efficientnet-lite0"


def known_profile(path: Path | None) -> ModelProfile:
    """Return the model's profile on this machine.

    Args:
        path: A node's stored profile; None measures one.
    """
    if path is not None:
        return NodeProfile.model_validate_json(path.read_bytes()).models[MODEL]
    log("measuring the profile")
    with tempfile.TemporaryDirectory() as folder:
        config = NodeConfig(preload=(MODEL,), profile_file=Path(folder) / "measured.json")
        return measure_profile(config).models[MODEL]
