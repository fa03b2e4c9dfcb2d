"""The template of a plug-in, installed: its card is planned, and its expert answers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TEMPLATE = Path(__file__).parents[3] / "examples" / "plugin"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install the template beside this environment; return the environment variables for it."""
    target, source = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("source")
    subprocess.run(["cp", "-r", str(TEMPLATE), str(source)], check=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    options = ["--no-build-isolation", "--no-index", "--target", str(target)]
    subprocess.run([*command, *options, str(source / "plugin")], check=True)
    home = tmp_path_factory.mktemp("home")
    path = os.pathsep.join(filter(None, [str(target), os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path, "EDGEWRIGHT_HOME": str(home)}


def edgewright(environment, *arguments):
    code = "from edgewright.cli.main import app; app()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr


def test_the_template_works(installed, tmp_path):
    from PIL import Image

    Image.new("RGB", (40, 30), (250, 250, 250)).save(tmp_path / "snow.png")
    request = ("How bright is this picture?", "--image", str(tmp_path / "snow.png"))
    out, err = edgewright(installed, "ask", *request, "--embedded", "--json")
    reply = json.loads(out)
    assert [task["tool"] for task in reply["plan"]["tasks"]] == ["brightness"], err
    assert reply["results"][0]["output"]["brightness"] > 0.95, reply

    out, _ = edgewright(installed, "doctor", "--json")
    (check,) = [
        each
        for each in json.loads(out)["checks"]
        if each["name"] == "plug-in edgewright-brightness"
    ]
    assert check["state"] == "ok"
    assert check["detail"].startswith("1.0.0, permitted")

    out, err = edgewright(installed, "sensors", "list")
    assert "test-card" in out, err
    out, _ = edgewright({**installed, "EDGEWRIGHT_PLUGINS": "none"}, "plan", "--list")
    assert "brightness" not in out
