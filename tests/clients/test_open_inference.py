"""tritonclient and kserve's client against a real node; ``make test-clients`` installs them."""

import os
import subprocess
from pathlib import Path

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
    settings = {"name": "edge", "role": "edge", "port": 0, "grpc_port": 0, "measure": "never"}
    with launch_node(settings) as node:
        script = Path(__file__).parent / "open_inference.py"
        result = subprocess.run(
            [PYTHON, str(script), node.url, node.grpc, str(file)],
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
    assert result.stdout.strip() == "ok", result.stderr
