"""tritonclient and kserve's client against a real node; ``make test-clients`` installs them."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgewright.tools.nodes.launch import launch_node

PYTHON = os.environ.get("EDGEWRIGHT_CLIENTS_PYTHON", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not PYTHON, reason="run make test-clients"),
]


def test_clients_of_the_open_inference_protocol(tmp_path):
    import skimage.data
    from PIL import Image

    file = tmp_path / "cat.jpg"
    Image.fromarray(skimage.data.chelsea()).save(file)
    values = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)
    np.save(tmp_path / "values.npy", values)
    settings = {"name": "edge", "role": "edge", "port": 0, "grpc_port": 0, "measure": "never"}
    with launch_node(settings) as node:
        _run("triton_session.py", node.url, node.grpc, str(file), str(tmp_path))
        _run("kserve_session.py", node.url, node.grpc, str(tmp_path))
    outputs = np.concatenate([np.load(tmp_path / f"{name}.npy") for name in ("triton", "kserve")])
    assert outputs.shape == (4, 1000)
    np.testing.assert_allclose(outputs, outputs[:1].repeat(4, axis=0), atol=1e-5)


def _run(script, *arguments):
    """Run a client's session, which ends with an error if an assertion in it fails."""
    path = Path(__file__).parent / script
    result = subprocess.run(
        [PYTHON, str(path), *arguments], capture_output=True, text=True, timeout=200, check=False
    )
    assert result.returncode == 0, result.stderr
