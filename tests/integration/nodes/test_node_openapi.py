"""The node conforms to its OpenAPI description."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgewright.edge_runtime.keys import new_key
from edgewright.tools.nodes.launch import launch_node

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

#: A schema cannot describe an image, so bytes that match the schema may be refused.
SKIPPED_CHECK = "positive_data_acceptance"


def _schemathesis(url: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
            *("--checks", "all", "--exclude-checks", SKIPPED_CHECK),
            *("--seed", "1", "--continue-on-failure", "--no-color"),
            # Without sequences of requests: no response of a node names another request.
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "15"),
            *("--suppress-health-check", "all", *more),
        ],
        cwd=folder,
        # With CI set, Hypothesis ignores the settings on this command line.
        env={name: value for name, value in os.environ.items() if name != "CI"},
        capture_output=True,
        text=True,
        timeout=360,
        check=False,
    )


def test_an_open_node(device_node, tmp_path):
    result = _schemathesis(device_node.url, tmp_path)
    assert result.returncode == 0, result.stdout


def test_a_node_that_requires_keys(node_settings, tmp_path):
    key, sha256 = new_key()
    keys = [{"name": "test", "sha256": sha256, "scopes": ["infer", "artifacts", "admin", "train"]}]
    with launch_node(node_settings("edge", keys=keys)) as node:
        result = _schemathesis(node.url, tmp_path, "-H", f"Authorization: Bearer {key}")
    assert result.returncode == 0, result.stdout
