"""The console script in a process of its own, and a device for it."""

import os
import subprocess
import sys

import pytest
import skimage.data
from PIL import Image

from edgewright.tools.nodes.launch import launch_node

#: The console script, wherever it is installed.
EDGEWRIGHT = [sys.executable, "-c", "from edgewright.cli.main import app; app()"]


@pytest.fixture(scope="session")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("camera")
    for name, pixels in {"cat": skimage.data.chelsea(), "cup": skimage.data.coffee()}.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="session")
def device(photographs):
    with launch_node(
        {"name": "camera-1", "role": "device", "port": 0, "camera": str(photographs)}
    ) as node:
        yield node


@pytest.fixture
def environment(tmp_path):
    """The environment with a state folder of its own, which identifies its processes."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("EDGEWRIGHT")}
    cache = os.environ["EDGEWRIGHT_CACHE"]
    return own | {"EDGEWRIGHT_HOME": str(tmp_path / "state"), "EDGEWRIGHT_CACHE": cache}


@pytest.fixture
def edgewright(environment):
    def run(*args, stdin=None, **more):
        return subprocess.run(
            [*EDGEWRIGHT, *map(str, args)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            env=environment | more,
        )

    return run
